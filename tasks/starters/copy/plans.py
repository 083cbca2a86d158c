"""Sentence plans: how a product is told. Every sentence says only what the job holds, and takes its words from there.

No plan holds a number, a superlative or a promise: whatever of that kind a text says comes out of the product data, so
that a model trained on these texts does not learn to make such things up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from tasks.starters.copy.features import Feature
from tasks.starters.copy.products import Product
from tasks.starters.copy.words import World, strings, with_article

_ONE = {"it": "It", "lit": "it", "is": "is", "has": "has", "comes": "comes", "s": "s", "this": "This is"}
_SEVERAL = {"it": "They", "lit": "they", "is": "are", "has": "have", "comes": "come", "s": "", "this": "These are"}


@cache
def phrases() -> dict[str, Any]:
    """The phrases of phrases.yaml."""
    return yaml.safe_load(files(__package__).joinpath("phrases.yaml").read_text("utf-8"))


@cache
def phrase_words() -> list[str]:
    """Longer words that the plans say of their own: what a job may ban so that it hurts."""

    own = (re.sub(r"\{\w+\}", "", text).lower() for text in strings(phrases()))
    return sorted({word for text in own for word in re.findall(r"[a-z]{4,}", text)})


def brand_apart(product: Product) -> str | None:
    """The brand, where the product's name does not hold it already."""
    return product.brand if product.brand and product.brand.lower() not in product.name.lower() else None


def opener(w: World, product: Product, mood: str) -> str:
    """A sentence that names the product, and perhaps its brand."""
    brand = brand_apart(product)
    own = brand is not None and w.chance(0.4)
    text = w.pick(phrases()["brand_openers"] if own else phrases()["openers"][mood])
    return _filled(text, product, b=brand or "").replace("..", ".")


def subject(w: World, product: Product) -> str:
    """The subject of an e-mail, with the product's name."""
    return _filled(w.pick(phrases()["subjects"]), product)


def greeting(w: World, mood: str) -> str:
    """The first words of an e-mail."""
    return str(w.pick(phrases()["greetings"][mood]))


def signoff(w: World, brand: str) -> str:
    """The last words of an e-mail."""
    return str(w.pick(phrases()["signoffs"])).format(b=brand).replace("..", ".")


def closer(w: World, product: Product, mood: str) -> str:
    """A sentence that asks the reader to act."""
    return _in_number(w.pick(phrases()["closers"][mood]), product)


def audience(w: World, who: str) -> str:
    """A sentence that says whom the product is for."""
    return str(w.pick(phrases()["audience"])).format(a=who)


def line(w: World, mood: str) -> str:
    """A sentence that claims nothing and fits any product."""
    return str(w.pick(phrases()["lines"][mood if w.chance(0.45) else "any"]))


def included(w: World, term: str) -> str:
    """A sentence around a term that the text must include."""
    return str(w.pick(phrases()["include"])).format(t=term.rstrip("."))


def facts(w: World, product: Product) -> Iterator[str]:
    """Sentences for the product's facts but for the price; several plain ones share a sentence at times."""
    rest = [(key.replace("_", " "), value) for key, value in product.facts.items() if "price" not in key.lower()]
    if len(rest) > 1 and w.chance(0.3):
        yield f"{_head(w, 'facts')}: {_join([f'{key} {value}' for key, value in rest], w.pick((', ', '; ')))}."
        return
    for key, value in rest:
        forms = phrases()["facts"].get(key.lower()) or phrases()["facts"]["other"]
        # "Available in size Regular" would be odd: frames after the first want several values.
        if key.lower() == "size" and "," not in value:
            forms = forms[:1]
        yield _filled(w.pick(forms), product, v=value, k=key[:1].upper() + key[1:], l=key)


def price(w: World, product: Product) -> str | None:
    """A sentence for the price, if the job has one."""
    for key, value in product.facts.items():
        if "price" in key.lower():
            return _filled(w.pick(phrases()["price"]), product, v=value)
    return None


def features(w: World, product: Product, given: Sequence[Feature], *, tight: bool = False) -> Iterator[str]:
    """Sentences for the features in their order, neighbours joined where grammar lets them; `tight` in few words."""
    left = list(given)
    if len(left) > 1 and all(f.kind != "whole" for f in left) and w.chance(0.65 if tight else 0.3):
        yield f"{_head(w, 'features')}: {_join([f.text for f in left])}."
        return
    used: set[str] = set()
    while left:
        feature = left.pop(0)
        mate = left[0] if left else None
        join = mate is not None and w.chance(0.5)
        if feature.kind == "whole":
            text = feature.text.rstrip(".")
            yield feature.text if text[-1] in "!?" else _fresh(w, "wholes", used).format(t=text)
        elif feature.kind == "note" or w.chance(0.4):
            if join and mate and mate.kind != "whole":
                yield f"{_head(w, 'note')}: {feature.text} and {left.pop(0).text}."
            else:
                yield f"{_head(w, 'note')}: {feature.text}."
        elif feature.kind in ("one", "many"):
            things = _things(feature)
            if join and mate and mate.kind in ("one", "many"):
                things += f" and {_things(left.pop(0))}"
            yield _filled(_fresh(w, "things", used), product, t=things)
        else:
            frames = "traits" if feature.kind == "trait" else "does"
            also = f" and {left.pop(0).text}" if join and mate and mate.kind in (feature.kind, "does") else ""
            yield _filled(_fresh(w, frames, used), product, t=feature.text + also)


def snippet(w: World, feature: Feature) -> str:
    """A feature as a headline without a full stop."""
    text = feature.text.rstrip(".!")
    if feature.kind in ("one", "many"):
        return f"{w.pick(('With', 'Now with', 'Comes with', 'Enjoy', 'See'))} {_things(Feature(text, feature.kind))}"
    if feature.kind == "whole":
        return text
    return f"{_head(w, 'note')}: {text}"


def _fresh(w: World, kind: str, used: set[str]) -> str:
    """A frame that the text has not had yet."""
    frames = [frame for frame in phrases()[kind] if frame not in used or frame == "{t}."]
    frame = w.pick(frames)
    used.add(frame)
    return str(frame)


def _filled(frame: str, product: Product, **slots: str) -> str:
    name = product.name
    bare = re.match(r"(?:the|a|an|my|your|our|his|her)\b|\S+'s\b", name, re.IGNORECASE) is not None
    names = {"n": name, "tn": name if bare else f"the {name}", "Tn": name if bare else f"The {name}"}
    return frame.format(**names, **(_SEVERAL if product.plural else _ONE), **slots)


def _in_number(text: str, product: Product) -> str:
    if product.plural:
        for one, several in phrases()["several"].items():
            text = text.replace(one, several)
    return text


def _head(w: World, kind: str) -> str:
    return str(w.pick(phrases()["lists"][kind]))


def _things(feature: Feature) -> str:
    return with_article(feature.text) if feature.kind == "one" else feature.text


def _join(items: Sequence[str], mark: str = ", ") -> str:
    return items[0] if len(items) == 1 else f"{mark.join(items[:-1])} and {items[-1]}"
