"""The corpus of starter-copy: job and text in pairs, seeded and endless.

A text obeys its job: fields and limits of the channel, terms to include and to avoid, corrections. It is judged by the
rules that judge a model's texts; what a random plan breaks is drawn again, so that every pair shows the rules kept.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.kinds.copy.channels import CHANNELS
from tasks.kinds.copy.job import CopyJob
from tasks.kinds.copy.prompt import messages
from tasks.kinds.copy.rules.judge import JobRules
from tasks.starters.copy import plans
from tasks.starters.copy.features import Feature
from tasks.starters.copy.products import Product, sample_product
from tasks.starters.copy.wishes import Wishes, mentions, sample_wishes, unwanted
from tasks.starters.copy.words import World, world

_TRIES = 14
# A small model counts badly: texts keep well below their limits.
_SLACK = 0.92
_LIMIT_SLACK = 0.84


@dataclass(frozen=True, slots=True)
class Example:
    """A chat and the answer that is wanted of the model."""

    messages: list[dict[str, str]]
    completion: str


def examples(seed: int, *, brief: bool = False) -> Iterator[Example]:
    """An endless stream of examples; `brief` ones are short, for the start of training."""
    w = world(random.Random(f"starter-copy/{seed}/{brief}"))  # noqa: S311 (a corpus, not a secret)
    while True:
        found = example(w, brief=brief)
        if found is not None:
            yield found


def example(w: World, *, brief: bool = False) -> Example | None:
    """One example, or None where the draw cannot be met (a name too long for the channel, say)."""
    job, feedback, fields = sample(w, brief=brief)
    if fields is None:
        return None
    # Every text begins with a space, so that its first word is the same token as in the prompt, where it is copied
    # from; the parser strips it.
    spaced = {name: f" {text}" for name, text in fields.items()}
    answer = json.dumps(spaced, ensure_ascii=False) if len(fields) > 1 else next(iter(spaced.values()))
    return Example(messages(job, feedback), answer)


def sample(w: World, *, brief: bool = False) -> tuple[CopyJob, list[str], dict[str, str] | None]:
    """A job, the corrections given with it, and the fields of a text that obeys both (None: no such text found)."""
    product = sample_product(w, brief=brief)
    wishes = sample_wishes(w, product, brief=brief)
    job = _job(product, wishes)
    rules = JobRules(job)
    for attempt in range(_TRIES):
        drawn = _fields(w, product, wishes, terse=attempt > _TRIES // 2 or wishes.brief)
        if drawn is not None and _obeys(wishes, drawn) and _accepted(rules, drawn):
            return job, wishes.feedback, drawn
    return job, wishes.feedback, None


def _job(product: Product, wishes: Wishes) -> CopyJob:
    columns: dict[str, Any] = {
        "job_id": "corpus", "kind": "copy", "channel": wishes.channel, "product_name": product.name,
        "brand_name": product.brand, "category": product.category, "features": [f.text for f in product.features],
        "facts": product.facts, "audience": wishes.audience, "tone": wishes.tone, "must_include": wishes.include,
        "must_avoid": wishes.avoid, "max_chars": wishes.max_chars,
    }  # fmt: skip
    # The parts are valid by construction; skipping validation makes the corpus several times faster.
    defaults = {name: info.get_default(call_default_factory=True) for name, info in CopyJob.model_fields.items()}
    return CopyJob.model_construct(**defaults | columns)


def _accepted(rules: JobRules, fields: dict[str, str]) -> bool:
    return all(check.verdict == "accept" for check in rules.judge_alone(fields))


def _obeys(wishes: Wishes, fields: dict[str, str]) -> bool:
    """Whether a text does what the corrections ask, and keeps further from unwanted terms than the rules want."""
    whole = "\n".join(fields.values())
    if not all(_says(whole, term.rstrip(".")) for term in mentions(wishes)):
        return False
    if any(re.search(rf"(?<!\w){re.escape(term.lower())}", whole.lower()) for term in unwanted(wishes)):
        return False
    sentences = [s.lower() for text in fields.values() for s in re.split(r"(?<=[.!?])\s+", text)]
    return len(set(sentences)) == len(sentences)


def _fields(w: World, product: Product, wishes: Wishes, *, terse: bool) -> dict[str, str] | None:
    limits = {name: limit.max for name, limit in CHANNELS[wishes.channel].fields.items()}
    # Line breaks between the fields count too.
    spare = None if wishes.max_chars is None else int(wishes.max_chars * _LIMIT_SLACK) - len(limits)
    fields: dict[str, str] = {}
    said: set[str] = set()
    for name, limit in limits.items():
        room = int(limit * (_SLACK if limit > 60 or name in ("headline_2", "headline_3") else 0.95))
        if spare is not None:
            room = min(room, spare - sum(map(len, fields.values())))
        if name == "text" or name == "body" or (name == "description" and wishes.channel == "seo"):
            text = _body(w, product, wishes, room, said, terse)
        else:
            text = _line(w, product, wishes, name, room, said)
        if text is None:
            return None
        fields[name] = text
    return fields


def _line(w: World, product: Product, wishes: Wishes, name: str, room: int, said: set[str]) -> str | None:
    """A field of one line: title, subject, preheader, headline or description of an ad."""
    if name.startswith("description"):
        return _ad_description(w, product, wishes, name, room, said)
    own, brand = product.name, plans.brand_apart(product)
    short = [f for f in product.features if len(f.text) < 60]
    if name in ("title", "headline_1"):
        options = [own, own, own, own]
        if brand:
            options += [f"{own} by {brand}", f"{own} | {brand}", f"{brand}: {own}", f"{own} from {brand}"]
        if name == "headline_1" or wishes.channel == "push":
            options += [f"Meet {own}", f"New: {own}", f"Hello, {own}", f"{own} is here" if not product.plural else own]
        elif wishes.audience:
            options += [f"{own} for {wishes.audience}"]
        if len(own) + 4 > room and name == "headline_1":
            options = [*([f"New from {brand}", f"By {brand}"] if brand else ["New in our shop", "Just arrived"]), own]
        elif len(own) > room:
            # A title has no other place for the name than itself.
            options = [own] if wishes.max_chars is None else []
            room = {"product_page": 80, "seo": 60, "push": 50}[wishes.channel]
            options = options if len(own) <= room else [f"New from {brand}" if brand else "Something new is here"]
    elif name == "subject":
        options = [plans.subject(w, product) for _ in range(6)]
        options += [f"{own} by {brand}", f"New from {brand}: {own}", f"{brand} presents {own}"] if brand else []
        if len(own) + 4 > room:
            options = [own, f"News from {brand}" if brand else "Something new is here"]
    else:
        options = w.rng.sample(plans.phrases()["actions"], 3)
        if name != "headline_3":
            price = next((value for key, value in product.facts.items() if "price" in key.lower()), None)
            told = [snippet for f in short if len(snippet := plans.snippet(w, f)) <= room]
            options = options[:1] + told * 6 if told else options
            options += [f"Yours for {price}", f"Now for {price}", f"From our shop for {price}"] if price else []
            if brand and not any(brand in text for text in said):
                options += [f"From {brand}", f"By {brand}", f"Made by {brand}"]
            options += [f"For {wishes.audience}", f"Made for {wishes.audience}"] if wishes.audience else []
        if name == "preheader":
            options += [plans.line(w, wishes.mood) for _ in range(3)]
    fitting = [option for option in options if len(option) <= room and option not in said]
    if not fitting:
        return None
    text = w.pick(fitting)
    said.update((text, f"{text}."))
    return text


def _ad_description(w: World, product: Product, wishes: Wishes, name: str, room: int, said: set[str]) -> str | None:
    """A description of an ad: features above all, those that no headline has told first."""
    room = min(room, 86)
    named = product.name in said or any(product.name in text for text in said)
    first: list[str] = []
    if name == "description_2":
        first = _included(w, product, wishes, "")
    elif not named or w.chance(0.25):
        first = [w.pick((plans.opener(w, product, wishes.mood), f"{product.name}."))]
    fresh = [f for f in product.features if len(f.text) < 60 and not any(f.text.rstrip(".") in text for text in said)]
    some = sorted(fresh, key=lambda f: len(f.text))[: w.pick((2, 3, 3, 4))] if w.chance(0.7) else fresh
    told = list(plans.features(w, product, w.rng.sample(some, min(len(some), w.pick((2, 3, 3, 4)))), tight=True))
    rest = [*plans.facts(w, product), *([price] if (price := plans.price(w, product)) else [])]
    if wishes.audience:
        rest.append(plans.audience(w, wishes.audience))
    rest = w.rng.sample(rest, len(rest))[:2]
    if w.chance(0.3):
        rest.insert(0, plans.line(w, wishes.mood))
    rest.append(plans.closer(w, product, wishes.mood))
    if not told and len(rest) > 1 and not first:
        rest = rest[-2:]
    text = _fitted([*first, *told, *rest], room, said, keep=first)
    if text is None and name == "description_1" and len(product.name) < room:
        text = product.name + "."
    return text or None


def _body(w: World, product: Product, wishes: Wishes, room: int, said: set[str], terse: bool) -> str | None:
    """A field of several sentences that opens with the product's name, or with a line before it."""
    mood, long = wishes.mood, room > 160
    opening = [plans.opener(w, product, mood)]
    if wishes.channel in ("push", "seo") and product.features and w.chance(0.85):
        # The title says the name, and there is room for little more than a feature.
        opening = [] if any(product.name in text for text in said) else opening
    wanted = _included(w, product, wishes, " ".join(said))
    fixed = len(" ".join([*opening, *wanted])) + 1
    aim = min(room, w.rng.randint(90, 190) if terse else w.rng.randint(220, 460) if long else room)
    whole = wishes.channel in ("product_page", "email") and not terse
    given = _worth_telling(w, product, room - fixed, aim - fixed, whole=whole)
    told = list(plans.features(w, product, given, tight=not long))
    while given and len(" ".join(told)) + 1 > room - fixed:
        given = [f for f in given if f is not max(given, key=lambda f: len(f.text))]
        told = list(plans.features(w, product, given, tight=not long))
    # A term that a feature holds needs no sentence of its own; at times it gets one, and no text lacks it then.
    included = _included(w, product, wishes, " ".join([*said, *told])) if w.chance(0.7) else wanted
    known = list(plans.facts(w, product))
    if terse or not long:
        known = w.rng.sample(known, 1) if known and w.chance(0.6) else []
    else:
        known = [sentence for sentence in known if w.chance(0.85)]
    price = plans.price(w, product) if w.chance(0.7) else None
    for_whom = [plans.audience(w, wishes.audience)] if wishes.audience and w.chance(0.45 if terse else 0.75) else []
    many = (0, 0, 1) if terse or not long or wishes.channel == "seo" else (0, 1, 1, 2, 2, 3)
    lines = [plans.line(w, mood) for _ in range(w.pick(many))]
    end = [plans.closer(w, product, mood)] if w.chance(0.75) or not (told or known or lines) else []
    hello, bye = _letter(w, product, wishes, terse)
    # What must stand comes first; the rest is taken in an order of its own while it fits.
    keep = [*opening, *included, *told]
    chosen: set[str] = set()
    left = max(aim, min(room, fixed + len(" ".join(told)) + 1)) - len(" ".join(keep))
    if left < 0 and len(" ".join(keep)) > room:
        return None
    for sentence in w.rng.sample(rest := [*known, *([price] if price else []), *for_whom, *lines, *end], len(rest)):
        if sentence not in said and len(sentence) < left:
            left -= len(sentence) + 1
            chosen.add(sentence)
    parts = _ordered(w, opening, included, told, known, price, for_whom, lines, end)
    parts = [part for part in parts if part in chosen or part in keep]
    if left > len(" ".join([*hello, *bye])) + 2:
        parts = [*hello, *parts, *bye]
    said.update(parts)
    return " ".join(dict.fromkeys(parts)) or None


