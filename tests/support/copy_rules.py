"""Copy jobs for the tests of rules, and the verdict of one rule on a text."""

from __future__ import annotations

from tasks.kinds.base import Check
from tasks.kinds.copy.job import CopyJob
from tasks.kinds.copy.rules import judge_alone

MUG = {"kind": "copy", "job_id": "mug", "channel": "social", "product_name": "Tall Mug"}


def job(**columns) -> CopyJob:
    return CopyJob(**{**MUG, **columns})


def free(**columns) -> CopyJob:
    return CopyJob(kind="copy", job_id="free", **columns)


def check(rule: str, wanted: CopyJob, text: str | dict[str, str]) -> Check:
    fields = {"text": text} if isinstance(text, str) else text
    return next(c for c in judge_alone(wanted, fields) if c.rule == rule)


def broken(wanted: CopyJob, text: str | dict[str, str]) -> set[str]:
    fields = {"text": text} if isinstance(text, str) else text
    return {c.rule for c in judge_alone(wanted, fields) if c.verdict != "accept"}
