"""Thumbnails that fit into the page: small WebP pictures as data URIs."""

from __future__ import annotations

import base64
import io

from PIL import Image, ImageOps, UnidentifiedImageError

SIDES = (320, 240, 176, 128)
QUALITIES = (82, 68, 50)
MAX_BYTES = 12_000
MAX_PIXELS = 50_000_000


def thumbnail(data: bytes) -> tuple[str, int, int] | None:
    """A data URI of at most about 12 kB, with its width and height in pixels; None for what is no picture.

    Pictures come from a model, but the store is anyone's: what Pillow refuses, or what is too large to open with
    bounded memory, is left out.
    """
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "WEBP", "JPEG")) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                return None
            picture.draft("RGB", (SIDES[0], SIDES[0]))
            whole = ImageOps.exif_transpose(picture).convert("RGB")
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    for side in SIDES:
        small = whole.copy()
        small.thumbnail((side, side), Image.Resampling.LANCZOS)
        for quality in QUALITIES:
            buffer = io.BytesIO()
            small.save(buffer, "WEBP", quality=quality, method=4)
            if buffer.tell() <= MAX_BYTES:
                encoded = base64.b64encode(buffer.getvalue()).decode("ascii")
                return f"data:image/webp;base64,{encoded}", small.width, small.height
    return None
