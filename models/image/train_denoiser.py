"""The second stage: a denoiser and its text encoder, by flow matching on cached latents."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers.models.attention_processor import AttnProcessor
from transformers import CLIPTokenizer

from models.image.parts import PROMPT_TOKENS, Autoencoder, Parts, build_denoiser, build_text_encoder
from models.image.pictures import Bucket, as_tensor
from models.image.progress import Log, Progress, device, half_precision, rate, save, set_rate

AVERAGE_EVERY = 4
PEAK_RATE = 1.2e-3
UNCAPTIONED = 0.1  # share of captions dropped, for guidance
# The denoiser answers with the clean latents, and its error is weighed as that of the flow would be: by one over the
# squared share of noise, which is kept from growing without bound.
LEAST_NOISE = 0.12
SIGMA_SHIFT = -0.3  # latents are smaller than noise, so the middle of the way is nearer to the picture


def cache_latents(model: Autoencoder, bucket: Bucket, batch: int = 100) -> torch.Tensor:
    """The latents of all pictures: count × channels × height/16 × width/16, float16, on the model's device."""
    where = next(model.parameters()).device
    parts = []
    with torch.no_grad():
        for first in range(0, len(bucket.pixels), batch):
            pixels = as_tensor(bucket.pixels[first : first + batch]).to(where)
            parts.append(model.encode(pixels).latent.half())
    return torch.cat(parts)


@dataclass(frozen=True, slots=True)
class Cached:
    """A bucket ready for the denoiser: latents, token ids of count × captions × PROMPT_TOKENS, and SDXL's size ids."""

    latents: torch.Tensor
    tokens: torch.Tensor
    time_ids: torch.Tensor


def tokens_of(tokenizer: CLIPTokenizer, captions: Sequence[str]) -> torch.Tensor:
    """Padded token ids: count × PROMPT_TOKENS."""
    padded = tokenizer(
        list(captions), padding="max_length", max_length=PROMPT_TOKENS, truncation=True, return_tensors="pt"
    )
    return padded["input_ids"]


def cache(model: Autoencoder, tokenizer: CLIPTokenizer, bucket: Bucket) -> Cached:
    """Encode a bucket once."""
    width, height = bucket.size
    latents = cache_latents(model, bucket)
    each = len(bucket.captions[0])
    flat = [caption for captions in bucket.captions for caption in captions]
    # SDXL tells its denoiser original size, crop and target size, rows first.
    time_ids = torch.tensor([height, width, 0, 0, height, width], dtype=torch.float32, device=latents.device)
    tokens = tokens_of(tokenizer, flat).view(-1, each, PROMPT_TOKENS).to(latents.device)
    return Cached(latents, tokens, time_ids)


class Denoiser(torch.nn.Module):
    """UNet and text encoder as one module, predicting the clean latents of noisy ones."""

    def __init__(self, tokenizer: CLIPTokenizer):
        super().__init__()
        self.unet = build_denoiser()
        self.text_encoder = build_text_encoder(tokenizer)
        self.reading = True  # whether the text encoder still learns

    def forward(
        self, noisy: torch.Tensor, timestep: torch.Tensor, tokens: torch.Tensor, time_ids: torch.Tensor
    ) -> torch.Tensor:
        """`noisy`: batch × channels × rows × columns; `timestep`: 0–1000; `tokens`: batch × PROMPT_TOKENS."""
        with torch.set_grad_enabled(self.reading and torch.is_grad_enabled()):
            encoded = self.text_encoder(tokens, output_hidden_states=True)
        pooled = {"text_embeds": encoded.text_embeds, "time_ids": time_ids.expand(len(noisy), -1)}
        # The pipeline feeds the last hidden state but one; so does training.
        clean: torch.Tensor = self.unet(
            noisy, timestep, encoded.hidden_states[-2], added_cond_kwargs=pooled, return_dict=False
        )[0]
        return clean


