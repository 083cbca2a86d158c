"""New strings in the manner of a column whose values are nearly all different: names, ids, titles, phone numbers.

Such values would point at the people behind them, so none is ever copied. What is kept is how they are spelled: the
common shapes (`Aa9` classes and punctuation, by position) and which characters follow which, both only where at least
five different values agree. A drawn string that equals a source value is drawn again.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random
from typing import Any

import numpy as np

AGREE = 5  # a habit of spelling counts if this many different values share it
ORDER = 4
LONGEST = 400
STUDIED = 5_000
SHAPED = 0.8  # shapes are imposed if the common ones cover this share of the values
ATTEMPTS = 12
END = "\n\n"
START = "\x02"
Lots = tuple[list[str], list[int]]  # what may be drawn, and the running sums of its weights
CLASSES = {"A": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "a": "abcdefghijklmnopqrstuvwxyz", "9": "0123456789"}


def shape_of(text: str) -> str:
    """The classes of a string's characters: `Ab-12` is `Aa-99`. Letters outside ASCII count as `a` or `A`."""
    return "".join("9" if c.isdigit() else "A" if c.isupper() else "a" if c.isalpha() else c for c in text[:LONGEST])


def digests(texts: list[str]) -> np.ndarray:
    """A sorted int64 digest per string, by which a source value is recognised without being kept."""
    raw = [int.from_bytes(hashlib.blake2b(t.encode(), digest_size=8).digest(), "little", signed=True) for t in texts]
    return np.unique(np.array(raw, dtype=np.int64))


@dataclass(slots=True)
class TextModel:
    """Spelling habits of a column: `habits` maps up to four characters to what may follow them and how often."""

    habits: dict[str, dict[str, int]]
    shapes: dict[str, int]
    known: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    _shapes: Lots | None = None
    _lots: dict[tuple[str, str | None], Lots | None] = field(default_factory=dict)

    def draw(self, rng: Random, taken: set[str]) -> str:
        """A string that is neither a source value nor in `taken`."""
        text = self._spell(rng)
        for _ in range(ATTEMPTS):
            if text and text not in taken and not self._is_known(text):
                return text
            text = self._spell(rng)
        while text in taken or self._is_known(text):  # the column's manner is exhausted: lengthen it
            text += rng.choice(CLASSES["9"])
        return text

    def _is_known(self, text: str) -> bool:
        digest = digests([text])[0]
        place = int(np.searchsorted(self.known, digest))
        return place < len(self.known) and self.known[place] == digest

    def _spell(self, rng: Random) -> str:
        if self._shapes is None:
            self._shapes = _lots(self.shapes)
        shape = _pick(self._shapes, rng) if self.shapes else None
        text = START
        for place in range(LONGEST if shape is None else len(shape)):
            wanted = None if shape is None else shape[place]
            if wanted is not None and wanted not in CLASSES:
                text += wanted
                continue
            following = self._following(text, wanted)
            if following is not None:
                character = _pick(following, rng)
                if character == END:
                    break
                text += character
            elif wanted is not None:
                text += rng.choice(CLASSES[wanted])
        return text[1:]

    def _following(self, text: str, wanted: str | None) -> Lots | None:
        """What may come next after the longest context that is known, within the wanted class."""
        for order in range(min(ORDER, len(text)), -1, -1):
            context = text[len(text) - order :]
            if context not in self.habits:
                continue
            if (context, wanted) not in self._lots:
                options = self.habits[context]
                if wanted is not None:
                    options = {c: n for c, n in options.items() if c != END and shape_of(c) == wanted}
                self._lots[context, wanted] = _lots(options) if options else None
            lots = self._lots[context, wanted]
            if lots is not None:
                return lots
        return None

    def to_json(self) -> dict[str, Any]:
        return {"habits": self.habits, "shapes": self.shapes}


def fit_text(texts: list[str]) -> TextModel:
    """Study the distinct values of a column, up to 5,000 of them, evenly spread."""
    known = digests(texts)
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


def _lots(options: dict[str, int]) -> Lots:
    return list(options), list(accumulate(options.values()))


def _pick(lots: Lots, rng: Random) -> str:
    names, weights = lots
    return names[bisect_right(weights, rng.randrange(weights[-1]))]
