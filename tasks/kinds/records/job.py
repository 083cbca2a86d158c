"""The columns of a records job."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tasks.kinds.base import Job


class RecordsJob(Job):
    """A synthetic table that stands in for a real one. One item is a whole data set."""

    kind: Literal["records"]
    source: Annotated[str, Field(min_length=1, description="The real table: a Parquet or CSV path or URI.")]
    rows: Annotated[
        int | None, Field(ge=1, le=100_000_000, description="Records wanted; default as many as source.")
    ] = None
    family: Annotated[Literal["auto", "transformer"], Field(description="The kind of record model.")] = "auto"
    primary_key: Annotated[str | None, Field(description="A column whose values are unique and never null.")] = None
