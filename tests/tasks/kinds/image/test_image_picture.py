"""Pictures as files."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from tasks.kinds.image.picture import DIGITAL_SOURCE, encode, phash, phash_distance, thumbnail
from tasks.starters.image.scene import draw_scene, render

WIDTH, HEIGHT = 48, 32


@pytest.fixture
def pixels() -> bytes:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([x * 5, y * 7, (x + y) * 3], -1).astype(np.uint8).tobytes()


def _xmp(data: bytes) -> ET.Element:
    with Image.open(io.BytesIO(data)) as picture:
        packet = picture.info.get("xmp") or picture.info["XML:com.adobe.xmp"]
    text = packet.decode() if isinstance(packet, bytes) else packet
    return ET.fromstring(text[text.index("<x:xmpmeta") : text.index("</x:xmpmeta>") + 12])


@pytest.mark.parametrize("format", ["png", "webp", "jpeg"])
def test_files_are_deterministic_marked_and_whole(pixels: bytes, format: str) -> None:
    marking = {"job_id": 'a"<b>&', "variant": "0"}
    data = encode(pixels, WIDTH, HEIGHT, format, marking)
    assert data == encode(pixels, WIDTH, HEIGHT, format, dict(reversed(marking.items())))
    description = next(e for e in _xmp(data).iter() if e.tag.endswith("Description"))
    said = {name.rpartition("}")[2]: value for name, value in description.attrib.items()}
    assert said["DigitalSourceType"] == DIGITAL_SOURCE
    assert said["job_id"] == marking["job_id"]
    with Image.open(io.BytesIO(data)) as picture:
        assert (picture.format or "").lower() == format
        seen = np.asarray(picture.convert("RGB")).astype(int)
    wanted = np.frombuffer(pixels, np.uint8).reshape(HEIGHT, WIDTH, 3).astype(int)
    assert np.abs(seen - wanted).mean() <= (4 if format == "jpeg" else 0)


def test_another_format_and_a_wrong_length_are_refused(pixels: bytes) -> None:
    with pytest.raises(ValueError, match="png, webp or jpeg"):
        encode(pixels, WIDTH, HEIGHT, "gif", {})
    with pytest.raises(ValueError, match="no 48 × 31"):
        encode(pixels, WIDTH, 31, "png", {})


def test_hashes_of_close_pictures_are_close() -> None:
    rng = np.random.default_rng(0)
    scene = render(draw_scene(rng), rng, 64, 64)
    grainy = np.clip(scene + rng.normal(0, 2, scene.shape), 0, 255).astype(np.uint8)
    flipped = np.ascontiguousarray(scene[::-1])
    one = phash(scene.tobytes(), 64, 64)
    assert len(one) == 16
    assert phash_distance(one, phash(grainy.tobytes(), 64, 64)) <= 4
    assert phash_distance(one, phash(flipped.tobytes(), 64, 64)) > 10


def test_a_thumbnail_is_small_and_keeps_the_mark() -> None:
    data = encode(bytes(600 * 300 * 3), 600, 300, "png", {"job_id": "j"})
    small = thumbnail(data, 120)
    with Image.open(io.BytesIO(small)) as picture:
        assert picture.size == (120, 60)
    assert DIGITAL_SOURCE.encode() in small
    assert b"job_id" not in small
