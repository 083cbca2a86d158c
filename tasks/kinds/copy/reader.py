"""Proof-reading a text while it is written, by the rules that judge the whole as far as a part can break them, and
choosing among drafts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from tasks.kinds.base import settle
from tasks.kinds.copy import prompt
from tasks.kinds.copy.channels import CHANNELS
from tasks.kinds.copy.job import CopyJob
from tasks.kinds.copy.rules.judge import JobRules
from tasks.kinds.copy.rules.text import words
from tasks.kinds.copy.slips import slips

# Belongs to the content key: raised when another text comes out for the same job.
READER_VERSION = 5

# Share of a text's room that features may fill: the rest is for the name, a sentence and a call to act.
_FEATURE_SHARE = 0.5

_STRING = r'"((?:[^"\\]|\\.)*)'
_FENCE = re.compile(r"```[a-zA-Z]*\s*")
# "0.35" may go on as "0.35 l", "12 fl." as "12 fl. oz".
_OPEN_TAIL = re.compile(r"\S*\d(?:\S*\s+(?:fl|sq|cu|approx|ca|no|nr|art)\.)?$", re.IGNORECASE)
_SENTENCE = re.compile(r"[.!?…](?=\s|$)")
_FIELD = re.compile(rf'{_STRING}"\s*:\s*{_STRING}("?)', re.DOTALL)


def brief(job: CopyJob, *, strict: bool = False) -> dict[str, Any]:
    """What `reader` and `critic` need to know of a job, as JSON values. A `strict` reader lets no slip stand."""
    told = job.model_dump(mode="json", exclude_defaults=True, exclude={"variants", "seed", "model", "meta"})
    return {"job": told, "strict": strict}


def reader(brief: dict[str, Any]) -> Callable[[str, bool], bool]:
    """Says of a text for the job of `brief`, so far as it is written, whether it may stand."""
    job = CopyJob.model_validate(brief["job"])
    strict = brief["strict"]
    rules = JobRules(job)
    names = prompt.field_names(job)

    def slipped(values: Iterable[str]) -> bool:
        return strict and bool(slips(job, "\n".join(values)))

    def may_stand(text: str, ended: bool) -> bool:
        if ended:
            try:
                whole = prompt.parse(job, text)
            except prompt.ParseError:
                return False
            return settle(rules.judge_alone(whole)) != "retry" and not slipped(whole.values())
        fields = _fields(text, names[0] if job.channel is None else None, names)
        found = [name for name, _, _ in fields]
        # In the order that was asked for: what is left out would be missing at the end.
        if found != names[: len(found)]:
            return False
        finished = {name: value for name, value, closed in fields if closed}
        unfinished = {name: cut for name, value, closed in fields if not closed and (cut := _without_tail(value))}
        if settle(rules.judge_part(finished, unfinished)) == "retry":
            return False
        return not slipped([*finished.values(), *map(_whole_sentences, unfinished.values())])

    return may_stand


def critic(brief: dict[str, Any]) -> Callable[[str], float]:
    """Says of a finished draft for the job of `brief` how good it is, 0 to 1: first whether the rules accept it, or how
    few refuse it, then how many features it tells word for word, of as many as have room, and how few slips it has."""
    job = CopyJob.model_validate(brief["job"])
    rules = JobRules(job)
    features = [f" {' '.join(words(feature))} " for feature in dict.fromkeys(job.features)]
    enough = features_with_room(job)

    def merit(text: str) -> float:
        try:
            fields = prompt.parse(job, text)
        except prompt.ParseError:
            return 0.0
        checks = rules.judge_alone(fields)
        padded = f" {' '.join(words(' '.join(fields.values())))} "
        told = min(1.0, sum(feature in padded for feature in features) / enough) if enough else 1.0
        good = 0.5 * told + 0.5 / (1 + len(slips(job, "\n".join(fields.values()))))
        if settle(checks) == "accept":
            return 0.5 + 0.5 * good
        return 0.5 * good / (1 + sum(check.verdict != "accept" for check in checks))

    return merit


def features_with_room(job: CopyJob) -> int:
    """How many of a job's features, shortest first, fit into half of its text."""
    if job.channel is None:
        return 0
    room = sum(limit.max for limit in CHANNELS[job.channel].fields.values())
    left = _FEATURE_SHARE * (min(room, job.max_chars or room) - len(job.product_name or ""))
    count = 0
    for length in sorted(map(len, dict.fromkeys(job.features))):
        left -= length + 1
        if left < 0:
            break
        count += 1
    return count


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


def _whole_sentences(value: str) -> str:
    """A value up to its last sentence that has ended."""
    ends = [match.end() for match in _SENTENCE.finditer(value)]
    return value[: ends[-1]] if ends else ""


def _unescaped(value: str) -> str:
    if "\\" not in value:
        return value
    try:
        return str(json.loads(f'"{value}"', strict=False))
    except ValueError:  # cut within an escape
        return value
