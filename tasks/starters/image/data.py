"""The training set: rendered scenes in buckets by size, each with several captions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.image.train import Bucket
from tasks.starters.image.scene import caption, draw_scene, render

SIZES = ((64, 64), (96, 64), (64, 96))
CAPTIONS = 8
CHUNK = 1_000


def _generator(width: int, height: int, index: int, seed: int) -> np.random.Generator:
    return np.random.default_rng((seed, width, height, index))


def render_scenes(width: int, height: int, indices: Sequence[int], seed: int) -> NDArray[np.uint8]:
    """The scenes of these indices, none of a held-out combination: count × height × width × 3."""
    pixels = np.empty((len(indices), height, width, 3), np.uint8)
    for slot, index in enumerate(indices):
        rng = _generator(width, height, index, seed)
        pixels[slot] = render(draw_scene(rng), rng, width, height)
    return pixels


def captions_of(width: int, height: int, index: int, seed: int) -> list[str]:
    """Several ways to say what scene `index` shows."""
    scene = draw_scene(_generator(width, height, index, seed))
    rng = np.random.default_rng((seed, width, height, index, 1))
    return [caption(scene, rng) for _ in range(CAPTIONS)]


def training_set(counts: Sequence[int], seed: int, work: Path, log: Callable[[str], Any]) -> list[Bucket]:
    """Buckets of SIZES with so many scenes each; pixels are kept in `work`, so that an interrupted call goes on."""
    buckets = []
    for (width, height), count in zip(SIZES, counts, strict=True):
        chunks = []
        for first in range(0, count, CHUNK):
            indices = range(first, min(first + CHUNK, count))
            path = work / f"scenes-{width}x{height}-{seed}-{first}-{len(indices)}.npy"
            if not path.exists():
                log(f"rendering scenes {first + 1} to {indices[-1] + 1} of {count} at {width} × {height}")
                scratch = path.with_suffix(".new.npy")
                np.save(scratch, render_scenes(width, height, indices, seed))
                scratch.replace(path)
            chunks.append(np.load(path))
        captions = [captions_of(width, height, index, seed) for index in range(count)]
        buckets.append(Bucket(np.concatenate(chunks), captions))
    return buckets