def _ordered(
    w: World,
    opening: list[str],
    included: list[str],
    told: list[str],
    known: list[str],
    price: str | None,
    for_whom: list[str],
    lines: list[str],
    end: list[str],
) -> list[str]:
    """The sentences in one of many orders; features and facts stay together, each in the job's order."""
    first, second = lines[:1], lines[1:]
    last = [price] if price else []
    middle = w.pick(
        (
            [*told, *known, *for_whom, *lines, *last],
            [*told, *first, *known, *last, *for_whom, *second],
            [*first, *told, *for_whom, *known, *last, *second],
            [*for_whom, *told, *known, *lines, *last],
            [*for_whom, *first, *told, *second, *known, *last],
            [*told, *for_whom, *first, *known, *second, *last],
            [*known, *told, *lines, *for_whom, *last],
            [*first, *known, *last, *told, *for_whom, *second],
            [*last, *told, *known, *for_whom, *lines],
        )
    )
    # A term to include mostly has the same place, right after the opening: so a small model does not forget it.
    middle = [*included, *middle] if w.chance(0.7) else [*middle, *included]
    if first and w.chance(0.25):
        middle = [part for part in middle if part not in first]
        return [*first, *opening, *middle, *end]
    return [*opening, *middle, *end]


def _letter(w: World, product: Product, wishes: Wishes, terse: bool) -> tuple[list[str], list[str]]:
    """What a channel has around its text: greeting and sign-off of an e-mail, tags of a post."""
    hello: list[str] = []
    bye: list[str] = []
    if terse or wishes.max_chars is not None:
        return hello, bye
    if wishes.channel == "email":
        hello = [plans.greeting(w, wishes.mood)] if w.chance(0.4) else []
        bye = [plans.signoff(w, product.brand)] if product.brand and w.chance(0.3) else []
    elif wishes.channel == "social" and w.chance(0.2 if wishes.mood != "elegant" else 0.05):
        bye = [" ".join(w.rng.sample(plans.phrases()["tags"], w.pick((1, 2, 2, 3))))]
    return hello, bye


