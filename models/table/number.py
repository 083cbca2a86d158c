"""Numbers as tokens: frequent values one by one, the rest as a quantile bin and a fine cell within it.

Token 0 of the first part is null when the column has nulls. Then come the atoms: every value when they are few, else
those with at least 0.3 % of the mass, and always NaN and ±inf. The remaining tokens are up to 64 quantile bins, each of
which has up to 8 fine cells in a second part. A cell is decoded by drawing from what the source had in it: values that
occur at least five times as they are, the rest by interpolating between quantiles, on the column's own grid.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

ATOM_SHARE = 0.003
FEW_VALUES = 256
COMMON = 5  # a value seen this often tells of nobody in particular
BINS = 64
CELLS = 8
ROWS_PER_CELL = 10
RUNS_PER_CELL = 8
REDRAWS = 4


@dataclass(frozen=True, slots=True)
class Part:
    """One token of a row: `size` tokens; where `gate` is set it applies only if the part before is at least `gate`.

    A part that does not apply holds token 0, and its own tokens start at 1. Where tokens stand for numbers, `ranks`
    are their places in the order of these numbers.
    """

    size: int
    gate: int | None = None
    ranks: tuple[int, ...] = field(default=(), compare=False)


@dataclass(slots=True)
class NumberCodec:
    """Numbers ↔ tokens. `edges` bound the cells (one more than cells); `runs` is what each cell is decoded from."""

    nulls: bool
    whole: bool
    atoms: np.ndarray
    step: int = 1
    edges: np.ndarray = field(default_factory=lambda: np.zeros(0))
    runs: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))  # low, high (exclusive for whole numbers)
    run_mass: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    run_start: np.ndarray = field(default_factory=lambda: np.zeros(1, np.int64))  # first run of each cell, and the end

    @property
    def cells(self) -> int:
        return max(len(self.edges) - 1, 0)

    @property
    def first_atom(self) -> int:
        return int(self.nulls)

    @property
    def first_bin(self) -> int:
        return self.first_atom + len(self.atoms)

    @property
    def parts(self) -> list[Part]:
        bins = -(-self.cells // CELLS)
        size = self.first_bin + bins
        fine = [Part(1 + CELLS, gate=self.first_bin)] if self.cells else []
        return [Part(size, ranks=self._ranks()), *fine] if size > 1 or fine else []

    def _ranks(self) -> tuple[int, ...]:
        """Where each token of the first part stands among the numbers: null before all, a bin where it begins."""
        null = np.full(self.first_atom, -np.inf)
        begins = np.concatenate([null, self.atoms, self.edges[:-1][::CELLS]]).astype(np.float64)
        return tuple(np.argsort(np.argsort(begins, kind="stable")).tolist())

    def encode(self, numbers: np.ndarray, valid: np.ndarray) -> np.ndarray:
        """Tokens, rows × parts. Numbers outside the edges go to the nearest cell."""
        tokens = np.zeros((len(numbers), len(self.parts)), dtype=np.int64)
        if not self.parts:
            return tokens
        atom = np.searchsorted(self.atoms, numbers)
        hit = np.zeros(len(numbers), dtype=bool)
        if len(self.atoms):
            atom = np.minimum(atom, len(self.atoms) - 1)
            hit = (self.atoms[atom] == numbers) | (np.isnan(self.atoms[atom]) & np.isnan(numbers))
        tokens[:, 0] = self.first_atom + atom
        if self.cells:
            cell = np.clip(np.searchsorted(self.edges, numbers, side="right") - 1, 0, self.cells - 1)
            tokens[~hit, 0] = self.first_bin + cell[~hit] // CELLS
            tokens[~hit, 1] = 1 + cell[~hit] % CELLS
            tokens[~valid, 1] = 0
        tokens[~valid, 0] = 0
        return tokens

    def decode(self, tokens: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """(numbers, valid) of tokens. Draws the same amount of randomness whatever the tokens are."""
        rows = len(tokens)
        draws = rng.random((2 + REDRAWS, rows)) if self.cells else np.zeros((2, rows))
        kind = np.int64 if self.whole else np.float64
        if not self.parts:
            value = self.atoms[0] if len(self.atoms) else 0
            return np.full(rows, value, dtype=kind), np.full(rows, len(self.atoms) > 0)
        first = tokens[:, 0]
        valid = ~((first == 0) & self.nulls)
        numbers = np.zeros(rows, dtype=kind)
        is_atom = valid & (first < self.first_bin)
        if len(self.atoms):
            numbers[is_atom] = self.atoms[first[is_atom] - self.first_atom]
        binned = np.flatnonzero(first >= self.first_bin)
        if len(binned):
            cell = (first[binned] - self.first_bin) * CELLS + np.maximum(tokens[binned, 1] - 1, 0)
            numbers[binned] = self._draw(np.minimum(cell, self.cells - 1), draws[:, binned])
        return numbers, valid

    def _draw(self, cell: np.ndarray, draws: np.ndarray) -> np.ndarray:
        """One number from each cell: a run by its mass, then a place within the run."""
        mass = np.concatenate([[0], np.cumsum(self.run_mass)])
        low, high = mass[self.run_start[cell]], mass[self.run_start[cell + 1]]
        aim = low + draws[0] * (high - low)
        run = np.clip(np.searchsorted(mass, aim, side="right") - 1, self.run_start[cell], self.run_start[cell + 1] - 1)
        start, end = self.runs[run, 0], self.runs[run, 1]
        if not self.whole:
            return start + draws[1] * (end - start)
        # unsigned and wrapping, because a run may be wider than int64 is
        width = (end - start).view(np.uint64) // np.uint64(self.step)
        numbers = self._place(start, width, draws[1])
        for again in draws[2:]:
            # a drawn number may fall on an atom or a common value, which has its own mass already
            clash = (width > 1) & self._is_known(numbers)
            if not clash.any():
                break
            numbers = np.where(clash, self._place(start, width, again), numbers)
        return numbers

    def _place(self, start: np.ndarray, width: np.ndarray, draw: np.ndarray) -> np.ndarray:
        steps = np.minimum(np.floor(draw * width).astype(np.uint64), width - np.uint64(1))
        return start + (steps * np.uint64(self.step)).view(np.int64)

    def _is_known(self, numbers: np.ndarray) -> np.ndarray:
        single = self.runs[self.runs[:, 1] - self.runs[:, 0] <= self.step, 0]
        return np.isin(numbers, self.atoms) | np.isin(numbers, single)

    def to_json(self) -> dict[str, Any]:
        return {
            "nulls": self.nulls,
            "whole": self.whole,
            "atoms": _plain(self.atoms),
            "step": self.step,
            "edges": _plain(self.edges),
            "runs": _plain(self.runs.ravel()),
            "run_mass": _plain(self.run_mass),
            "run_start": _plain(self.run_start),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> NumberCodec:
        kind = np.int64 if data["whole"] else np.float64
        return cls(
            nulls=data["nulls"],
            whole=data["whole"],
            atoms=np.array([float(v) if isinstance(v, str) else v for v in data["atoms"]], dtype=kind),
            step=data["step"],
            edges=np.array(data["edges"], dtype=kind),
            runs=np.array(data["runs"], dtype=kind).reshape(-1, 2),
            run_mass=np.array(data["run_mass"], dtype=np.int64),
            run_start=np.array(data["run_start"], dtype=np.int64),
        )


def fit_number(numbers: np.ndarray, valid: np.ndarray, *, two_valued: bool = False) -> NumberCodec:
    """Learn the codec of one column. `two_valued` columns (booleans) are atoms however few rows there are."""
    whole = numbers.dtype == np.int64
    seen = numbers[valid]
    values, counts = np.unique(seen, return_counts=True)  # sorted; NaN is one value at the end
    finite = np.isfinite(values) if not whole else np.ones(len(values), dtype=bool)
    total = len(seen)
    if two_valued or len(values) == 1 or (len(values) <= FEW_VALUES and total >= COMMON * len(values)):
        frequent = np.ones(len(values), dtype=bool)
    else:
        frequent = (counts >= max(COMMON, ATOM_SHARE * total)) | ~finite
    codec = NumberCodec(nulls=not valid.all(), whole=whole, atoms=values[frequent])
    rest, rest_counts = values[~frequent], counts[~frequent]
    if len(rest):
        _cut(codec, rest, rest_counts)
    return codec


def _cut(codec: NumberCodec, values: np.ndarray, counts: np.ndarray) -> None:
    """Lay cells over `values` (sorted, distinct) by mass, and keep what each is decoded from."""
    if codec.whole:
        codec.step = int(np.gcd.reduce((values - values[0]).view(np.uint64))) or 1
    bins = int(np.clip(counts.sum() // (CELLS * ROWS_PER_CELL), 1, BINS))
    rank = np.cumsum(counts) - counts  # rows before each value
    cuts = np.searchsorted(rank, counts.sum() * np.arange(1, bins * CELLS) / (bins * CELLS))
    cuts = np.unique(np.concatenate([[0], cuts]))
    cuts = np.append(cuts[cuts < len(values)], len(values))
    beyond = values[-1]
    if codec.whole and beyond <= np.iinfo(np.int64).max - codec.step:
        beyond += codec.step
    codec.edges = np.append(values[cuts[:-1]], beyond)
    runs: list[tuple[Any, Any]] = []
    mass: list[int] = []
    starts = [0]
    for begin, end, edge in zip(cuts[:-1], cuts[1:], codec.edges[1:], strict=True):
        cell, weight = values[begin:end], counts[begin:end]
        common = weight >= COMMON
        for value, count in zip(cell[common], weight[common], strict=True):
            runs.append((value, value + codec.step if codec.whole else value))
            mass.append(int(count))
        _interpolated(cell[~common], weight[~common], edge, runs, mass)
        starts.append(len(runs))
    codec.runs = np.array(runs, dtype=values.dtype).reshape(-1, 2)
    codec.run_mass = np.array(mass, dtype=np.int64)
    codec.run_start = np.array(starts, dtype=np.int64)


def _interpolated(
    values: np.ndarray, counts: np.ndarray, edge: Any, runs: list[tuple[Any, Any]], mass: list[int]
) -> None:
    """Split a cell's rare values into runs of at least five rows, each to be filled evenly."""
    if not len(values):
        return
    pieces = int(np.clip(counts.sum() // COMMON, 1, RUNS_PER_CELL))
    rank = np.cumsum(counts) - counts
    cuts = np.unique(np.searchsorted(rank, counts.sum() * np.arange(pieces) / pieces))
    cuts = cuts[cuts < len(values)]
    bounds = [*values[cuts], edge]
    for piece, (low, high) in enumerate(pairwise(bounds)):
        end = cuts[piece + 1] if piece + 1 < len(cuts) else len(values)
        runs.append((low, high))
        mass.append(int(counts[cuts[piece] : end].sum()))


def _plain(array: np.ndarray) -> list[Any]:
    """JSON has no NaN or infinity, so those become their names."""
    return [v if isinstance(v, int) or np.isfinite(v) else repr(v) for v in array.tolist()]
