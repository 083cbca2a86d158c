"""Terms that must, must not, or may only with proof appear."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tasks.kinds.base import Check
from tasks.kinds.copy.rules.schema import PASSED, RULES, failed
from tasks.kinds.copy.rules.text import Draft, Term, graphemes

if TYPE_CHECKING:
    from tasks.kinds.copy.rules.judge import JobRules

_CLAIMS = [Term(term) for term in RULES.claims.terms]
_CLAIM_PATTERNS = [(re.compile(p.pattern), p.needs) for p in RULES.claims.patterns]


class Banned:
    """A term to avoid, and the simple inflections of its last word in the job's language."""

    __slots__ = ("forms", "plain", "written")

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

    def found(self, draft: Draft) -> str | None:
        """The form that the draft has, if any."""
        if self.plain is not None:
            return self.written if self.plain in draft.compact else None
        for form in self.forms:
            if form in draft.masked:
                return form.strip()
        return None


def check_required(rules: JobRules, draft: Draft) -> Check:
    """The product's name and the terms of must_include."""
    missing = [term.written for term in rules.required if not term.within(draft)]
    if not missing:
        return PASSED["required"]
    hopeless = [term for term in missing if rules.widest is not None and graphemes(term) > rules.widest]
    reason = f"{', '.join(missing)} missing"
    if hopeless:
        reason += f"; {hopeless[0]} is longer than the channel allows"
    hint = " ".join(f"Mention {term}." for term in missing[:3])
    return failed("required", reason, hint, verdict="reject" if hopeless else None)


def check_banned(rules: JobRules, draft: Draft) -> Check:
    """The terms of must_avoid."""
    found = [(term.written, form) for term in rules.banned if (form := term.found(draft))]
    if not found:
        return PASSED["banned"]
    reason = ", ".join(term if form == term.casefold() else f"{form} (of {term})" for term, form in found)
    return failed("banned", f"says {reason}", " ".join(f"Do not say {term}." for term, _ in found[:3]))


def check_claims(rules: JobRules, draft: Draft) -> Check:
    """Superlatives and promises, unless the product's data makes them."""
    found = [term.padded.strip() for term in _CLAIMS if term.padded in draft.masked and term.padded not in rules.known]
    for pattern, needs in _CLAIM_PATTERNS:
        if any(need in draft.lower for need in needs):
            for match in pattern.finditer(draft.raw):
                if match.group().lower() not in rules.known_raw:
                    found.append(match.group())
    if not found:
        return PASSED["claims"]
    reason = f"claims {', '.join(found)}, which the product's data does not"
    return failed("claims", reason, " ".join(f"Do not say {term}." for term in found[:3]))
