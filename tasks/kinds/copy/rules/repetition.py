"""Texts that go round in circles or are noise, and variants that say the same again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from operator import eq
from typing import TYPE_CHECKING

from tasks.kinds.base import Check
from tasks.kinds.copy.rules.schema import PASSED, RULES, failed
from tasks.kinds.copy.rules.text import NAME, Draft, words

if TYPE_CHECKING:
    from tasks.kinds.copy.rules.judge import JobRules

_RULE = RULES.repetition
_NOISE = RULES.degenerate
_NATURAL = frozenset(_RULE.natural_doubles)
_SENTENCE_END = re.compile(r"[.!?…]+(?!\d)|[。！？\n\u2600-\u27bf\U0001f000-\U0001faff]+|[:;]\s|#\w+")
_MARKS = re.compile(rf"[!-/:-@\[-`{{-~]{{{_NOISE.punctuation},}}")
_CONSONANTS = re.compile(rf"[^\W\d_{_NOISE.vowels}]{{{_NOISE.vowelless},}}")
_LONG_WORD = re.compile(rf"(?<![\w/.@#])[A-Za-zÀ-ɏ]{{{_NOISE.longest_word + 1},}}")
_LOOPED_WORD = re.compile(r"\b(\w{1,5}?)\1{3,}\b")
_LOOPABLE = 8  # letters: four times two
_SPACELESS_LANGUAGES = frozenset({"zh", "ja", "th", "lo", "km", "my"})


def check_repetition(rules: JobRules, draft: Draft) -> Check:
    """Doubled words, sentences and runs of words, features told twice, phrases in a loop."""
    masked = draft.masked[1:-1].split(" \n ")
    for (name, text), joined in zip(draft.fields.items(), masked, strict=True):
        found = joined.split()
        plain = draft.words[name]
        reason = _doubled_word(rules, text, plain) if any(map(eq, plain, plain[1:])) else None
        reason = reason or _doubled_sentence(text, len(found))
        phrases = list(zip(found, found[1:], found[2:], strict=False))
        # Without a phrase of three words that comes back there is no doubled run, no doubled feature and no loop.
        if reason is None and len(set(phrases)) < len(phrases):
            reason = _doubled_run(found) or _doubled_feature(rules, joined, len(found)) or _loop(phrases, len(found))
        if reason:
            return failed("repetition", f"{name}: {reason}", "Do not repeat words, sentences or features.")
    return PASSED["repetition"]


def _doubled_word(rules: JobRules, text: str, found: list[str]) -> str | None:
    doubles = dict.fromkeys(left for left, right in pairwise(found) if left == right)
    for word in doubles:
        if word not in _NATURAL and word.isalpha() and f" {word} {word} " not in rules.known:
            pair = re.search(rf"(?<!\w)({re.escape(word)})\s+\1(?!\w)", text, re.IGNORECASE)
            if pair:
                return f"“{pair.group()}”"
    return None


def _doubled_sentence(text: str, length: int) -> str | None:
    least = _RULE.sentence_words if length <= _RULE.runs[0].within else _RULE.short_sentence
    seen: set[str] = set()
    for sentence in _SENTENCE_END.split(text):
        plain = sentence.strip().casefold()
        if plain in seen and len({word for word in words(plain) if word.isalpha()}) >= least:
            return f"“{sentence.strip()}” twice"
        seen.add(plain)
    return None


def _doubled_run(found: list[str]) -> str | None:
    size = next((run.words for run in _RULE.runs if len(found) <= run.within), None)
    if size is None:
        return None
    seen: set[tuple[str, ...]] = set()
    for run in zip(*(found[i:] for i in range(size)), strict=False):
        if run in seen:
            return f"“{' '.join(run).replace(NAME, '…')}” twice"
        seen.add(run)
    return None


def _doubled_feature(rules: JobRules, joined: str, length: int) -> str | None:
    if length > _RULE.runs[0].within:
        return None
    padded = f" {joined} "
    told = (feature for feature in rules.features if padded.find(feature) != padded.rfind(feature))
    return next((f"“{feature.strip()}” twice" for feature in told), None)


def _loop(phrases: Sequence[tuple[str, ...]], length: int) -> str | None:
    phrase, times = Counter(phrases).most_common(1)[0]
    if times > _RULE.most_phrase and times * len(phrase) >= _RULE.least_share * length:
        return f"“{' '.join(phrase).replace(NAME, '…')}” {times} times"
    return None


def check_degenerate(rules: JobRules, draft: Draft) -> Check:
    """Noise: words that nobody says, runs of marks, hardly a letter."""
    reason = _noise(rules, draft)
    return PASSED["degenerate"] if reason is None else failed("degenerate", reason, "Write real words and sentences.")


def _noise(rules: JobRules, draft: Draft) -> str | None:
    marks = _MARKS.search(draft.raw)
    if marks:
        return f"marks {marks.group()[:20]}"
    for word in [word for word in draft.distinct if len(word) >= _LOOPABLE]:
        long = _LONG_WORD.search(draft.raw) if len(word) > _NOISE.longest_word else None
        if long and long.group().casefold() not in rules.known:
            return f"the word {long.group()[:30]}"
        if len(set(word)) <= 4 and _LOOPED_WORD.search(word):
            return f"the word {word[:30]}"
    if draft.ascii or rules.language not in _SPACELESS_LANGUAGES:
        for name, text in draft.fields.items():
            if len(text) >= _NOISE.judged_from:
                solid = len(text) - text.count(" ") - text.count("\n")
                letters = sum(map(len, draft.words[name]))
                if letters < _NOISE.least_letters * solid:
                    return f"{name} is hardly text"
    if rules.latin and rules.language not in _NOISE.skip_languages:
        odd = set()
        for match in _CONSONANTS.finditer(draft.padded):
            run = match.group()
            alone = draft.padded[match.start() - 1] == " " and draft.padded[match.end()] == " "
            if (alone or len(run) >= _NOISE.consonants) and run not in rules.known:
                odd.add(run)
        if len(odd) > _NOISE.most_vowelless:
            return f"words like {', '.join(sorted(odd)[:3])}"
    return None


@lru_cache(maxsize=1024)
def _shingles(joined: str, size: int) -> frozenset[str]:
    found = joined.split()
    if len(found) <= size:
        return frozenset({joined.strip()}) if found else frozenset()
    return frozenset(" ".join(found[i : i + size]) for i in range(len(found) - size + 1))


def check_near_duplicate(rules: JobRules, fields: dict[str, str], accepted: Sequence[dict[str, str]]) -> Check:
    """A candidate against the accepted variants of its job.

    Fields are compared with their like, the product's name taken out; a long field that is too like another is enough,
    short ones count together, weighted by their words.
    """
    if not accepted:
        return PASSED["near_duplicate"]
    mine = {name: rules.content(text) for name, text in fields.items()}
    for number, other in enumerate(accepted):
        if fields == other:
            return _duplicate(number, "word for word", 1.0)
        weight = score = 0.0
        for name, text in mine.items():
            theirs = rules.content(other.get(name, ""))
            size = text.count(" ")
            rule = RULES.near_duplicate.long if size > RULES.near_duplicate.short_words else RULES.near_duplicate.short
            likeness = _jaccard(text, theirs, rule.shingle)
            if rule is RULES.near_duplicate.long and likeness > rule.most:
                return _duplicate(number, f"in {name}", likeness)
            weight += size
            score += likeness * size
        if weight and score / weight > RULES.near_duplicate.short.most:
            return _duplicate(number, "in all", score / weight)
    return PASSED["near_duplicate"]


def _jaccard(one: str, two: str, size: int) -> float:
    a, b = _shingles(one, size), _shingles(two, size)
    union = len(a | b)
    return len(a & b) / union if union else 1.0


def _duplicate(number: int, where: str, score: float) -> Check:
    reason = f"{score:.0%} like accepted variant {number} {where}"
    return failed("near_duplicate", reason, "Write something different from the other variants.", score=round(score, 4))
