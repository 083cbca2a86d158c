"""Start pictures: other people's bytes, decoded within bounds."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image, ImageOps

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_BYTES = 64 * 2**20
MAX_PIXELS = 50_000_000


def decode(data: bytes, width: int, height: int) -> torch.Tensor:
    """A picture cropped about its middle and resized to `width` × `height`: 3 × height × width, 0 to 1.

    Raises ValueError with a reason for people if it is no PNG, JPEG or WebP, is damaged, or is too large to decode.
    """
    if len(data) > MAX_BYTES:
        raise ValueError(f"the start picture has {len(data):,} bytes; at most {MAX_BYTES:,} are read")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                size = f"{picture.width} × {picture.height}"
                raise ValueError(f"the start picture is {size} pixels; at most {MAX_PIXELS:,} are decoded")
            picture.load()
            upright = ImageOps.exif_transpose(picture)
            return _fit(upright, width, height)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"the start picture cannot be decoded as PNG, JPEG or WebP ({error})") from error


def _fit(picture: Image.Image, width: int, height: int) -> torch.Tensor:
    rgba = picture.convert("RGBA")
    white = Image.new("RGBA", rgba.size, "white")  # what is transparent shows the paper
    flat = Image.alpha_composite(white, rgba).convert("RGB")
    fitted = ImageOps.fit(flat, (width, height), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.asarray(fitted, np.float32) / 255).permute(2, 0, 1)
