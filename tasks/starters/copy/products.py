"""Invented products: name, brand, category, features and facts, as a catalogue would list them.

Many words are made of random syllables, so that a model can only get a text right by copying from the prompt. Every
feature carries its kind, the grammatical form that tells the sentence plans what may be said around it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml

# one: singular noun phrase · many: plural noun phrase · trait: follows "it is" · does: follows "it" ·
# note: stands by itself, in lower case · whole: stands by itself and begins with a capital
FeatureKind = Literal["one", "many", "trait", "does", "note", "whole"]


@dataclass(frozen=True, slots=True)
class Feature:
    """What may be said of a product, verbatim, and its grammatical form."""

    text: str
    kind: FeatureKind


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
def lexicon() -> dict[str, Any]:
    """The word lists of lexicon.yaml."""
    return yaml.safe_load(files(__package__).joinpath("lexicon.yaml").read_text("utf-8"))


@cache
def _domain_names() -> list[str]:
    return list(lexicon()["domains"])


def sample_product(rng: random.Random, *, brief: bool = False) -> Product:
    """A product; a `brief` one has few and short features."""
    domain = rng.choice(_domain_names())
    words = lexicon()["domains"][domain]
    brand = _brand(rng) if rng.random() < 0.72 else None
    name, plural, noun = _name(rng, words, brand)
    product = Product(name, plural, domain, brand)
    if rng.random() < 0.75:
        product.category = rng.choice(words["categories"])
        if rng.random() < 0.03:
            product.category += f" > {rng.choice(words['categories'])}"
    # Catalogue imports give whole phrases with a capital; hand-written specs mostly give short ones in lower case.
    imported = rng.random() < 0.4
    count = rng.choice((0, 1, 1, 2) if brief else (0, 1, 1, 2, 2, 3, 3, 4, 5))
    seen = set()
    for _ in range(count):
        feature = _whole(rng, words, noun, plural) if imported else _feature(rng, words, plural)
        if feature.text.lower() not in seen:
            seen.add(feature.text.lower())
            product.features.append(feature)
    product.facts = _facts(rng, words, domain, rng.choice((0, 1, 1, 2) if brief else (0, 1, 1, 2, 2, 3, 4)))
    return product


def invented(rng: random.Random, most: int = 3) -> str:
    """A word of random syllables, such as no vocabulary holds."""
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


def price(rng: random.Random) -> str:
    """A price as shops write it."""
    value = rng.randint(2, 99) if rng.random() < 0.6 else rng.randint(100, 2999)
    cents = rng.choice(("", "", ".99", ".95", ".50", ".00", f".{rng.randint(10, 98)}"))
    form = rng.choice(("${}", "${}", "${}", "€{}", "£{}", "{} USD", "{} EUR", "{}", "{} €", "US${}", "CHF {}"))
    if rng.random() < 0.15:
        return f"{form.format(f'{value}{cents}')}–{form.format(f'{value + rng.randint(1, 90)}{cents}')}"
    return form.format(f"{value:,}{cents}" if rng.random() < 0.5 else f"{value}{cents}")


def _brand(rng: random.Random) -> str:
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
        lambda: f"House of {word}",
    )
    return rng.choice(forms)()


def _name(rng: random.Random, words: dict[str, Any], brand: str | None) -> tuple[str, bool, str]:
    plural = rng.random() < 0.27
    noun = rng.choice(words["plurals"]) if plural else rng.choice(words["nouns"]).split("|")[0]
    color, material = rng.choice(lexicon()["colors"]), rng.choice(words["materials"])
    adjective, made_up = rng.choice(words["adjectives"]), invented(rng).capitalize()
    place, quality = rng.choice(lexicon()["places"]), rng.choice(lexicon()["qualities"])
    number = rng.choice(
        (str(rng.randint(2, 12)), f"{rng.randint(1, 99)}0", f"X{rng.randint(1, 9)}", "Pro", "Mini", "II")
    )
    if domain_is_edible(words):
        color = rng.choice(("wild", "dark", "golden", "red", "green", "black"))
    kind = rng.random()
    if kind < 0.36:
        parts = rng.choice(
            (
                [color, noun], [material, noun], [adjective, noun], [adjective, color, noun], [color, material, noun],
                [adjective, material, noun], [quality, noun], [quality, material, noun], [quality, color, noun],
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


def domain_is_edible(words: dict[str, Any]) -> bool:
    """Food and cosmetics have no colours in their names."""
    return "Food" in words["categories"] or "Skincare" in words["categories"]


def _noun_phrase(rng: random.Random, words: dict[str, Any]) -> tuple[str, bool]:
    singular, _, plural = rng.choice(words["parts"]).partition("|")
    many = bool(plural) and rng.random() < 0.6
    head = plural if many else singular
    kind = rng.random()
    if kind < 0.12:
        return f"{_look(rng)} {_thing(rng)}", False
    if kind < 0.4:
        return f"{_look(rng)} {head}", many
    if kind < 0.55:
        return f"{rng.choice(words['materials'])} {head}", many
    if kind < 0.65:
        return f"{rng.choice(lexicon()['phrase_words'])} {rng.choice(words['materials'])} {head}", many
    if kind < 0.75:
        return f"{rng.choice(words['adjectives'])} {head}", many
    if kind < 0.83:
        return f"{invented(rng)} {head}", many
    if kind < 0.9:
        return f"{rng.choice(lexicon()['colors'])} {head}", many
    return f"{head} in {rng.choice((rng.choice(words['materials']), rng.choice(lexicon()['colors'])))}", many


def _look(rng: random.Random) -> str:
    return str(rng.choice(lexicon()["phrase_words"] if rng.random() < 0.5 else lexicon()["look_words"]))


def _thing(rng: random.Random) -> str:
    return str(rng.choice(lexicon()["look_things"]))


def _feature(rng: random.Random, words: dict[str, Any], plural: bool) -> Feature:
    kind = rng.random()
    if kind < 0.46:
        text, many = _noun_phrase(rng, words)
        if not many and rng.random() < 0.2:
            text = with_article(text)
        return Feature(text, "many" if many else "one")
    if kind < 0.66:
        text = rng.choice((rng.choice(words["are"]), rng.choice(words["are"]), rng.choice(words["adjectives"])))
        return Feature(text, "trait")
    if kind < 0.8:
        singular, _, several = rng.choice(words["do"]).partition("|")
        return Feature(several if plural else singular, "does")
    return Feature(_note(rng, words), "note")


def _note(rng: random.Random, words: dict[str, Any]) -> str:
    count, head = rng.randint(2, 48), rng.choice(words["parts"]).split("|")[0]
    return rng.choice(
        (
            f"set of {count}", f"fits {amount(rng)} {_unit(rng)}",
            f"{count} {rng.choice(('year', 'month'))} warranty",
            f"made of {rng.choice(words['materials'])}", f"with {with_article(head)}", f"{count}-hour {head}",
            f"{amount(rng)} {_unit(rng)} {head}", f"made for {rng.choice(words['occasions'])}",
            f"{rng.choice(words['materials'])} and {rng.choice(words['materials'])}",
            f"{invented(rng)} {invented(rng)}", f"up to {amount(rng)} {_unit(rng)}",
            f"{rng.choice(words['adjectives'])} and {rng.choice(words['adjectives'])}",
        )
    )  # fmt: skip


def _whole(rng: random.Random, words: dict[str, Any], noun: str, plural: bool) -> Feature:
    """A phrase as it stands in the body of a catalogue."""
    (first, one_many), (second, two_many) = _noun_phrase(rng, words), _noun_phrase(rng, words)
    first_np = first if one_many else with_article(first)
    second_np = second if two_many else with_article(second)
    color, material, adjective = (
        rng.choice(lexicon()["colors"]), rng.choice(words["materials"]), rng.choice(words["adjectives"]),
    )  # fmt: skip
    kind = rng.random()
    if kind < 0.3:
        look = rng.choice(
            (f"{adjective} {noun}", f"{color} {noun}", f"{adjective} {material} {noun}", f"{color} {material} {noun}")
        )
        text = rng.choice(
            (
                look,
                f"{look} with {first_np}",
                f"{look} with {first_np} and {second_np}",
                f"{look}, {second} and {first}",
                f"{_look(rng)} {look} with {first_np}, in {color} and {rng.choice(lexicon()['colors'])}",
                f"{look} in {_look(rng)} {material} with {first_np}, {second_np} and {_look(rng)} {_thing(rng)}",
                f"{look} for {rng.choice(words['occasions'])}",
                f"{look} with {_look(rng)} {_thing(rng)}",
            )
        )
    elif kind < 0.5:
        text = rng.choice(
            (
                f"{first} and {second}",
                first,
                f"can be used with {first_np}, or with {second_np}",
                f"{first}, {second} and {_look(rng)} {_thing(rng)}",
                f"complete with {first_np}",
            )
        )
    elif kind < 0.62:
        text = f"{rng.choice(('perfect', 'great', 'made', 'ideal', 'just right'))} for {rng.choice(words['occasions'])}"
    elif kind < 0.74:
        singular, _, several = rng.choice(words["do"]).partition("|")
        text = several if plural else singular
    elif kind < 0.84:
        text = rng.choice(words["are"])
    elif kind < 0.92:
        text = f"the {first.removeprefix('a ')} {'are' if one_many else 'is'} {rng.choice(words['adjectives'])}"
        text += rng.choice(
            (
                "",
                f" and {rng.choice(words['adjectives'])}",
                f", so that you are ready for {rng.choice(words['occasions'])}",
            )
        )
    else:
        text = _note(rng, words)
    text = text[:1].upper() + text[1:]
    return Feature(text + ("." if rng.random() < 0.06 else ""), "whole")


def with_article(phrase: str) -> str:
    """The phrase with a or an before it, unless it has an article."""
    if phrase.split(" ")[0] in {"a", "an", "the"}:
        return phrase
    spoken_vowel = phrase[:1].lower() in "aeioué" and not phrase.lower().startswith(("usb", "uni", "eu", "one"))
    spoken_vowel = spoken_vowel or phrase.startswith(("LED", "HDMI", "OLED", "EVA", "ABS"))
    return f"{'an' if spoken_vowel else 'a'} {phrase}"


def _unit(rng: random.Random) -> str:
    return rng.choice(
        (
            "cm", "mm", "m", "in", "inches", "ft", "ml", "l", "L", "fl oz", "oz", "g", "kg", "lb", "W", "mAh", "V",
            "hours", "GB", "Hz", "lumens", "sq ft", "°C", "%", "pieces", "km", "cl", "pages",
            "years", "dB", "rpm", "bar", "psi",
        )
    )  # fmt: skip


def _facts(rng: random.Random, words: dict[str, Any], domain: str, count: int) -> dict[str, str]:
    material, color = rng.choice(words["materials"]), rng.choice(lexicon()["colors"])
    measure = f"{amount(rng)} {_unit(rng)}"
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
