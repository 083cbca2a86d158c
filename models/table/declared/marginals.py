"""Distributions ready to draw from: values of shares, and shares of values.

A `Smooth` one lives on the number line, cut to its bounds and rounded to its type's grid; half a step of room beyond
either bound gives the outermost values of the grid their full weight. A `Listed` one has single values with weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from models.table.declared import gauss
from models.table.declared.distributions import (
    Choice,
    Constant,
    Distribution,
    Exponential,
    Lognormal,
    Normal,
    Poisson,
    Uniform,
    Value,
)
from models.table.declared.values import ValueType, number_of

LEAST_MASS = 1e-9  # of a distribution between its bounds: with less, its shape there would be rounding errors
Curve = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, slots=True)
class Smooth:
    """A continuous distribution by its `inverse` and `below` (share below a number), between `least` and `most`."""

    inverse: Curve
    curve: Curve
    least: float
    most: float
    step: float | None
    _ends: tuple[float, float] = field(init=False)

    def __post_init__(self) -> None:
        room = (self.step or 0.0) / 2
        ends = self.curve(np.array([self.least - room, self.most + room]))
        object.__setattr__(self, "_ends", (float(ends[0]), float(ends[1])))
        if not self._ends[1] - self._ends[0] >= LEAST_MASS:
            raise ValueError("hardly anything of its distribution lies between its bounds")

    def draw(self, shares: np.ndarray) -> np.ndarray:
        """The value below which each share of the distribution lies."""
        low, high = self._ends
        numbers = self.inverse(low + np.clip(shares, 2.0**-54, 1 - 2.0**-53) * (high - low))
        if self.step is not None:
            numbers = np.rint(numbers / self.step) * self.step
        return np.clip(numbers, self.least, self.most)

    def below(self, numbers: np.ndarray) -> np.ndarray:
        """The share of values up to each number, itself included."""
        if self.step is not None:
            numbers = (np.floor(numbers / self.step + 1e-6) + 0.5) * self.step
        low, high = self._ends
        return np.clip((self.curve(numbers) - low) / (high - low), 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Listed:
    """Single `numbers`, ascending, with `weights` that add up to 1. Of texts the numbers are places in a list."""

    numbers: np.ndarray
    weights: np.ndarray

    def draw(self, shares: np.ndarray) -> np.ndarray:
        """The value below which each share of the distribution lies."""
        upto = np.cumsum(self.weights)
        last = int(np.flatnonzero(self.weights)[-1])
        return self.numbers[np.minimum(np.searchsorted(upto, shares * upto[-1], side="right"), last)]

    def below(self, numbers: np.ndarray) -> np.ndarray:
        """The share of values up to each number, itself included."""
        upto = np.concatenate([[0.0], np.cumsum(self.weights)])
        return upto[np.searchsorted(self.numbers, np.asarray(numbers) + 1e-9, side="right")]


Marginal = Smooth | Listed


def listed(values: Sequence[float], weights: Sequence[float] | None = None) -> Listed:
    """Values with weights of any sum, put in order; a repeated value's weights add up. Raises ValueError."""
    if weights is not None and len(weights) != len(values):
        raise ValueError(f"there are {len(values)} values and {len(weights)} weights")
    parts = np.ones(len(values)) if weights is None else np.asarray(weights, np.float64)
    if not parts.sum() > 0 or not np.isfinite(parts).all() or (parts < 0).any():
        raise ValueError("weights are not negative, and at least one is more than 0")
    numbers, places = np.unique(np.asarray(values, np.float64), return_inverse=True)
    summed = np.bincount(places, parts, len(numbers))
    return Listed(numbers, summed / summed.sum())


def marginal(told: Distribution, kind: ValueType) -> Marginal:
    """A declared distribution of a type on the number line, ready to draw from. Raises ValueError."""
    if isinstance(told, Choice):
        return listed([number_of(value, kind) for value in told.values], told.weights)
    if isinstance(told, Constant):
        return listed([number_of(told.value, kind)])
    if kind.measure == "boolean":
        raise ValueError('a boolean has values with weights, such as "values": {"true": 0.3, "false": 0.7}')
    if isinstance(told, Uniform):
        least, most = number_of(told.min, kind), number_of(told.max, kind)
        if least > most:
            raise ValueError(f"its min {told.min!r} is more than its max {told.max!r}")
        _check_range(least, most, kind)
        if least == most:
            return listed([least])
        room = (kind.step or 0.0) / 2
        low, width = least - room, most - least + 2 * room
        return Smooth(lambda p: low + p * width, lambda x: np.clip((x - low) / width, 0, 1), least, most, kind.step)
    if isinstance(told, Normal | Lognormal | Exponential | Poisson):
        least, most = _bound(told.min, kind, kind.least), _bound(told.max, kind, kind.most)
        if least > most:
            raise ValueError(f"its min {told.min!r} is more than its max {told.max!r}")
        _check_range(least, most, kind)
        return _curved(told, kind, least, most)
    raise ValueError("only a column of integers can be a sequence")


def _curved(told: Normal | Lognormal | Exponential | Poisson, kind: ValueType, least: float, most: float) -> Marginal:
    if isinstance(told, Normal):
        mean, sd = number_of(told.mean, kind), told.sd
        return Smooth(
            lambda p: mean + sd * gauss.quantile(p), lambda x: gauss.cumulative((x - mean) / sd), least, most, kind.step
        )
    if kind.measure != "number":
        raise ValueError(f"a {told.kind} distribution goes with numbers, not with a {kind.name}; write uniform")
    if isinstance(told, Poisson):
        return _poisson(told.mean, least, most)
    least = max(least, 0.0)
    if isinstance(told, Exponential):
        scale = told.mean
        return Smooth(
            lambda p: -scale * np.log1p(-p), lambda x: -np.expm1(-np.maximum(x, 0) / scale), least, most, kind.step
        )
    centre, sigma = math.log(told.median), told.sigma

    def curve(x: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return gauss.cumulative((np.log(np.maximum(x, 0.0)) - centre) / sigma)

    return Smooth(lambda p: np.exp(centre + sigma * gauss.quantile(p)), curve, least, most, kind.step)


def _poisson(mean: float, least: float, most: float) -> Listed:
    reach = 12 * math.sqrt(mean) + 30
    first, last = math.ceil(max(least, mean - reach, 0)), math.floor(min(most, mean + reach))
    if first > last:
        raise ValueError("hardly anything of its distribution lies between its bounds")
    counts = np.arange(first, last + 1, dtype=np.float64)
    logs = counts * math.log(mean) - mean - np.array([math.lgamma(count + 1) for count in counts])
    weights = np.exp(logs)
    if weights.sum() < LEAST_MASS:
        raise ValueError("hardly anything of its distribution lies between its bounds")
    return Listed(counts, weights / weights.sum())


def _bound(value: Value | None, kind: ValueType, otherwise: float) -> float:
    return otherwise if value is None else number_of(value, kind)


def _check_range(least: float, most: float, kind: ValueType) -> None:
    if least < kind.least or most > kind.most:
        raise ValueError(f"its bounds lie beyond what a {kind.name} holds")
    if kind.step is not None:
        for bound in (least, most):
            if bound not in (kind.least, kind.most) and abs(bound / kind.step - round(bound / kind.step)) > 1e-6:
                raise ValueError(f"its bound {bound:g} is no value of type {kind.name}")
