# ruff: noqa: E501 (texts and tables of cases, one to a line)
"""Known ways to spoil a good text. Written before the rules and without a look at them: each kind is what a language
model or a careless hand really does. A corruption answers None where it does not apply to a text.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from tasks.kinds.copy.channels import CHANNELS
from tasks.kinds.copy.job import CopyJob

Fields = dict[str, str]
Spoiler = Callable[[CopyJob, Fields, random.Random], Fields | None]

OTHER_LANGUAGES = {
    "de": "{name} ist jetzt wieder da und wartet auf dich. Bestelle noch heute und freue dich auf schöne Tage zu Hause.",
    "fr": "Découvrez {name} dès maintenant dans notre boutique. Un produit que vous aimerez tous les jours, sans compromis.",
    "es": "Descubre {name} en nuestra tienda. Un producto que te va a gustar todos los días, en casa y en la calle.",
    "it": "Scopri {name} nel nostro negozio. Un prodotto che ti piacerà ogni giorno, a casa e fuori con gli amici.",
    "nl": "Ontdek {name} in onze winkel. Een product waar je elke dag blij van wordt, thuis en onderweg met vrienden.",
    "ru": "Откройте для себя {name} в нашем магазине. Этот товар будет радовать вас каждый день.",
    "zh": "现在就来我们的商店看看 {name} 吧。它会让您的每一天都更加美好，送给家人和朋友也非常合适。",
    "en": "Take a look at {name} in our shop. It is made for people who like good things and want to keep them for years.",
}
PLACEHOLDERS = ["{product_name}", "[Product Name]", "<brand>", "[Insert price here]", "{{ feature_1 }}", "$name", "TODO", "XXX", "Lorem ipsum dolor sit amet.", "[Your Name]", "%s", "INSERT LINK"]  # fmt: skip
CLAIMS = ["Clinically proven results.", "Satisfaction 100% guaranteed.", "It is the best in the world.", "The #1 choice of experts.", "Try it completely risk-free.", "Guaranteed to change your life.", "Scientifically proven to work."]  # fmt: skip
UNBACKED_NUMBERS = ["Over 10,000 happy customers agree.", "Now 35% off.", "It weighs just 937 g.", "Only $17.49 while stocks last.", "Rated 4.9 out of 5 by owners.", "Lasts up to 77 hours.", "With 3.7 litres of room.", "Comes with a nine year warranty."]  # fmt: skip
LINKS = ["Visit www.best-deals.example today.", "See https://bit.example/3xYz now.", "Write to sales@offers.example for more.", "Call +1 (555) 014-2277 now.", "Call us on 0800 555 0199.", "More at superdeals.com!"]  # fmt: skip
HTML = ["<b>{}</b>", "<p>{}</p>", "**{}**", "{}<br>", "# {}", "{} &amp; more", "[{}](http://shop)", "<div class=\"x\">{}"]  # fmt: skip
ECHOES = ["Sure! Here is the text you asked for: ", "Product: {name}\nChannel: {channel}\n", "Write a short text for {channel}. ", "<|user|> ", "Assistant: ", "As an AI language model, I can say that ", "Features: {feature}\nTone: friendly\n", "### Response:\n"]  # fmt: skip
UNITS = {"ml": "l", "l": "kg", "kg": "lb", "g": "kg", "cm": "mm", "mm": "m", "hours": "days", "h": "min", "W": "kW", "minutes": "seconds", "%": " cm"}  # fmt: skip


def _main(fields: Fields) -> str:
    """The name of the longest field: where most of the text stands."""
    return max(fields, key=lambda name: len(fields[name]))


def _limit(job: CopyJob, field: str) -> int:
    return CHANNELS[job.channel].fields[field].max if job.channel else 10_000


def _insert(job: CopyJob, fields: Fields, sentence: str, rng: random.Random) -> Fields | None:
    """A sentence put between two others, if it fits."""
    field = _main(fields)
    parts = re.split(r"(?<=[.!?])\s+", fields[field])
    at = rng.randint(0, len(parts))
    text = " ".join([*parts[:at], sentence, *parts[at:]])
    return {**fields, field: text} if len(text) <= _limit(job, field) else None


def wrong_number(job: CopyJob, fields: Fields, rng: random.Random) -> Fields | None:
    """A number that stood in the facts becomes another one."""
    spots = []
    name = job.product_name or ""
    for field, text in fields.items():
        for match in re.finditer(
            r"(?<![\w.,])\d+(?:[.,]\d+)*(?=\s?(?:ml|l|cm|mm|g|kg|W|%|hours|h|grams|litres)\b|%)",
            text.replace(name, "·" * len(name)),
        ):
            spots.append((field, match))
    if not spots:
        return None
    field, match = rng.choice(spots)
    digits = match.group()
    at = rng.randrange(len(digits))
    while not digits[at].isdigit():
        at = rng.randrange(len(digits))
    other = rng.choice([d for d in "123456789" if d != digits[at]])
    return {
        **fields,
        field: fields[field][: match.start()] + digits[:at] + other + digits[at + 1 :] + fields[field][match.end() :],
    }


def wrong_unit(job: CopyJob, fields: Fields, rng: random.Random) -> Fields | None:
    """The number is right and its unit is not."""
    name = job.product_name or ""
    for field, text in fields.items():
        hidden = text.replace(name, "·" * len(name))
        for match in re.finditer(r"(\d\s?)(ml|l|kg|g|cm|mm|hours|h|W|minutes|%)(?!\w)", hidden):
            swapped = UNITS[match.group(2)]
            return {**fields, field: text[: match.start(2)] + swapped + text[match.end(2) :]}
    return None


def added_number(job: CopyJob, fields: Fields, rng: random.Random) -> Fields | None:
    return _insert(job, fields, rng.choice(UNBACKED_NUMBERS), rng)


def _renamed(job: CopyJob, fields: Fields, other: str) -> Fields | None:
    """The product's name made another, wherever and with whatever apostrophe it stands; None where it does not."""
    name = re.escape(job.product_name or "\0").replace("'", "['’]")
    renamed = {field: re.sub(name, other, text, flags=re.I) for field, text in fields.items()}
    return renamed if renamed != fields else None


