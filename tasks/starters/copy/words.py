"""The lexicon, and words, numbers and prices drawn at random."""

from __future__ import annotations

import random
import re
from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@cache
def lexicon() -> dict[str, Any]:
    """The word lists of lexicon.yaml."""
    return yaml.safe_load(files(__package__).joinpath("lexicon.yaml").read_text("utf-8"))


@cache
def plain_words() -> list[str]:
    """Every longer word of the lexicon, in lower case."""

    def walk(node: Any) -> list[str]:
        if isinstance(node, str):
            return [word.lower() for word in re.findall(r"[A-Za-z]{4,}", node)]
        return [word for child in (node.values() if isinstance(node, dict) else node) for word in walk(child)]

    return sorted(set(walk(lexicon())))


def invented(rng: random.Random, most: int = 3) -> str:
    """A word that no vocabulary holds: random syllables, pieces of real words, or a word with a slip of the pen.

    Pieces of real words are what a tokenizer cuts unknown words into: a model that has met each of them beside any
    other can copy them all.
    """
    kind = rng.random()
    if kind < 0.4:
        return _syllables(rng, most)
    one, two = rng.choice(plain_words()), rng.choice(plain_words())
    if kind < 0.65:
        return one[: rng.randint(2, len(one) - 1)] + two[rng.randint(1, len(two) - 2) :]
    if kind < 0.92:
        return "".join(_piece(rng) for _ in range(rng.choice((2, 2, 3))))
    at = rng.randint(1, len(one) - 3)
    swapped = one[:at] + one[at + 1] + one[at] + one[at + 2 :]
    return rng.choice((one[:at] + one[at + 1 :], one[: at + 1] + one[at:], swapped))


def _piece(rng: random.Random) -> str:
    word = rng.choice(plain_words())
    start = rng.randint(0, len(word) - 2)
    return word[start : start + rng.randint(2, 6)]


def _syllables(rng: random.Random, most: int) -> str:
    onsets = ("b", "br", "c", "d", "dr", "f", "fl", "g", "h", "j", "k", "l", "m", "n", "p", "qu", "r", "s", "st", "t")
    more = ("tr", "v", "w", "z", "sh", "th", "ch", "gl", "kr", "pl", "sk", "y", "", "x")
    vowels = ("a", "e", "i", "o", "u", "ea", "io", "ou", "ee", "ai", "y", "oo", "é", "ö")
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
    if style < 0.55:
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
            "years", "dB", "rpm", "bar", "psi",
        )
    )  # fmt: skip


def price(rng: random.Random) -> str:
    """A price as shops write it."""
    value = rng.randint(2, 99) if rng.random() < 0.6 else rng.randint(100, 2999)
    cents = rng.choice(("", "", ".99", ".95", ".50", ".00", f".{rng.randint(10, 98)}"))
    form = rng.choice(("${}", "${}", "${}", "€{}", "£{}", "{} USD", "{} EUR", "{}", "{} €", "US${}", "CHF {}"))
    if rng.random() < 0.15:
        return f"{form.format(f'{value}{cents}')}–{form.format(f'{value + rng.randint(1, 90)}{cents}')}"
    return form.format(f"{value:,}{cents}" if rng.random() < 0.5 else f"{value}{cents}")


def with_article(phrase: str) -> str:
    """The phrase with a or an before it, unless it has an article."""
    if phrase.split(" ")[0] in {"a", "an", "the"}:
        return phrase
    spoken_vowel = phrase[:1].lower() in "aeioué" and not phrase.lower().startswith(("usb", "uni", "eu", "one"))
    spoken_vowel = spoken_vowel or phrase.startswith(("LED", "HDMI", "OLED", "EVA", "ABS"))
    return f"{'an' if spoken_vowel else 'a'} {phrase}"
