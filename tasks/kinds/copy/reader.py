"""Proof-reading a text while it is written: the rules that judge the whole, as far as a part can break them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from tasks.kinds.base import settle
from tasks.kinds.copy import prompt
from tasks.kinds.copy.job import CopyJob
from tasks.kinds.copy.rules.judge import JobRules

# Belongs to the content key: raised when another text comes out for the same job.
READER_VERSION = 2

_STRING = r'"((?:[^"\\]|\\.)*)'
_FENCE = re.compile(r"```[a-zA-Z]*\s*")
# "0.35" may go on as "0.35 l", "12 fl." as "12 fl. oz".
_OPEN_TAIL = re.compile(r"\S*\d(?:\S*\s+(?:fl|sq|cu|approx|ca|no|nr|art)\.)?$", re.IGNORECASE)
_FIELD = re.compile(rf'{_STRING}"\s*:\s*{_STRING}("?)', re.DOTALL)


def brief(job: CopyJob) -> dict[str, Any]:
    """What `reader` needs to know of a job, as JSON values."""
    return job.model_dump(mode="json", exclude_defaults=True, exclude={"variants", "seed", "model", "meta"})


def reader(brief: dict[str, Any]) -> Callable[[str, bool], bool]:
    """Says of a text for the job of `brief`, so far as it is written, whether it may stand."""
    job = CopyJob.model_validate(brief)
    rules = JobRules(job)
    names = prompt.field_names(job)

    def may_stand(text: str, ended: bool) -> bool:
        if ended:
            try:
                return settle(rules.judge_alone(prompt.parse(job, text))) != "retry"
            except prompt.ParseError:
                return False
        fields = _fields(text, names[0] if job.channel is None else None, names)
        found = [name for name, _, _ in fields]
        # In the order that was asked for: what is left out would be missing at the end.
        if found != names[: len(found)]:
            return False
        finished = {name: value for name, value, closed in fields if closed}
        unfinished = {name: cut for name, value, closed in fields if not closed and (cut := _without_tail(value))}
        return settle(rules.judge_part(finished, unfinished)) != "retry"

    return may_stand


def _fields(text: str, plain: str | None, names: list[str]) -> list[tuple[str, str, bool]]:
    """Name and value of each field of an answer that is still being written, and whether the value is closed.

    `plain` is the field of an answer that is no JSON whatever it looks like. What the parser lets pass around an answer
    is passed over: a fence of code with what stands before it, and a first line that only announces.
    """
    fence = _FENCE.search(text)
    answer = (text[fence.end() :] if fence else text).strip()
    if not fence and "\n" not in answer and answer.endswith(":"):
        return []
    if plain or (len(names) == 1 and not answer.startswith("{")):
        return [(plain or names[0], answer.removesuffix("```").strip(), False)]
    return [(name, _unescaped(value).strip(), bool(closed)) for name, value, closed in _FIELD.findall(answer)]


def _without_tail(value: str) -> str:
    """A value up to a last word that what follows may make another: a number without its unit, an abbreviation."""
    return _OPEN_TAIL.sub("", value).rstrip()


def _unescaped(value: str) -> str:
    if "\\" not in value:
        return value
    try:
        return str(json.loads(f'"{value}"', strict=False))
    except ValueError:  # cut within an escape
        return value
