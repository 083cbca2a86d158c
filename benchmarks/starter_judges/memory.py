"""Whether pictures were learnt by heart: the nearest pictures of the training set.

Of the training set, the scenes that share most attributes with a picture's prompt are rendered again: what is learnt by
heart would be among them. A distance is the root mean square over 32 × 32 pixels, in grey levels of 0 to 255.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.starters.image import data
from tasks.starters.image.scene import SIZES, Scene, draw_scene

TRAINING_SEED = 0
CANDIDATES = 24
_SMALL = 32
_ALIKE = ("product", "colour", "material", "setting", "view", "light", "shade")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The nearest training picture and how far it is."""

    picture: NDArray[np.uint8]
    distance: float


def nearest(
    pictures: NDArray[np.uint8], scenes: Sequence[Scene], training_scenes: int
) -> tuple[list[Neighbour], list[Scene]]:
    """The nearest neighbour of each picture among the first so many square training scenes, and those scenes."""
    width, height = SIZES[0]
    known = [
        draw_scene(np.random.default_rng((TRAINING_SEED, width, height, index))) for index in range(training_scenes)
    ]
    table = np.array([[getattr(scene, name) for name in _ALIKE] for scene in known])
    found = []
    for picture, scene in zip(pictures, scenes, strict=True):
        shared = (table == [getattr(scene, name) for name in _ALIKE]).sum(1)
        shared = shared + 3 * (table[:, 0] == scene.product) + (table[:, 1] == scene.colour)
        some = [int(index) for index in np.argsort(-shared, kind="stable")[:CANDIDATES]]
        renders = data.render_scenes(width, height, some, TRAINING_SEED)
        distances = [_apart(picture, render) for render in renders]
        best = int(np.argmin(distances))
        found.append(Neighbour(renders[best], distances[best]))
    return found, known


def _apart(one: NDArray[np.uint8], two: NDArray[np.uint8]) -> float:
    difference = _reduced(one) - _reduced(two)
    return float(np.sqrt((difference**2).mean()))


def _reduced(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(Image.fromarray(picture).resize((_SMALL, _SMALL), Image.Resampling.BOX), np.float32)
