"""What every kind of job has in common: the shape of a job, of a check, and of the plug that a kind is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

JOB_ID = r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$"
MAX_VARIANTS = 1_000
MAX_SEED = 2**63 - 1

Verdict = Literal["accept", "retry", "reject"]


class Job(BaseModel):
    """The columns that every kind shares. One row of a spec file is one job."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    job_id: Annotated[str, Field(pattern=JOB_ID, description="Unique over all spec files; names the outputs.")]
    kind: Annotated[str, Field(description="What the job makes: copy, image or records.")]
    variants: Annotated[int, Field(ge=1, le=MAX_VARIANTS, description="How many accepted outputs are wanted.")] = 1
    seed: Annotated[int, Field(ge=0, le=MAX_SEED, description="Another seed gives other outputs.")] = 0
    model: Annotated[str | None, Field(description="Profile name, folder, or hub id with an optional @REVISION.")] = (
        None
    )
    locale: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", description="BCP 47 tag.")] = "en-US"
    meta: Annotated[dict[str, Any], Field(description="The meta_* columns, passed through to the outputs.")] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One rule's word on one candidate. `reason` is for people; `hint` is what a retry's prompt is told."""

    rule: str
    version: int = 1
    verdict: Verdict = "accept"
    score: float | None = None
    reason: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that an accepted item leaves in the store; `stem` and `suffix` get a content hash between them."""

    stem: str
    suffix: str
    data: bytes | Path
    rows: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One attempt at an item: what the engine answered, parsed by its kind into `value`, and the checks it got."""

    attempt: int
    seed: int
    value: Any
    checks: list[Check] = field(default_factory=list)
    tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What an accepted candidate becomes: a row of the kind's part (None for records) and the files beside it."""

    row: dict[str, Any] | None
    files: Sequence[File] = ()


# One Arrow type for checks in every kind's table, so that readers can treat kinds alike.
CHECKS = pa.list_(
    pa.struct(
        [
            pa.field("rule", pa.string()),
            pa.field("version", pa.int32()),
            pa.field("verdict", pa.string()),
            pa.field("score", pa.float64()),
            pa.field("reason", pa.string()),
        ]
    )
)


def checks_column(checks: Sequence[Check]) -> list[dict[str, Any]]:
    """The checks as the rows of the `checks` column."""
    return [
        {"rule": c.rule, "version": c.version, "verdict": c.verdict, "score": c.score, "reason": c.reason}
        for c in checks
    ]


def settle(checks: Sequence[Check]) -> Verdict:
    """The verdict of several checks: the worst of them."""
    verdicts = {c.verdict for c in checks}
    return "reject" if "reject" in verdicts else "retry" if "retry" in verdicts else "accept"
