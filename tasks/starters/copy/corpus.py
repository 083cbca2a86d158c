"""The corpus of starter-copy: job and text in pairs, seeded and endless.

A text obeys its job: fields and limits of the channel, terms to include and to avoid, corrections. What a random plan
breaks is drawn again, so that every pair shows the rules kept.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tasks.kinds.copy.channels import CHANNELS
from tasks.kinds.copy.job import CopyJob
from tasks.kinds.copy.prompt import messages
from tasks.starters.copy import plans
from tasks.starters.copy.features import Feature
from tasks.starters.copy.products import Product, sample_product
from tasks.starters.copy.words import amount, lexicon

_TRIES = 12
# GSM 03.38, what a text message holds 160 of; with any other character it holds 70.
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ!\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_CHANNEL_WEIGHTS = {
    "product_page": 0.3, "social": 0.2, "email": 0.13, "search_ad": 0.12, "sms": 0.09, "seo": 0.08, "push": 0.08,
}  # fmt: skip
_BRIEF_CHANNELS = ("social", "sms", "push")


@dataclass(frozen=True, slots=True)
class Example:
    """A chat and the answer that is wanted of the model."""

    messages: list[dict[str, str]]
    completion: str


@dataclass(slots=True)
class _Wishes:
    """What a job asks of a text beyond telling the product."""

    channel: str
    mood: str
    tone: str | None = None
    audience: str | None = None
    include: list[str] = field(default_factory=list)
    avoid: list[str] = field(default_factory=list)
    max_chars: int | None = None
    feedback: list[str] = field(default_factory=list)
    brief: bool = False


def examples(seed: int, *, brief: bool = False) -> Iterator[Example]:
    """An endless stream of examples; `brief` ones are short, for the start of training."""
    rng = random.Random(f"starter-copy/{seed}/{brief}")  # noqa: S311 (a corpus, not a secret)
    while True:
        found = example(rng, brief=brief)
        if found is not None:
            yield found


def example(rng: random.Random, *, brief: bool = False) -> Example | None:
    """One example, or None where the draw cannot be met (a name too long for the channel, say)."""
    job, feedback, fields = sample(rng, brief=brief)
    if fields is None:
        return None
    # Every text begins with a space, so that its first word is the same token as in the prompt, where it is copied
    # from; the parser strips it.
    spaced = {name: f" {text}" for name, text in fields.items()}
    answer = json.dumps(spaced, ensure_ascii=False) if len(fields) > 1 else next(iter(spaced.values()))
    return Example(messages(job, feedback), answer)


def sample(rng: random.Random, *, brief: bool = False) -> tuple[CopyJob, list[str], dict[str, str] | None]:
    """A job, the corrections given with it, and the fields of a text that obeys both (None: no such text found)."""
    product = sample_product(rng, brief=brief)
    wishes = _wishes(rng, product, brief)
    fields = None
    for attempt in range(_TRIES):
        drawn = _fields(rng, product, wishes, terse=attempt > _TRIES // 2 or wishes.brief)
        if drawn is not None and _obeys(product, wishes, drawn):
            fields = drawn
            break
    return _job(product, wishes), wishes.feedback, fields


def _job(product: Product, wishes: _Wishes) -> CopyJob:
    columns: dict[str, Any] = {
        "job_id": "corpus", "kind": "copy", "channel": wishes.channel, "product_name": product.name,
        "brand_name": product.brand, "category": product.category, "features": [f.text for f in product.features],
        "facts": product.facts, "audience": wishes.audience, "tone": wishes.tone, "must_include": wishes.include,
        "must_avoid": wishes.avoid, "max_chars": wishes.max_chars,
    }  # fmt: skip
    # The parts are valid by construction; skipping validation makes the corpus several times faster.
    defaults = {name: info.get_default(call_default_factory=True) for name, info in CopyJob.model_fields.items()}
    return CopyJob.model_construct(**defaults | columns)


def _wishes(rng: random.Random, product: Product, brief: bool) -> _Wishes:
    channel = rng.choice(_BRIEF_CHANNELS) if brief else rng.choices(*zip(*_CHANNEL_WEIGHTS.items(), strict=True))[0]
    mood = rng.choice(list(lexicon()["tones"]))
    wishes = _Wishes(channel, mood)
    if rng.random() < 0.5:
        wishes.tone = rng.choice(lexicon()["tones"][mood])
    if rng.random() < 0.5:
        wishes.audience = rng.choice(lexicon()["audiences"])
    if rng.random() < (0.1 if brief else 0.25):
        own = [f.text for f in product.features if len(f.text) < 30]
        own += [value for value in product.facts.values() if len(value) < 20]
        own += [term for term in (product.brand, wishes.audience) if term]
        pool = own if own and rng.random() < 0.5 else lexicon()["include_phrases"]
        wishes.include = rng.sample(pool, min(len(pool), rng.choice((1, 1, 1, 2))))
        if channel in ("search_ad", "push", "sms"):
            wishes.include = wishes.include[:1]
    told = " ".join([product.name, product.brand or "", wishes.audience or "", *wishes.include]).lower()
    told += " ".join([*(f.text for f in product.features), *product.facts.values()]).lower()
    banned = [word for word in lexicon()["avoid_words"] if word not in told]
    if rng.random() < 0.22:
        wishes.avoid = rng.sample(banned, rng.choice((1, 1, 2, 3, 4)))
    if rng.random() < 0.18 and not brief:
        most = sum(limit.max for limit in CHANNELS[channel].fields.values())
        wishes.max_chars = (
            rng.randint(60, 130) if most <= 300 else rng.choice((rng.randint(130, 260), rng.randint(200, 600)))
        )
    if rng.random() < 0.16:
        wishes.feedback = _hints(rng, product, wishes, banned)
        wishes.brief = any("Shorter" in hint or hint.startswith("Keep ") for hint in wishes.feedback)
    return wishes


def _hints(rng: random.Random, product: Product, wishes: _Wishes, banned: list[str]) -> list[str]:
    """What checks say of a text that failed them, in their own words."""
    fields = CHANNELS[wishes.channel].fields
    name = rng.choice(list(fields))
    most = f"Keep {name} under {fields[name].max} characters."
    if wishes.max_chars is not None:
        most = f"Keep the text under {wishes.max_chars} characters."
    avoided = wishes.avoid[:2] or rng.sample(banned, 1)
    pool = [
        [f"Mention {rng.choice([product.name, product.name, *wishes.include])}."],
        [f"Mention {rng.choice([product.name, *wishes.include])}."],
        [f"Do not say {word}." for word in avoided],
        [f"Do not say {word}." for word in avoided],
        [f"Do not use the number {amount(rng)}."],
        ["Do not repeat words or sentences."],
        ["Write something different from the other variants."],
        ["Write real words and sentences."],
        [f"End {name} with a whole sentence."],
        ["Write plain text without markup."],
        ["Use ordinary characters only."],
        [most],
        ["Shorter."],
    ]
    return [hint for hints in rng.sample(pool, rng.choice((1, 1, 1, 2))) for hint in hints]


def _fields(rng: random.Random, product: Product, wishes: _Wishes, *, terse: bool) -> dict[str, str] | None:
    limits = {name: limit.max for name, limit in CHANNELS[wishes.channel].fields.items()}
    spare = wishes.max_chars
    fields: dict[str, str] = {}
    said: set[str] = set()
    for name, limit in limits.items():
        room = min(limit, limit if spare is None else spare - sum(map(len, fields.values())))
        if name == "text":
            text = _body(rng, product, wishes, min(room, _calm(rng, limit, terse)), said, "social", terse)
        elif name in ("body", "description"):
            text = _body(rng, product, wishes, min(room, _calm(rng, limit, terse)), said, wishes.channel, terse)
        else:
            text = _line(rng, product, wishes, name, room, said)
        if text is None:
            return None
        fields[name] = text
    return fields


def _calm(rng: random.Random, limit: int, terse: bool) -> int:
    """How long a text aims to be: short enough to be learnt, long enough to tell something."""
    if limit <= 160:
        return limit - (limit // 4 if terse else 0)
    return min(limit, rng.randint(90, 180) if terse else rng.randint(180, 420))


def _line(rng: random.Random, product: Product, wishes: _Wishes, name: str, room: int, said: set[str]) -> str | None:
    """A field of one line: title, subject, preheader, headline or description of an ad."""
    own, brand = product.name, plans.brand_apart(product)
    price = next((value for key, value in product.facts.items() if "price" in key.lower()), None)
    short = [f for f in product.features if len(f.text) < 60]
    options: list[str] = []
    if name in ("title", "headline_1"):
        options = [own, own, own]
        if brand:
            options += [f"{own} by {brand}", f"{own} | {brand}", f"{brand} {own}"]
        if name == "headline_1" or wishes.channel == "push":
            options += [f"Meet the {own}", f"New: {own}", f"The {own}"]
        if len(own) + 4 > room:
            options = [own, *([f"New from {brand}", f"By {brand}"] if brand else ["New in our shop", "Just arrived"])]
    elif name == "subject":
        options = [
            f"Meet the {own}",
            f"New: the {own}",
            f"The {own} {'are' if product.plural else 'is'} here",
            f"Say hello to the {own}",
            f"For you: the {own}",
            own,
        ]
        options += [f"{own} by {brand}", f"New from {brand}: {own}"] if brand else []
        if len(own) + 4 > room:
            options = [own, f"News from {brand}" if brand else "Something new is here"]
    elif name == "preheader" or name.startswith("headline"):
        options = [plans.snippet(rng, f) for f in short]
        options += [f"Yours for {price}", f"Now for {price}"] if price else []
        options += [f"From {brand}", f"By {brand}"] if brand else []
        options += [f"For {wishes.audience}"] if wishes.audience else []
        options += rng.sample(plans.phrases()["actions"], 3)
        if name == "headline_3":
            options = list(plans.phrases()["actions"])
    else:
        opening = [plans.opener(rng, product, wishes.mood)] if name == "description_1" else []
        rest = [*plans.features(rng, product, short), *plans.facts(rng, product)]
        if wishes.audience:
            rest.append(plans.audience(rng, wishes.audience))
        rng.shuffle(rest)
        rest = [sentence for sentence in rest if sentence not in said][: 1 if opening else 2]
        rest += _included(rng, wishes, " ".join(opening + rest)) if name == "description_2" else []
        text = _fill([*opening, *rest, plans.closer(rng, product, wishes.mood)], room, said)
        if text is None and opening:
            text = own + "." if len(own) < room else None
        return text
    fitting = [option for option in options if len(option) <= room and option not in said]
    if not fitting:
        return None
    text = rng.choice(fitting)
    said.add(text)
    return text


def _body(
    rng: random.Random, product: Product, wishes: _Wishes, room: int, said: set[str], style: str, terse: bool
) -> str | None:
    """A field of several sentences that opens with the product's name."""
    opening = plans.opener(rng, product, wishes.mood)
    given = _worth_telling(rng, product.features, room)
    told = list(plans.features(rng, product, given))
    known = list(plans.facts(rng, product))
    if terse or room <= 160:
        told, known = told[: rng.choice((1, 1, 2))], (rng.sample(known, 1) if known and rng.random() < 0.6 else [])
    else:
        known = [sentence for sentence in known if rng.random() < 0.8]
    extra = []
    if wishes.audience and rng.random() < (0.4 if terse or room <= 160 else 0.75):
        extra.append(plans.audience(rng, wishes.audience))
    if style != "seo" and room > 160 and rng.random() < (0.5 if told else 0.85):
        extra.insert(rng.randint(0, len(extra)), plans.line(rng, product))
    if style in ("product_page", "email") and not terse and rng.random() < (0.3 if len(told) > 2 else 0.6):
        extra.append(plans.line(rng, product))
    end = [plans.closer(rng, product, wishes.mood)] if rng.random() < 0.75 or not (told or known or extra) else []
    parts = [opening, *told, *known, *extra]
    order = rng.random()
    if order < 0.2:
        parts = [opening, *extra, *told, *known]
    elif order < 0.35:
        parts = [opening, *told, *extra, *known]
    included = _included(rng, wishes, " ".join([*said, *parts]))
    return _fill([*parts, *included, *end], room, said, keep=[opening, *included])


