"""Where a text sets features, values and the audience of its job: the words before them have to suit them.

"It weighs 600 ml", "with a oiled by hand", "in short: 45 cm". All of it is guessed from endings and short lists, which
is good enough to prefer one draft to another, and not to refuse a text. Lists are in slips.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from itertools import pairwise
from typing import Literal

import yaml

from tasks.kinds.copy.job import CopyJob
from tasks.kinds.copy.rules.text import words

_lists = yaml.safe_load(files(__package__).joinpath("slips.yaml").read_text("utf-8"))
LISTS: Mapping[str, frozenset[str]] = {name: frozenset(text.split()) for name, text in _lists["words"].items()}
# Words that announce a measure, and what the fact's name may hold then.
_LEADS: Mapping[str, frozenset[str]] = {
    lead: frozenset(row["of"].split()) for row in _lists["leads"] for lead in row["said"].split()
}
_THIRD_PERSON = re.compile(r"[a-z]+[^\Ws]s")
_PARTICIPLE = re.compile(r"[a-z]{2,}[^e\W]ed")
_ADJECTIVE = re.compile(r"(?:[a-z]+(?:able|ible|ful|less)|[a-z]*(?:proof|tight|free|friendly|safe|resistant|ready))")
_PLAIN_WORD = re.compile(r"[A-Za-z][a-z]+")
_SENTENCE_END = re.compile(r"[.!?…]\s|\n")
_STEM = 4  # letters of the audience's first word that are enough to know it by
_WINDOW = 4  # words before a value among which its lead stands

Form = Literal["does", "trait", "clause", "thing", "unsure"]


def form(feature: str) -> Form:
    """What a feature is, as far as its words tell: what a product does ("keeps coffee warm"), how it is ("oiled by
    hand"), a sentence ("every piece is different"), a thing that it has ("folding arm")."""
    told = words(feature.replace("-", ""))
    if begins_with_verb(feature):
        return "does"
    if not told:
        return "unsure"
    first, rest, last = told[0], told[1:], told[-1]
    if first in LISTS["notes"]:
        return "unsure"
    if LISTS["relative"].intersection(rest):
        return "thing"
    if LISTS["finite"].intersection(rest):
        return "clause"
    if _ends_as_adjective(last) and not LISTS["prepositions"].intersection(rest):
        return "trait"
    if rest and rest[0] in LISTS["prepositions"]:
        return "trait" if _ends_as_adjective(first) or first in LISTS["adjectives"] else "unsure"
    if not rest or first in LISTS["no things"] or first.endswith("ly") or LISTS["prepositions"].intersection(told):
        return "unsure"
    return "thing"


def begins_with_verb(feature: str) -> bool:
    """Whether a feature says what a product does ("keeps coffee warm"), as far as its first word's ending tells."""
    first, *rest = words(feature) or [""]
    return bool(rest) and first not in LISTS["no verbs"] and _THIRD_PERSON.fullmatch(first) is not None


def misframed(job: CopyJob, text: str) -> Iterator[str]:
    """Words before a feature, a value or the audience that do not suit it, each with the phrase's beginning."""
    for feature in job.features:
        yield from _features(feature, text)
    terms = {term.casefold() for term in job.must_include}
    for value in dict.fromkeys(job.facts.values()):
        labels = [label for label, other in job.facts.items() if other == value]
        yield from _values(value, labels, text, bare=value.casefold() not in terms)
    if job.audience and job.audience.casefold() not in terms:
        yield from _audience(job.audience, text)
    yield from _run_together(job.features, text)
    yield from _own_labels(job, text)
    yield from _announced(job, text)


def _ends_as_adjective(word: str) -> bool:
    return bool(_PARTICIPLE.fullmatch(word) or _ADJECTIVE.fullmatch(word))


def _features(feature: str, text: str) -> Iterator[str]:
    kind = form(feature)
    for before in _befores(feature, text):
        told = words(before)
        if not told or not before.rstrip()[-1].isalnum():
            continue  # behind a colon or comma it stands by itself
        last = told[-1]
        frame = next((word for word in reversed(told) if word != "also"), last)
        odd = (
            (kind in ("trait", "clause") and frame in LISTS["before things"])
            or (kind in ("thing", "clause") and frame in LISTS["before traits"])
            or _wrong_article(last, feature)
        )
        if odd:
            yield f"{frame} {feature.split()[0]}"


def _values(value: str, labels: list[str], text: str, *, bare: bool) -> Iterator[str]:
    """A value behind the lead of another measure ("tastes of 600 ml"), or behind a colon without a label."""
    own = {word for label in labels for word in words(label.replace("_", " "))}
    for before in _befores(value, text):
        told = words(before.rsplit(",", 1)[-1].rsplit(";", 1)[-1])[-_WINDOW:]
        leads = [lead for lead in (*told, *map("_".join, pairwise(told))) if lead in _LEADS]
        if own.intersection(told) or any(_LEADS[lead] & own for lead in leads):
            continue
        if leads:
            yield f"{leads[-1]} {value.split()[0]}"
        elif bare and before.rstrip().endswith(":") and not LISTS["before prices"].intersection(told):
            yield f"{before.split()[-1]} {value.split()[0]}"


def _audience(audience: str, text: str) -> Iterator[str]:
    """The audience behind a colon, or with a word of it alone behind "for" ("right for week")."""
    for before in _befores(audience, text):
        if before.rstrip().endswith(":"):
            yield f"{before.split()[-1]} {audience.split()[0]}"
    told, wanted = words(text), words(audience)
    for at, (before, word) in enumerate(pairwise(told), 1):
        begun = wanted and (word == wanted[0] or (len(word) >= _STEM and wanted[0].startswith(word)))
        if begun and before in LISTS["before audiences"]:
            end = at + len(wanted)
            if told[at:end] != wanted or (before == "with" and told[end : end + 2] != ["in", "mind"]):
                yield f"{before} {word}"


def _run_together(features: list[str], text: str) -> Iterator[str]:
    """Two features with nothing between them."""
    others = [(feature, feature.strip().lower()) for feature in features if feature.strip()]
    for one in features:
        for end in (found.end() for found in _places(one, text)):
            rest = text[end : end + 1].isspace() and text[end:].lstrip().lower()
            yield from (f"{one} {other.split()[0]}" for other, low in others if rest and rest.startswith(low))


def _own_labels(job: CopyJob, text: str) -> Iterable[str]:
    """Labels of the prompt that belong in no text, unless a fact has that name."""
    named = {label.casefold() for label in job.facts}
    name = re.escape((job.product_name or "").strip() or ":")
    for label in LISTS["labels"]:
        if label not in named and re.search(rf"(?<!\w){label}(?::| {name})", text, re.IGNORECASE):
            yield f"{label}:"


def _announced(job: CopyJob, text: str) -> Iterator[str]:
    """What stands behind a colon and is nothing of the job ("to the point: gentle"), or its name as if a measure."""
    name = " ".join(words(job.product_name or ""))
    facts = [part for pair in job.facts.items() for part in pair]
    own = [name, *(" ".join(words(part)) for part in (job.brand_name, job.audience, *job.features, *facts) if part)]
    own += [" ".join(words(term)) for term in (*job.must_include, job.category or "")]
    for sentence in _SENTENCE_END.split(text):
        head, colon, rest = sentence.partition(": ")
        told = words(rest)
        if not colon or not told:
            continue
        first = words(rest.partition(": ")[0])
        if not any(f" {part} " in f" {' '.join(first)} " for part in own if part):
            if told[0] not in LISTS["speakers"]:
                yield f"{''.join(head.split()[-1:])}: {told[0]}"
        elif " ".join(told) in (name, f"the {name}") and name:
            yield from (f"{word}: {told[0]}" for word in words(head) if word in _LEADS or word in LISTS["headings"])


def _befores(phrase: str, text: str) -> Iterator[str]:
    """What stands before each place of a phrase within its sentence."""
    for found in _places(phrase, text):
        yield _SENTENCE_END.split(text[: found.start()])[-1]


def _places(phrase: str, text: str) -> Iterator[re.Match[str]]:
    wanted = phrase.strip().rstrip(".")
    if wanted:
        yield from re.finditer(rf"(?<!\w){re.escape(wanted)}(?!\w)", text, re.IGNORECASE)


def _wrong_article(article: str, phrase: str) -> bool:
    """Whether "a" stands for "an" or the reverse; near enough. Of numbers and abbreviations nothing is said."""
    first = phrase.split("-")[0].split()[0]
    if article not in ("a", "an") or not _PLAIN_WORD.fullmatch(first):
        return False
    low = first.lower()
    closed = low[0] not in "aeiouh" or low.startswith(("uni", "use", "eu", "one", "once"))
    if low[0] == "h":
        closed = not low.startswith(("hour", "honest", "heir", "hono"))
    return (article == "an") == closed
