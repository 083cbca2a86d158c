"""Rules of pictures. Their ids, versions, thresholds and what follows a failure stand in rules.yaml."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.kinds.base import Check
from tasks.kinds.image.job import ImageJob
from tasks.kinds.image.picture import phash_distance
from tasks.kinds.image.prompt import size
from tasks.kinds.rulebook import digest_of, load_rules

_FILE = Path(__file__).with_name("rules.yaml")


@dataclass(frozen=True, slots=True)
class Picture:
    """A candidate: `pixels` height × width × 3 uint8, the engine's `flags`, and the perceptual hash."""

    pixels: NDArray[np.uint8]
    flags: list[str] = field(default_factory=list)
    phash: str = ""


RULES = load_rules(_FILE)


def rules_digest() -> str:
    """SHA-256 of the rules in force."""
    return digest_of(_FILE)


def judge_alone(job: ImageJob, value: Picture) -> list[Check]:
    """Judge a picture by itself. What is no picture at all gets that one check."""
    pixels = value.pixels
    shaped = pixels.ndim == 3 and pixels.shape[2] == 3 and pixels.dtype == np.uint8 and pixels.size > 0
    if not shaped:
        return [_check("image.decodes", False, reason=f"no RGB picture: shape {pixels.shape} of {pixels.dtype}")]
    height, width, _ = pixels.shape
    wanted = size(job, (width, height))
    grey = pixels.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return [
        _check("image.decodes", True),
        _check(
            "image.size",
            (width, height) == wanted,
            reason=f"{width} × {height} pixels where {wanted[0]} × {wanted[1]} are wanted",
        ),
        _check("image.nan", "nan" not in value.flags, reason="the model's numbers overflowed (NaN)"),
        _check("image.safety", "safety" not in value.flags, reason="the model's safety checker blanked it"),
        _at_least("image.blank", float(grey.std()), "brightness varies by {score:.1f}, at least {limit:g} is wanted"),
        _at_most(
            "image.one_colour", _largest_share(pixels), "one colour covers {score:.0%}, at most {limit:.0%} may be"
        ),
        _at_least(
            "image.noise", _coherence(grey), "neighbouring pixels correlate by {score:.2f}, noise; at least {limit:g}"
        ),
    ]


def judge_among(_job: ImageJob, value: Picture, accepted: Sequence[str]) -> list[Check]:
    """Judge a picture against the perceptual hashes of the job's accepted variants."""
    if not accepted:
        return []
    nearest = min(phash_distance(value.phash, other) for other in accepted)
    wording = "differs from another variant by {score:.0f} of 64 bits, at least {limit:g} are wanted"
    return [_at_least("image.duplicate", float(nearest), wording)]


def _largest_share(pixels: NDArray[np.uint8]) -> float:
    """The share of the commonest colour, counting 16 levels a channel."""
    steps = (pixels >> 4).astype(np.int32)
    counts = np.bincount((steps[..., 0] * 256 + steps[..., 1] * 16 + steps[..., 2]).ravel())
    return float(counts.max() / counts.sum())


def _coherence(grey: NDArray[Any]) -> float:
    """Correlation of pixels with their right and lower neighbours: about 0 for noise, near 1 for pictures."""
    centred = grey - grey.mean()
    variance = float((centred**2).mean())
    if variance < 1e-6 or min(grey.shape) < 2:
        return 1.0  # flat is not noise; another rule speaks of it
    across = float((centred[:, 1:] * centred[:, :-1]).mean())
    down = float((centred[1:] * centred[:-1]).mean())
    return (across + down) / 2 / variance


def _at_least(rule: str, score: float, wording: str) -> Check:
    limit = RULES[rule].least
    if limit is None:
        raise ValueError(f"rules.yaml gives {rule} no `least`")
    return _check(rule, score >= limit, score, wording.format(score=score, limit=limit))


def _at_most(rule: str, score: float, wording: str) -> Check:
    limit = RULES[rule].most
    if limit is None:
        raise ValueError(f"rules.yaml gives {rule} no `most`")
    return _check(rule, score <= limit, score, wording.format(score=score, limit=limit))


def _check(rule: str, passed: bool, score: float | None = None, reason: str = "") -> Check:
    found = RULES[rule]
    if passed:
        return Check(rule=rule, version=found.version, score=score)
    return Check(rule=rule, version=found.version, verdict=found.on_fail, score=score, reason=reason)