def missing_name(job: CopyJob, fields: Fields, rng: random.Random) -> Fields | None:
    return _renamed(job, fields, "this one")


def wrong_name(job: CopyJob, fields: Fields, rng: random.Random) -> Fields | None:
    """One word of the name is another: the model remembers a product of its training."""
    words = (job.product_name or "").split()
    if len(words) < 2:
        return None
    words[rng.randrange(len(words))] = rng.choice(["Aurora", "Willow", "Zephyr", "Copper"])
    return _renamed(job, fields, " ".join(words))


def missing_term(job: CopyJob, fields: Fields, rng: random.Random) -> Fields | None:
    for term in job.must_include:
        spoilt = {field: re.sub(re.escape(term), "nice", text, flags=re.I) for field, text in fields.items()}
        if spoilt != fields:
            return spoilt
    return None


def over_length(job: CopyJob, fields: Fields, rng: random.Random) -> Fields | None:
    if job.channel is None:
        return None
    field = rng.choice(list(fields))
    more = ["and it looks good in every room", "for mornings and evenings alike", "with a smile that stays", "whatever the weather does",
            "because small things matter most", "at home or far away from it", "when friends come over again", "until the very last light of day"]  # fmt: skip
    text = fields[field].rstrip(".!")
    number = 0
    while len(text) <= _limit(job, field):
        text += (
            ", "
            + more[number % len(more)]
            + (f" of week {'abcdefghijklmnop'[number // len(more)]}" if number >= len(more) else "")
        )
        number += 1
    return {**fields, field: text + "."}


