"""Training a small text-to-image pipeline from captioned pictures: an autoencoder, then a denoiser by flow matching.

Knows tensors and captions, not what the pictures show. Each stage writes a checkpoint every few minutes and goes on
from it, so that an interrupted training loses little. The result is an ordinary diffusers folder.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from transformers import CLIPTokenizer

from models.image.linear import calm_blocks, set_principal_components
from models.image.muon import Muon
from models.image.parts import (
    PROMPT_TOKENS,
    Autoencoder,
    build_autoencoder,
    build_denoiser,
    build_text_encoder,
    build_tokenizer,
    save_pipeline,
)

CHECKPOINT_SECONDS = 120
AVERAGE_EVERY = 4
PRINCIPAL_PICTURES = 2_000
Log = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Bucket:
    """Pictures of one size: `pixels` is count × height × width × 3 uint8, `captions` some for each picture."""

    pixels: NDArray[np.uint8]
    captions: Sequence[Sequence[str]]

    @property
    def size(self) -> tuple[int, int]:
        """Width, height."""
        return self.pixels.shape[2], self.pixels.shape[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How long to train: steps of each stage and pictures a step."""

    autoencoder_steps: int
    autoencoder_batch: int = 16
    denoiser_steps: int
    denoiser_batch: int = 64


class _Progress:
    """Says how a stage goes and when to write its checkpoint."""

    def __init__(self, name: str, steps: int, first: int, log: Log):
        self.name, self.steps, self.first, self.log = name, steps, first, log
        self.started = self.saved = self.said = time.monotonic()
        self.loss = 0.0

    def step(self, step: int, loss: float, checkpoint: Callable[[], None]) -> None:
        """Note a finished step."""
        self.loss = loss if not self.loss else 0.98 * self.loss + 0.02 * loss
        now = time.monotonic()
        if now - self.said > 15 or step + 1 == self.steps:
            pace = (now - self.started) / (step + 1 - self.first)
            left = pace * (self.steps - step - 1) / 60
            self.log(f"{self.name}: step {step + 1}/{self.steps}, loss {self.loss:.4f}, {left:.0f} min left")
            self.said = now
        if now - self.saved > CHECKPOINT_SECONDS or step + 1 == self.steps:
            checkpoint()
            self.saved = now


def _save(path: Path, state: dict[str, Any]) -> None:
    scratch = path.with_suffix(".new")
    torch.save(state, scratch)
    scratch.replace(path)


