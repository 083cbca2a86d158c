"""Sentence plans: how a product is told. Every sentence says only what the job holds, and takes its words from there.

No plan holds a number or a number word, a superlative or a promise: whatever of that kind a text says comes out of the
product data, so that a model trained on these texts does not learn to make such things up.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from tasks.starters.copy.products import Feature, Product, lexicon, with_article

OPENERS = {
    "plain": [
        "{this} the {n}.", "Here {is_} the {n}.", "The {n} {is_} here.", "Take a look at the {n}.", "New in our shop: the {n}.",
        "Introducing the {n}.", "Have a look at the {n}.", "Now available: the {n}.",
    ],
    "warm": [
        "Meet the {n}.", "Say hello to the {n}.", "Come and meet the {n}.", "Treat yourself to the {n}.", "Bring home the {n}.",
        "Make room for the {n}.", "Welcome the {n} into your day.", "We made space for the {n}, and so will you.",
    ],
    "playful": [
        "Guess what: the {n} {is_} here!", "Psst, have you met the {n}?", "Ta-da, the {n}!", "Hello there, {n}!",
        "Ready for the {n}?", "Look what just came in: the {n}!", "Who said no to the {n}? Nobody.", "Make way for the {n}!",
    ],
    "elegant": [
        "Discover the {n}.", "Presenting the {n}.", "Allow us to present the {n}.", "The {n}: a quiet statement.",
        "Some things speak softly, like the {n}.", "A study in detail: the {n}.", "Consider the {n}.", "Enter the {n}.",
    ],
    "bold": [
        "Go for the {n}.", "The {n} {have} landed.", "Step up to the {n}.", "Get ready for the {n}.", "Make it the {n}.",
        "Here {come} the {n}.", "Set your eyes on the {n}.", "Think big. Think {n}.",
    ],
}  # fmt: skip
BRAND_OPENERS = [
    "Meet the {n} by {b}.", "Discover the {n} from {b}.", "Here {is_} the {n} by {b}.", "{b} presents the {n}.",
    "New from {b}: the {n}.", "Say hello to the {n} from {b}.", "The {n} by {b} {is_} here.", "From {b} {come} the {n}.",
    "{b} brings you the {n}.", "Take a look at the {n} by {b}.",
]  # fmt: skip
CLOSERS = {
    "plain": ["Order online.", "See it in our shop.", "Have a look today.", "Available in our shop.", "See the details online."],
    "warm": ["Make it yours.", "We think you will like it.", "Take it home today.", "Treat yourself.", "It would love to meet you."],
    "playful": ["Go on, you know you want to!", "Your cart is waiting!", "Grab yours!", "Your move!", "Come and get it!"],
    "elegant": ["Discover more in our shop.", "Find yours today.", "A pleasure to own.", "See it for yourself.", "Make it part of your day."],
    "bold": ["Get yours now.", "Go get it.", "Do not wait.", "Make your move.", "Claim yours today."],
}  # fmt: skip
ACTIONS = [
    "Shop now", "See it today", "Order online", "Take a look", "Find yours today", "Shop online", "Get yours today", "Discover more",
    "See it online", "Order yours today", "Have a look", "Buy online", "View the details",
]  # fmt: skip
AUDIENCE = [
    "Made for {a}.", "A good fit for {a}.", "Made with {a} in mind.", "A friend to {a}.", "Just the thing for {a}.",
    "For {a}.", "A fine choice for {a}.", "Something for {a}.",
]  # fmt: skip
INCLUDE = ["Good to know: {t}.", "Also: {t}.", "Worth a note: {t}.", "Plus: {t}.", "Remember: {t}.", "And more: {t}."]


def opener(rng: random.Random, product: Product, mood: str) -> str:
    """A sentence that names the product, and perhaps its brand."""
    words = {"is_": "is", "have": "has", "come": "comes", "this": "This is"}
    if product.plural:
        words = {"is_": "are", "have": "have", "come": "come", "this": "These are"}
    if product.brand and product.brand.lower() not in product.name.lower() and rng.random() < 0.4:
        text = rng.choice(BRAND_OPENERS).format(n=product.name, b=product.brand, **words)
        return text.replace("..", ".")
    return rng.choice(OPENERS[mood]).format(n=product.name, **words)


def closer(rng: random.Random, product: Product, mood: str) -> str:
    """A sentence that asks the reader to act."""
    text = rng.choice(CLOSERS[mood])
    if product.plural:
        swaps = {"See it": "See them", "Make it": "Make them", "Take it": "Take them", "like it": "like them",
                 "It would": "They would", "get it": "get them"}  # fmt: skip
        for single, several in swaps.items():
            text = text.replace(single, several)
    return text


def audience(rng: random.Random, who: str) -> str:
    """A sentence that says whom the product is for."""
    return rng.choice(AUDIENCE).format(a=who)


def line(rng: random.Random, product: Product) -> str:
    """A sentence that fits the kind of product and claims nothing."""
    text = rng.choice(lexicon()["domains"][product.domain]["lines"])
    if product.plural:
        for single, several in {"It fits": "They fit", "It makes": "They make", "It looks": "They look", "It earns its": "They earn their",
                                "It carries": "They carry", "It feels": "They feel", "like it": "like them", "Wear it": "Wear them",
                                "Dress it": "Dress them", "keep it": "keep them", "Open it": "Open them", "Share it": "Share them",
                                "Pack it": "Pack them", "home is where it belongs": "home is where they belong"}.items():  # fmt: skip
            text = text.replace(single, several)
    return text


def facts(rng: random.Random, product: Product) -> Iterator[str]:
    """Sentences for the product's facts, price last; several plain ones share a sentence at times."""
    rest = [(key, value) for key, value in product.facts.items() if "price" not in key.lower()]
    if len(rest) > 1 and rng.random() < 0.3:
        pairs = [f"{key.replace('_', ' ')} {value}" for key, value in rest]
        yield f"{rng.choice(('In short', 'The details', 'At a glance', 'The facts'))}: {_join(pairs)}."
    else:
        for key, value in rest:
            yield _fact(rng, product, key.replace("_", " "), value)
    for key, value in product.facts.items():
        if "price" in key.lower():
            yield _price(rng, key.replace("_", " "), value)


