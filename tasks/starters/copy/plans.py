"""Sentence plans: how a product is told. Every sentence says only what the job holds, and takes its words from there.

No plan holds a number, a superlative or a promise: whatever of that kind a text says comes out of the product data, so
that a model trained on these texts does not learn to make such things up.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from tasks.starters.copy.features import Feature
from tasks.starters.copy.products import Product
from tasks.starters.copy.words import lexicon, with_article

_ONE = {"it": "It", "is": "is", "has": "has", "comes": "comes", "s": "s", "this": "This is"}
_SEVERAL = {"it": "They", "is": "are", "has": "have", "comes": "come", "s": "", "this": "These are"}


@cache
def phrases() -> dict[str, Any]:
    """The phrases of phrases.yaml."""
    return yaml.safe_load(files(__package__).joinpath("phrases.yaml").read_text("utf-8"))


def brand_apart(product: Product) -> str | None:
    """The brand, where the product's name does not hold it already."""
    return product.brand if product.brand and product.brand.lower() not in product.name.lower() else None


def opener(rng: random.Random, product: Product, mood: str) -> str:
    """A sentence that names the product, and perhaps its brand."""
    words = _SEVERAL if product.plural else _ONE
    brand = brand_apart(product)
    if brand and rng.random() < 0.4:
        text = str(rng.choice(phrases()["brand_openers"])).format(n=product.name, b=brand, **words)
        return text.replace("..", ".")
    return str(rng.choice(phrases()["openers"][mood])).format(n=product.name, **words)


def closer(rng: random.Random, product: Product, mood: str) -> str:
    """A sentence that asks the reader to act."""
    return _in_number(rng.choice(phrases()["closers"][mood]), product)


def audience(rng: random.Random, who: str) -> str:
    """A sentence that says whom the product is for."""
    return str(rng.choice(phrases()["audience"])).format(a=who)


def line(rng: random.Random, product: Product) -> str:
    """A sentence that fits the kind of product and claims nothing."""
    own = lexicon()["domains"][product.domain]["lines"]
    return _in_number(rng.choice(own if rng.random() < 0.7 else phrases()["lines"]), product)


def included(rng: random.Random, term: str) -> str:
    """A sentence around a term that the text must include."""
    return str(rng.choice(phrases()["include"])).format(t=term.rstrip("."))


def facts(rng: random.Random, product: Product) -> Iterator[str]:
    """Sentences for the product's facts, price last; several plain ones share a sentence at times."""
    rest = [(key, value) for key, value in product.facts.items() if "price" not in key.lower()]
    if len(rest) > 1 and rng.random() < 0.3:
        yield f"{_head(rng, 'facts')}: {_join([f'{key} {value}' for key, value in rest])}."
    else:
        for key, value in rest:
            forms = phrases()["facts"].get(key.lower()) or phrases()["facts"]["other"]
            yield _told(rng, forms, product, key, value)
    for key, value in product.facts.items():
        if "price" in key.lower():
            yield _told(rng, phrases()["price"], product, key, value)


def features(rng: random.Random, product: Product, given: Sequence[Feature]) -> Iterator[str]:
    """Sentences for the features in their order, neighbours joined where the grammar lets them."""
    words = _SEVERAL if product.plural else _ONE
    it, is_ = words["it"], words["is"]
    left = list(given)
    if len(left) > 2 and all(f.kind != "whole" for f in left) and rng.random() < 0.25:
        yield f"{_head(rng, 'features')}: {_join([f.text for f in left])}."
        return
    while left:
        feature = left.pop(0)
        mate = left[0] if left else None
        join = mate is not None and rng.random() < 0.6
        if feature.kind == "whole":
            yield feature.text if feature.text.endswith((".", "!", "?")) else f"{feature.text}."
        elif feature.kind == "note":
            yield f"{_head(rng, 'note')}: {feature.text}."
        elif feature.kind in ("one", "many"):
            things = _things(feature)
            if join and mate and mate.kind in ("one", "many"):
                things += f" and {_things(left.pop(0))}"
            yield str(rng.choice(phrases()["things"])).format(t=things, **words)
        elif feature.kind == "trait":
            also = f" and {left.pop(0).text}" if join and mate and mate.kind in ("trait", "does") else ""
            yield f"{it} {is_} {feature.text}{also}."
        else:
            also = f" and {left.pop(0).text}" if join and mate and mate.kind == "does" else ""
            yield f"{it} {feature.text}{also}."


def snippet(rng: random.Random, feature: Feature) -> str:
    """A feature as a headline without a full stop."""
    text = feature.text.rstrip(".!")
    if feature.kind in ("one", "many"):
        return f"{rng.choice(('With', 'Now with'))} {_things(Feature(text, feature.kind))}"
    if feature.kind == "whole":
        return text
    return f"{_head(rng, 'note')}: {text}"


def _told(rng: random.Random, forms: Sequence[str], product: Product, key: str, value: str) -> str:
    words = _SEVERAL if product.plural else _ONE
    return rng.choice(forms).format(v=value, k=key[:1].upper() + key[1:], **words)


def _in_number(text: str, product: Product) -> str:
    if product.plural:
        for one, several in phrases()["several"].items():
            text = text.replace(one, several)
    return text


def _head(rng: random.Random, kind: str) -> str:
    return str(rng.choice(phrases()["lists"][kind]))


def _things(feature: Feature) -> str:
    return with_article(feature.text) if feature.kind == "one" else feature.text


def _join(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
