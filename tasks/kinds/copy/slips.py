"""Slips of a draft in how it uses its job's words: no rule refuses a text for them.

Where drafts are compared, a sentence that has one is taken back while it is written, and the draft with fewer is kept.
Small models tell half a feature ("one more thing: aspen"), set a verb where a noun belongs ("made with a keeps coffee
warm") or take a size for a price ("yours for 12 oz"). Each can be told from the job alone, though not surely enough to
refuse a text for it: a larger model tells features in its own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tasks.kinds.copy.frames import LISTS, begins_with_verb, misframed
from tasks.kinds.copy.job import CopyJob
from tasks.kinds.copy.rules.text import words

_LONG_WORD = 4
_PLURAL = re.compile(r"[a-z]+[^\Ws]s")
_SHORT = 4  # words of a feature whose last one tells whether it is in the plural
_NEAR = 4  # words behind the name of a fact among which its value begins
_MONEY = re.compile(r"[$€£¥₹]|\b(?:usd|eur|gbp|chf|cad|aud|jpy|inr|kr|zł)\b", re.IGNORECASE)
_STUTTER = re.compile(r"(?<!\w)(\w+)[:;]?[^\S\n]+\1(?!\w)|[$€£]\s*(?![\s\d])", re.IGNORECASE)
_NO_NOUN = "an?|the|and|or|as|is|are|it|they|you|of|in|to|for|with|by|at|from|that"
_LOOSE = re.compile(rf"(?<!\w)(?:(?:an?|the) (?:{_NO_NOUN})|(?:set|pack|pair) of an?)(?!\w)", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?…]\s|\n")
_PRICED = r"\b(?:yours|here|shop|available|set|price|price tag|costs?|tag says|pay|only|fair)(?: for|:)? "
_MEASURED = r"\b(?:room needed:|weighs|measures:?|holds|sized|scale:|size:|fits|fit for) "


def slips(job: CopyJob, text: str) -> list[str]:
    """The slips of a text, each as the words that show it; of English texts only."""
    if job.locale.split("-")[0].lower() != "en":
        return []
    told = words(text)
    return [
        *_torn(job, told),
        *_misplaced(job, told),
        *_wrong_measure(job, text),
        *_labels(job, told),
        *_asked(job, text),
        *_again(job, told),
        *_twice(job, text),
        *_named(job, text),
        *_uncapitalised(job, text),
        *_stuttered(job, text),
        *misframed(job, text),
    ]


def _torn(job: CopyJob, told: list[str]) -> Iterable[str]:
    """Long words of the name and of features that the text says apart from them."""
    facts = [text for pair in job.facts.items() for text in pair]
    others = [job.brand_name, job.category, job.audience, *job.must_include, *facts]
    free = LISTS["common"].union(*(words(text) for text in others if text))
    phrases = [words(text) for text in (job.product_name or "", *job.features)]
    apart = {word for phrase in phrases for word in phrase if len(word) >= _LONG_WORD} - free
    yield from dict.fromkeys(word for word in _without(phrases, told) if word in apart)


def _misplaced(job: CopyJob, told: list[str]) -> Iterable[str]:
    """Features that begin with a verb where a noun belongs, and the reverse; one thing, where there are several."""
    for feature in job.features:
        wanted = words(feature)
        verb = begins_with_verb(feature)
        several = len(wanted) <= _SHORT and not verb and _PLURAL.fullmatch(wanted[-1] if wanted else "") is not None
        for at in _places(wanted, told):
            before = next((word for word in reversed(told[:at]) if word != "also"), "")
            if before in (LISTS["before nouns"] if verb else LISTS["before verbs"]) or (
                several and before in ("a", "an")
            ):
                yield f"{before} {wanted[0]}"


def _wrong_measure(job: CopyJob, text: str) -> Iterable[str]:
    """Values of facts that are no price and stand as one, and the reverse; a price as a hashtag or with more digits."""
    for value in filter(str.strip, job.facts.values()):
        money = _MONEY.search(value) is not None
        if found := re.search((_MEASURED if money else _PRICED) + re.escape(value.strip()), text, re.IGNORECASE):
            yield found[0]
        if money and (found := re.search(rf"{re.escape(value.strip())}[.,]\d+", text)):
            yield found[0]
        if money and (found := re.search(rf"#{re.escape(_MONEY.sub('', value).strip())}(?!\w)", text)):
            yield found[0]


def _labels(job: CopyJob, told: list[str]) -> Iterable[str]:
    """Names of facts where their value should stand ("made of origin"), or without it ("another plus: spools")."""
    phrases = [words(text) for text in (job.product_name or "", job.category or "", *job.features, *job.must_include)]
    left = _without(phrases, told)
    for label, value in job.facts.items():
        wanted, due = words(label.replace("_", " ")), words(value)[:1]
        for at in _places(wanted, left):
            end = at + len(wanted)
            if at and left[at - 1] in LISTS["before values"]:
                yield f"{left[at - 1]} {wanted[0]}"
            elif not set(due) & set(told[end : end + _NEAR]):
                yield wanted[0]


def _asked(job: CopyJob, text: str) -> Iterable[str]:
    """Names of facts with a question mark."""
    yield from (f"{label}?" for label in job.facts if label.strip() and f" {label.lower()}?" in f" {text.lower()}")


def _again(job: CopyJob, told: list[str]) -> Iterable[str]:
    """Values and wanted terms that are told twice, but for what is told within a feature or the name."""
    left = _without([words(text) for text in (job.product_name or "", *job.features)], told)
    told_once = (*job.facts.values(), *job.must_include, job.audience)
    for phrase in dict.fromkeys(tuple(words(text)) for text in told_once if text):
        if len(_places(list(phrase), left)) > 1:
            yield " ".join(phrase)


def _twice(job: CopyJob, text: str) -> Iterable[str]:
    """Features that one field tells twice."""
    features = list(dict.fromkeys(job.features))
    for line in map(words, text.split("\n")):
        for feature in features:
            wanted = words(feature)
            longer = [other for other in map(words, features) if len(other) > len(wanted)]
            if len(_places(wanted, _without(longer, line))) > 1:
                yield feature


def _named(job: CopyJob, text: str) -> Iterable[str]:
    """The name twice in one sentence, with a hyphen and more behind it, or as the subject behind "for"."""
    name = words(job.product_name or "")
    behind = rf"(?<!\w)(?:for|with|about) (?:the )?{re.escape((job.product_name or '').strip())} (?:is|are|has)(?!\w)"
    if name and (found := re.search(behind, text, re.IGNORECASE)):
        yield found[0]
    if any(len(_places(name, words(sentence))) > 1 for sentence in _SENTENCE_END.split(text)):
        yield " ".join(name)
    own = " ".join((*job.features, *job.facts.values(), *job.must_include)).lower()
    for found in re.findall(rf"(?<!\w){re.escape((job.product_name or '').strip())}-\w+", text, re.IGNORECASE):
        if name and found.lower() not in own:
            yield found


def _uncapitalised(job: CopyJob, text: str) -> Iterable[str]:
    """Sentences that begin with a small letter, unless with a name or a term that the job spells so."""
    own = [job.product_name, job.brand_name, *job.must_include]
    starts = tuple(part.strip().lower() for part in own if part and part.strip())
    for sentence in _SENTENCE_END.split(text):
        begun = sentence.strip()
        if begun[:1].islower() and not begun.lower().startswith(starts):
            yield begun.split()[0]


def _stuttered(job: CopyJob, text: str) -> Iterable[str]:
    """A word twice in a row, a currency without its amount, an article without its noun, unless the job has it so."""
    facts = [part for pair in job.facts.items() for part in pair]
    own = " ".join(filter(None, (job.product_name, job.brand_name, *job.features, *job.must_include, *facts))).lower()
    for pattern in (_STUTTER, _LOOSE):
        yield from (found[0] for found in pattern.finditer(text) if found[0].lower() not in own)


def _without(phrases: Sequence[list[str]], told: list[str]) -> list[str]:
    """The words with all phrases blanked out, the longest first."""
    left = list(told)
    for phrase in sorted(phrases, key=len, reverse=True):
        for at in _places(phrase, left):
            left[at : at + len(phrase)] = [""] * len(phrase)
    return left


def _places(wanted: list[str], told: list[str]) -> list[int]:
    """Where a run of words stands."""
    return [at for at in range(len(told)) if wanted and told[at : at + len(wanted)] == wanted]
