"""What every kind of job has in common: the shape of a job, of a check, and of the plug that a kind is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from models.engine import EngineSpec, Request
from tasks.settings import Settings

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

    @property
    def parent_id(self) -> str | None:
        """The job whose outputs this one is made from, variant by variant; None for most."""
        return None


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
    """A file that an accepted item leaves in the store. `key` is relative to the run and carries a content hash."""

    key: str
    sha256: str
    data: bytes | Path
    rows: int | None = None

    @classmethod
    def named(cls, stem: str, suffix: str, data: bytes | Path, rows: int | None = None) -> File:
        """The file `STEM-<hash8>SUFFIX`."""
        if isinstance(data, bytes):
            sha256 = hashlib.sha256(data).hexdigest()
        else:
            with data.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(key=f"{stem}-{sha256[:8]}{suffix}", sha256=sha256, data=data, rows=rows)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A model that must be fitted before an item can be made. Items with the same `inputs` share one fit.

    `parents`, with its SHA-256, is the source of the parent job where there is one.
    """

    inputs: dict[str, Any]
    source: str
    sha256: str
    steps: int
    parents: str = ""
    parents_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What planning finds out about a job: what enters its identity, and with what it can share a shard.

    `sources` are the SHA-256 of other people's files by URI: making the job must find them unchanged.
    """

    inputs: dict[str, Any]
    group: tuple[str, ...]
    fit: Fit | None = None
    sources: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt that is about to be made; `feedback` holds the hints of the checks that failed before."""

    id: str
    variant: int
    number: int
    seed: int
    feedback: tuple[str, ...] = ()


class Refused(ValueError):
    """A job that cannot be honoured, found before any work is paid for. `column` says which value is at fault."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column


@dataclass(frozen=True, slots=True)
class Filed:
    """A job that others refer to, and while planning the digest of all that identifies it."""

    job: Job
    inputs: str = ""


class Desk(Protocol):
    """What a kind may ask of its surroundings: settings, models, other people's files, a folder to work in."""

    settings: Settings
    scratch: Path
    jobs: dict[str, Filed]
    """Parent jobs, by their ids."""
    parents: dict[int, Path]
    """The data sets of the parent job that the current shard is made from, by variant."""

    def engine_spec(self, kind: str, factory: str, model: str, options: dict[str, Any]) -> EngineSpec:
        """The engine of a kind: `factory` and `options` unless the settings name others."""

    def model_digest(self, kind: str, ref: str) -> str:
        """Digest of the model that `ref` names for jobs of `kind`. Raises `Refused` when it cannot be used."""

    def models_used(self) -> dict[str, str]:
        """Digests of the models asked for so far, by the reference they were asked for with."""

    def source(self, column: str, uri: str) -> Path:
        """A local copy of the file that `column` names. Raises `Refused` when there is none."""

    def source_digest(self, column: str, uri: str) -> str:
        """SHA-256 of that file."""

    def fitted(self) -> Path:
        """The folder of the record model that the current shard samples from."""


class Kind(Protocol):
    """The plug: everything the pipeline needs to know of one kind of job. Adding a kind adds a folder, no branch."""

    name: str
    job: type[Job]
    folder: str
    schema: pa.Schema | None
    rules_digest: str

    def engine(self, group: Sequence[str], desk: Desk) -> EngineSpec:
        """How to open the engine for the jobs of a group."""

    def prepare(self, job: Any, desk: Desk) -> Prepared:
        """What planning must know of a job. Raises `Refused` for what cannot be honoured."""

    def request(self, job: Any, attempt: Attempt, desk: Desk) -> Request:
        """What the engine is asked for one attempt."""

    def judge(self, job: Any, attempt: Attempt, result: Any, desk: Desk) -> tuple[Any, list[Check]]:
        """Parse a result into a value and judge it alone. With a failed check the value may be None."""

    def judge_among(self, job: Any, value: Any, accepted: Sequence[dict[str, Any]]) -> list[Check]:
        """Judge a value against the accepted rows of the lower variants of its job."""

    def output(self, job: Any, attempt: Attempt, value: Any, checks: Sequence[Check], desk: Desk) -> Output:
        """The row and the files an accepted value becomes. The pipeline adds the columns all kinds share."""

    def rejected_text(self, result: Any) -> str | None:
        """What of a refused result may be shown in `rejected/`."""

    def tokens(self, result: Any) -> int:
        """Tokens a result cost; 0 where that means nothing."""
