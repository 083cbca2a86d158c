"""The parts of the small pipeline: autoencoder, denoiser, text encoder, tokenizer, scheduler, and their assembly."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderDC, DPMSolverMultistepScheduler, StableDiffusionXLPipeline, UNet2DConditionModel
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import CLIPTextConfig, CLIPTextModelWithProjection, CLIPTokenizer

from models.image import native
from models.image.load import hush

# Of blocks rebuilt from 48 components, the benchmark's judge tells 63 % of the materials, from 64, 81 %, and from 80,
# 85 %; of the renders themselves, 88 %.
LATENT_CHANNELS = 80
DECODER_WIDTHS = (80, 80, 160, 160, 160)
PROMPT_TOKENS = 32
TEXT_WIDTH = 128
TIME_ID_WIDTH = 16
# diffusers is typed too loosely for its modules to be known as modules
Autoencoder = Any
START, END = "<|startoftext|>", "<|endoftext|>"


def build_tokenizer(captions: Iterable[str], merges: int = 700) -> CLIPTokenizer:
    """A CLIP tokenizer whose merges come from `captions`. Bytes remain, so every prompt can be spelt."""
    learner = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    learner.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(vocab_size=merges + 200, end_of_word_suffix="</w>", show_progress=False)
    learner.train_from_iterator((caption.lower() for caption in captions), trainer)
    pairs = [tuple(pair) for pair in _merges(learner)][:merges]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = [*letters, *(letter + "</w>" for letter in letters), *dict.fromkeys("".join(pair) for pair in pairs)]
    vocabulary = {word: index for index, word in enumerate([*words, START, END])}
    make: Any = CLIPTokenizer  # its annotations know merges as strings only
    tokenizer: CLIPTokenizer = make(
        vocab=vocabulary, merges=pairs, model_max_length=PROMPT_TOKENS, pad_token=END, unk_token=END
    )
    return tokenizer


def _merges(learner: Tokenizer) -> list[list[str]]:
    merges: list[list[str]] = json.loads(learner.to_str())["model"]["merges"]
    return merges


def build_autoencoder() -> Autoencoder:
    """An autoencoder that makes 16 × 16 pixels one latent of 80 channels.

    Its encoder is linear. Its decoder unfolds channels into pixels: one that doubles pixels and convolves them cannot
    tell the left of two from the right where neighbouring latents are alike, as they are under an even pattern.
    """
    autoencoder: Autoencoder = AutoencoderDC(
        latent_channels=LATENT_CHANNELS,
        encoder_block_out_channels=tuple(3 * 4**stage for stage in range(5)),
        encoder_layers_per_block=(1, 1, 1, 1, 0),
        encoder_qkv_multiscales=((),) * 5,
        encoder_out_shortcut=False,
        decoder_block_out_channels=DECODER_WIDTHS,
        decoder_layers_per_block=(0, 1, 2, 1, 1),
        decoder_qkv_multiscales=((),) * 5,
        decoder_conv_act_fn="silu",
    )
    # What the SDXL pipeline asks of an autoencoder, and this class does not say of itself.
    autoencoder.register_to_config(block_out_channels=DECODER_WIDTHS, force_upcast=False)
    return autoencoder


def build_denoiser() -> Any:
    """An SDXL-shaped UNet for latents of 8 × 8 and thereabouts; about 9.4 M parameters.

    It has one level. Latents are so few that nothing is gained by halving them, and every place must see every other:
    a pattern that goes on across a picture is decided in all places at once.
    """
    return UNet2DConditionModel(
        sample_size=8,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        block_out_channels=(160,),
        layers_per_block=2,
        down_block_types=("CrossAttnDownBlock2D",),
        up_block_types=("CrossAttnUpBlock2D",),
        attention_head_dim=5,  # the number of heads, for all its name
        cross_attention_dim=TEXT_WIDTH,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=TIME_ID_WIDTH,
        projection_class_embeddings_input_dim=TEXT_WIDTH + 6 * TIME_ID_WIDTH,
    )


def build_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModelWithProjection:
    """A small CLIP text model whose projection pools the prompt; about 0.8 M parameters."""
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=TEXT_WIDTH,
        intermediate_size=4 * TEXT_WIDTH,
        num_hidden_layers=3,
        num_attention_heads=4,
        projection_dim=TEXT_WIDTH,
        max_position_embeddings=PROMPT_TOKENS,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return CLIPTextModelWithProjection(config)


@dataclass(frozen=True, slots=True)
class Parts:
    """The trained parts of a pipeline that this module built, in single precision."""

    autoencoder: Autoencoder
    denoiser: Any
    text_encoder: CLIPTextModelWithProjection
    tokenizer: CLIPTokenizer


def open_parts(folder: Path) -> Parts:
    """Read what `save_pipeline` wrote.

    Raises:
        OSError: a part is missing or damaged.
    """
    hush()
    return Parts(
        AutoencoderDC.from_pretrained(folder / "vae", torch_dtype=torch.float32),
        UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=torch.float32),
        CLIPTextModelWithProjection.from_pretrained(folder / "text_encoder_2", dtype=torch.float32),
        CLIPTokenizer.from_pretrained(folder / "tokenizer_2"),
    )


def save_pipeline(
    out: Path,
    autoencoder: Autoencoder,
    denoiser: Any,
    text_encoder: CLIPTextModelWithProjection,
    tokenizer: CLIPTokenizer,
    sizes: Sequence[tuple[int, int]],
) -> None:
    """Write an ordinary diffusers folder in half precision, to be run at float32 on CPU, and beside it the `sizes`
    (width, height) that the model draws well."""
    scheduler = DPMSolverMultistepScheduler(prediction_type="sample", use_flow_sigmas=True)
    hush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline: Any = StableDiffusionXLPipeline(
            vae=autoencoder,
            text_encoder=None,
            text_encoder_2=text_encoder,
            tokenizer=None,
            tokenizer_2=tokenizer,
            unet=denoiser,
            scheduler=scheduler,
            force_zeros_for_empty_prompt=False,
            add_watermarker=False,
        )
        pipeline.to(torch.float16)
        pipeline.save_pretrained(out, safe_serialization=True)
    for config in out.glob("*/config.json"):
        # Where an earlier model was read from is nobody's business.
        kept = {name: value for name, value in json.loads(config.read_text()).items() if name != "_name_or_path"}
        config.write_text(json.dumps(kept, indent=2) + "\n")
    native.write(out, sizes)
