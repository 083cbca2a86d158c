"""Training a small text-to-image pipeline from captioned pictures: an autoencoder, then a denoiser by flow matching.

Knows tensors and captions, not what the pictures show. Each stage writes a checkpoint every few minutes and goes on
from it, so that an interrupted training loses little. Runs on a graphics card where there is one. The result is an
ordinary diffusers folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from models.image.parts import build_tokenizer, open_parts, save_pipeline
from models.image.pictures import Bucket, as_tensor
from models.image.progress import Log
from models.image.train_autoencoder import train_autoencoder
from models.image.train_denoiser import train_denoiser


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How long to train: steps of each stage and pictures a step."""

    autoencoder_steps: int
    autoencoder_batch: int = 16
    denoiser_steps: int
    denoiser_batch: int = 64


def train(
    buckets: Sequence[Bucket], recipe: Recipe, out: Path, work: Path, seed: int, log: Log, start: Path | None = None
) -> None:
    """Train all parts on `buckets` and write the pipeline to `out`, beginning from the pipeline in `start` or from
    nothing. Checkpoints lie in `work`; call again to go on."""
    torch.set_float32_matmul_precision("high")  # graphics cards only: as exact as training needs
    older = open_parts(start) if start else None
    tokenizer = (
        older.tokenizer
        if older
        else build_tokenizer(caption for bucket in buckets for captions in bucket.captions for caption in captions)
    )
    autoencoder = train_autoencoder(buckets, recipe.autoencoder_steps, recipe.autoencoder_batch, work, seed, log, older)
    denoiser = train_denoiser(
        autoencoder, tokenizer, buckets, recipe.denoiser_steps, recipe.denoiser_batch, work, seed, log, older
    )
    sizes = [bucket.size for bucket in buckets]
    save_pipeline(out, autoencoder.cpu(), denoiser.unet.cpu(), denoiser.text_encoder.cpu(), tokenizer, sizes)
    log(f"saved {out}")


__all__ = ["Bucket", "Recipe", "as_tensor", "train"]
