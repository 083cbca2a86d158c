"""Invented products: name, brand, category, features and facts, as a catalogue would list them.

Many words are invented, so that a model can only get a text right by copying from the prompt.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from tasks.starters.copy.features import Feature, short_feature, whole_feature
from tasks.starters.copy.names import brand_name, product_name
from tasks.starters.copy.words import amount, invented, lexicon, price, unit


@dataclass(slots=True)
class Product:
    """A product as a job describes it; `plural` tells whether one says it or they."""

    name: str
    plural: bool
    domain: str
    brand: str | None = None
    category: str | None = None
    features: list[Feature] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)


@cache
def _domain_names() -> list[str]:
    return list(lexicon()["domains"])


def sample_product(rng: random.Random, *, brief: bool = False) -> Product:
    """A product; a `brief` one has few and short features."""
    domain = rng.choice(_domain_names())
    words = lexicon()["domains"][domain]
    brand = brand_name(rng) if rng.random() < 0.72 else None
    name, plural, noun = product_name(rng, words, brand)
    product = Product(name, plural, domain, brand)
    if rng.random() < 0.75:
        product.category = rng.choice(words["categories"])
        if rng.random() < 0.03:
            product.category += f" > {rng.choice(words['categories'])}"
    # Catalogue imports give whole phrases with a capital; hand-written specs mostly give short ones in lower case.
    imported = rng.random() < 0.5
    count = rng.choice((0, 1, 1, 2) if brief else (0, 1, 1, 2, 2, 3, 3, 4, 5))
    seen = set()
    for _ in range(count):
        feature = whole_feature(rng, words, noun, plural) if imported else short_feature(rng, words, plural)
        if feature.text.lower() not in seen:
            seen.add(feature.text.lower())
            product.features.append(feature)
    product.facts = _facts(rng, words, domain, rng.choice((0, 1, 1, 2) if brief else (0, 1, 1, 2, 2, 3, 4)))
    return product


def _facts(rng: random.Random, words: dict[str, Any], domain: str, count: int) -> dict[str, str]:
    material, color = rng.choice(words["materials"]), rng.choice(lexicon()["colors"])
    measure = f"{amount(rng)} {unit(rng)}"
    makers: dict[str, Callable[[], str]] = {
        "material": lambda: rng.choice(
            (material, f"{rng.randint(51, 100)}% {material}", f"{material} and {rng.choice(words['materials'])}")
        ),
        "size": lambda: rng.choice(
            (
                "S, M, L",
                "Small, Medium, Large",
                "one size",
                "Regular",
                "XS to XL",
                measure,
                str(rng.randint(34, 48)),
                "Large, Small",
            )
        ),
        "color": lambda: rng.choice((color, color.capitalize(), f"{color}, {rng.choice(lexicon()['colors'])}")),
        "weight": lambda: f"{amount(rng)} {rng.choice(('g', 'kg', 'oz', 'lb'))}",
        "dimensions": lambda: f"{amount(rng)} x {amount(rng)} {rng.choice(('cm', 'in', 'mm'))}",
        "capacity": lambda: f"{amount(rng)} {rng.choice(('ml', 'l', 'L', 'fl oz', 'cups', 'mAh', 'kg'))}",
        "height": lambda: rng.choice(
            (f"{amount(rng)} {rng.choice(('cm', 'in', 'm', 'mm'))}", f'{rng.randint(2, 90)}"')
        ),
        "warranty": lambda: f"{rng.randint(1, 25)} {rng.choice(('years', 'months'))}",
        "origin": lambda: rng.choice(
            ("Portugal", "Italy", "Japan", "Vermont", "India", "Peru", "Kenya", invented(rng).capitalize())
        ),
        "pack size": lambda: rng.choice(
            (str(rng.randint(2, 144)), f"{rng.randint(2, 48)} pieces", f"{rng.randint(2, 24)}-pack")
        ),
        "care": lambda: rng.choice(
            (f"wash at {rng.choice((30, 40, 60))} °C", "wipe clean", "hand wash", "dishwasher safe", "dry clean")
        ),
        "battery": lambda: f"{amount(rng)} {rng.choice(('hours', 'h', 'mAh', 'days'))}",
        "power": lambda: f"{amount(rng)} {rng.choice(('W', 'V', 'lumens', 'kW'))}",
        "scent": lambda: rng.choice(("vanilla", "cedar", "lavender", "sea salt", "fig", "rose", "mint")),
        "flavor": lambda: rng.choice(("chocolate", "lemon", "chili", "vanilla", "ginger", "salted caramel")),
        invented(rng): lambda: rng.choice((invented(rng), measure, f"{invented(rng)} {rng.randint(2, 99)}")),
    }
    apt = {
        "electronics": ("battery", "power", "weight", "warranty", "dimensions"),
        "food": ("weight", "origin", "flavor", "pack size"),
        "beauty": ("capacity", "scent", "origin"),
        "kitchen": ("capacity", "material", "care", "weight"),
    }.get(domain, ("material", "size", "color", "care", "dimensions", "weight", "height"))
    facts: dict[str, str] = {}
    if rng.random() < 0.7 and count:
        key = rng.choice(("price", "price", "price", "Price", "sale price", "unit price"))
        facts[key] = price(rng)
    while len(facts) < count:
        key = rng.choice(apt) if rng.random() < 0.7 else rng.choice(list(makers))
        value = makers[key]()
        facts.setdefault(key.capitalize() if rng.random() < 0.25 else key, value)
    items = list(facts.items())
    rng.shuffle(items)
    return dict(items)
