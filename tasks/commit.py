"""Commits: what a shard made, written create-only. A shard is done when its commit stands; the first one wins."""

from __future__ import annotations

from typing import Any

import orjson

from tasks.frozen import Frozen
from tasks.store import NotFound, Store

COMMIT_VERSION = 1


class Object(Frozen):
    """One stored object; `key` is relative to the run."""

    key: str
    sha256: str
    size: int
    rows: int | None = None


class DataSet(Frozen):
    """An accepted item that has files and no row in a part."""

    job_id: str
    variant: int
    content_key: str
    files: list[str]
    rows: int


class Short(Frozen):
    """An item that was given up, after so many attempts in all."""

    job_id: str
    variant: int
    content_key: str
    attempts: int


class Fitted(Frozen):
    """The model that a fit shard made."""

    key: str
    files: list[str]
    info: dict[str, Any] = {}


class Commit(Frozen):
    """What a shard made. All but `seconds` repeats exactly within a numerics class."""

    version: int = COMMIT_VERSION
    run_id: str
    shard: str
    kind: str
    part: str | None = None
    rejected: str | None = None
    objects: list[Object] = []
    data_sets: list[DataSet] = []
    shortfall: list[Short] = []
    fitted: Fitted | None = None
    requested: int = 0
    accepted: int = 0
    reused: int = 0
    made: int = 0
    refused: int = 0
    refusals: dict[str, int] = {}
    rows: int = 0
    tokens: int = 0
    seconds: float = 0.0
    numerics: dict[str, Any] = {}


def commit_key(run: str, shard: str) -> str:
    """Where the commit of a shard stands."""
    return f"{run}/_commits/{shard}.json"


def load_commit(store: Store, run: str, shard: str) -> Commit | None:
    """The commit of a shard, or None while it is not done."""
    try:
        return Commit.model_validate_json(store.get(commit_key(run, shard)))
    except NotFound:
        return None


def commit(store: Store, record: Commit) -> Commit:
    """Commit a shard whose objects all stand. Returns the commit that stands: this one, or an earlier writer's."""
    data = orjson.dumps(record.model_dump(mode="json"), option=orjson.OPT_INDENT_2)
    if store.create(commit_key(record.run_id, record.shard), data):
        return record
    standing = load_commit(store, record.run_id, record.shard)
    assert standing is not None, "a commit that was refused because one stands cannot be read"
    return standing


def done_shards(store: Store, run: str) -> set[str]:
    """The shards of a run whose commits stand."""
    prefix = f"{run}/_commits/"
    return {entry.key.removeprefix(prefix).removesuffix(".json") for entry in store.list(prefix)}
