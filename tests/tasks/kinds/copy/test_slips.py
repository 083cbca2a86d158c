"""Slips that tell a poor draft: what each kind is, and that good texts have none."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.kinds.copy.job import CopyJob
from tasks.kinds.copy.slips import begins_with_verb, slips

JOB: dict[str, Any] = {
    "job_id": "a", "kind": "copy", "channel": "product_page", "product_name": "Harbor Stoneware Mug",
    "brand_name": "Tidewell", "category": "Mugs", "audience": "campers",
    "features": ["keeps coffee warm for hours", "hand-glazed by two potters", "rubber feet"],
    "facts": {"capacity": "12 oz", "price": "$18"}, "must_include": ["stoneware"],
}  # fmt: skip


def found(text: str, **columns: Any) -> list[str]:
    return slips(CopyJob.model_validate(JOB | columns), text)


@pytest.mark.parametrize(
    "text",
    [
        "The Harbor Stoneware Mug keeps coffee warm for hours.",
        "Harbor Stoneware Mug\nThe Harbor Stoneware Mug is here. It keeps coffee warm for hours.",
        "Meet the Harbor Stoneware Mug by Tidewell, hand-glazed by two potters. Rubber feet. Yours for $18.",
        "A mug for campers, with rubber feet, in stoneware. It holds 12 oz and costs $18.",
        "Up close: Hand-glazed by two potters.",
        "Keeps coffee warm for hours. Capacity: 12 oz. Hand-glazed by two potters.",
        "stoneware all over. Harbor Stoneware Mug.",
        "A mug for you\nYou get rubber feet.",
        "The Harbor Stoneware Mug in stoneware: it also keeps coffee warm for hours. Capacity: 12 oz.",
        "The capacity is 12 oz; the price is a fair $18.",
        "Harbor Stoneware Mug: rubber feet\nIt stands on rubber feet.",
        "",
    ],
)
def test_a_good_text_has_none(text):
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "slip"),
    [
        ("One more thing: potters.", "potters"),
        ("It keeps coffee warm.", "coffee"),
        ("The Harbor Mug is here.", "harbor"),
        ("Made with a keeps coffee warm for hours.", "a keeps"),
        ("It is keeps coffee warm for hours.", "is keeps"),
        ("And yes, it hand-glazed by two potters.", "it hand"),
        ("Yours for 12 oz.", "Yours for 12 oz"),
        ("It weighs $18.", "weighs $18"),
        ("Measures: $18.", "Measures: $18"),
        ("Mark this: #18.", "#18"),
        ("Room needed: $18.", "Room needed: $18"),
        ("Yours for $18. garage is a happy place.", "garage"),
        ("Capacity? 12 oz.", "capacity?"),
        ("What else: rubber feet. capacity: 12 oz.", "capacity:"),
        ("Sizes: Sizes: a mug.", "Sizes: Sizes"),
        ("The cost: $ and nothing more.", "$ "),
        ("It is easy to like a as it should be.", "a as"),
        ("A set of a rubber feet.", "set of a"),
        ("Yours for $18.0 today.", "$18.0"),
        ("Time for the Harbor Stoneware Mug is here.", "for the Harbor Stoneware Mug is"),
        ("It is also keeps coffee warm for hours.", "is keeps"),
        ("It is capacity: 12 oz.", "is capacity"),
        ("Another plus: capacity.", "capacity"),
        ("Yours for $18. The price: $18.", "18"),
        ("Stoneware. Also: stoneware.", "stoneware"),
        ("The Harbor Stoneware Mug by the Harbor Stoneware Mug.", "harbor stoneware mug"),
        ("The Harbor Stoneware Mug-Mug is here.", "Harbor Stoneware Mug-Mug"),
        ("Rubber feet. And more: rubber feet.", "rubber feet"),
    ],
)
def test_each_kind_is_found(text, slip):
    assert slip in found(text)


def test_a_feature_within_another_is_told_once_by_each():
    features = ["cotton lining", "organic cotton lining for winter"]
    assert found("Cotton lining. Organic cotton lining for winter.", features=features) == []
    assert found("Cotton lining. And more: cotton lining.", features=features) == ["cotton lining"]


def test_a_name_within_a_feature_may_go_on():
    job = {"product_name": "Aero", "features": ["Aero-grade alloy"]}
    assert "Aero-grade" not in found("Of Aero-grade alloy.", **job)
    assert "Aero-Aero" in found("The Aero-Aero.", **job)


def test_several_things_after_an_article():
    assert found("See a sturdy legs.", features=["sturdy legs"]) == ["a sturdy"]
    assert found("See a sturdy leg.", features=["sturdy leg"]) == []


def test_the_same_word_twice_is_one_slip():
    assert found("Potters. Potters.") == ["potters"]


def test_other_languages_are_let_be():
    assert found("Potters.", locale="de-DE") == []


@pytest.mark.parametrize(
    ("feature", "verb"),
    [
        ("keeps coffee warm", True),
        ("glass jar", False),
        ("always ready", False),
        ("keeps", False),
        ("soft wool", False),
    ],
)
def test_what_a_product_does_begins_with_a_verb(feature, verb):
    assert begins_with_verb(feature) is verb


def test_empty_and_odd_jobs_are_no_trouble():
    assert found("Anything goes.", product_name=None, channel=None, prompt="Write.", features=["!", ""], facts={}) == []
