"""Invented products: name, brand, category, features and facts, as a catalogue would list them.

Many words are invented, so that a model can only get a text right by copying from the prompt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from tasks.starters.copy.everyday import everyday_feature
from tasks.starters.copy.features import Feature, short_feature, whole_feature
from tasks.starters.copy.names import brand_name, product_name
from tasks.starters.copy.words import Lexicon, World, amount, invented, lexicon, price, unit

# Categories that say nothing of the trade, as shops leave them in their exports.
_VAGUE = ("Products", "New", "Sale", "Uncategorized", "Shop", "Other", "Featured", "All", "Default", "Accessories")


@dataclass(slots=True)
class Product:
    """A product as a job describes it; `plural` tells whether one says it or they."""

    name: str
    plural: bool
    brand: str | None = None
    category: str | None = None
    features: list[Feature] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)


@cache
def _domain_names() -> list[str]:
    return list(lexicon()["domains"])


def sample_product(w: World, *, brief: bool = False) -> Product:
    """A product; a `brief` one has few and short features."""
    domain = w.pick(_domain_names())
    words = w.trade(domain)
    brand = brand_name(w) if w.chance(0.72) else None
    name, plural, noun = product_name(w, words, brand)
    product = Product(name, plural, brand)
    if w.chance(0.75):
        product.category = w.pick(words["categories"])
        if w.chance(0.04):
            product.category = w.pick(
                (f"{product.category} > {w.pick(words['categories'])}", noun.capitalize(), product.category.lower())
            )
    elif w.chance(0.2):
        product.category = w.pick(_VAGUE)
    # Catalogue imports give whole phrases with a capital; hand-written specs mostly give short ones in lower case.
    imported = w.rng.random()
    everyday = w.pick((0.0, 0.3, 0.7, 1.0))
    count = w.pick((0, 1, 1, 2) if brief else (0, 0, 1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 6))
    seen: set[str] = set()
    for _ in range(count):
        whole = imported < 0.42 or (imported < 0.5 and w.chance(0.5))
        if w.chance(everyday):
            feature = everyday_feature(w, plural, whole=whole)
        else:
            feature = whole_feature(w, words, noun, plural) if whole else short_feature(w, words, plural)
        key = feature.text.lower().rstrip(".")
        if not any(key in other or other in key for other in seen):
            seen.add(key)
            product.features.append(feature)
    product.facts = _facts(w, words, domain, w.pick((0, 1, 1, 2) if brief else (0, 1, 1, 2, 2, 3, 3, 4, 6)))
    return product


def _facts(w: World, words: Lexicon, domain: str, count: int) -> dict[str, str]:
    rng, pick = w.rng, w.pick
    material, color = pick(words["materials"]), pick(w.lexicon["colors"])
    other_color = pick(w.lexicon["colors"])
    measure = f"{amount(rng)} {unit(rng)}"
    makers: dict[str, Callable[[], str]] = {
        "material": lambda: pick(
            (material, f"{rng.randint(51, 100)}% {material}", f"{material} and {pick(words['materials'])}")
        ),
        "size": lambda: pick(
            (
                "S, M, L", "Small, Medium, Large", "one size", "Regular", "XS to XL", measure, "XS, S, M, L, XL, XXL",
                str(rng.randint(34, 48)), "Large, Small", f"{rng.randint(4, 9)}, {rng.randint(10, 14)}", "king, queen",
            )
        ),
        "color": lambda: pick(
            (color, color.capitalize(), f"{color}, {other_color}", f"{color.title()}, {other_color.title()}")
        ),
        "weight": lambda: f"{amount(rng)} {pick(('g', 'kg', 'oz', 'lb'))}",
        "dimensions": lambda: pick(
            (
                f"{amount(rng)} x {amount(rng)} {pick(('cm', 'in', 'mm'))}",
                f"{rng.randint(5, 220)} × {rng.randint(5, 90)} × {rng.randint(2, 90)} cm",
            )
        ),
        "capacity": lambda: f"{amount(rng)} {pick(('ml', 'l', 'L', 'fl oz', 'cups', 'mAh', 'kg'))}",
        "height": lambda: pick((f"{amount(rng)} {pick(('cm', 'in', 'm', 'mm'))}", f'{rng.randint(2, 90)}"')),
        "warranty": lambda: f"{rng.randint(1, 25)} {pick(('years', 'months'))}",
        "origin": lambda: pick(
            ("Portugal", "Italy", "Japan", "Vermont", "India", "Peru", "Kenya", "Turkey", invented(w).capitalize())
        ),
        "pack size": lambda: pick((str(rng.randint(2, 144)), f"{rng.randint(2, 48)} pieces")),
        "care": lambda: pick(
            (
                f"wash at {pick((30, 40, 60))} °C", "wipe clean", "hand wash", "dishwasher safe", "dry clean",
                "wipe with a damp cloth", "do not tumble dry",
            )
        ),
        "battery": lambda: f"{amount(rng)} {pick(('hours', 'h', 'mAh', 'days'))}",
        "power": lambda: f"{amount(rng)} {pick(('W', 'V', 'lumens', 'kW'))}",
        "scent": lambda: pick(("vanilla", "cedar", "lavender", "sea salt", "fig", "rose", "mint", invented(w))),
        "flavor": lambda: pick(("chocolate", "lemon", "chili", "vanilla", "ginger", "salted caramel", invented(w))),
        "style": lambda: pick((pick(words["adjectives"]), f"{pick(words['adjectives'])}, {pick(words['adjectives'])}")),
        pick(("model", "sku", "item_no", "ref", "version")): lambda: pick(
            (
                f"{invented(w, 2).upper()[:4]}-{rng.randint(2, 9999)}",
                f"{invented(w, 2).upper()[:2]}{rng.randint(1, 99)}",
                f"{invented(w, 2).upper()[:2]} {rng.randint(100, 9999)}",
                f"{rng.randint(2, 99)}-{rng.randint(2, 999)}B",
            )
        ),
        pick(("range", "scale", "works from", "length", "gauge")): lambda: pick(
            (
                f"{amount(rng)}–{amount(rng)} {unit(rng)}", f"up to {amount(rng)} {unit(rng)}",
                f"{rng.randint(1, 9)}/{rng.choice((2, 4, 8, 16))} {unit(rng)}",
                f"{rng.randint(5, 60)}/{rng.randint(5, 60)} V",
                f"{rng.randint(1, 9)}½ {unit(rng)}", f"{rng.randint(2, 40)}+", f"{pick('ABC')}{rng.randint(2, 9)}",
            )
        ),
        pick(("delivery", "shipping", "service", "use", "storage")): lambda: pick(
            (
                f"in {rng.randint(2, 30)} days", f"from {pick(w.lexicon['places'])}",
                f"{pick(('twice', 'once'))} a {pick(w.plain)}",
                f"{w.look()} {pick(w.plain)} only", f"with a {w.look()} {pick(w.plain)}",
            )
        ),
        pick(("pattern", "finish", "fabric", "filling", "base", "shape")): lambda: pick(
            (f"{w.look()} {pick(words['materials'])}", pick(words["materials"]), w.look())
        ),
        pick(words["parts"]).split("|")[0]: lambda: pick((material, w.look(), measure, color)),
        pick((invented(w), f"{invented(w, 2)}_{pick(w.plain)}")): lambda: pick(
            (invented(w), measure, f"{invented(w)} {rng.randint(2, 99)}")
        ),
    }  # fmt: skip
    apt = {
        "electronics": ("battery", "power", "weight", "warranty", "dimensions"),
        "tools": ("power", "weight", "warranty", "material"),
        "food": ("weight", "origin", "flavor", "pack size"),
        "beauty": ("capacity", "scent", "origin"),
        "kitchen": ("capacity", "material", "care", "weight"),
        "stationery": ("material", "pack size", "color", "dimensions"),
    }.get(domain, ("material", "size", "color", "care", "dimensions", "weight", "height"))
    facts: dict[str, str] = {}
    if w.chance(0.7) and count:
        facts[pick(("price", "price", "price", "Price", "sale price", "unit price"))] = price(rng)
    while len(facts) < count:
        key = pick(apt) if w.chance(0.7) else pick(list(makers))
        if key.lower() not in {other.lower() for other in facts}:
            facts[key.capitalize() if w.chance(0.25) else key] = makers[key]()
    items = list(facts.items())
    rng.shuffle(items)
    return dict(items)