def noised(clean: torch.Tensor, sigma: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Straight between picture and noise: `sigma` is the share of noise, one number a picture."""
    share = sigma[:, None, None, None]
    return (1 - share) * clean + share * noise


def flow_loss(
    model: torch.nn.Module, cached: Cached, batch: int, empty: torch.Tensor, seed: tuple[int, ...]
) -> torch.Tensor:
    """The loss of one batch, drawn by `seed`."""
    where = cached.latents.device
    rng = np.random.default_rng(seed)
    generator = torch.Generator(where).manual_seed(int(rng.integers(2**62)))
    chosen = torch.from_numpy(rng.integers(len(cached.latents), size=batch)).to(where)
    said = torch.from_numpy(rng.integers(cached.tokens.shape[1], size=batch)).to(where)
    silent = torch.from_numpy(rng.random(batch) < UNCAPTIONED).to(where)
    clean = cached.latents[chosen].float()
    tokens = torch.where(silent[:, None], empty, cached.tokens[chosen, said])
    noise = torch.randn(clean.shape, generator=generator, device=where)
    sigma = torch.sigmoid(torch.randn(batch, generator=generator, device=where) + SIGMA_SHIFT)
    with half_precision(where):
        made = model(noised(clean, sigma, noise), 1000 * sigma, tokens, cached.time_ids)
    error = (made.float() - clean).square().mean((1, 2, 3))
    return (error / sigma.clamp(min=LEAST_NOISE).square()).mean()


def train_denoiser(
    autoencoder: Autoencoder,
    tokenizer: CLIPTokenizer,
    buckets: Sequence[Bucket],
    steps: int,
    batch: int,
    work: Path,
    seed: int,
    log: Log,
    older: Parts | None = None,
) -> Denoiser:
    """Flow matching on cached latents: the first bucket alone, and all of them in the last third, where the text
    encoder rests. Begins from `older`, if given, the denoiser only from one of its own shape. Returns the average of
    the weights over the last steps."""
    torch.manual_seed(seed)
    where = device()
    model = Denoiser(tokenizer)
    if older:
        model.text_encoder.load_state_dict(older.text_encoder.state_dict())
        if alike(older.denoiser, model.unet):
            model.unet.load_state_dict(older.denoiser.state_dict())
        else:
            log("the earlier model's denoiser has another shape: this one begins from nothing")
    if where.type == "cpu":
        # In bfloat16 the fused attention is slower there than plain products of matrices, its backward pass most.
        model.unet.set_attn_processor(AttnProcessor())
    model.to(where)
    average = Denoiser(tokenizer).to(where).eval().requires_grad_(False)
    average.load_state_dict(model.state_dict())
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0, betas=(0.9, 0.99), weight_decay=1e-2, fused=True)
    path = work / "denoiser.pt"
    first = 0
    if path.exists():
        state = torch.load(path, weights_only=True, map_location=where)
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["step"]

    log("encoding pictures and captions")
    cached = [cache(autoencoder, tokenizer, bucket) for bucket in buckets]
    shares = np.array([len(c.latents) for c in cached], float)
    empty = tokens_of(tokenizer, [""]).to(where)
    # Compiling takes minutes, which a short training does not earn back; one graph for each size of picture.
    if where.type == "cuda" and steps > 2_000 and shutil.which("cc") is not None:
        model.unet.compile(dynamic=False)
    progress = Progress("denoiser", steps, first, log)
    for step in range(first, steps):
        # By then the words are learnt, and a fifth of the time goes into them.
        mixed = step >= steps * 2 // 3
        model.reading = not mixed
        which = int(np.random.default_rng((seed, 2, step)).choice(len(cached), p=shares / shares.sum())) if mixed else 0
        set_rate(optimizer, rate(step, steps, PEAK_RATE))
        loss = flow_loss(model, cached[which], batch, empty, (seed, 3, step))
        model.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % AVERAGE_EVERY == 0:
            _follow(average, model, min(0.99, (1 + step) / (20 + step)))
        progress.step(
            step,
            loss,
            lambda done=step + 1: save(  # type: ignore[misc]
                path,
                {
                    "model": model.state_dict(),
                    "average": average.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "step": done,
                },
            ),
        )
    return average


def alike(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    """Whether two modules have weights of the same names and shapes."""
    shapes = [{name: tensor.shape for name, tensor in module.state_dict().items()} for module in (one, other)]
    return shapes[0] == shapes[1]


def _follow(average: Denoiser, model: Denoiser, decay: float) -> None:
    with torch.no_grad():
        kept: list[torch.Tensor] = list(average.parameters())
        torch._foreach_mul_(kept, decay)
        torch._foreach_add_(kept, list[torch.Tensor](model.parameters()), alpha=1 - decay)
