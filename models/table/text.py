"""New strings in the manner of a column whose values are nearly all different: names, ids, titles, phone numbers.

Such values would point at the people behind them, so none is ever copied. What is kept is how they are spelled: the
common shapes (`Aa9` classes and punctuation, by position) and which characters follow which, both only where at least
five different values agree. A drawn string that equals a source value is drawn again.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from models.table.spelling import END, LONGEST, ORDER, START, Speller, shape_of

AGREE = 5  # a habit of spelling counts if this many different values share it
STUDIED = 5_000
SHAPED = 0.8  # shapes are imposed if the common ones cover this share of the values
ATTEMPTS = 12


def digests(texts: Sequence[str]) -> np.ndarray:
    """An int64 digest per string, by which a source value is recognised without being kept."""
    raw = [int.from_bytes(hashlib.blake2b(t.encode(), digest_size=8).digest(), "little", signed=True) for t in texts]
    return np.array(raw, dtype=np.int64)


@dataclass(slots=True)
class TextModel:
    """Spelling habits of a column: `habits` maps up to four characters to what may follow them and how often.

    `known` are the sorted digests of the source's values.
    """

    habits: dict[str, dict[str, int]]
    shapes: dict[str, int]
    known: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    _speller: Speller | None = None

    def draw(self, count: int, rng: np.random.Generator, taken: set[str] | None = None) -> list[str]:
        """Strings that are no source values. With `taken` each differs from all others and from those in it, and is
        added to it."""
        if self._speller is None:
            self._speller = Speller(self.habits, self.shapes)
        drawn: list[str] = [""] * count
        left = np.arange(count)
        for _ in range(ATTEMPTS):
            texts = self._speller.spell(len(left), rng)
            good = self.are_new(texts, taken)
            for row, text in zip(left[good], texts[good], strict=True):
                drawn[row] = text
            left = left[~good]
            if not len(left):
                return drawn
        for row, spelled in zip(left, self._speller.spell(len(left), rng), strict=True):
            text = spelled  # the column's manner is exhausted: lengthen it
            while not self.are_new(np.array([text], dtype=object), taken)[0]:
                text += str(rng.integers(10))
            drawn[row] = text
        return drawn

    def are_new(self, texts: np.ndarray, taken: set[str] | None) -> np.ndarray:
        """Which texts may be drawn; with `taken` they are noted there."""
        found = digests(texts.tolist())
        place = np.minimum(np.searchsorted(self.known, found), max(len(self.known) - 1, 0))
        new = (texts != "") & ((self.known[place] != found) if len(self.known) else True)
        if taken is not None:
            for row in np.flatnonzero(new):
                new[row] = texts[row] not in taken
                taken.add(texts[row])
        return np.asarray(new, bool)

    def to_json(self) -> dict[str, Any]:
        return {"habits": self.habits, "shapes": self.shapes}


def fit_text(texts: list[str]) -> TextModel:
    """Study the distinct values of a column, up to 5,000 of them, evenly spread."""
    known = np.unique(digests(texts))
    studied = texts[:: max(1, len(texts) // STUDIED)]
    shapes = {s: n for s, n in sorted(Counter(map(shape_of, studied)).items()) if n >= AGREE}
    if sum(shapes.values()) < SHAPED * len(studied):
        shapes = {}
    counts: dict[str, Counter[str]] = {}
    for text in studied:
        padded = START + text[:LONGEST]
        seen = {
            (padded[max(0, end - order) : end], padded[end] if end < len(padded) else END)
            for end in range(1, len(padded) + 1)
            for order in range(min(ORDER, end) + 1)
        }
        for context, character in seen:
            counts.setdefault(context, Counter())[character] += 1
    habits = {}
    for context in sorted(counts):
        agreed = {c: n for c, n in sorted(counts[context].items()) if n >= AGREE}
        if agreed:
            habits[context] = agreed
    return TextModel(habits=habits, shapes=shapes, known=known)
