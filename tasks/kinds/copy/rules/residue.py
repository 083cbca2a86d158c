"""What a model leaves behind that no reader should see: blanks to fill in, markup, echoes, made-up addresses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tasks.kinds.base import Check
from tasks.kinds.copy.rules.schema import PASSED, RULES, failed
from tasks.kinds.copy.rules.text import Draft, Gated, words

if TYPE_CHECKING:
    from tasks.kinds.copy.rules.judge import JobRules

_PLACEHOLDERS = Gated(RULES.placeholders.patterns)
_MARKUP = Gated(RULES.markup.patterns)
_ECHO = Gated(RULES.echo.patterns)
_LINKS = Gated(RULES.links.patterns)
_BROKEN = re.compile(RULES.characters.pattern)
_MOJIBAKE = re.compile(RULES.characters.mojibake)
_CLOSING_MARKS = ".,;:!?)]}>\"'”’"


def _first(patterns: Gated, rules: JobRules, draft: Draft) -> str | None:
    """The first match that the product's own data does not hold."""
    for match in patterns.matches(draft):
        found = match.group().strip()
        if found.lower() not in rules.known_raw:
            return found
    return None


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:59] + "…"


def check_placeholders(rules: JobRules, draft: Draft) -> Check:
    """Blanks to fill in."""
    found = _first(_PLACEHOLDERS, rules, draft)
    if found is None:
        return PASSED["placeholders"]
    return failed("placeholders", f"placeholder {_short(found)}", "Leave no placeholders; write the words themselves.")


def check_markup(rules: JobRules, draft: Draft) -> Check:
    """HTML, Markdown, JSON and escapes."""
    found = _first(_MARKUP, rules, draft)
    if found is None:
        return PASSED["markup"]
    return failed("markup", f"markup {_short(found)}", "Write plain text without markup.")


def check_echo(rules: JobRules, draft: Draft) -> Check:
    """The prompt's scaffolding, talk about the task, or the words of a free prompt."""
    found = _first(_ECHO, rules, draft)
    if found is None:
        found = next((run.strip() for run in rules.prompt_runs if run in draft.padded), None)
    if found is None:
        return PASSED["echo"]
    return failed("echo", f"echo of the prompt: {_short(found)}", "Write only the text itself.")


def check_links(rules: JobRules, draft: Draft) -> Check:
    """Addresses, e-mails and telephone numbers that the product's data does not give."""
    for match in _LINKS.matches(draft):
        start = match.start()
        if match[0][0] == ".":  # the end of a domain: what stands before it belongs to it
            start = max(draft.raw.rfind(space, 0, start) for space in " \n") + 1
            if not draft.raw[match.start() - 1 : match.start()].isalnum():
                continue
        link = draft.raw[start : match.end()].strip().rstrip(_CLOSING_MARKS).lstrip("(<[\"'“")
        if not _backed(link, rules):
            return failed("links", f"{link} stands in no fact", f"Do not use {link}.")
    return PASSED["links"]


def _backed(link: str, rules: JobRules) -> bool:
    if any(c.isalpha() for c in link):
        bare = re.sub(r"^(?:https?://)?(?:www\.)?", "", link.lower()).rstrip("/")
        return bare in rules.known_raw
    digits = re.sub(r"\D", "", link)
    return digits in re.sub(r"[\s()+./-]", "", rules.known_raw)


def check_characters(_: JobRules, draft: Draft) -> Check:
    """Control, private and broken characters, line breaks where a field is one line."""
    broken = _BROKEN.search(draft.raw)
    if broken is not None:
        return failed("characters", f"character U+{ord(broken.group()):04X}", "Use ordinary characters only.")
    if not draft.ascii and (mojibake := _MOJIBAKE.search(draft.raw)):
        return failed("characters", f"broken encoding {mojibake.group()!r}", "Use ordinary characters only.")
    if draft.raw.count("\n") > len(draft.fields) - 1:
        for field, text in draft.fields.items():
            if "\n" in text.strip() and field not in RULES.fields.prose:
                return failed("characters", f"{field} has several lines", f"Write {field} on one line.")
    return PASSED["characters"]


def prompt_runs(prompt: str | None, system: str | None) -> list[str]:
    """The openings of a free prompt and its system message, padded, whose return would be an echo."""
    size = RULES.echo.prompt_words
    openings = [words(text)[:size] for text in (prompt, system) if text]
    return [f" {' '.join(opening)} " for opening in openings if len(opening) == size]
