"""Contact sheets: pictures side by side with a word at the margin."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

_MARGIN = 84  # pixels for the words
_GAP = 2


def write_sheet(path: Path, rows: Sequence[tuple[str, Sequence[NDArray[np.uint8]]]]) -> None:
    """One row of pictures, all of a size, for each word."""
    height, width = rows[0][1][0].shape[:2]
    columns = max(len(pictures) for _, pictures in rows)
    size = (_MARGIN + columns * (width + _GAP), len(rows) * (height + _GAP))
    sheet = Image.new("RGB", size, (250, 250, 250))
    pen = ImageDraw.Draw(sheet)
    for at, (word, pictures) in enumerate(rows):
        top = at * (height + _GAP)
        pen.text((4, top + height // 2 - 6), word, fill=(30, 30, 30))
        for column, picture in enumerate(pictures):
            sheet.paste(Image.fromarray(picture), (_MARGIN + column * (width + _GAP), top))
    sheet.save(path)