def banned_word(job: CopyJob, fields: Fields, rng: random.Random) -> Fields | None:
    if not job.must_avoid:
        return None
    term = rng.choice(job.must_avoid)
    return _insert(job, fields, rng.choice([f"It is {term} too.", f"So {term.upper()}!", f"Nice and {term}."]), rng)


def claim(job: CopyJob, fields: Fields, rng: random.Random) -> Fields | None:
    return _insert(job, fields, rng.choice(CLAIMS), rng)


def doubled_sentence(job: CopyJob, fields: Fields, rng: random.Random) -> Fields | None:
    sentences = [s for s in re.split(r"(?<=[.!?])\s+", fields[_main(fields)]) if len(s) > 15]
    return _insert(job, fields, rng.choice(sentences), rng) if sentences else None


def doubled_word(job: CopyJob, fields: Fields, rng: random.Random) -> Fields | None:
    field = _main(fields)
    spots = list(re.finditer(r"\b(the|a|is|and|with|to|in|your|it|of)\b ", fields[field]))
    if not spots:
        return None
    match = rng.choice(spots)
    return {**fields, field: fields[field][: match.end()] + match.group() + fields[field][match.end() :]}


def other_language(job: CopyJob, fields: Fields, rng: random.Random) -> Fields | None:
    if not job.product_name:
        return None
    wanted = job.locale.split("-")[0]
    language = rng.choice([code for code in OTHER_LANGUAGES if code != wanted])
    text = OTHER_LANGUAGES[language].format(name=job.product_name)
    field = _main(fields)
    return {**fields, field: text} if len(text) <= _limit(job, field) else None


def placeholder(job: CopyJob, fields: Fields, rng: random.Random) -> Fields | None:
    field = rng.choice(list(fields))
    words = fields[field].split(" ")
    words.insert(rng.randint(1, len(words)), rng.choice(PLACEHOLDERS))
    text = " ".join(words)
    return {**fields, field: text} if len(text) <= _limit(job, field) else None


def truncated(job: CopyJob, fields: Fields, rng: random.Random) -> Fields | None:
    """Out of tokens: the body stops inside a sentence."""
    field = _main(fields)
    text = fields[field]
    if field not in ("body", "text") or len(text) < 60 or job.prompt:
        return None
    at = rng.randint(len(text) // 2, len(text) - 8)
    while at > 20 and not (text[at - 1].isalpha() and text[at].isalpha()):
        at -= 1
    cut = text[:at]
    return {**fields, field: cut} if (job.product_name or "").lower() in cut.lower() else None


def gibberish(job: CopyJob, fields: Fields, rng: random.Random) -> Fields | None:
    """An engine whose weights or sampling are broken."""
    field = _main(fields)
    kind = rng.randrange(4)
    if kind == 0:
        noise = " ".join("".join(rng.choices("bcdfghjklmnpqrstvwxz", k=rng.randint(4, 9))) for _ in range(6))
    elif kind == 1:
        noise = "".join(rng.choices("!@#^*~|\\/=_<>;:", k=24))
    elif kind == 2:
        noise = "â€™sÃ©ã\x80\x99 Ã¼berâ€œ ï¿½ï¿½ Ã¤Ã¶"
    else:
        noise = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=60))
    text = fields[field] + " " + noise + "."
    return {**fields, field: text} if len(text) <= _limit(job, field) else None


def token_loop(job: CopyJob, fields: Fields, rng: random.Random) -> Fields | None:
    field = _main(fields)
    loop = rng.choice(["soft and light and ", "so good ", "ha", "comfort, comfort, ", "the shop in the shop "])
    text = fields[field].rstrip(".!") + " " + (loop * rng.randint(5, 8)).strip() + "."
    return {**fields, field: text} if len(text) <= _limit(job, field) else None


def two_segment_sms(job: CopyJob, fields: Fields, rng: random.Random) -> Fields | None:
    """Within 160 characters, but not within one segment."""
    if job.channel != "sms":
        return None
    text = fields["text"]
    more = rng.choice([" 🎉", " “Wow”", " – ends soon", " Ёлка", " …"])
    while len(text) + len(more) < 75:
        text += " Come and see."
    spoilt = text + more if rng.random() < 0.7 else text + " " + "[]{}~^€|\\"[rng.randrange(8)] * (159 - len(text))
    return {**fields, "text": spoilt} if len(spoilt) <= 160 else None


