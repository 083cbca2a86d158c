"""Rules as masks: which tokens of a column a row may still have, given what was drawn before it.

A mask lets pass every token that may lead to an allowed value, and at the edges of a cell a few that may not: what is
decoded is looked at again. Masks are rows × tokens, or 1 × tokens where they do not depend on the row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from models.table.codec import TableCodec
from models.table.columns import CategoryColumn, Column, NumberColumn
from models.table.number import CELLS, NumberCodec

Mask = np.ndarray


@dataclass(slots=True)
class Limits:
    """What the values of a number column have to keep to: bounds in its own units, per row or for all, both included.

    `slack` units are let pass beyond them, against rounding.
    """

    low: np.ndarray
    high: np.ndarray
    slack: float = 1e-6


def number_mask(codec: NumberCodec, part: int, drawn: np.ndarray, limits: Limits, present: bool) -> Mask:
    """The tokens of a number's part (0: null, atoms, bins; 1: cells of the bin in `drawn`) within limits."""
    low, high = limits.low[:, None] - limits.slack, limits.high[:, None] + limits.slack
    if part == 0:
        bins = -(-codec.cells // CELLS)
        allowed = np.zeros((len(low), codec.first_bin + bins), bool)
        allowed[:, : codec.first_atom] = not present
        allowed[:, codec.first_atom : codec.first_bin] = _between(codec.atoms, codec.atoms, low, high)
        if bins:
            starts = np.arange(bins) * CELLS
            ends = np.minimum(starts + CELLS, codec.cells)
            allowed[:, codec.first_bin :] = _between(codec.edges[starts], codec.edges[ends], low, high)
        return allowed
    first = np.maximum(drawn[:, 0] - codec.first_bin, 0)[:, None] * CELLS
    cells = first + np.arange(CELLS)
    real = cells < codec.cells
    cells = np.minimum(cells, codec.cells - 1)
    inside = _between(codec.edges[cells], codec.edges[cells + 1], low, high) & real
    return np.concatenate([np.ones((len(inside), 1), bool), inside], axis=1)


def _between(start: np.ndarray, end: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return (end >= low) & (start <= high)


def category_masks(column: CategoryColumn, allowed: Callable[[str], bool], present: bool) -> list[Mask]:
    """The tokens of a category's parts that stand for allowed values; values that are written anew are not.

    The mask of a second part is groups × tokens, to be picked by the first.
    """
    good = np.array([allowed(value) for value in column.values], bool)
    groups = -(-len(good) // column.width)
    padded = np.zeros(groups * column.width, bool)
    padded[: len(good)] = good
    by_group = padded.reshape(groups, column.width)
    first = np.zeros((1, column.first_value + groups), bool)
    first[:, : int(column.nulls)] = not present
    first[:, column.first_value :] = by_group.any(1)
    if column.width == 1:
        return [first]
    return [first, np.concatenate([np.ones((groups, 1), bool), by_group], axis=1)]


def second_of(column: CategoryColumn, masks: Sequence[Mask], drawn: np.ndarray) -> Mask:
    """The mask of a category's second part for rows whose first part was `drawn`."""
    group = np.clip(drawn[:, 0] - column.first_value, 0, len(masks[1]) - 1)
    return masks[1][group]


def no_nulls(column: Column) -> Mask | None:
    """The mask of a first part that keeps nulls out, None where there are none."""
    nulls = column.codec.nulls if isinstance(column, NumberColumn) else getattr(column, "nulls", False)
    if not nulls or not column.parts:
        return None
    mask = np.ones((1, column.parts[0].size), bool)
    mask[:, 0] = False
    return mask


@dataclass(slots=True)
class Combinations:
    """Columns that stand together only as they did in the source: a trie over their tokens, in the order of drawing.

    Level n holds, for every prefix of n tokens, the number of the prefix that each next token leads to, or -1.
    """

    columns: tuple[int, ...]
    levels: list[np.ndarray] = field(default_factory=list)

    @classmethod
    def of(cls, columns: Sequence[int], seen: np.ndarray, sizes: Sequence[int]) -> Combinations:
        """Build the trie of the rows `seen` (distinct × tokens); `sizes` are the numbers of tokens per part."""
        prefix = np.zeros(len(seen), np.int64)
        count, levels = 1, []
        for place, size in enumerate(sizes):
            reached = prefix * size + seen[:, place]
            distinct, prefix = np.unique(reached, return_inverse=True)
            level = np.full(count * size, -1, np.int32)
            level[distinct] = np.arange(len(distinct))
            levels.append(level.reshape(count, size))
            count = len(distinct)
        return cls(tuple(columns), levels)


def combinations_seen(codec: TableCodec, tokens: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """The distinct tokens of some columns, in the order of drawing: int64, combinations × parts.

    Those with a value that is written anew are left out: it would not be the source's. Raises ValueError, naming the
    column, for numbers that are too many to be tokens one by one.
    """
    places = codec.places()
    numbers = sorted((codec.schema.names.index(name) for name in names), key=list(places).index)
    kept = np.ones(len(tokens), bool)
    for number in numbers:
        column = codec.columns[number]
        if isinstance(column, CategoryColumn):
            if column.manner is not None:
                kept &= tokens[:, places[number].start] != int(column.nulls)
        elif not isinstance(column, NumberColumn) or column.codec.cells:
            raise ValueError(
                f"column {codec.schema.names[number]!r} has too many values to stand together with others as in the "
                "source; leave it out of the rule"
            )
    own = np.concatenate([tokens[:, places[number]] for number in numbers], axis=1)
    return np.ascontiguousarray(np.unique(own[kept], axis=0))


def matching(pattern: str) -> Callable[[str], bool]:
    """Whether a text matches a pattern as a whole."""
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


def among(values: pa.Array) -> Callable[[str], bool]:
    """Whether a text is one of `values`."""
    return frozenset(values.to_pylist()).__contains__
