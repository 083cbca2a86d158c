"""What a report shows of single items: some texts and pictures with their checks, spread over the run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import regex

from tasks.kinds.copy.channels import CHANNELS
from tasks.plan.model import Plan, Shard
from tasks.report.parts import Asked, rows_of, spread
from tasks.report.pictures import thumbnail
from tasks.store import NotFound, Store

MAX_JOBS = 200
MAX_PICTURES = 200
MAX_VARIANTS = 12
MAX_PARTS = 8
TEXT_SHOWN = 4_000
READERS = 8

# Columns of a job that its card tells of anyway.
_KNOWN = {"job_id", "kind", "variants", "channel", "product_name", "brand_name", "locale", "meta"}


@dataclass(frozen=True, slots=True)
class FieldShown:
    """One field of a text, with its length in graphemes and the limit it had to keep."""

    name: str
    text: str
    length: int
    limit: int | None


@dataclass(frozen=True, slots=True)
class Variant:
    """One accepted text."""

    number: int
    fields: list[FieldShown]
    checks: list[dict[str, Any]]
    attempts: int
    tokens: int | None
    seed: int
    reused: bool


@dataclass(frozen=True, slots=True)
class TextJob:
    """A job whose outputs are texts."""

    job_id: str
    title: str
    brand: str | None
    channel: str
    locale: str
    model: str
    asked: dict[str, Any]
    variants: list[Variant]
    more: int


@dataclass(frozen=True, slots=True)
class Picture:
    """One accepted picture; `image` is a data URI, None when the stored file could not be shown."""

    job_id: str
    variant: int
    title: str
    prompt: str
    width: int
    height: int
    format: str
    file: str
    image: str | None
    shown: tuple[int, int]
    checks: list[dict[str, Any]]
    attempts: int
    seed: int
    model: str
    reused: bool


def texts(store: Store, plan: Plan, parts: Sequence[tuple[Shard, str]], scratch: Path) -> list[TextJob]:
    """The texts of at most `MAX_JOBS` jobs, from parts spread over the run, sorted by job."""
    found: list[TextJob] = []
    with closing(Asked(store, plan, scratch)) as asked:
        for room, (shard, key) in _shares(parts, MAX_JOBS, found):
            jobs = asked.jobs(shard)
            rows = rows_of(store, f"{plan.run_id}/{key}", scratch)
            with closing(rows):
                for job_id, group in islice(groupby(rows, key=lambda row: row["job_id"]), room):
                    found.append(_text_job(jobs.get(job_id, ({}, set())), list(group)))
    return sorted(found, key=lambda job: job.job_id)


def pictures(store: Store, plan: Plan, parts: Sequence[tuple[Shard, str]], scratch: Path) -> list[Picture]:
    """At most `MAX_PICTURES` pictures as thumbnails, from parts spread over the run, sorted by job and variant."""
    found: list[Picture] = []
    with closing(Asked(store, plan, scratch)) as asked, ThreadPoolExecutor(READERS) as pool:
        for room, (shard, key) in _shares(parts, MAX_PICTURES, found):
            jobs = asked.jobs(shard)
            rows = rows_of(store, f"{plan.run_id}/{key}", scratch)
            with closing(rows):
                chosen = list(islice(rows, room))
            images = pool.map(lambda row: _image(store, plan.run_id, row["uri"]), chosen)
            for row, image in zip(chosen, images, strict=True):
                found.append(_picture(jobs.get(row["job_id"], ({}, set())), row, image))
    return sorted(found, key=lambda picture: (picture.job_id, picture.variant))


def _shares(
    parts: Sequence[tuple[Shard, str]], most: int, found: Sequence[Any]
) -> Iterator[tuple[int, tuple[Shard, str]]]:
    """Some parts, each with how many it may add, so that all get a fair share of `most`."""
    chosen = spread(parts, MAX_PARTS)
    for i, part in enumerate(chosen):
        yield -(-(most - len(found)) // (len(chosen) - i)), part


def _text_job(asked: tuple[dict[str, Any], set[int]], rows: list[dict[str, Any]]) -> TextJob:
    job, reused = asked
    first = rows[0]
    channel = first["channel"] or "free prompt"
    title = job.get("product_name") or job.get("prompt") or first["job_id"]
    variants = [
        Variant(
            number=row["variant"],
            fields=_fields(row, job),
            checks=row["checks"] or [],
            attempts=row["attempts"],
            tokens=row.get("tokens"),
            seed=row["seed"],
            reused=row["variant"] in reused,
        )
        for row in rows[:MAX_VARIANTS]
    ]
    return TextJob(
        job_id=first["job_id"],
        title=title[:200],
        brand=job.get("brand_name"),
        channel=channel,
        locale=first["locale"] or "",
        model=first["model"] or "",
        asked={name: value for name, value in job.items() if name not in _KNOWN and value not in (None, "", [], {})},
        variants=variants,
        more=len(rows) - len(variants),
    )


def _fields(row: dict[str, Any], job: dict[str, Any]) -> list[FieldShown]:
    known = CHANNELS[row["channel"]].fields if row["channel"] in CHANNELS else {}
    written = row["fields"] or [{"name": "text", "text": row["text"] or ""}]
    whole = job.get("max_chars") if len(written) == 1 else None
    shown = []
    for entry in written:
        text = entry["text"] or ""
        limits = [limit for limit in (known[entry["name"]].max if entry["name"] in known else None, whole) if limit]
        length = len(regex.findall(r"\X", text))
        shown.append(FieldShown(entry["name"], text[:TEXT_SHOWN], length, min(limits, default=None)))
    return shown


def _image(store: Store, run: str, uri: str) -> tuple[str, int, int] | None:
    try:
        return thumbnail(store.get(f"{run}/{uri}"))
    except NotFound:
        return None


def _picture(
    asked: tuple[dict[str, Any], set[int]], row: dict[str, Any], image: tuple[str, int, int] | None
) -> Picture:
    job, reused = asked
    title = job.get("product_name") or row["prompt"] or row["job_id"]
    return Picture(
        job_id=row["job_id"],
        variant=row["variant"],
        title=title[:200],
        prompt=(row["prompt"] or "")[:TEXT_SHOWN],
        width=row["width"],
        height=row["height"],
        format=row["format"],
        file=row["uri"],
        image=image[0] if image else None,
        shown=image[1:] if image else (0, 0),
        checks=row["checks"] or [],
        attempts=row["attempts"],
        seed=row["seed"],
        model=row["model"] or "",
        reused=row["variant"] in reused,
    )
