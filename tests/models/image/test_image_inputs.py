"""Start pictures: what is decoded and what is refused."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from models.image.inputs import decode


def _encoded(picture: Image.Image, format: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, format, **options)
    return out.getvalue()


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_cropped_about_its_middle(format: str) -> None:
    picture = Image.new("RGB", (300, 100), "black")
    picture.paste("white", (100, 0, 200, 100))
    pixels = decode(_encoded(picture, format), 32, 32)
    assert pixels.shape == (3, 32, 32)
    assert pixels.min() > 0.9


def test_what_is_transparent_becomes_white() -> None:
    assert decode(_encoded(Image.new("RGBA", (8, 8), (0, 0, 0, 0))), 8, 8).min() == 1


def test_a_photo_is_turned_upright() -> None:
    picture = Image.new("RGB", (8, 8), "black")
    picture.paste("white", (0, 0, 8, 4))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    pixels = decode(_encoded(picture, "PNG", exif=exif), 8, 8)
    assert pixels[:, :4].max() == 0
    assert pixels[:, 4:].min() == 1


def _bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be huge."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [9_000, 60_000])
def test_a_decompression_bomb_is_refused_before_it_is_unpacked(side: int) -> None:
    with pytest.raises(ValueError, match=r"at most|decompression bomb"):
        decode(_bomb(side, side), 64, 64)


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a", _encoded(Image.new("RGB", (4, 4)), "GIF"), _encoded(Image.new("RGB", (64, 64)))[:60]]
)
def test_what_is_no_whole_picture_is_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(ValueError, match="cannot be decoded as PNG, JPEG or WebP"):
        decode(data, 64, 64)
