"""Terms that must, must not, or may only with proof appear."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from typing import TYPE_CHECKING

from tasks.kinds.base import Check
from tasks.kinds.copy.rules.schema import PASSED, RULES, failed
from tasks.kinds.copy.rules.text import Draft, Gated, Term, graphemes, words

if TYPE_CHECKING:
    from tasks.kinds.copy.rules.judge import JobRules

_CLAIM_PATTERNS = Gated(RULES.claims.patterns)
_CLAIMS: dict[str, list[str]] = {}  # padded terms by their first word
for _term in RULES.claims.terms:
    _CLAIMS.setdefault(words(_term)[0], []).append(f" {' '.join(words(_term))} ")


class Banned:
    """A term to avoid, and the simple inflections of its last word in the job's language."""

    __slots__ = ("first", "forms", "plain", "written")

    def __init__(self, written: str, language: str) -> None:
        term = Term(written)
        self.written = written
        self.plain = term.plain
        stem = term.padded[:-1]
        forms = [term.padded]
        last = stem.rsplit(" ", 1)[-1]
        if len(last) >= RULES.banned.least_inflected and last.isalpha():
            endings = RULES.banned.inflections.get(language, [])
            forms += [f"{stem}{ending} " for ending in endings if ending[0] != "'"]
            if language == "en" and last.endswith("e"):
                forms.append(f"{stem[:-1]}ing ")
            if language == "en" and last.endswith("y"):
                forms += [f"{stem[:-1]}i{ending} " for ending in ("es", "er", "est", "ly")]
        self.forms = tuple(forms)
        self.first = frozenset(form.split(" ", 2)[1] for form in forms)

    def found(self, draft: Draft) -> str | None:
        """The form that the draft has, if any."""
        if self.plain is not None:
            return self.written if self.plain in draft.compact else None
        if draft.distinct.isdisjoint(self.first):
            return None
        for form in self.forms:
            if form in draft.masked:
                return form.strip()
        return None


class BannedTerms:
    """The terms that jobs with the same must_avoid share; most texts are settled by one set lookup."""

    __slots__ = ("first", "plain", "terms")

    def __init__(self, written: Sequence[str], language: str) -> None:
        self.terms = [Banned(term, language) for term in written if term.strip()]
        self.first = frozenset().union(*(term.first for term in self.terms))
        self.plain = any(term.plain is not None for term in self.terms)

    def found(self, draft: Draft) -> list[tuple[str, str]]:
        """(term, the form that the draft has) for each term that it has."""
        if not self.plain and draft.distinct.isdisjoint(self.first):
            return []
        return [(term.written, form) for term in self.terms if (form := term.found(draft))]


@lru_cache(maxsize=256)
def banned_terms(written: tuple[str, ...], language: str) -> BannedTerms:
    """The terms of a must_avoid column in a language."""
    return BannedTerms(written, language)


def check_required(rules: JobRules, draft: Draft) -> Check:
    """The product's name and the terms of must_include."""
    missing = [term.written for term in rules.required if not term.within(draft)]
    if not missing:
        return check_name(rules, draft)
    hopeless = [term for term in missing if rules.widest is not None and graphemes(term) > rules.widest]
    reason = f"{', '.join(missing)} missing"
    if hopeless:
        reason += f"; {hopeless[0]} is longer than the channel allows"
    hint = " ".join(f"Mention {term}." for term in missing[:3])
    return failed("required", reason, hint, verdict="reject" if hopeless else None)


def check_name(rules: JobRules, draft: Draft) -> Check:
    """The name in the fields that are its place, and no slip of it elsewhere."""
    name = rules.name
    if name is None or name.plain is not None:
        return PASSED["required"]
    for field in rules.name_fields:
        if field in draft.fields and name.padded not in f" {' '.join(draft.words[field])} ":
            return failed("required", f"{field} without {name.written}", f"Mention {name.written} in {field}.")
    for known in rules.names:
        slip = _slip(known.padded.split(), draft)
        if slip is not None:
            return failed("required", f"“{slip}” for {known.written}", f"Write the name as {known.written}.")
    return PASSED["required"]


def _slip(name: list[str], draft: Draft) -> str | None:
    """Words that are the name but for one that is nearly so, such as `Nriped Silk Blouse`."""
    places = {word: place for place, word in enumerate(name)}
    found = draft.masked.split()
    if len(name) < 2 or len(set(found).intersection(name)) < len(name) - 1:
        return None
    for at, word in enumerate(found):
        start = at - places.get(word, at + 1)
        window = found[start : start + len(name)] if start >= 0 else []
        odd = [(ours, theirs) for ours, theirs in zip(name, window, strict=False) if ours != theirs]
        if len(odd) == 1 and len(window) == len(name) and _misspelt(*odd[0]):
            return " ".join(window)
    return None


@lru_cache(maxsize=1024)
def _misspelt(ours: str, theirs: str) -> bool:
    if abs(len(ours) - len(theirs)) > 2 or min(len(ours), len(theirs)) < 4:
        return False
    if ours[:2] != theirs[:2] and ours[-2:] != theirs[-2:]:
        return False
    inflected = ours.startswith(theirs) or theirs.startswith(ours)
    return not inflected and SequenceMatcher(None, ours, theirs).ratio() >= RULES.required.misspelt


def check_banned(rules: JobRules, draft: Draft) -> Check:
    """The terms of must_avoid."""
    found = rules.banned.found(draft)
    if not found:
        return PASSED["banned"]
    reason = ", ".join(term if form == term.casefold() else f"{form} (of {term})" for term, form in found)
    return failed("banned", f"says {reason}", " ".join(f"Do not say {term}." for term, _ in found[:3]))


def check_claims(rules: JobRules, draft: Draft) -> Check:
    """Superlatives and promises, unless the product's data makes them."""
    found = [
        term.strip()
        for first in draft.distinct & _CLAIMS.keys()
        for term in _CLAIMS[first]
        if term in draft.masked and term not in rules.known
    ]
    found.sort(key=draft.masked.index)
    found += [m.group() for m in _CLAIM_PATTERNS.matches(draft) if m.group().lower() not in rules.known_raw]
    if not found:
        return PASSED["claims"]
    reason = f"claims {', '.join(found)}, which the product's data does not"
    return failed("claims", reason, " ".join(f"Do not say {term}." for term in found[:3]))
