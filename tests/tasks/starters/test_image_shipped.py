"""The starter-image that ships: it loads, and draws what it is asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.engine import ImageRequest
from models.image.engine import open as open_engine

SHIPPED = Path(__file__).parents[3] / "models" / "starters" / "image"


def test_it_is_small_and_draws_in_the_colour_asked_for() -> None:
    if not (SHIPPED / "model_index.json").is_file():
        pytest.skip("starter-image is not in this checkout; build it with: pressrun train starter-image")
    assert sum(path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file()) < 34 * 2**20
    engine = open_engine(str(SHIPPED), batch_size=6)
    colours, products = ("red", "green", "blue"), ("sofa", "shirt")
    engine.submit(
        [
            ImageRequest(id=f"{colour} {product}", prompt=f"a photo of a {colour} fabric {product} in a studio", seed=7)
            for colour in colours
            for product in products
        ]
    )
    results = {result.id: result for result in engine.results()}
    assert all(result.error is None and result.flags == [] for result in results.values())
    for channel, colour in enumerate(colours):
        for product in products:
            pixels = np.frombuffer(results[f"{colour} {product}"].pixels, np.uint8).reshape(64, 64, 3).astype(int)
            middle = pixels[28:50, 20:44].mean((0, 1))
            assert middle.argmax() == channel, (colour, product, middle)
