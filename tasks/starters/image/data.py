"""The training set: rendered scenes in buckets by size, each with several captions."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.image.train import Bucket
from tasks.starters.image.scene import SIZES, caption, draw_scene, render

CAPTIONS = 8
CHUNK = 500


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


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Scenes of one size that are rendered together and lie in one file."""

    width: int
    height: int
    indices: range
    seed: int
    path: Path


def _chunks(counts: Sequence[int], seed: int, work: Path) -> list[_Chunk]:
    return [
        _Chunk(
            width, height, range(first, min(first + CHUNK, count)), seed,
            work / f"scenes-{width}x{height}-{seed}-{first}-{min(CHUNK, count - first)}.npy",
        )
        for (width, height), count in zip(SIZES, counts, strict=True)
        for first in range(0, count, CHUNK)
    ]  # fmt: skip


def _render_chunk(chunk: _Chunk) -> _Chunk:
    scratch = chunk.path.with_suffix(".new.npy")
    np.save(scratch, render_scenes(chunk.width, chunk.height, chunk.indices, chunk.seed))
    scratch.replace(chunk.path)
    return chunk


def render_all(counts: Sequence[int], seed: int, work: Path, workers: int, log: Callable[[str], Any]) -> None:
    """Render so many scenes of each of SIZES into `work`, on `workers` processes; what lies there is not done again."""
    wanted = [chunk for chunk in _chunks(counts, seed, work) if not chunk.path.exists()]

    def follow(done: Iterable[_Chunk]) -> None:
        for number, chunk in enumerate(done, 1):
            log(f"rendered chunk {number} of {len(wanted)}: {len(chunk.indices)} of {chunk.width} × {chunk.height}")

    if workers == 1 or len(wanted) < 2:
        follow(map(_render_chunk, wanted))
        return
    # Fresh processes, as torch's threads do not survive a fork; each with one thread, as there are enough of them.
    threads = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            follow(pool.imap_unordered(_render_chunk, wanted))
    finally:
        del os.environ["OMP_NUM_THREADS"]
        if threads is not None:
            os.environ["OMP_NUM_THREADS"] = threads


def training_set(
    counts: Sequence[int], seed: int, work: Path, log: Callable[[str], Any], workers: int = 1
) -> list[Bucket]:
    """Buckets of SIZES with so many scenes each; pixels are kept in `work`, so that an interrupted call goes on."""
    render_all(counts, seed, work, workers, log)
    chunks = _chunks(counts, seed, work)
    buckets = []
    for (width, height), count in zip(SIZES, counts, strict=True):
        mine = [np.load(chunk.path) for chunk in chunks if (chunk.width, chunk.height) == (width, height)]
        captions = [captions_of(width, height, index, seed) for index in range(count)]
        buckets.append(Bucket(np.concatenate(mine), captions))
    return buckets
