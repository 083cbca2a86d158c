"""What a job asks of a text beyond telling the product, and the corrections that may come with it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tasks.kinds.copy.channels import CHANNELS
from tasks.starters.copy.plans import phrase_words
from tasks.starters.copy.products import Product
from tasks.starters.copy.words import World, amount, invented

_CHANNEL_WEIGHTS = {
    "product_page": 0.26, "social": 0.18, "email": 0.13, "search_ad": 0.17, "sms": 0.08, "seo": 0.1, "push": 0.08,
}  # fmt: skip
_BRIEF_CHANNELS = ("social", "sms", "push")


@dataclass(slots=True)
class Wishes:
    """What a job asks of a text; `brief` where a correction asks for a shorter one."""

    channel: str
    mood: str
    tone: str | None = None
    audience: str | None = None
    include: list[str] = field(default_factory=list)
    avoid: list[str] = field(default_factory=list)
    max_chars: int | None = None
    feedback: list[str] = field(default_factory=list)
    brief: bool = False


def sample_wishes(w: World, product: Product, *, brief: bool = False) -> Wishes:
    """Wishes for a text on the product; `brief` ones for the start of training."""
    rng = w.rng
    channel = w.pick(_BRIEF_CHANNELS) if brief else rng.choices(*zip(*_CHANNEL_WEIGHTS.items(), strict=True))[0]
    mood = w.pick(list(w.lexicon["tones"]))
    wishes = Wishes(channel, mood)
    if w.chance(0.5):
        wishes.tone = w.pick(w.lexicon["tones"][mood])
        if w.chance(0.15):
            wishes.tone += f" and {w.pick(w.lexicon['tones'][mood])}"
    if w.chance(0.5):
        wishes.audience = w.pick(w.lexicon["audiences"])
    if w.chance(0.15 if brief else 0.4):
        own = [f.text for f in product.features if len(f.text) < 30]
        own += [value for value in product.facts.values() if len(value) < 20]
        own += [f.text.split()[-1].rstrip(".,") for f in product.features if len(f.text.split()) > 1]
        own += [term for term in (product.brand, wishes.audience) if term]
        odd = [f"#{w.pick(w.plain)}{w.pick(('', '', w.pick(w.plain)))}", w.pick(w.plain)]
        odd += [f"{w.pick(w.plain)} {w.pick(w.plain)}", invented(w), f"{w.look()} {w.pick(w.plain)}"]
        draw = rng.random()
        pool = own if own and draw < 0.4 else w.lexicon["include_phrases"] if draw < 0.65 else odd
        wishes.include = rng.sample(pool, min(len(pool), w.pick((1, 1, 2, 2, 3))))
        if channel in ("search_ad", "push", "sms"):
            wishes.include = wishes.include[:2]
    told = " ".join([product.name, product.brand or "", wishes.audience or "", *wishes.include, ""]).lower()
    told += " ".join([*(f.text for f in product.features), *product.facts, *product.facts.values()]).lower()
    if w.chance(0.27):
        words = (w.pick(phrase_words()) if w.chance(0.6) else w.pick(w.lexicon["avoid_words"]) for _ in range(4))
        wishes.avoid = list(dict.fromkeys(word for word in words if word not in told))[: w.pick((1, 1, 2, 3, 4))]
    if w.chance(0.16) and not brief:
        most = sum(limit.max for limit in CHANNELS[channel].fields.values())
        wishes.max_chars = rng.randint(70, 160) if most <= 300 else rng.randint(150, 700)
        if w.chance(0.5):
            wishes.max_chars = round(wishes.max_chars, -1)
    if w.chance(0.18):
        banned = [word for word in (*w.lexicon["avoid_words"], w.pick(phrase_words())) if word not in told]
        wishes.feedback = _hints(w, product, wishes, banned)
        wishes.brief = any("horter" in hint or hint.startswith("Keep ") for hint in wishes.feedback)
    return wishes


def _hints(w: World, product: Product, wishes: Wishes, banned: list[str]) -> list[str]:
    """What checks say of a text that failed them, in their own words."""
    rng = w.rng
    fields = CHANNELS[wishes.channel].fields
    name = w.pick(list(fields))
    most = f"Keep {name} under {fields[name].max} characters."
    if wishes.max_chars is not None:
        most = f"Keep the text under {wishes.max_chars} characters."
    avoided = wishes.avoid[:2] or rng.sample(banned, 1)
    pool = [
        [f"Mention {w.pick([product.name, product.name, *wishes.include])}."],
        [f"Mention {w.pick([product.name, *wishes.include])}."],
        [f"Mention {w.pick(w.lexicon['include_phrases'])}."],
        [f"Write the name as {product.name}."],
        [f"Do not say {word}." for word in avoided],
        [f"Do not say {word}." for word in avoided],
        [f"Do not use the number {amount(rng)}."],
        ["Do not repeat words, sentences or features."],
        ["Do not repeat words, sentences or features."],
        ["Write something different from the other variants."],
        ["Write real words and sentences."],
        [f"End {name} with a whole sentence."],
        [f"Write the field {name}."],
        [f"Make {name} at least {max(fields[name].min, 15)} characters long."],
        [f"Close every quotation mark and bracket in {name}."],
        ["Write plain text without markup."],
        ["Use ordinary characters only."],
        [most],
        [most],
        [w.pick(("Shorter.", "Shorter, please.", "Make this shorter.", "Keep it short."))],
    ]
    if "title" in fields:
        pool.append([f"Mention {product.name} in title."])
    return [hint for hints in rng.sample(pool, w.pick((1, 1, 1, 2))) for hint in hints]


def mentions(wishes: Wishes) -> list[str]:
    """The terms that a text must hold: those of the job and those that a correction asks for."""
    asked = (re.fullmatch(r"Mention (.+?)(?: in title)?\.", hint) for hint in wishes.feedback)
    return list(dict.fromkeys([*wishes.include, *(found[1] for found in asked if found)]))


def unwanted(wishes: Wishes) -> list[str]:
    """The terms that a text must not hold: those of the job and those of a correction."""
    asked = (re.fullmatch(r"Do not say (.+)\.", hint) for hint in wishes.feedback)
    return [*wishes.avoid, *(found[1] for found in asked if found)]
