"""Captioned pictures to train on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Bucket:
    """Pictures of one size: `pixels` is count × height × width × 3 uint8, `captions` some for each picture."""

    pixels: NDArray[np.uint8]
    captions: Sequence[Sequence[str]]

    @property
    def size(self) -> tuple[int, int]:
        """Width, height."""
        return self.pixels.shape[2], self.pixels.shape[1]


def as_tensor(pixels: NDArray[np.uint8]) -> torch.Tensor:
    """Pictures as the pipeline sees them: count × 3 × height × width, -1 to 1."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1


def draw_bucket(buckets: Sequence[Bucket], rng: np.random.Generator) -> Bucket:
    """One of the buckets, by how many pictures they have."""
    sizes = np.array([len(bucket.pixels) for bucket in buckets], float)
    return buckets[int(rng.choice(len(buckets), p=sizes / sizes.sum()))]