def _worth_telling(rng: random.Random, features: list[Feature], room: int) -> list[Feature]:
    """The features that fit, at times without some of them: variants of a text must not all say the same."""
    given = [feature for feature in features if len(feature.text) < (200 if room > 250 else 100)]
    if len(given) > 1 and rng.random() < (0.3 if room > 280 else 0.45):
        given = [feature for feature in given if rng.random() < 0.6] or [rng.choice(given)]
    return given


def _included(rng: random.Random, wishes: _Wishes, text: str) -> list[str]:
    return [plans.included(rng, term) for term in wishes.include if not _says(text, term)]


def _fill(parts: list[str], room: int, said: set[str], keep: list[str] | None = None) -> str | None:
    """The sentences that fit into `room` characters, in order; those to `keep` go before the others."""
    keep = parts[:1] if keep is None else keep
    left = room - sum(len(sentence) + 1 for sentence in keep) + 1
    if left < 0:
        return None
    chosen = []
    for sentence in parts:
        if sentence in keep:
            chosen.append(sentence)
        elif sentence not in said and sentence not in chosen and len(sentence) + 1 <= left:
            left -= len(sentence) + 1
            chosen.append(sentence)
    said.update(chosen)
    return " ".join(chosen)


def _says(text: str, term: str) -> bool:
    """Whether the text holds the term as whole words, in any case."""
    return re.search(rf"(?<!\w){re.escape(term.lower())}(?!\w)", text.lower()) is not None


def _hints_at(text: str, term: str) -> bool:
    """Whether the text holds the term or a word that it begins, inflections among them."""
    return re.search(rf"(?<!\w){re.escape(term.lower())}", text.lower()) is not None


def _obeys(product: Product, wishes: _Wishes, fields: dict[str, str]) -> bool:
    whole = "\n".join(fields.values())
    if not all(_says(whole, term.rstrip(".")) for term in wishes.include) or any(
        _hints_at(whole, term) for term in wishes.avoid
    ):
        return False
    if any(
        _hints_at(whole, hint[len("Do not say ") : -1]) for hint in wishes.feedback if hint.startswith("Do not say ")
    ):
        return False
    if product.name not in whole or (wishes.max_chars is not None and len(whole) > wishes.max_chars):
        return False
    limits = CHANNELS[wishes.channel].fields
    for name, limit in limits.items():
        most = 70 if limit.segments and not set(fields[name]) <= _GSM else limit.max
        if not limit.min <= len(fields[name]) <= most:
            return False
    sentences = [s for text in fields.values() for s in re.split(r"(?<=[.!?])\s+", text)]
    return len(set(sentences)) == len(sentences)
