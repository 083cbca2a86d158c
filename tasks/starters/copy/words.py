"""The lexicon, parted into a world to train on and one held out; words, numbers and prices drawn at random."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar
from zlib import crc32

import yaml

T = TypeVar("T")
Lexicon = dict[str, Any]

# One word in so many belongs to the held-out world.
_HELD_OUT_SHARE = 8
# A list with fewer words of its own serves the held-out world whole: texts of two or three words would be no test.
_LEAST = 6
# What the two worlds share: the labels that a model must know to write at all.
_SHARED = frozenset({"categories", "tones", "avoid_words", "manners", "prepositions", "numbers"})


@dataclass(frozen=True, slots=True)
class World:
    """Where products come from: dice, the words of one world, and every longer word among them."""

    rng: random.Random
    lexicon: Lexicon
    plain: Sequence[str]
    held_out: bool = False

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        return self.rng.choice(options)

    def chance(self, share: float) -> bool:
        """True in `share` of all cases."""
        return self.rng.random() < share

    def look(self) -> str:
        """A word on how a thing looks."""
        return str(self.pick(self.lexicon["phrase_words"] if self.chance(0.5) else self.lexicon["look_words"]))

    def trade(self, name: str) -> Lexicon:
        """The words of a trade."""
        return dict(self.lexicon["domains"][name])


def world(rng: random.Random, *, held_out: bool = False) -> World:
    """The world to train on, or the one that training never sees."""
    return World(rng, _part(held_out), _plain_words(held_out), held_out)


def is_held_out(word: str) -> bool:
    """Whether a word belongs to the held-out world."""
    return crc32(word.lower().encode()) % _HELD_OUT_SHARE == 0


@cache
def lexicon() -> Lexicon:
    """The word lists of lexicon.yaml, trades.yaml and everyday.yaml, of both worlds together."""
    folder = files(__package__)
    words: Lexicon = yaml.safe_load(folder.joinpath("lexicon.yaml").read_text("utf-8"))
    for name, lists in yaml.safe_load(folder.joinpath("trades.yaml").read_text("utf-8")).items():
        trade = words["domains"].setdefault(name, {})
        for key, more in lists.items():
            trade[key] = list(dict.fromkeys([*trade.get(key, []), *more]))
    words["everyday"] = yaml.safe_load(folder.joinpath("everyday.yaml").read_text("utf-8"))
    return words


@cache
def _part(held_out: bool) -> Lexicon:
    def walk(key: str, node: Any) -> Any:
        if isinstance(node, dict):
            return {k: walk(k, v) for k, v in node.items()}
        if key in _SHARED:
            return node
        own = [word for word in node if is_held_out(word) == held_out]
        return own if len(own) >= _LEAST else node

    return {key: node if key in _SHARED else walk(key, node) for key, node in lexicon().items()}


def strings(node: Any) -> Iterator[str]:
    """Every text in nested lists and mappings."""
    if isinstance(node, str):
        yield node
    else:
        for child in node.values() if isinstance(node, dict) else node:
            yield from strings(child)


@cache
def _plain_words(held_out: bool) -> list[str]:
    found = (word.lower() for text in strings(_part(held_out)) for word in re.findall(r"[A-Za-z]{4,}", text))
    return sorted({word for word in found if is_held_out(word) == held_out})


def invented(w: World, most: int = 3) -> str:
    """A word that no vocabulary holds: random syllables, pieces of real words, or a word with a slip of the pen.

    Pieces of real words are what a tokenizer cuts unknown words into: a model that has met each of them beside any
    other can copy them all.
    """
    while is_held_out(word := _invented(w, most)) != w.held_out:
        pass
    return word


def _invented(w: World, most: int) -> str:
    rng = w.rng
    kind = rng.random()
    if kind < 0.4:
        return _syllables(rng, most)
    one, two = rng.choice(w.plain), rng.choice(w.plain)
    if kind < 0.65:
        return one[: rng.randint(2, len(one) - 1)] + two[rng.randint(1, len(two) - 2) :]
    if kind < 0.92:
        return "".join(_piece(w) for _ in range(rng.choice((2, 2, 3))))
    at = rng.randint(1, len(one) - 3)
    swapped = one[:at] + one[at + 1] + one[at] + one[at + 2 :]
    return rng.choice((one[:at] + one[at + 1 :], one[: at + 1] + one[at:], swapped))


def _piece(w: World) -> str:
    word = w.pick(w.plain)
    start = w.rng.randint(0, len(word) - 2)
    return word[start : start + w.rng.randint(2, 6)]


def _syllables(rng: random.Random, most: int) -> str:
    onsets = ("b", "br", "c", "d", "dr", "f", "fl", "g", "h", "j", "k", "l", "m", "n", "p", "qu", "r", "s", "st", "t")
    more = ("tr", "v", "w", "z", "sh", "th", "ch", "gl", "kr", "pl", "sk", "y", "", "x", "ç", "ñ", "š")
    vowels = ("a", "e", "i", "o", "u", "ea", "io", "ou", "ee", "ai", "y", "oo", "é", "ö", "ü", "å", "è", "í")
    codas = ("", "", "", "n", "r", "l", "s", "m", "t", "x", "nd", "ck", "rn", "lt", "sk", "ll", "ng", "p", "th")
    return "".join(
        rng.choice(onsets if rng.random() < 0.7 else more)
        + (rng.choice(vowels[:5]) if rng.random() < 0.8 else rng.choice(vowels))
        + rng.choice(codas)
        for _ in range(rng.randint(1 if most < 3 else 2, most))
    )


def amount(rng: random.Random) -> str:
    """A number as facts write it."""
    whole = rng.choice((rng.randint(1, 9), rng.randint(10, 99), rng.randint(100, 999), rng.randint(1000, 9999)))
    style = rng.random()
    if style < 0.6:
        return str(whole)
    if style < 0.85:
        return f"{whole % 100}.{rng.choice(('5', '25', '75', str(rng.randint(1, 99))))}"
    return f"{whole:,}" if whole > 999 else str(whole)


def unit(rng: random.Random) -> str:
    """A unit, common or odd."""
    return rng.choice(
        (
            "cm", "mm", "m", "in", "inches", "ft", "ml", "l", "L", "fl oz", "oz", "g", "kg", "lb", "W", "mAh", "V",
            "hours", "GB", "Hz", "lumens", "sq ft", "°C", "%", "pieces", "km", "cl", "pages",
            "years", "dB", "rpm", "bar", "psi", "Ah", "kWh", "mg", "dpi", "gsm", "TB", "MP", "minutes", "days",
            "carats", "litres", "cups", "servings", "tons", "A", "Wh", "thread count",
        )
    )  # fmt: skip


def price(rng: random.Random) -> str:
    """A price as shops write it."""
    value = rng.randint(2, 99) if rng.random() < 0.6 else rng.randint(100, 2999)
    cents = rng.choice(("", "", ".99", ".95", ".50", ".00", f".{rng.randint(10, 98)}"))
    form = rng.choice(
        ("${}", "${}", "${}", "€{}", "£{}", "{} USD", "{} EUR", "{}", "{} €", "US${}", "CHF {}", "¥{}", "{} kr")
    )
    if rng.random() < 0.15:
        return f"{form.format(f'{value}{cents}')}–{form.format(f'{value + rng.randint(1, 90)}{cents}')}"
    return form.format(f"{value:,}{cents}" if rng.random() < 0.5 else f"{value}{cents}")


def with_article(phrase: str) -> str:
    """The phrase with a or an before it, unless it has an article."""
    if phrase.split(" ")[0] in {"a", "an", "the"}:
        return phrase
    spoken_vowel = phrase[:1].lower() in "aeioué" and not phrase.lower().startswith(("usb", "uni", "eu", "one"))
    spoken_vowel = spoken_vowel or phrase.startswith(("LED", "HDMI", "OLED", "EVA", "ABS", "SD", "MIDI", "heirloom"))
    return f"{'an' if spoken_vowel else 'a'} {phrase}"


def in_plural(noun: str) -> bool:
    """Whether an entry without a plural of its own is one, by its ending."""
    return noun.endswith("s") and not noun.endswith(("ss", "us", "is", "lens", "canvas"))
