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
READER_VERSION = 1

_STRING = r'"((?:[^"\\]|\\.)*)'
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
        fields = _fields(text, names)
        if [name for name, _, _ in fields] != names[: len(fields)]:
            return False
        finished = {name: value for name, value, closed in fields if closed}
        unfinished = {name: value for name, value, closed in fields if value and not closed}
        return settle(rules.judge_part(finished, unfinished)) != "retry"

    return may_stand


def _fields(text: str, names: list[str]) -> list[tuple[str, str, bool]]:
    """Name and value of each field of an answer that is still being written, and whether the value is closed."""
    if len(names) == 1 and not text.lstrip().startswith("{"):
        return [(names[0], text.strip(), False)]
    return [(name, _unescaped(value).strip(), bool(closed)) for name, value, closed in _FIELD.findall(text)]


def _unescaped(value: str) -> str:
    if "\\" not in value:
        return value
    try:
        return str(json.loads(f'"{value}"', strict=False))
    except ValueError:  # cut within an escape
        return value
