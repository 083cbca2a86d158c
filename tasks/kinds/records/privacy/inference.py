"""Attribute inference: who knows all of a row but one column looks up the nearest synthetic row and reads it off there.

Good synthetic tables let others guess well, for that is what they are for: what counts is by how much the guess is
better for rows that were fitted on than for control rows of the same population (Giomi et al. 2023, Anonymeter).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from tasks.kinds.records.privacy.estimates import Estimate, mean, residual, share
from tasks.kinds.records.privacy.gower import nearest_without
from tasks.kinds.records.privacy.sides import Sides
from tasks.kinds.records.views import View

TOLERANCE = 0.05  # of the distance between the 5th and the 95th percentile: so near, a number counts as guessed


@dataclass(frozen=True, slots=True)
class Guessed:
    """Shares of rows whose `secret` was guessed: of members, of others, and of members by drawing a synthetic value."""

    secret: str
    attack: Estimate
    control: Estimate
    baseline: Estimate
    risk: Estimate

    def to_json(self) -> dict[str, Any]:
        rates = {name: getattr(self, name).to_json() for name in ("attack", "control", "baseline", "risk")}
        return {"secret": self.secret, **rates}


@dataclass(frozen=True, slots=True)
class Inference:
    """Every secret by itself, and all together: the mean share of a row's secrets that is guessed."""

    secrets: list[Guessed]
    together: Guessed
    asked: int

    def to_json(self) -> dict[str, Any]:
        return {
            **{name: value for name, value in self.together.to_json().items() if name != "secret"},
            "secrets": [guessed.to_json() for guessed in self.secrets],
            "asked": self.asked,
        }


def by_neighbours(sides: Sides, asked: int, seed: int, secrets: Collection[str] = ()) -> Inference:
    """Guess the columns `secrets` (without any: all) of at most `asked` members and as many others.

    Raises ValueError for a secret that is no compared column, or when no other column is left to know.
    """
    known = [view.name for view in sides.views]
    if missing := [name for name in secrets if name not in known]:
        raise ValueError(f"{', '.join(missing)}: no such column among those compared, which are {', '.join(known)}")
    if len(known) < 2:
        raise ValueError("to guess one column, another one must be known")
    asked = min(asked, sides.count)
    places = {True: np.arange(asked), False: sides.count + np.arange(asked)}
    found = {side: nearest_without(sides.real[:, rows], sides.synthetic) for side, rows in places.items()}
    rng = np.random.default_rng([seed, 3])
    hits: dict[str, list[np.ndarray]] = {}
    for number, view in enumerate(sides.views):
        blind = rng.integers(sides.synthetic.shape[1], size=asked)
        if not secrets or view.name in secrets:
            tries = ((places[True], found[True][number]), (places[False], found[False][number]), (places[True], blind))
            hits[view.name] = [_right(view, rows, guessed) for rows, guessed in tries]
    each = [_guessed(name, *(share(side) for side in found)) for name, found in hits.items()]
    rows = [np.mean([found[side] for found in hits.values()], axis=0) for side in range(3)]
    return Inference(each, _guessed("", *(mean(side) for side in rows)), asked)


def _guessed(secret: str, attack: Estimate, control: Estimate, baseline: Estimate) -> Guessed:
    return Guessed(secret, attack, control, baseline, residual(attack, control))


def _right(view: View, rows: np.ndarray, guessed: np.ndarray) -> np.ndarray:
    """Whether the synthetic rows `guessed` hold the values of the real `rows`: bool, one for each."""
    right = view.source_codes[rows] == view.synthetic_codes[guessed]
    if view.source is None or view.synthetic is None or np.isnan(view.source).all():
        return right
    low, high = np.nanquantile(view.source, [0.05, 0.95])
    gap = np.abs(view.source[rows] - view.synthetic[guessed])
    return right | (gap <= TOLERANCE * (high - low))  # a null makes the gap NaN, which is no match
