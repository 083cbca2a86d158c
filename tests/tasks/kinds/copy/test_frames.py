"""Frames: what a feature, a value or the audience stands behind."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.kinds.copy.frames import form, misframed
from tasks.kinds.copy.job import CopyJob

JOB: dict[str, Any] = {
    "job_id": "a", "kind": "copy", "channel": "product_page", "product_name": "Alder Chair", "brand_name": "Velo",
    "audience": "small kitchens", "features": ["curved back", "oiled by hand", "every piece is different", "washable"],
    "facts": {"seat height": "45 cm", "volume": "600 ml", "material": "wood", "price": "$149"},
    "must_include": ["a gift"],
}  # fmt: skip


PIECES = ["a ", "an ", ": ", ":", ". ", "\n", "is ", " ", "Brand", "$", "Alder Chair", "weighs ", "wood", "45 cm"]
PIECES += JOB["features"]


def found(text: str, **columns: Any) -> list[str]:
    return list(misframed(CopyJob.model_validate(JOB | columns), text))


@pytest.mark.parametrize(
    ("feature", "kind"),
    [
        ("keeps coffee warm", "does"),
        ("oiled by hand", "trait"),
        ("free of plastic taste", "trait"),
        ("dishwasher safe", "trait"),
        ("washable", "trait"),
        ("hand-stitched", "trait"),
        ("every piece is different", "clause"),
        ("lid that is airtight", "thing"),
        ("dimmable light", "thing"),
        ("airtight", "trait"),
        ("light on the back", "trait"),
        ("hand-glazed finish", "thing"),
        ("folding arm", "thing"),
        ("no tools needed", "unsure"),
        ("set of 6", "unsure"),
        ("cotton", "unsure"),
        ("", "unsure"),
        ("!", "unsure"),
    ],
)
def test_the_form_of_a_feature_is_told_from_its_words(feature, kind):
    assert form(feature) == kind


@pytest.mark.parametrize(
    "text",
    [
        "The Alder Chair has a curved back. It is oiled by hand and washable. Good to know: every piece is different.",
        "With a curved back, oiled by hand, every piece is different.",
        "In short: curved back, washable. Seat height: 45 cm. The price: $149. Price: $149.",
        "It holds 600 ml and stands 45 cm high. Made of wood. Volume: 600 ml, seat height 45 cm.",
        "Also of note: seat height: 45 cm.",
        "For small kitchens. Also: a gift. Hello from Velo. This time: the Alder Chair.",
        "Well suited to small kitchens. Designed with small kitchens in mind. It has small feet.",
        "Spoiler: you will like the Alder Chair. Here is one thought: we like wood.",
        "New: Alder Chair\nYours for $149\nOn the price tag: $149.",
        "",
    ],
)
def test_what_suits_its_frame_is_left_alone(text):
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "slip"),
    [
        ("Now with a oiled by hand.", "a oiled"),
        ("You get washable.", "get washable"),
        ("Held together by every piece is different.", "by every"),
        ("It is also curved back.", "is curved"),
        ("It has an curved back.", "an curved"),
        ("It weighs 600 ml.", "weighs 600"),
        ("Tastes of 45 cm.", "tastes 45"),
        ("It comes from wood.", "comes_from wood"),
        ("In short: 45 cm.", "short: 45"),
        ("Noted: wood.", "Noted: wood"),
        ("Among the news: small kitchens.", "news: small"),
        ("Made for small pleasures.", "for small"),
        ("Designed with small kitchens.", "with small"),
        ("A good fit for smal use.", "for smal"),
        ("Main points: the Alder Chair.", "points: the"),
        ("It is oiled by hand. Details: curved back washable.", "curved back washable"),
        ("Brand: Velo has something for you.", "brand:"),
        ("To the point: gentle.", "point: gentle"),
        ("Power: the Alder Chair.", "power: the"),
        ("Facts: In short: every piece is different.", "Facts: in"),
        ("Brand Alder Chair.", "brand:"),
        ("Facts: Alder Chair", "facts: alder"),
    ],
)
def test_what_does_not_is_found(text, slip):
    assert slip in found(text)


def test_a_label_that_is_a_fact_may_stand():
    assert found("Brand: Velo.", facts={"Brand": "Velo"}) == []
    assert found("Size: wood.", facts={"size": "wood", "material": "wood"}) == []


def test_fields_and_abbreviations_are_not_taken_for_slips():
    assert found("An LED strip, a USB port.", features=["LED strip", "USB port"]) == []
    assert found("It has an 8-inch blade.", features=["8-inch blade"]) == []
    assert found("It has an hour glass.", features=["hour glass"]) == []
    assert found("It has a open side.", features=["open side"]) == ["a open"]


def test_terms_to_include_may_stand_behind_a_colon():
    assert found("Also: wood. Plus: small kitchens.", must_include=["wood", "small kitchens"]) == []


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_any_text_can_be_read(text):
    assert isinstance(found(text), list)
