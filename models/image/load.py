"""Loading a diffusers pipeline from a folder, without running anything that the folder brings."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderDC, AutoPipelineForImage2Image, AutoPipelineForText2Image
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTinyOutput
from diffusers.utils import logging as diffusers_logging
from transformers.utils import logging as transformers_logging

from models.folder import ModelError, check


def load_text_to_image(folder: Path, device: str, dtype: str) -> Any:
    """The text-to-image pipeline in `folder`, on `device`. Raises ModelError with a reason for people."""
    check(folder)
    index = folder / "model_index.json"
    if not index.is_file():
        raise ModelError(f"{folder}: not a text-to-image model: it has no model_index.json, which diffusers writes")
    if not isinstance(json.loads(index.read_text(encoding="utf-8")).get("_class_name"), str):
        raise ModelError(f"{index}: names no pipeline of diffusers' own, and no others are run")
    hush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            pipeline = AutoPipelineForText2Image.from_pretrained(
                folder,
                use_safetensors=True,
                local_files_only=True,
                low_cpu_mem_usage=False,
                dtype=getattr(torch, dtype),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{folder}: cannot be loaded as a text-to-image model: {error}") from error
        return _plain(pipeline.to(device))


def image_to_image_of(pipeline: Any) -> Any:
    """The image-to-image pipeline that shares the weights of `pipeline`. Raises ValueError where there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = AutoPipelineForImage2Image.from_pipe(pipeline)
    if isinstance(made.vae, AutoencoderDC):
        _name_latents(made.vae)
    return _plain(made)


def _name_latents(autoencoder: Any) -> None:
    """Have an autoencoder say `latents`, as image-to-image pipelines ask for, where its class says `latent`."""
    encode = autoencoder.encode

    def named(pixels: torch.Tensor, return_dict: bool = True) -> Any:
        (latents,) = encode(pixels, return_dict=False)
        return AutoencoderTinyOutput(latents=latents) if return_dict else (latents,)

    autoencoder.encode = named


def hush() -> None:
    """Keep diffusers and transformers from talking: they announce renamings and bars that concern nobody here."""
    for library in (diffusers_logging, transformers_logging):
        library.set_verbosity_error()
        library.disable_progress_bar()


def _plain(pipeline: Any) -> Any:
    pipeline.set_progress_bar_config(disable=True)
    # SDXL marks its pictures whenever the watermark package happens to be installed; marking is not the model's task.
    if hasattr(pipeline, "watermark"):
        pipeline.watermark = None
    return pipeline