def _worth_telling(w: World, product: Product, most: int, aim: int, *, whole: bool) -> list[Feature]:
    """The features that fit, in the job's order: all of them where there is room, else some.

    Frames around a feature take about 16 characters, fewer where several share one.
    """
    given = product.features
    if whole and sum(len(f.text) + 16 for f in given) <= most:
        if len(given) > 2 and w.chance(0.1):
            left_out = w.rng.randrange(len(given))
            return [f for number, f in enumerate(given) if number != left_out]
        return given
    room = most if w.chance(0.92) else aim
    taken: list[Feature] = []
    # The short ones first, mostly: more of them fit.
    order = sorted(given, key=lambda f: len(f.text)) if w.chance(0.85) else w.rng.sample(given, len(given))
    for feature in order:
        frame = 14 if whole else 8
        if len(feature.text) + frame <= room:
            room -= len(feature.text) + frame
            taken.append(feature)
    return [feature for feature in given if feature in taken]


def _included(w: World, product: Product, wishes: Wishes, text: str) -> list[str]:
    """Sentences around the terms that must stand in the text."""
    terms = [term for term in mentions(wishes) if term.lower() != product.name.lower() and not _says(text, term)]
    return [plans.included(w, term) for term in terms]


def _fitted(parts: Sequence[str], room: int, said: set[str], keep: Sequence[str]) -> str | None:
    """The sentences that fit into `room` characters, in order; those to `keep` go before the others."""
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
