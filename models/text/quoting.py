"""Helping a small model to quote its prompt: what a text has begun to quote is made likelier to go on word for word.

The same as contextual biasing in speech recognition, where a contact's name gets a bonus as soon as it has begun (Zhao
et al. 2019, Shallow-Fusion End-to-End Contextual Biasing). A model of a few million parameters copies a name or a
feature right at most places and wrong at one: it knows that it copies, and not always from where.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from unicodedata import category

# What is added to the score of a token that goes on with a phrase, by how many of its tokens the text has already.
_GOES_ON = (0.0, 1.5, 4.0, 7.0, 7.0, 7.0, 15.0)
# … to one that begins a point made before, or goes on with it.
_AGAIN = -4.0
# … to one that begins a point which is due and was not made yet, behind a colon.
_BEGINS = 3.0
_LONG_WORD = 4

Tokens = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Ids of tokens: `telling` hold a longer word, a digit or a currency, `inner` go on with a word that has begun,
    `colons` end with one."""

    telling: frozenset[int]
    inner: frozenset[int]
    colons: frozenset[int]


class Quotes:
    """The phrases of one text. `names` may come at any time, each of `points` once, those `due` behind a colon."""

    def __init__(
        self, names: Sequence[Tokens], points: Sequence[Tokens], due: Sequence[Tokens], vocabulary: Vocabulary
    ) -> None:
        telling = vocabulary.telling
        self._points = [point for point in points if point]
        self._due = [point for point in due if point]
        self._whole = {phrase for phrase in (*names, *points) if phrase}
        # Every way to have begun a phrase, and the phrases that go on from there.
        self._begun: dict[Tokens, list[Tokens]] = {}
        for phrase in self._whole:
            for at in range(1, len(phrase)):
                within_word = at > 1 and phrase[at] in vocabulary.inner
                if telling.intersection(phrase[:at]) or within_word or at > 2:
                    self._begun.setdefault(phrase[:at], []).append(phrase)
        self._longest = max(map(len, self._whole), default=0)
        self._telling = telling
        self._colons = vocabulary.colons
        self._names = {phrase for phrase in names if phrase}
        self._told: dict[Tokens, int] = {}  # phrases that the text has quoted, and its length in tokens at that time

    def bonuses(self, written: list[int]) -> dict[int, float]:
        """What to add to the scores of which tokens, after the tokens `written`.

        To be asked after every token; of a text that was cut back since, only what is left counts.
        """
        tail = tuple(written[-self._longest :])
        self._told = {phrase: end for phrase, end in self._told.items() if end <= len(written)}
        for phrase in self._whole:
            if tail[-len(phrase) :] == phrase:
                self._told.setdefault(phrase, len(written))
        fresh = {point[0] for point in self._points if point not in self._told}
        made = {point[0] for point in self._points if point in self._told}
        again = made & self._telling - {name[0] for name in self._names} - fresh
        found = dict.fromkeys(again, _AGAIN)
        if tail and tail[-1] in self._colons:
            found |= {point[0]: _BEGINS for point in self._due if point not in self._told}
        for start in range(len(tail)):
            begun = tail[start:]
            if begun in self._whole:
                break  # it may end here
            if phrases := self._begun.get(begun):
                at = len(begun)
                spent = [phrase for phrase in phrases if phrase in self._told and phrase not in self._names]
                found |= {phrase[at]: _AGAIN for phrase in spent}
                left = [phrase for phrase in phrases if phrase not in spent]
                # What a name and a point begin with is the name as long as that has not been told.
                first = [phrase for phrase in left if phrase in self._names and phrase not in self._told]
                bonus = _GOES_ON[min(at, len(_GOES_ON) - 1)]
                return found | {phrase[at]: bonus for phrase in first or left}
        return found


def vocabulary(tokens: Sequence[str]) -> Vocabulary:
    """What the tokens of a vocabulary are, in the order of their ids."""

    def tells(token: str) -> bool:
        return sum(map(str.isalpha, token)) >= _LONG_WORD or any(c.isdigit() or category(c) == "Sc" for c in token)

    return Vocabulary(
        frozenset(number for number, token in enumerate(tokens) if tells(token)),
        frozenset(number for number, token in enumerate(tokens) if token[:1].isalpha()),
        frozenset(number for number, token in enumerate(tokens) if token.endswith(":")),
    )


def quotes(
    encode: Callable[[str], list[int]],
    names: Sequence[str],
    points: Sequence[str],
    due: Sequence[str],
    vocabulary: Vocabulary,
) -> Callable[[], Quotes] | None:
    """Makes the phrases for a text, as tokens, each as it stands after a space; None where there are none."""

    def tokens(phrases: Sequence[str]) -> list[Tokens]:
        return [tuple(encode(f" {phrase.strip().rstrip('.')}")) for phrase in phrases if phrase.strip()]

    return partial(Quotes, tokens(names), tokens(points), tokens(due), vocabulary) if names or points else None
