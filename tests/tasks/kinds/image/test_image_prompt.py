"""From product columns to the prompt."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.kinds.image.job import ImageJob
from tasks.kinds.image.prompt import prompt, size


def _job(**columns: Any) -> ImageJob:
    return ImageJob(job_id="j", kind="image", **columns)


def test_a_prompt_of_ones_own_is_left_alone() -> None:
    assert prompt(_job(prompt="A RED mug", product_name="Lamp")) == "A RED mug"


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [
        (
            {"product_name": "Ocean Blue Shirt"},
            "a photo of an ocean blue shirt on a white background, soft light, three-quarter view",
        ),
        (
            {
                "product_name": "Aster",
                "category": "Home & Garden > Decor > Vases",
                "facts": {"Colour": "Teal", "material": "ceramic"},
            },
            "a photo of a teal ceramic aster vase on a white background, soft light, three-quarter view",
        ),
        (
            {
                "product_name": "Black Leather Bag",
                "category": "Bags",
                "facts": {"material": "Leather", "color": "black"},
            },
            "a photo of a black leather bag on a white background, soft light, three-quarter view",
        ),
        (
            {"product_name": "Mug", "facts": {"setting": "on a wooden table", "light": "warm light"}},
            "a photo of a mug on a wooden table, warm light, three-quarter view",
        ),
        (
            {"product_name": "Mug", "facts": {"background": "pastel pink"}},
            "a photo of a mug on a pastel pink background, soft light, three-quarter view",
        ),
        (
            {"product_name": "Mug", "features": ["Wide handle", "Dishwasher safe", "Stackable"]},
            "a photo of a mug on a white background, soft light, three-quarter view, wide handle, dishwasher safe",
        ),
        (
            {"product_name": "Dress", "category": "Dresses"},
            "a photo of a dress on a white background, soft light, three-quarter view",
        ),
    ],
)
def test_columns_fill_their_places(columns: dict[str, Any], wanted: str) -> None:
    assert prompt(_job(**columns)) == wanted


def test_size_is_the_jobs_the_presets_or_the_default() -> None:
    assert size(_job(prompt="x", width=96, height=64), (8, 8)) == (96, 64)
    assert size(_job(prompt="x", preset="story"), (8, 8)) == (768, 1344)
    assert size(_job(prompt="x"), (64, 64)) == (64, 64)
