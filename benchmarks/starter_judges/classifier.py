"""The judge of pictures: a small convolutional network that reads product, colour, material and setting.

It learns from renders of its own seeds, in which every product comes in every material and colour alike, those held out
from training and those that nobody would make included: so it cannot tell the one from the other and has to look.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from tasks.starters.image import vocabulary as words
from tasks.starters.image.scene import Scene, draw_scene, render

ATTRIBUTES = {
    "product": list(words.PRODUCTS),
    "colour": list(words.COLOURS),
    "material": list(words.MATERIALS),
    "setting": list(words.SETTINGS),
}
VERSION = 2  # raise it with every change of network, training or scenes: old judges are then not read
SIDE = 128  # pixels; pictures of other sizes are brought to it
SHAPE_FEATURES, TEXTURE_FEATURES = 192, 128
FEATURES = SHAPE_FEATURES + TEXTURE_FEATURES
SEED = 7_001
_CHUNK = 50
_BATCH = 64
_TOLD_BY = 40  # pictures


class Judge(nn.Module):
    """count × 3 × 128 × 128 pixels in -1 to 1 → features (count × 320), and scores of each attribute's values.

    Two ways through: shapes and places at low resolution for product, colour and setting; textures at high resolution,
    pooled where the network finds them (mean and spread, weighted by attention), for the material.
    """

    def __init__(self) -> None:
        super().__init__()
        self.shapes = nn.Sequential(
            *_layers((3, 32, 48, 96, 128, 128), (2, 2, 2, 2, 1)), nn.AvgPool2d(2), nn.Flatten(),
            nn.Linear(128 * 16, SHAPE_FEATURES), nn.BatchNorm1d(SHAPE_FEATURES), nn.ReLU(),
        )  # fmt: skip
        self.textures = nn.Sequential(*_layers((3, 16, 32, 64, 96, 128), (2, 1, 2, 1, 2)))
        self.where = nn.Conv2d(128, 1, 1)
        self.heads = nn.ModuleDict(
            {
                name: nn.Linear(2 * TEXTURE_FEATURES if name == "material" else SHAPE_FEATURES, len(values))
                for name, values in ATTRIBUTES.items()
            }
        )

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        shapes = self.shapes(pixels)
        textures = self.textures(pixels[..., 8:-8, 8:-8])
        weights = self.where(textures).flatten(2).softmax(2)
        mean = (textures.flatten(2) * weights).sum(2)
        spread = ((textures.flatten(2) - mean[..., None]) ** 2 * weights).sum(2).add(1e-4).sqrt()
        scores = {
            name: head(torch.cat([mean, spread], 1) if name == "material" else shapes)
            for name, head in self.heads.items()
        }
        return torch.cat([shapes, mean], 1), scores


def _layers(widths: Sequence[int], strides: Sequence[int]) -> list[nn.Module]:
    return [
        layer
        for (one, two), stride in zip(itertools.pairwise(widths), strides, strict=True)
        for layer in (nn.Conv2d(one, two, 3, stride, 1, bias=False), nn.BatchNorm2d(two), nn.ReLU())
    ]


def as_pixels(pictures: NDArray[np.uint8]) -> torch.Tensor:
    """count × height × width × 3 as the judge sees them: 128 pixels a side, larger or smaller ones brought to it."""
    pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
    if pixels.shape[2:] == (SIDE, SIDE):
        return pixels
    return F.interpolate(pixels, (SIDE, SIDE), mode="bicubic", antialias=True).clamp(-1, 1)


def labels_of(scenes: Sequence[Scene]) -> dict[str, torch.Tensor]:
    """The index of each scene's value, by attribute."""
    return {
        name: torch.tensor([values.index(getattr(scene, name)) for scene in scenes])
        for name, values in ATTRIBUTES.items()
    }


def any_scene(seed: int, index: int) -> tuple[Scene, np.random.Generator]:
    """Scene `index` of the judge's own world: all attributes even and independent."""
    rng = np.random.default_rng((seed, index))
    chosen = {name: str(rng.choice(values)) for name, values in ATTRIBUTES.items()}
    shades = list(words.COLOURS[chosen["colour"]])
    return dataclasses.replace(draw_scene(rng), **chosen, shade=str(rng.choice(shades))), rng


def common_scene(seed: int, index: int, held_out: bool = False) -> tuple[Scene, np.random.Generator]:
    """Scene `index` as the recipe draws them, of combinations that training shows or of those held out."""
    rng = np.random.default_rng((seed, index, held_out))
    return draw_scene(rng, held_out=held_out), rng


def _render_some(make: Callable[..., tuple[Scene, np.random.Generator]], asked: Sequence[tuple[Any, ...]]) -> Any:
    torch.set_num_threads(1)
    return np.stack([render(*make(*one), SIDE, SIDE) for one in asked])


def render_all(
    make: Callable[..., tuple[Scene, np.random.Generator]], asked: Sequence[tuple[Any, ...]], workers: int
) -> NDArray[np.uint8]:
    """Renders of the scenes that `make` gives for these arguments, square, in order."""
    chunks = [asked[first : first + _CHUNK] for first in range(0, len(asked), _CHUNK)]
    # Fresh processes: torch's threads do not survive a fork.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        return np.concatenate(list(pool.map(_render_some, itertools.repeat(make), chunks)))


