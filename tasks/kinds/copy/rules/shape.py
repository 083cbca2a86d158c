"""The outer shape of a text: its fields, their lengths, how it ends, whether its quotes close."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import TYPE_CHECKING

from tasks.kinds.base import Check
from tasks.kinds.copy.rules.schema import PASSED, RULES, failed
from tasks.kinds.copy.rules.text import Draft, graphemes

if TYPE_CHECKING:
    from tasks.kinds.copy.rules.judge import JobRules

# 3GPP TS 23.038: the default alphabet, and the extension table whose characters cost two.
_GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM7_EXTENSION = frozenset("^{}\\[~]|€\f")
_QUOTES = '"“”„'
_INCHES, _LOOSE = re.compile(RULES.quotes.inches), re.compile(RULES.quotes.loose)
_ANY_QUOTE = re.compile("[" + re.escape(_QUOTES + "".join(RULES.quotes.brackets)) + "]")
_TAG = re.compile(RULES.ending.tag)
_OPT_OUT = re.compile(RULES.ending.opt_out)
_OPEN_WORDS = {language: frozenset(table) for language, table in RULES.ending.open_words.items()}


def check_fields(rules: JobRules, draft: Draft) -> Check:
    """All fields of the channel and no other, none of them empty."""
    wanted = rules.limits
    missing = [name for name in wanted if name not in draft.fields]
    extra = [name for name in draft.fields if wanted and name not in wanted]
    empty = [name for name, found in draft.words.items() if sum(map(len, found)) < RULES.fields.least_letters]
    if not missing and not extra and not empty and draft.fields:
        return PASSED["fields"]
    parts = [f"{name} missing" for name in missing] + [f"{name} unknown" for name in extra]
    parts += [f"{name} empty" for name in empty]
    hints = [f"Write the field {name}." for name in (*missing, *empty)] + [f"Leave out {name}." for name in extra]
    return failed("fields", ", ".join(parts) or "no text", " ".join(hints[:3]) or "Write a text.")


def check_distinct_fields(_: JobRules, draft: Draft) -> Check:
    """No field says what another says."""
    seen: dict[tuple[str, ...], str] = {}
    for name, found in draft.words.items():
        key = tuple(found)
        if key and key in seen:
            return failed("distinct_fields", f"{name} repeats {seen[key]}", f"Make {name} differ from {seen[key]}.")
        seen[key] = name
    return PASSED["distinct_fields"]


def check_length(rules: JobRules, draft: Draft, unfinished: Container[str] = ()) -> Check:
    """Each field against its channel, the whole against max_chars; `unfinished` fields may still be too short."""
    parts: list[str] = []
    hints: list[str] = []
    whole = len(draft.fields) - 1  # the line breaks between fields in the `text` column
    for name, text in draft.fields.items():
        length = len(text) if draft.ascii else graphemes(text)
        whole += length
        limit = rules.limits.get(name)
        if limit is None:
            continue
        if length > limit.max:
            parts.append(f"{name} has {length} characters, at most {limit.max} fit")
            hints.append(f"Keep {name} under {limit.max} characters.")
        elif 0 < length < limit.min and name not in unfinished:
            parts.append(f"{name} has {length} characters, at least {limit.min} are due")
            hints.append(f"Make {name} at least {limit.min} characters long.")
    if rules.job.max_chars is not None and whole > rules.job.max_chars:
        parts.append(f"the text has {whole} characters, at most {rules.job.max_chars} fit")
        hints.append(f"Keep the text under {rules.job.max_chars} characters.")
    if not parts:
        return PASSED["length"]
    return failed("length", "; ".join(parts), " ".join(hints[:3]))


def sms_segments(text: str) -> tuple[int, str]:
    """How many segments a text message takes, and its alphabet: `GSM-7` or `UCS-2`."""
    rule = RULES.sms_segment
    characters = set(text)
    if characters <= _GSM7 or characters <= _GSM7 | _GSM7_EXTENSION:
        units = len(text) + sum(text.count(c) for c in characters & _GSM7_EXTENSION)
        single, joined, alphabet = rule.gsm7, rule.gsm7_joined, "GSM-7"
    else:
        units = len(text.encode("utf-16-le", "surrogatepass")) // 2
        single, joined, alphabet = rule.ucs2, rule.ucs2_joined, "UCS-2"
    return (1 if units <= single else -(-units // joined)), alphabet


def check_sms_segment(rules: JobRules, draft: Draft) -> Check:
    """Fields that are text messages against their segments."""
    for name, limit in rules.limits.items():
        if limit.segments is not None and name in draft.fields:
            text = draft.fields[name]
            segments, alphabet = sms_segments(text)
            if segments > limit.segments:
                reason = f"{name} takes {segments} segments in {alphabet}, {limit.segments} fit"
                special = [c for c in dict.fromkeys(text) if c not in _GSM7 and c not in _GSM7_EXTENSION]
                hint = f"Keep {name} under {RULES.sms_segment.gsm7} characters."
                if alphabet == "UCS-2":
                    shown = "".join(special[:5])
                    hint = f"Do not use {shown} or keep {name} under {RULES.sms_segment.ucs2} characters."
                return failed("sms_segment", reason, hint)
    return PASSED["sms_segment"]


def check_ending(rules: JobRules, draft: Draft) -> Check:
    """Prose ends with a mark, a tag or an emoji; nothing ends with a word that asks for another."""
    open_words = _OPEN_WORDS.get(rules.language, frozenset())
    for name, text in draft.fields.items():
        found = draft.words[name]
        if not found:
            continue
        stripped = text.rstrip()
        if stripped[-1].isalnum() or stripped[-1] in ",-–—&/'’":
            # A sign-off may end as it likes; without a channel, short texts may be taglines ("worth waking up for").
            prose = rules.prose_fields is not None and name in rules.prose_fields
            prose = prose or (rules.prose_fields is None and len(stripped) >= RULES.ending.free_prompt_from)
            dangling = rules.prose_fields is not None and found[-1] in open_words
            if stripped[-1] in ",-–—&/" or dangling or (prose and not _ends_well(stripped, rules)):
                last = " ".join(stripped.split()[-3:])
                return failed("ending", f"{name} stops at “{last}”", f"End {name} with a whole sentence.")
    return PASSED["ending"]


def _ends_well(text: str, rules: JobRules) -> bool:
    if (
        text[-1].isdigit()
        or _TAG.fullmatch(text.rsplit(None, 1)[-1][-200:])
        or _OPT_OUT.search(text, max(0, len(text) - 80))
    ):
        return True
    # The name under a letter may close it: one that the job gives, or any under a line such as "Yours,".
    head, _, last = text.rpartition("\n")
    name = last.strip().casefold()
    if any(name == known for known in rules.signatures):
        return True
    under_greeting = head.endswith(",") and "\n" in head.strip()
    cut = any(known.startswith(name) for known in rules.signatures)
    return under_greeting and not cut and len(last) <= RULES.ending.sign_off


def check_quotes(_: JobRules, draft: Draft) -> Check:
    """Quotation marks and brackets in pairs, field by field."""
    if not _ANY_QUOTE.search(draft.raw):
        return PASSED["quotes"]
    for name, text in draft.fields.items():
        odd = _odd_mark(text)
        if odd:
            hint = f"Close every quotation mark and bracket in {name}."
            return failed("quotes", f"{name} has an unpaired {odd}", hint)
    return PASSED["quotes"]


def _odd_mark(text: str) -> str | None:
    if _quotes(text) % 2 and _quotes(plain := _INCHES.sub(" ", text)) % 2:
        return next(mark for mark in _QUOTES if mark in plain)
    if _odd_bracket(text):
        return _odd_bracket(_LOOSE.sub(" ", text))
    return None


def _quotes(text: str) -> int:
    return sum(map(text.count, _QUOTES))


def _odd_bracket(text: str) -> str | None:
    pairs = RULES.quotes.brackets
    return next((pair[0] for pair in pairs if text.count(pair[0]) != text.count(pair[1])), None)
