"""Which language a text is in: common words settle most texts, a detector is asked when they do not."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import regex
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from tasks.kinds.base import Check
from tasks.kinds.copy.rules.schema import PASSED, RULES, failed
from tasks.kinds.copy.rules.text import NAME, Draft

if TYPE_CHECKING:
    from tasks.kinds.copy.rules.judge import JobRules

_RULE = RULES.language
# Whatever is outside these ranges is Latin, or no letter.
_STRANGE = re.compile(
    "[\u0370-\u1dff\u2c00-\u2c5f\u2c80-\ua71f\ua800-\ud7ff\uf900-\ufaff\ufb07-\ufdff\ufe70-\ufefe\uff66-\uffdc"
    "\U00010000-\U0001bfff\U00020000-\U000323af]"
)
_LETTERS = regex.compile(r"\p{L}")
_LATIN = regex.compile(r"\p{Latin}")
_COMMON = {language: frozenset(table) for language, table in _RULE.common.items()}
_AMBIGUOUS = frozenset(_RULE.ambiguous)
_SENTENCES = regex.compile(r"(?<=[.!?…。！？])\s+|\n+")


@lru_cache(maxsize=64)
def _foreign(language: str) -> frozenset[str]:
    """Words that are common in another language and not in this one."""
    others = {w for other, table in _COMMON.items() if other != language for w in table if len(w) > 1}
    return frozenset(others - _COMMON.get(language, frozenset()) - _AMBIGUOUS)


@lru_cache(maxsize=64)
def _own(language: str) -> frozenset[str]:
    """Words that speak for a language; none where its common words are not known."""
    return frozenset(word for word in _COMMON.get(language, ()) if len(word) > 1) - _AMBIGUOUS


@lru_cache(maxsize=1)
def _detector() -> LanguageIdentifier:
    """Read when the first doubtful text comes: it takes a good part of a second."""
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@lru_cache(maxsize=64)
def _script(language: str) -> regex.Pattern[str] | None:
    """One letter of the scripts that a language is written in; None for Latin."""
    script = _RULE.scripts.get(language)
    return regex.compile(rf"[\p{{{script}}}]") if script else None


def check_language(rules: JobRules, draft: Draft) -> Check:
    """The language of every field that is long enough to tell."""
    wanted = rules.language
    script = _script(wanted)
    for field, text in draft.fields.items():
        if script is not None or (not draft.ascii and _STRANGE.search(text)):
            other = _other_script(rules.without_names(text), script)
            if other:
                return _failed(field, other, wanted)
        if script is None and len(text) >= _RULE.least_letters:
            found = _other_language(rules, draft, field, wanted)
            if found:
                return _failed(field, found, wanted)
    return PASSED["language"]


def _failed(field: str, found: str, wanted: str) -> Check:
    return failed("language", f"{field} is in {found}, not in {wanted}", f"Write in the language {wanted}.")


def _other_script(text: str, script: regex.Pattern[str] | None) -> str | None:
    letters = len(_LETTERS.findall(text))
    if letters < 4:
        return None
    if script is None:
        strange = letters - len(_LATIN.findall(text))
        return "another script" if strange > _RULE.foreign_script * letters else None
    own = len(script.findall(text))
    enough = letters >= _RULE.least_letters
    return "another script" if enough and own < (1 - _RULE.foreign_script) * letters * 0.5 else None


def _other_language(rules: JobRules, draft: Draft, field: str, wanted: str) -> str | None:
    found = draft.words[field]
    if not found:
        return None
    distinct = set(found)
    own = _own(wanted)
    if own:
        hits = len(distinct & own)
        strange = len(distinct & _foreign(wanted))
        if strange < _RULE.foreign_words and hits >= max(2, _RULE.least_share * len(distinct)):
            return None
    text = rules.without_names(draft.fields[field])
    whole = _detected(text, wanted)
    if whole is not None or not own:
        return whole
    for sentence in _SENTENCES.split(text):
        other = _detected(sentence, wanted) if len(set(sentence.lower().split()) & own) < 2 else None
        if other is not None:
            return other
    return None


def _detected(text: str, wanted: str) -> str | None:
    """Another language than the wanted one, if the detector is sure of it."""
    text = text.replace(NAME, " ")
    if len(_LETTERS.findall(text)) < _RULE.least_letters:
        return None
    scores = dict(_detector().rank(text))
    if wanted not in scores:
        return None
    among = {language: scores[language] for language in {*_RULE.plausible, wanted} if language in scores}
    best = max(among, key=lambda language: among[language])
    if best == wanted or any(best in group and wanted in group for group in _RULE.alike):
        return None
    whole = sum(among.values())
    sure = among[best] >= _RULE.surest * whole and among[wanted] <= _RULE.most_wanted * whole
    return best if sure else None
