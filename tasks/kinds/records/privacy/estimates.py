"""Figures of an attack with what chance alone may have done to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Z = 1.96  # standard errors on either side of a 95 % interval
FALSE_ALARMS = 0.01  # at which the attack's hits are counted
RESAMPLES = 200


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        return {"value": round(self.value, 6), "low": round(self.low, 6), "high": round(self.high, 6)}


def mean(values: np.ndarray) -> Estimate:
    """The mean of one value per row; rows are independent. Of no rows, nothing is known."""
    if len(values) < 2:
        return Estimate(float("nan"), float("-inf"), float("inf"))
    return _around(float(values.mean()), float(values.std(ddof=1)) / len(values) ** 0.5)


def mean_by(values: np.ndarray, groups: np.ndarray, level: float) -> Estimate:
    """The mean of values that come in groups (whole numbers), as when many rows have the same nearest row.

    The error is that of the mean about `level` were each group's side of it a coin's toss; it is large where a few
    rows are the nearest of many, which an error that counts every row for itself would not see.
    """
    _, place = np.unique(groups, return_inverse=True)
    sums = np.bincount(place, weights=values - level)
    return _around(float(values.mean()), float(np.sqrt((sums**2).sum())) / len(values))


def share(hits: np.ndarray) -> Estimate:
    """The share of true values, with Wilson's interval, which is right for shares near 0 and 1 as well."""
    rows, found = len(hits), float(hits.mean())
    middle = (found + Z**2 / (2 * rows)) / (1 + Z**2 / rows)
    half = Z / (1 + Z**2 / rows) * (found * (1 - found) / rows + Z**2 / (4 * rows**2)) ** 0.5
    return Estimate(found, min(found, middle - half), max(found, middle + half))


def residual(attack: Estimate, control: Estimate) -> Estimate:
    """What an attack reaches on members beyond what it reaches on others, as a share of what was left to reach.

    R = (attack − control) / (1 − control), with the errors of both rates carried over to first order. Source: Giomi et
    al. 2023, "A unified framework for quantifying privacy risk in synthetic data", equation 2.
    """
    left = max(1 - control.value, 1e-9)
    errors = [(rate.high - rate.low) / (2 * Z) for rate in (attack, control)]
    error = ((errors[0] / left) ** 2 + (errors[1] * (attack.value - 1) / left**2) ** 2) ** 0.5
    return _around((attack.value - control.value) / left, error)


def auc(members: np.ndarray, others: np.ndarray) -> Estimate:
    """How often a member's score is above another's, ties counted half; 1/2 is guessing.

    The error is DeLong's, by midranks (DeLong et al. 1988; Sun and Xu 2014).
    """
    both = _midranks(np.concatenate([members, others]))
    above = (both[: len(members)] - _midranks(members)) / len(others)
    below = 1 - (both[len(members) :] - _midranks(others)) / len(members)
    error = (above.var(ddof=1) / len(members) + below.var(ddof=1) / len(others)) ** 0.5
    return _around(float(above.mean()), float(error))


def hits_at(members: np.ndarray, others: np.ndarray, rng: np.random.Generator) -> Estimate:
    """The share of members found when one in a hundred others is taken for one; guessing finds as many.

    The interval is a bootstrap over both sides, since the threshold itself hangs on a few of the others.
    """
    drawn = [
        _hits(rng.choice(members, len(members)), np.sort(rng.choice(others, len(others)))) for _ in range(RESAMPLES)
    ]
    found = _hits(members, np.sort(others))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(found, min(found, float(low)), max(found, float(high)))


def _hits(members: np.ndarray, others: np.ndarray) -> float:
    """At the threshold, ties are flagged at random, so that exactly the allowed share of `others` (sorted) is."""
    limit = others[max(len(others) - 1 - int(len(others) * FALSE_ALARMS), 0)]
    above, tied = float((others > limit).mean()), float((others == limit).mean())
    flagged = min((FALSE_ALARMS - above) / tied, 1.0)
    return float((members > limit).mean() + flagged * (members == limit).mean())


def _midranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, equal values sharing the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


def _around(value: float, error: float) -> Estimate:
    return Estimate(value, value - Z * error, value + Z * error)
