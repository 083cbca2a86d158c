"""Native sizes: which one serves a request, and how a small picture becomes a large one."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from models.engine import ImageRequest
from models.folder import ModelError
from models.image import native
from models.image.engine import open as open_engine

SIZES = ((128, 128), (192, 128), (128, 192))


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ((1024, 1024), (128, 128)),
        ((64, 64), (128, 128)),
        ((1216, 832), (192, 128)),
        ((1344, 768), (192, 128)),
        ((832, 1216), (128, 192)),
        ((768, 1344), (128, 192)),
        ((128, 192), (128, 192)),
    ],
)
def test_the_shape_decides(asked: tuple[int, int], size: tuple[int, int]) -> None:
    assert native.nearest(SIZES, *asked) == size


def _edge(width: int = 128, height: int = 128) -> np.ndarray:
    """A dark half and a bright half with a soft border, as small models draw them."""
    ramp = np.clip((np.arange(width) - width / 2) / 4 + 0.5, 0, 1) * 180 + 40
    return np.repeat(np.repeat(ramp[None, :, None], height, 0), 3, 2).astype(np.uint8)


@pytest.mark.parametrize("size", [(1024, 1024), (1344, 768), (768, 1344), (500, 333), (64, 64), (128, 128), (4096, 32)])
def test_any_size_is_reached(size: tuple[int, int]) -> None:
    width, height = size
    assert native.enlarge(_edge(*native.nearest(SIZES, width, height)), width, height).shape == (height, width, 3)


def test_enlarging_keeps_edges_steep_and_adds_no_halo() -> None:
    large = native.enlarge(_edge(), 1024, 1024)[512, :, 0].astype(int)
    assert large.min() >= 39
    assert large.max() <= 221
    bicubic = np.interp(np.arange(1024) / 8, np.arange(128), _edge()[64, :, 0].astype(float))
    assert np.abs(np.diff(large)).max() > 1.3 * np.abs(np.diff(bicubic)).max()


def test_what_is_cut_off_is_cut_off_evenly() -> None:
    picture = np.zeros((128, 128, 3), np.uint8)
    picture[:, 60:68] = 255
    tall = native.enlarge(picture, 128, 256)[..., 0].astype(float)
    centre = (tall.mean(0) * np.arange(128)).sum() / tall.mean(0).sum()
    assert centre == pytest.approx(63.5, abs=0.6)


def test_an_engine_draws_at_native_size_and_answers_as_asked(tiny_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    plain = open_engine(str(folder), batch_size=2)
    plain.submit([ImageRequest(id="a", prompt="a red mug", seed=1, steps=2, width=32, height=32)])
    (small,) = plain.results()
    native.write(folder, [(32, 32), (48, 32)])
    engine = open_engine(str(folder), batch_size=2)
    asked = [
        ImageRequest(id="a", prompt="a red mug", seed=1, steps=2, width=32, height=32),
        ImageRequest(id="b", prompt="a red mug", seed=1, steps=2, width=200, height=200),
        ImageRequest(id="c", prompt="a red mug", seed=1, steps=2, width=301, height=200),
    ]
    engine.submit(asked)
    results = {result.id: result for result in engine.results()}
    assert {k: (r.width, r.height, r.error) for k, r in results.items()} == {
        "a": (32, 32, None), "b": (200, 200, None), "c": (301, 200, None),
    }  # fmt: skip
    assert results["a"].pixels == small.pixels, "native pictures are as the model draws them"
    drawn = np.frombuffer(small.pixels, np.uint8).reshape(32, 32, 3)
    assert results["b"].pixels == native.enlarge(drawn, 200, 200).tobytes()


@pytest.mark.parametrize("text", ["{", "{}", '{"sizes": []}', '{"sizes": [[0, 64]]}', '{"sizes": [["a", "b"]]}'])
def test_damaged_notes_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / native.FILE).write_text(text)
    with pytest.raises(ModelError, match=r"native\.json"):
        native.read(tmp_path)


def test_most_models_name_no_sizes(tmp_path: Path) -> None:
    assert native.read(tmp_path) == ()
