"""The rules of pictures, with pictures spoilt in known ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tasks.kinds.base import settle
from tasks.kinds.image.job import ImageJob
from tasks.kinds.image.picture import phash
from tasks.kinds.image.rules import RULES, Picture, judge_alone, judge_among, rules_digest
from tasks.starters.image.scene import draw_scene, render


def _job(**columns: Any) -> ImageJob:
    return ImageJob(job_id="j", kind="image", prompt="a mug", width=64, height=64, **columns)


def _scene(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return render(draw_scene(rng), rng, 64, 64)


def _failed(pixels: np.ndarray, flags: list[str] | None = None) -> set[str]:
    checks = judge_alone(_job(), Picture(pixels=pixels, flags=flags or []))
    return {check.rule for check in checks if check.verdict != "accept"}


def _noise(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)


def _faint_noise(rng: np.random.Generator) -> np.ndarray:
    return np.clip(rng.normal(128, 25, (64, 64, 3)), 0, 255).astype(np.uint8)


def _one_colour(rng: np.random.Generator) -> np.ndarray:
    return np.full((64, 64, 3), rng.integers(0, 256, 3), np.uint8)


def _specks(rng: np.random.Generator) -> np.ndarray:
    """Flat but for a corner."""
    picture = _one_colour(rng)
    picture[:8, :8] = 255 - picture[:8, :8]
    return picture


def _hardly_anything(rng: np.random.Generator) -> np.ndarray:
    ramp = np.linspace(0, 8, 64)[None, :, None] + rng.integers(20, 220)
    return np.broadcast_to(ramp, (64, 64, 3)).astype(np.uint8)


SPOILT: dict[str, tuple[Callable[[np.random.Generator], np.ndarray], str]] = {
    "noise": (_noise, "image.noise"),
    "faint noise": (_faint_noise, "image.noise"),
    "black": (lambda _: np.zeros((64, 64, 3), np.uint8), "image.blank"),
    "one colour": (_one_colour, "image.one_colour"),
    "specks": (_specks, "image.one_colour"),
    "hardly anything": (_hardly_anything, "image.blank"),
    "too small": (lambda rng: _scene(int(rng.integers(99)))[:32], "image.size"),
    "too wide": (lambda rng: np.repeat(_scene(int(rng.integers(99))), 2, axis=1), "image.size"),
    "grey": (lambda rng: _scene(int(rng.integers(99)))[..., 0], "image.decodes"),
    "floats": (lambda rng: _scene(int(rng.integers(99))) / 255, "image.decodes"),
    "nothing": (lambda _: np.zeros((0, 0, 3), np.uint8), "image.decodes"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_what_is_spoilt_is_caught(name: str) -> None:
    spoil, rule = SPOILT[name]
    for seed in range(10):
        assert rule in _failed(spoil(np.random.default_rng(seed))), seed


def test_good_pictures_pass() -> None:
    refused = {seed: failed for seed in range(150) if (failed := _failed(_scene(seed)))}
    assert len(refused) <= 3, refused


def test_flags_of_the_engine_are_told_apart() -> None:
    assert _failed(_scene(0), ["nan"]) == {"image.nan"}
    assert _failed(_scene(0), ["safety"]) == {"image.safety"}


def test_without_a_wanted_size_any_will_do() -> None:
    job = ImageJob(job_id="j", kind="image", prompt="a mug")
    checks = judge_alone(job, Picture(pixels=_scene(0)[:32]))
    assert settle(checks) == "accept"


def test_near_duplicates_among_variants_are_refused() -> None:
    def hashed(pixels: np.ndarray) -> Picture:
        return Picture(pixels=pixels, phash=phash(np.ascontiguousarray(pixels).tobytes(), 64, 64))

    first, other = hashed(_scene(1)), hashed(_scene(2))
    again = hashed(np.clip(_scene(1).astype(int) + 1, 0, 255).astype(np.uint8))
    assert judge_among(_job(), first, []) == []
    assert settle(judge_among(_job(), other, [first.phash])) == "accept"
    refused = judge_among(_job(), again, [other.phash, first.phash])
    assert settle(refused) == "retry"
    assert "differs from another variant by" in refused[0].reason


def test_reasons_are_for_people_and_every_rule_has_its_entry() -> None:
    seen = set()
    for spoil, _ in SPOILT.values():
        for check in judge_alone(_job(), Picture(pixels=spoil(np.random.default_rng(0)))):
            seen.add(check.rule)
            assert check.version == RULES[check.rule].version
            if check.verdict != "accept":
                assert check.verdict == RULES[check.rule].on_fail
                assert len(check.reason) > 10
    assert seen | {"image.duplicate"} == set(RULES)
    assert len(rules_digest()) == 64
