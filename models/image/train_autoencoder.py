"""The first stage: an autoencoder with a linear encoder, fixed at the start, and a decoder that is trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from models.image.linear import BLOCK, set_principal_components
from models.image.muon import Muon
from models.image.parts import Autoencoder, Parts, build_autoencoder
from models.image.pictures import Bucket, as_tensor, draw_bucket
from models.image.progress import Log, Progress, device, half_precision, rate, save, set_rate

PRINCIPAL_PICTURES = 2_000
CROP = 64  # a whole number of blocks; the decoder sees no farther
NOISE = 0.05


def _edges(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return x[..., 1:, :] - x[..., :-1, :], x[..., :, 1:] - x[..., :, :-1]


def picture_loss(made: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Difference of pixels and of edges: edges are what the eye misses first in small pictures."""
    loss = F.smooth_l1_loss(made, wanted, beta=0.1)
    for got, want in zip(_edges(made), _edges(wanted), strict=True):
        loss = loss + 0.7 * F.smooth_l1_loss(got, want, beta=0.1)
    return loss


def _crops(pixels: NDArray[np.uint8], chosen: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A square of CROP from each chosen picture, at whole blocks."""
    _, height, width, _ = pixels.shape
    side = min(CROP, height, width)
    tops = BLOCK * rng.integers((height - side) // BLOCK + 1, size=len(chosen))
    lefts = BLOCK * rng.integers((width - side) // BLOCK + 1, size=len(chosen))
    return np.stack(
        [pixels[k, top : top + side, left : left + side] for k, top, left in zip(chosen, tops, lefts, strict=True)]
    )


def train_autoencoder(
    buckets: Sequence[Bucket], steps: int, batch: int, work: Path, seed: int, log: Log, older: Parts | None = None
) -> Autoencoder:
    """Fix the encoder to the principal components of the pictures' blocks, then train the decoder on crops; with
    `older`, keep its encoder and begin from its decoder."""
    torch.manual_seed(seed)
    where = device()
    model = build_autoencoder()
    if older:
        model.load_state_dict(older.autoencoder.state_dict())
    else:
        set_principal_components(model.encoder, buckets[0].pixels[:PRINCIPAL_PICTURES])
    model.to(where)
    model.encoder.requires_grad_(False)
    matrices = [weight for weight in model.decoder.parameters() if weight.ndim > 1 and len(weight) > 3]
    others = [weight for weight in model.decoder.parameters() if weight.ndim == 1 or len(weight) <= 3]
    optimizers = [Muon(matrices, lr=0.0), torch.optim.AdamW(others, lr=0.0, betas=(0.9, 0.99), weight_decay=1e-4)]
    path = work / "decoder.pt"
    first = 0
    if path.exists():
        state = torch.load(path, weights_only=True, map_location=where)
        model.load_state_dict(state["model"])
        for optimizer, kept in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        first = state["step"]
    progress = Progress("decoder", steps, first, log)
    for step in range(first, steps):
        rng = np.random.default_rng((seed, 1, step))
        bucket = draw_bucket(buckets, rng)
        wanted = as_tensor(_crops(bucket.pixels, rng.integers(len(bucket.pixels), size=batch), rng)).to(where)
        for optimizer, peak in zip(optimizers, (2e-3, 2e-3), strict=True):
            set_rate(optimizer, rate(step, steps, peak))
        with torch.no_grad():
            latents = model.encode(wanted).latent
        noise = torch.from_numpy(rng.standard_normal(latents.shape, np.float32)).to(where)
        # A little noise: the decoder forgives what the denoiser gets wrong.
        with half_precision(where):
            made = model.decode(latents + NOISE * noise).sample
        loss = picture_loss(made.float(), wanted)
        model.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.decoder.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        progress.step(
            step,
            loss,
            lambda done=step + 1: save(  # type: ignore[misc]
                path,
                {"model": model.state_dict(), "optimizers": [o.state_dict() for o in optimizers], "step": done},
            ),
        )
    return model.eval().requires_grad_(False)