def _price(rng: random.Random, key: str, value: str) -> str:
    forms = ["Yours for {v}.", "{k}: {v}.", "Get yours for {v}.", "Now for {v}.", "At {v}.", "Take home yours for {v}."]
    return rng.choice(forms).format(v=value, k=key[:1].upper() + key[1:])


def _fact(rng: random.Random, product: Product, key: str, value: str) -> str:
    it, is_, s = ("They", "are", "") if product.plural else ("It", "is", "s")
    plain = "{key}: {v}."
    forms = {
        "material": ["Made of {v}.", "{it} {is_} made of {v}.", "Material: {v}."],
        "color": ["Comes in {v}.", "Color: {v}.", "{it} come{s} in {v}."],
        "size": ["Size: {v}.", "Available in size {v}."],
        "weight": ["Weight: {v}.", "{it} weigh{s} {v}."],
        "dimensions": ["Dimensions: {v}.", "{it} measure{s} {v}."],
        "capacity": ["Capacity: {v}.", "{it} hold{s} {v}."],
        "height": ["Height: {v}."],
        "warranty": ["Warranty: {v}.", "With {v} of warranty."],
        "origin": ["Origin: {v}.", "{it} come{s} from {v}."],
        "care": ["Care: {v}."],
        "scent": ["Scent: {v}.", "With a scent of {v}."],
    }.get(key.lower(), [plain])
    return rng.choice(forms).format(it=it, is_=is_, s=s, v=value, key=key[:1].upper() + key[1:])


def features(rng: random.Random, product: Product, given: Sequence[Feature]) -> Iterator[str]:
    """Sentences for the features in their order, neighbours joined where the grammar lets them."""
    it, is_, have, come = ("They", "are", "have", "come") if product.plural else ("It", "is", "has", "comes")
    left = [feature for feature in given if feature.kind != "tag"]
    if len(left) > 2 and all(f.kind != "whole" for f in left) and rng.random() < 0.25:
        yield f"{rng.choice(('Highlights', 'Details', 'What you get', 'Features'))}: {_join([f.text for f in left])}."
        return
    while left:
        feature = left.pop(0)
        mate = left[0] if left else None
        if feature.kind == "whole":
            yield feature.text if feature.text.endswith((".", "!", "?")) else f"{feature.text}."
        elif feature.kind == "note":
            yield f"{rng.choice(('Details', 'Worth a look', 'In detail', 'Good to know', 'A nice touch'))}: {feature.text}."
        elif feature.kind in ("one", "many"):
            things = _things(feature)
            if mate and mate.kind in ("one", "many") and rng.random() < 0.6:
                things += f" and {_things(left.pop(0))}"
            yield rng.choice(
                (f"{it} {have} {things}.", f"{it} {come} with {things}.", f"You get {things}.", f"Look for {things}.")
            )
        elif feature.kind == "trait":
            if mate and mate.kind in ("trait", "does") and rng.random() < 0.6:
                yield f"{it} {is_} {feature.text} and {left.pop(0).text}."
            else:
                yield f"{it} {is_} {feature.text}."
        else:
            if mate and mate.kind == "does" and rng.random() < 0.6:
                yield f"{it} {feature.text} and {left.pop(0).text}."
            else:
                yield f"{it} {feature.text}."


def snippet(rng: random.Random, feature: Feature) -> str:
    """A feature as a headline without a full stop."""
    text = feature.text.rstrip(".!")
    if feature.kind in ("one", "many"):
        return f"{rng.choice(('With', 'Now with'))} {_things(Feature(text, feature.kind))}"
    if feature.kind == "whole":
        return text
    return f"{rng.choice(('Details', 'Good to know'))}: {text}"


def _things(feature: Feature) -> str:
    return with_article(feature.text) if feature.kind == "one" else feature.text


def _join(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