def save_pictures(path: Path, pictures: NDArray[np.uint8]) -> None:
    """Write pictures so that an interrupted call leaves no half of them."""
    unfinished = path.with_suffix(".new.npy")
    np.save(unfinished, pictures)
    unfinished.replace(path)


@cache
def renderer_digest() -> str:
    """What the judge depends on: how it is made, and what the renderer draws, told by some of its pictures."""
    digest = hashlib.sha256(f"judge {VERSION}".encode())
    for index in range(_TOLD_BY):
        digest.update(render(*any_scene(SEED - 1, index), SIDE, SIDE).tobytes())
    return digest.hexdigest()[:12]


def judge_for(folder: Path, pictures: int, epochs: int, workers: int, log: Callable[[str], Any] = print) -> Judge:
    """The judge of this renderer: trained, or read from `folder` if an earlier call trained it."""
    path = folder / f"judge-{renderer_digest()}-{pictures}-{epochs}.pt"
    judge = Judge()
    if path.exists():
        judge.load_state_dict(torch.load(path, weights_only=True))
        return judge.eval()
    asked = [(SEED, index) for index in range(pictures)]
    renders = folder / f"judge-renders-{renderer_digest()}-{pictures}.npy"
    if not renders.exists():
        log(f"rendering {pictures:,} pictures for the judge")
        save_pictures(renders, render_all(any_scene, asked, workers))
    pixels = np.load(renders, mmap_mode="r")
    wanted = labels_of([any_scene(*one)[0] for one in asked])
    _train(judge, pixels, wanted, epochs, log)
    torch.save(judge.state_dict(), path)
    return judge.eval()


def _train(
    judge: Judge, pixels: NDArray[np.uint8], wanted: dict[str, torch.Tensor], epochs: int, log: Callable[[str], Any]
) -> None:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    judge.to(device, memory_format=torch.channels_last)
    steps = epochs * len(pixels) // _BATCH
    optimizer = torch.optim.AdamW(judge.parameters(), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    order = np.concatenate([rng.permutation(len(pixels)) for _ in range(epochs)])
    for step in range(steps):
        chosen = np.sort(order[step * _BATCH : (step + 1) * _BATCH])
        given = _disturbed(as_pixels(np.asarray(pixels[chosen])).to(device))
        _, seen = judge(given.contiguous(memory_format=torch.channels_last))
        loss = sum(F.cross_entropy(seen[name], wanted[name][chosen].to(device)) for name in ATTRIBUTES)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if (step + 1) % 200 == 0:
            log(f"judge: step {step + 1}/{steps}, loss {loss.item():.3f}")
    judge.to("cpu", memory_format=torch.contiguous_format)


def _disturbed(pixels: torch.Tensor) -> torch.Tensor:
    """Blurred or made small and large again, cropped, turned left to right, noisy: so that the judge looks at what is
    there and not at how crisp a render is."""
    side = pixels.shape[-1]
    kind = torch.rand(()).item()
    if kind < 0.2:
        small = int(torch.randint(72, side, ()))
        pixels = F.interpolate(pixels, (small, small), mode="bilinear", antialias=True)
        pixels = F.interpolate(pixels, (side, side), mode="bicubic")
    elif kind < 0.3:
        pixels = F.avg_pool2d(F.pad(pixels, (1, 1, 1, 1), mode="replicate"), 3, 1)
    if torch.rand(()) < 0.5:
        pixels = pixels.flip(3)
    if torch.rand(()) < 0.5:
        cut = int(torch.randint(1, side // 10, ()))
        top, left = (int(torch.randint(0, cut + 1, ())) for _ in range(2))
        pixels = pixels[..., top : side - cut + top, left : side - cut + left]
        pixels = F.interpolate(pixels, (side, side), mode="bilinear")
    noise = 0.06 * torch.rand((len(pixels), 1, 1, 1), device=pixels.device)
    light = 1 + 0.06 * torch.randn((len(pixels), 1, 1, 1), device=pixels.device)
    return (pixels * light + noise * torch.randn_like(pixels)).clamp(-1, 1)


def read(judge: Judge, pictures: NDArray[np.uint8]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The judge's features of the pictures and the values it reads, by attribute."""
    features, values = [], []
    with torch.inference_mode():
        for first in range(0, len(pictures), _BATCH):
            some, scores = judge(as_pixels(pictures[first : first + _BATCH]))
            features.append(some)
            values.append({name: score.argmax(1) for name, score in scores.items()})
    return torch.cat(features), {name: torch.cat([one[name] for one in values]) for name in ATTRIBUTES}


def accuracy(judge: Judge, pictures: NDArray[np.uint8], scenes: Sequence[Scene]) -> dict[str, float]:
    """Share of pictures whose attribute the judge reads as wanted; `all four` needs each."""
    wanted, (_, seen) = labels_of(scenes), read(judge, pictures)
    right = {name: seen[name] == wanted[name] for name in ATTRIBUTES}
    right["all four"] = torch.stack([*right.values()]).all(0)
    return {name: hits.float().mean().item() for name, hits in right.items()}