def _rate(step: int, steps: int, peak: float, warmup: int = 200) -> float:
    """Learning rate: a short rise, a plateau, and a linear fall over the last 40 %."""
    rise = min(1.0, (step + 1) / min(warmup, max(1, steps // 10)))
    fall = min(1.0, (steps - step) / (0.4 * steps))
    return peak * rise * max(fall, 0.01)


def _set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate


def as_tensor(pixels: NDArray[np.uint8]) -> torch.Tensor:
    """Pictures as the pipeline sees them: count × 3 × height × width, -1 to 1."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1


def _edges(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return x[..., 1:, :] - x[..., :-1, :], x[..., :, 1:] - x[..., :, :-1]


def _picture_loss(made: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Difference of pixels and of edges: edges are what the eye misses first in small pictures."""
    loss = F.smooth_l1_loss(made, wanted, beta=0.2)
    for got, want in zip(_edges(made), _edges(wanted), strict=True):
        loss = loss + 0.7 * F.smooth_l1_loss(got, want, beta=0.2)
    return loss


def train_autoencoder(buckets: Sequence[Bucket], recipe: Recipe, work: Path, seed: int, log: Log) -> Autoencoder:
    """Fix the encoder to the principal components of the pictures' blocks, then train the decoder on all buckets."""
    torch.manual_seed(seed)
    model = build_autoencoder()
    set_principal_components(model.encoder, buckets[0].pixels[:PRINCIPAL_PICTURES])
    calm_blocks(model.decoder)
    model.encoder.requires_grad_(False)
    matrices = [weight for weight in model.decoder.parameters() if weight.ndim > 1 and len(weight) > 3]
    others = [weight for weight in model.decoder.parameters() if weight.ndim == 1 or len(weight) <= 3]
    optimizers = [Muon(matrices, lr=0.0), torch.optim.AdamW(others, lr=0.0, betas=(0.9, 0.99), weight_decay=1e-4)]
    path = work / "decoder.pt"
    first = 0
    if path.exists():
        state = torch.load(path, weights_only=True)
        model.load_state_dict(state["model"])
        for optimizer, kept in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        first = state["step"]
    progress = _Progress("decoder", recipe.autoencoder_steps, first, log)
    for step in range(first, recipe.autoencoder_steps):
        rng = np.random.default_rng((seed, 1, step))
        bucket = _draw_bucket(buckets, rng)
        chosen = rng.integers(len(bucket.pixels), size=recipe.autoencoder_batch)
        wanted = as_tensor(bucket.pixels[chosen])
        for optimizer, peak in zip(optimizers, (8e-3, 2e-3), strict=True):
            _set_rate(optimizer, _rate(step, recipe.autoencoder_steps, peak))
        latents = model.encode(wanted).latents
        noise = torch.from_numpy(rng.standard_normal(latents.shape, np.float32))
        # A little noise: the decoder forgives what the denoiser gets wrong.
        loss = _picture_loss(model.decode(latents + 0.06 * noise).sample, wanted)
        model.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.decoder.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        progress.step(
            step,
            loss.item(),
            lambda done=step + 1: _save(  # type: ignore[misc]
                path,
                {"model": model.state_dict(), "optimizers": [o.state_dict() for o in optimizers], "step": done},
            ),
        )
    return model.eval().requires_grad_(False)


def _draw_bucket(buckets: Sequence[Bucket], rng: np.random.Generator) -> Bucket:
    sizes = np.array([len(bucket.pixels) for bucket in buckets], float)
    return buckets[int(rng.choice(len(buckets), p=sizes / sizes.sum()))]


def cache_latents(model: Autoencoder, bucket: Bucket, batch: int = 100) -> torch.Tensor:
    """The latents of all pictures: count × channels × height/8 × width/8, float16."""
    parts = []
    with torch.no_grad():
        for first in range(0, len(bucket.pixels), batch):
            parts.append(model.encode(as_tensor(bucket.pixels[first : first + batch])).latents.half())
    return torch.cat(parts)


@dataclass(frozen=True, slots=True)
class _Cached:
    """A bucket ready for the denoiser: latents, and token ids of count × captions × PROMPT_TOKENS."""

    latents: torch.Tensor
    tokens: torch.Tensor
    time_ids: torch.Tensor


def _tokens(tokenizer: CLIPTokenizer, captions: Sequence[str]) -> torch.Tensor:
    padded = tokenizer(
        list(captions), padding="max_length", max_length=PROMPT_TOKENS, truncation=True, return_tensors="pt"
    )
    return padded["input_ids"]


def _cache(model: Autoencoder, tokenizer: CLIPTokenizer, bucket: Bucket) -> _Cached:
    width, height = bucket.size
    each = len(bucket.captions[0])
    flat = [caption for captions in bucket.captions for caption in captions]
    # SDXL tells its denoiser original size, crop and target size, rows first.
    time_ids = torch.tensor([height, width, 0, 0, height, width], dtype=torch.float32)
    return _Cached(cache_latents(model, bucket), _tokens(tokenizer, flat).view(-1, each, PROMPT_TOKENS), time_ids)


class Denoiser(torch.nn.Module):
    """UNet and text encoder as one module, predicting the flow (noise minus picture) of noisy latents."""

    def __init__(self, tokenizer: CLIPTokenizer):
        super().__init__()
        self.unet = build_denoiser()
        self.text_encoder = build_text_encoder(tokenizer)

    def forward(
        self, noisy: torch.Tensor, timestep: torch.Tensor, tokens: torch.Tensor, time_ids: torch.Tensor
    ) -> torch.Tensor:
        """`noisy`: batch × channels × rows × columns; `timestep`: 0–1000; `tokens`: batch × PROMPT_TOKENS."""
        encoded = self.text_encoder(tokens, output_hidden_states=True)
        pooled = {"text_embeds": encoded.text_embeds, "time_ids": time_ids.expand(len(noisy), -1)}
        # The pipeline feeds the last hidden state but one; so does training.
        flow: torch.Tensor = self.unet(
            noisy, timestep, encoded.hidden_states[-2], added_cond_kwargs=pooled, return_dict=False
        )[0]
        return flow


def _flow_loss(
    model: Denoiser, cached: _Cached, batch: int, empty: torch.Tensor, seed: tuple[int, ...]
) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    chosen = torch.from_numpy(rng.integers(len(cached.latents), size=batch))
    clean = cached.latents[chosen].float()
    tokens = cached.tokens[chosen, torch.from_numpy(rng.integers(cached.tokens.shape[1], size=batch))]
    tokens = torch.where(torch.from_numpy(rng.random(batch) < 0.1)[:, None], empty, tokens)
    noise = torch.randn(clean.shape, generator=generator)
    sigma = torch.sigmoid(torch.randn(batch, generator=generator))[:, None, None, None]
    noisy = (1 - sigma) * clean + sigma * noise
    return F.mse_loss(model(noisy, 1000 * sigma.flatten(), tokens, cached.time_ids), noise - clean)


def train_denoiser(
    autoencoder: Autoencoder,
    tokenizer: CLIPTokenizer,
    buckets: Sequence[Bucket],
    recipe: Recipe,
    work: Path,
    seed: int,
    log: Log,
) -> Denoiser:
    """Flow matching on cached latents: the first bucket alone, and all of them in the last third. Returns the average
    of the weights over the last steps."""
    torch.manual_seed(seed)
    model = Denoiser(tokenizer)
    average = Denoiser(tokenizer).eval().requires_grad_(False)
    average.load_state_dict(model.state_dict())
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0, betas=(0.9, 0.99), weight_decay=1e-2, fused=True)
    path = work / "denoiser.pt"
    first = 0
    if path.exists():
        state = torch.load(path, weights_only=True)
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["step"]

    log("encoding pictures and captions")
    cached = [_cache(autoencoder, tokenizer, bucket) for bucket in buckets]
    shares = np.array([len(c.latents) for c in cached], float)
    empty = _tokens(tokenizer, [""])
    progress = _Progress("denoiser", recipe.denoiser_steps, first, log)
    for step in range(first, recipe.denoiser_steps):
        mixed = step >= recipe.denoiser_steps * 2 // 3
        which = int(np.random.default_rng((seed, 2, step)).choice(len(cached), p=shares / shares.sum())) if mixed else 0
        _set_rate(optimizer, _rate(step, recipe.denoiser_steps, 1e-3))
        loss = _flow_loss(model, cached[which], recipe.denoiser_batch, empty, (seed, 3, step))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % AVERAGE_EVERY == 0:
            _follow(average, model, min(0.99, (1 + step) / (20 + step)))
        progress.step(
            step,
            loss.item(),
            lambda done=step + 1: _save(  # type: ignore[misc]
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


def _follow(average: Denoiser, model: Denoiser, decay: float) -> None:
    with torch.no_grad():
        kept: list[torch.Tensor] = list(average.parameters())
        torch._foreach_mul_(kept, decay)
        torch._foreach_add_(kept, list[torch.Tensor](model.parameters()), alpha=1 - decay)


def train(buckets: Sequence[Bucket], recipe: Recipe, out: Path, work: Path, seed: int, log: Log) -> None:
    """Train all parts on `buckets` and write the pipeline to `out`. Checkpoints lie in `work`; call again to go on."""
    tokenizer = build_tokenizer(caption for bucket in buckets for captions in bucket.captions for caption in captions)
    autoencoder = train_autoencoder(buckets, recipe, work, seed, log)
    denoiser = train_denoiser(autoencoder, tokenizer, buckets, recipe, work, seed, log)
    save_pipeline(out, autoencoder, denoiser.unet, denoiser.text_encoder, tokenizer)
    log(f"saved {out}")
