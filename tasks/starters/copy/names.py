"""Names of invented products and brands."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from tasks.starters.copy.words import invented, lexicon, plain_words


def brand_name(rng: random.Random) -> str:
    """A brand: mostly an invented word, alone or with what shops add to it."""
    word = invented(rng).capitalize()
    forms: Sequence[Callable[[], str]] = (
        lambda: word,
        lambda: word,
        lambda: f"{word} & {invented(rng).capitalize()}",
        lambda: f"{word} {rng.choice(('Studio', 'Home', 'Goods', 'Living', 'Outdoor', 'LTD', 'Co.', 'Works', 'Labs'))}",
        lambda: (
            f"{rng.choice(lexicon()['places'])} {rng.choice(('Goods', 'House', 'Supply', 'LTD', 'Studio', 'Shop'))}"
        ),
        lambda: f"{word.lower()}-{rng.choice(('store', 'shop', 'lab', 'works', 'studio', 'goods'))}",
        lambda: f"{rng.choice(('Company', 'Studio', 'Brand', 'Store', word))} {rng.randint(2, 999)}",
        lambda: word.upper(),
        lambda: f"{rng.choice(plain_words())}-{rng.choice(plain_words())}",
        lambda: " ".join(w.capitalize() for w in rng.sample(plain_words(), rng.choice((1, 2, 2, 3)))),
        lambda: f"House of {word}",
    )
    return rng.choice(forms)()


def product_name(rng: random.Random, words: dict[str, Any], brand: str | None) -> tuple[str, bool, str]:
    """A product's name, whether it is in the plural, and the noun that it is made around."""
    plural = rng.random() < 0.27
    noun = rng.choice(words["plurals"]) if plural else rng.choice(words["nouns"]).split("|")[0]
    color, material = rng.choice(lexicon()["colors"]), rng.choice(words["materials"])
    adjective, made_up = rng.choice(words["adjectives"]), invented(rng).capitalize()
    place, quality = rng.choice(lexicon()["places"]), rng.choice(lexicon()["qualities"])
    number = rng.choice(
        (str(rng.randint(2, 12)), f"{rng.randint(1, 99)}0", f"X{rng.randint(1, 9)}", "Pro", "Mini", "II")
    )
    if _is_colorless(words):
        color = rng.choice(("wild", "dark", "golden", "red", "green", "black"))
    kind = rng.random()
    if kind < 0.36:
        parts = rng.choice(
            (
                [color, noun], [material, noun], [adjective, noun], [adjective, color, noun], [color, material, noun],
                [adjective, material, noun], [rng.choice(plain_words()), noun], [quality, noun],
                [quality, material, noun], [quality, color, noun],
            )
        )  # fmt: skip
    elif kind < 0.52:
        parts = rng.choice(([place, noun], [place, color, noun], [place, material, noun], [place, adjective, noun]))
    elif kind < 0.84:
        parts = rng.choice(
            (
                [made_up, noun], [made_up, noun], [made_up, color, noun], [made_up, number, noun],
                [made_up, material, noun],
                [f"{made_up}-{invented(rng, 2).capitalize()}", noun], [f"{made_up}'s", noun], [noun, f"“{made_up}”"],
            )
        )  # fmt: skip
    elif kind < 0.9:
        plural = False
        parts = rng.choice(([made_up, invented(rng).capitalize()], [made_up], [made_up, number], [made_up, place]))
    elif kind < 0.95 and brand:
        parts = rng.choice(([brand, noun], [brand, made_up, noun], [brand, adjective, noun], [brand, number, noun]))
    else:
        part = rng.choice(words["parts"]).split("|")[0]
        parts = rng.choice(
            (
                [adjective, color, noun, "with", part], [noun, "in", color, material], [color, noun, "and", part],
                [noun, "–", color, "/", rng.choice(("S", "M", "L", "XL", "Large", "Small"))],
                [material, noun, f"({rng.choice(('Set of', 'Pack of'))} {rng.randint(2, 12)})"],
                [made_up, adjective, color, material, noun], [f"{rng.randint(2, 64)}", "cm", material, noun],
            )
        )  # fmt: skip
    text = " ".join(parts)
    if rng.random() < 0.8:
        return (
            " ".join(w if w in {"with", "in", "and", "cm"} else w[:1].upper() + w[1:] for w in text.split()),
            plural,
            noun,
        )
    return text[:1].upper() + text[1:], plural, noun


def _is_colorless(words: dict[str, Any]) -> bool:
    """Food and cosmetics have no colours in their names."""
    return "Food" in words["categories"] or "Skincare" in words["categories"]
