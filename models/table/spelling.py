"""Spelling many strings at once: habits compiled to flat arrays, and one step of all strings per character.

A state is the longest known context that a string ends with. Every state has, for each class of characters, a range of
options with running weights; where a context knows none of a class, those of the longest shorter one that does.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np

CLASSES = {"A": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "a": "abcdefghijklmnopqrstuvwxyz", "9": "0123456789"}
START = "\x02"
END = "\n\n"
ORDER = 4
LONGEST = 400


def shape_of(text: str) -> str:
    """The classes of a string's characters: `Ab-12` is `Aa-99`. Letters outside ASCII count as `a` or `A`."""
    return "".join("9" if c.isdigit() else "A" if c.isupper() else "a" if c.isalpha() else c for c in text[:LONGEST])


class Speller:
    """Spells strings by `habits` (context → what may follow and how often) and `shapes` (empty: of any shape)."""

    def __init__(self, habits: Mapping[str, Mapping[str, int]], shapes: Mapping[str, int]) -> None:
        self._habits = habits
        self._shapes = list(shapes)
        self._shape_weights = np.cumsum(list(shapes.values()), dtype=np.int64)
        self._contexts = sorted({"", *habits})
        self._states = {context: state for state, context in enumerate(self._contexts)}
        self._literals: dict[str, np.ndarray] = {}
        self._options: dict[str | None, _Options] = {}

    def spell(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """`count` strings, as an array of Unicode."""
        if not self._shapes:
            return _as_texts(self._free(count, rng))
        chosen = np.searchsorted(self._shape_weights, rng.integers(self._shape_weights[-1], size=count), side="right")
        spelled = np.empty(count, dtype=object)
        for shape in np.unique(chosen):
            rows = np.flatnonzero(chosen == shape)
            spelled[rows] = _as_texts(self._shaped(self._shapes[shape], len(rows), rng))
        return spelled

    @cached_property
    def _first(self) -> int:
        return self._state_after("", START)

    def _shaped(self, shape: str, count: int, rng: np.random.Generator) -> np.ndarray:
        """Code points, count × length."""
        codes = np.empty((count, len(shape)), np.uint32)
        states = np.full(count, self._first)
        for place, wanted in enumerate(shape):
            if wanted in CLASSES:
                codes[:, place], states = self._of(wanted).step(states, rng)
            else:
                codes[:, place], states = ord(wanted), self._literal(wanted)[states]
        return codes

    def _free(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Code points, count × longest, 0 after a string's end."""
        codes = np.zeros((count, LONGEST), np.uint32)
        going, states = np.arange(count), np.full(count, self._first)
        for place in range(LONGEST):
            drawn, states = self._of(None).step(states, rng)
            on = drawn != _Options.STOP
            going, states = going[on], states[on]
            codes[going, place] = drawn[on]
            if not len(going):
                return codes[:, : max(place, 1)]
        return codes

    def _of(self, wanted: str | None) -> _Options:
        if wanted not in self._options:
            self._options[wanted] = self._compile(wanted)
        return self._options[wanted]

    def _compile(self, wanted: str | None) -> _Options:
        """The options of a class in every state; a class that no context knows is drawn evenly."""
        start = np.zeros(len(self._contexts), np.int64)
        weights: list[int] = []
        codes: list[int] = []
        following: list[int] = []
        ends: dict[str, tuple[int, int]] = {}
        end = np.zeros(len(self._contexts), np.int64)
        for context in sorted(self._contexts, key=len):
            options = self._habits.get(context, {})
            if wanted is not None:
                options = {c: n for c, n in options.items() if c != END and shape_of(c) == wanted}
            elif not context and not options:
                options = {END: 1}
            if not options and not context and wanted is not None:
                options = dict.fromkeys(CLASSES[wanted], 1)
            if options:
                first = len(weights)
                weights += np.cumsum(list(options.values())).tolist()
                codes += [_Options.STOP if c == END else ord(c) for c in options]
                following += [0 if c == END else self._state_after(context, c) for c in options]
                ends[context] = first, len(weights)
            shorter = next(context[cut:] for cut in range(len(context) + 1) if context[cut:] in ends)
            start[self._states[context]], end[self._states[context]] = ends[shorter]
        return _Options(start, end, np.array(weights), np.array(codes, np.uint32), np.array(following))

    def _literal(self, character: str) -> np.ndarray:
        """The state that each state leads to over a character that a shape prescribes."""
        if character not in self._literals:
            self._literals[character] = np.array([self._state_after(c, character) for c in self._contexts])
        return self._literals[character]

    def _state_after(self, context: str, character: str) -> int:
        text = (context + character)[-ORDER:]
        return next(self._states[text[cut:]] for cut in range(len(text) + 1) if text[cut:] in self._states)


class _Options:
    """Options in flat arrays: those of a state lie from `start` to `end`, their `weights` running within the range."""

    STOP = 0

    def __init__(
        self, start: np.ndarray, end: np.ndarray, weights: np.ndarray, codes: np.ndarray, following: np.ndarray
    ) -> None:
        self._start, self._end = start, end
        self._codes, self._following = codes, following
        self._totals = weights[end - 1]
        # Every state's weights lie above those of the options before it, so that one search serves all states.
        base = np.zeros(len(weights), np.int64)
        firsts = np.unique(start)
        span = int(weights.max()) + 1 if len(weights) else 1
        for number, first in enumerate(firsts):
            base[first:] = number * span
        self._weights = weights + base
        self._base = base

    def step(self, states: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """(code points, next states) of one more character; STOP where a string ends."""
        aim = (
            np.floor(rng.random(len(states)) * self._totals[states]).astype(np.int64) + self._base[self._start[states]]
        )
        option = np.searchsorted(self._weights, aim, side="right")
        return self._codes[option], self._following[option]


def _as_texts(codes: np.ndarray) -> np.ndarray:
    """Rows of code points as strings."""
    return np.ascontiguousarray(codes).view(f"<U{codes.shape[1]}")[:, 0].astype(object)
