"""Numbers under differential privacy: a codec that rests on a public range and noisy histograms over it.

The range is cut into even cells. Columns of up to 256 steps have a histogram of single steps. Others have three: one of
128 cells, one of 16,384, by which cells of the first are halved again and again where their mass stands out of noise,
and one of single steps, in which values stick out that occur often. These become atoms; the rest becomes bins of about
equal mass, and eight cells in each, as elsewhere (see `models.table.number`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from models.table.number import ATOM_SHARE, CELLS, NumberCodec
from models.table.private.estimates import settled

FEW_STEPS = 32  # all values are atoms
SINGLE = 256
COARSE = 128
FINEST = 1 << 21
BINS = 16
CLEAR = 3.0  # times σ: nulls that stand out of noise
STICKS_OUT = 3.0  # times as frequent as its neighbours


@dataclass(frozen=True, slots=True)
class Grid:
    """Even cells over a public range: of whole numbers `width` steps each, otherwise a share of the range."""

    low: float | int
    high: float | int
    whole: bool

    @property
    def width(self) -> float | int:
        if self.whole:
            return max(1, -(-(int(self.high) - int(self.low) + 1) // FINEST))
        return (self.high - self.low) / FINEST

    @property
    def cells(self) -> int:
        """How many fine cells there are."""
        if self.whole:
            return -(-(int(self.high) - int(self.low) + 1) // int(self.width))
        return FINEST

    @property
    def exact(self) -> bool:
        """Whether fine cells are single steps, so that values that occur often can be told."""
        return self.whole and self.width == 1

    @property
    def single(self) -> bool:
        """Whether one histogram of single steps is all that is needed."""
        return self.cells <= SINGLE

    @property
    def middle(self) -> int:
        """Fine cells in a cell of the second histogram."""
        return -(-self.cells // COARSE**2)

    @property
    def together(self) -> int:
        """Fine cells in a cell of the first histogram, a multiple of those in the second's."""
        return 1 if self.single else self.middle * -(-self.cells // (COARSE * self.middle))

    @property
    def levels(self) -> list[int]:
        """How many fine cells a cell of each histogram holds."""
        if self.single:
            return [1]
        return [self.together, self.middle, *([1] if self.exact and self.middle > 1 else [])]

    def histograms(self, numbers: np.ndarray, valid: np.ndarray) -> list[np.ndarray]:
        """Counts of rows by cell, null in the first place: one histogram for each level."""
        if self.whole:
            fine = (np.clip(numbers, self.low, self.high) - self.low) // int(self.width)
        else:
            fine = np.minimum((np.clip(numbers, self.low, self.high) - self.low) / self.width, self.cells - 1)
        fine = np.where(valid, fine, 0).astype(np.int64)
        found = []
        for together in self.levels:
            cells = -(-self.cells // together)
            found.append(np.bincount(np.where(valid, 1 + fine // together, 0), minlength=1 + cells))
        return found

    def codec(
        self, noisy: Sequence[np.ndarray], sigma: float, total: float, nulls: bool
    ) -> tuple[NumberCodec, np.ndarray]:
        """The codec that noisy histograms lead to, and the expected counts of its tokens: of those of the first part,
        each followed by those of its cells (of atoms and null there is one). σ is that of the noise, `total` the rows.
        """
        coarse, fine = settled(self._known(noisy[0], sigma, nulls), total), noisy[-1][1:]
        null, mass = coarse[0] if nulls else 0.0, coarse[1:]
        if self.exact and self.cells <= FEW_STEPS:
            chosen = np.arange(self.cells)
            heights = mass
        else:
            chosen = self._atoms(fine, mass, sigma, total) if self.exact else np.zeros(0, np.int64)
            heights = np.maximum(fine[chosen], 0.0)
        rest = mass.copy()
        np.subtract.at(rest, chosen // self.together, heights)
        rest, inside = np.maximum(rest, 0.0), noisy[min(1, len(noisy) - 1)][1:].copy()
        np.subtract.at(inside, chosen // self.middle, heights)
        kind = np.int64 if self.whole else np.float64
        codec = NumberCodec(nulls=nulls, whole=self.whole, atoms=(self.low + chosen).astype(kind))
        shares = [*([null] if nulls else []), *heights]
        cells = np.zeros((0, CELLS))
        if self.exact and self.cells <= FEW_STEPS:
            return codec, np.array(shares)
        if rest.sum() > 0:
            cells = self._cut(codec, *self._refined(rest, inside, sigma))
        return codec, np.concatenate([shares, cells.ravel()])

    @staticmethod
    def _known(noisy: np.ndarray, sigma: float, nulls: bool) -> np.ndarray:
        """A histogram without nulls where there may be none, or where they cannot be told from noise."""
        return np.r_[noisy[0] if nulls and noisy[0] >= CLEAR * sigma else -np.inf, noisy[1:]]

    def _atoms(self, fine: np.ndarray, mass: np.ndarray, sigma: float, total: float) -> np.ndarray:
        """Steps that stick out of noise and of what is around them."""
        least = max(sigma * (np.sqrt(2 * np.log(len(fine))) + 0.5), ATOM_SHARE * total)
        high = np.flatnonzero(fine >= least)
        around = np.zeros(len(high))
        for place, at in enumerate(high):
            if self.single:
                near = np.r_[fine[max(at - 4, 0) : at], fine[at + 1 : at + 5]]
                around[place] = np.median(near) if len(near) else 0.0
            else:
                inside = high[(high // self.together) == at // self.together]
                around[place] = max(mass[at // self.together] - fine[inside].sum(), 0.0) / self.together
        return high[fine[high] >= STICKS_OUT * np.maximum(around, 0.0)]

    def _refined(self, mass: np.ndarray, inside: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
        """Where cells of some mass begin, and their mass: the first histogram's, halved where the second one, `inside`,
        tells their halves apart."""
        if self.single:
            return self.low + np.arange(len(mass)), mass
        begins, found, per = [], [], self.together // self.middle
        for number, whole in enumerate(mass):
            waiting = [(number * per, min(per, len(inside) - number * per), whole)]
            while waiting:
                first, count, held = waiting.pop()
                half = count // 2
                if half and held / 2 >= CLEAR * sigma * np.sqrt(half):
                    sums = np.array([inside[first : first + half].sum(), inside[first + half : first + count].sum()])
                    left, right = settled(sums, held)
                    waiting += [(first + half, count - half, right), (first, half, left)]
                else:
                    begins.append(self.low + self.width * self.middle * first)
                    found.append(held)
        return np.array(begins), np.array(found)

    def _cut(self, codec: NumberCodec, begins: np.ndarray, mass: np.ndarray) -> np.ndarray:
        """Lay bins and cells over cells that begin there and have that mass; the expected counts, bins × cells."""
        end = self.high + 1 if self.whole else self.high
        begins = np.append(begins, end)
        upto = np.concatenate([[0.0], np.cumsum(mass + 1e-6 * mass.sum() / len(mass))])
        steps = int(end - self.low) if self.whole else None
        bins = BINS if steps is None else max(1, min(BINS, steps // CELLS))
        spots = _between(upto, begins, np.linspace(0, upto[-1], bins + 1), CELLS if self.whole else 0)
        edges = [spots[0]]
        for low, high in pairwise(spots):
            inside = np.interp([low, high], begins, upto)
            inner = _between(
                upto, begins, np.linspace(inside[0], inside[1], CELLS + 1), 1 if self.whole else 0, (low, high)
            )
            edges += list(inner[1:])
        kind = np.int64 if self.whole else np.float64
        codec.edges = np.array(edges).astype(kind)
        codec.runs = np.stack([codec.edges[:-1], codec.edges[1:]], axis=1)
        codec.run_mass = np.ones(codec.cells, np.int64)
        codec.run_start = np.arange(codec.cells + 1)
        shares: np.ndarray = np.diff(np.interp(codec.edges.astype(np.float64), begins, upto)).reshape(bins, CELLS)
        return shares


def _between(
    upto: np.ndarray,
    begins: np.ndarray,
    aims: np.ndarray,
    least: int,
    ends: tuple[float, float] | None = None,
) -> np.ndarray:
    """Where the cumulative mass reaches `aims`, whole numbers at least `least` apart unless that is 0."""
    low, high = ends or (begins[0], begins[-1])
    spots = np.interp(aims, upto, begins)
    spots[0], spots[-1] = low, high
    if least:
        count = len(spots) - 1
        spots = np.rint(spots)
        for at in range(1, count):
            spots[at] = min(max(spots[at], spots[at - 1] + least), high - least * (count - at))
    return spots
