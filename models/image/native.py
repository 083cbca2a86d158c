"""Sizes that a small model draws well, and how its pictures reach the sizes that people ask for.

A folder says so in `native.json`: {"sizes": [[width, height], …]}. A model without that file is asked for any size.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from models.folder import ModelError

FILE = "native.json"
Size = tuple[int, int]


def write(folder: Path, sizes: Sequence[Size]) -> None:
    """Note the sizes (width, height) beside the model."""
    text = json.dumps({"sizes": [list(size) for size in sizes]}, indent=2)
    (folder / FILE).write_text(text + "\n", encoding="utf-8")


def read(folder: Path) -> tuple[Size, ...]:
    """The sizes that the folder names, or none. Raises ModelError where the file is damaged."""
    path = folder / FILE
    if not path.is_file():
        return ()
    try:
        sizes = tuple((int(width), int(height)) for width, height in json.loads(path.read_text("utf-8"))["sizes"])
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: names no sizes as [[width, height], …]: {error}") from error
    if not sizes or not all(0 < side <= 4096 for size in sizes for side in size):
        raise ModelError(f"{path}: sizes must be pairs of 1 to 4096 pixels")
    return sizes


def nearest(sizes: Sequence[Size], width: int, height: int) -> Size:
    """The native size whose shape is closest to what is asked."""
    wanted = np.log(width / height)
    return min(sizes, key=lambda size: (abs(np.log(size[0] / size[1]) - wanted), size))


def enlarge(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """A picture (rows × columns × 3) cropped about its middle to the shape of `width` × `height`, in that size.

    Twice at a time, by windowed sinc, edges made steeper after each doubling: one long leap shows the pixels.
    """
    rows, columns, _ = pixels.shape
    share = min(columns / width, rows / height)
    wide, tall = min(columns, round(width * share)), min(rows, round(height * share))
    left, top = (columns - wide) // 2, (rows - tall) // 2
    picture = Image.fromarray(pixels[top : top + tall, left : left + wide])
    while picture.width * 2 <= width and picture.height * 2 <= height:
        picture = _doubled(picture)
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def _doubled(picture: Image.Image) -> Image.Image:
    """Twice the size, sharpened, but within what each pixel's neighbours hold, so that no halo appears."""
    size = (picture.width * 2, picture.height * 2)
    large = picture.resize(size, Image.Resampling.LANCZOS)
    sharp = large.filter(ImageFilter.UnsharpMask(radius=2, percent=70, threshold=0))
    low, high = (
        np.asarray(picture.filter(kind(3)).resize(size, Image.Resampling.NEAREST))
        for kind in (ImageFilter.MinFilter, ImageFilter.MaxFilter)
    )
    return Image.fromarray(np.clip(np.asarray(sharp), low, high))