def markup(job: CopyJob, fields: Fields, rng: random.Random) -> Fields | None:
    field = rng.choice(list(fields))
    words = fields[field].split(" ")
    at = rng.randrange(len(words))
    shape = rng.choice(HTML)
    if shape.startswith("#"):
        at = 0
    words[at] = shape.format(words[at])
    text = " ".join(words)
    return {**fields, field: text} if len(text) <= _limit(job, field) else None


def echo(job: CopyJob, fields: Fields, rng: random.Random) -> Fields | None:
    field = _main(fields)
    head = rng.choice(ECHOES).format(name=job.product_name, channel=job.channel, feature=(job.features or ["soft"])[0])
    text = head + fields[field]
    return {**fields, field: text} if len(text) <= _limit(job, field) else None


def link(job: CopyJob, fields: Fields, rng: random.Random) -> Fields | None:
    return _insert(job, fields, rng.choice(LINKS), rng)


def empty_field(job: CopyJob, fields: Fields, rng: random.Random) -> Fields | None:
    return {**fields, rng.choice(list(fields)): rng.choice(["", "  ", "\n", "..."])} if len(fields) > 1 else None


def missing_field(job: CopyJob, fields: Fields, rng: random.Random) -> Fields | None:
    gone = rng.choice(list(fields))
    return {k: v for k, v in fields.items() if k != gone} if len(fields) > 1 else None


def equal_fields(job: CopyJob, fields: Fields, rng: random.Random) -> Fields | None:
    if job.channel != "search_ad":
        return None
    a, b = rng.choice([("headline_1", "headline_2"), ("headline_2", "headline_3"), ("description_1", "description_2")])
    return {**fields, b: fields[a].upper() if rng.random() < 0.3 else fields[a]}


def control_character(job: CopyJob, fields: Fields, rng: random.Random) -> Fields | None:
    field = _main(fields)
    at = rng.randrange(1, len(fields[field]))
    return {**fields, field: fields[field][:at] + rng.choice("\x00\x07\x1b\ufffd\u202e\ue000") + fields[field][at:]}


def open_quote(job: CopyJob, fields: Fields, rng: random.Random) -> Fields | None:
    field = _main(fields)
    words = fields[field].split(" ")
    if len(words) < 8 or any(q in fields[field] for q in '"“„('):
        return None
    at = rng.randrange(1, len(words) - 1)
    words[at] = rng.choice('"“(') + words[at]
    text = " ".join(words)
    return {**fields, field: text} if len(text) <= _limit(job, field) else None


SPOILERS: dict[str, Spoiler] = {
    f.__name__: f
    for f in (
        wrong_number, wrong_unit, added_number, missing_name, wrong_name, missing_term, over_length, banned_word, claim,
        doubled_sentence, doubled_word, other_language, placeholder, truncated, gibberish, token_loop, two_segment_sms,
        markup, echo, link, empty_field, missing_field, equal_fields, control_character, open_quote,
    )
}  # fmt: skip


def corrupted_copy(good: list[tuple[CopyJob, Fields]], seed: int = 11) -> list[tuple[str, CopyJob, Fields]]:
    """One spoilt text for each good one: (kind, job, fields). Kinds take turns; one that does not apply hands on."""
    rng = random.Random(seed)
    kinds = list(SPOILERS)
    counts = dict.fromkeys(kinds, 0)
    spoilt = []
    for job, fields in good:
        for kind in sorted(kinds, key=lambda k: (counts[k], rng.random())):
            bad = SPOILERS[kind](job, fields, rng)
            if bad is not None and bad != fields:
                counts[kind] += 1
                spoilt.append((kind, job, bad))
                break
    return spoilt
