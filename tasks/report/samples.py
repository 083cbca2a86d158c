"""What a report shows of single items: texts and pictures with their checks, and what was refused. All bounded."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import regex

from tasks.commit import Short
from tasks.kinds.copy.channels import CHANNELS
from tasks.plan.model import Plan, Shard
from tasks.report.parts import Asked, rows_of, spread
from tasks.report.pictures import thumbnail
from tasks.report.tally import Sheet
from tasks.store import NotFound, Store

MAX_JOBS = 200
MAX_PICTURES = 200
MAX_VARIANTS = 12
MAX_REFUSED = 100
MAX_SET_ASIDE = 100
MAX_PARTS = 8
MAX_REJECTED_PARTS = 24
MAX_ROWS_READ = 20_000
EXAMPLES = 3
TEXT_SHOWN = 4_000
READERS = 8

# Columns of a job that its card tells of anyway.
_KNOWN = {"job_id", "kind", "variants", "channel", "product_name", "brand_name", "locale", "meta"}
_PLACE = re.compile(r"(?P<file>.*?), row (?P<row>\d+): (?P<reason>.*)", re.DOTALL)


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


@dataclass(slots=True)
class Rule:
    """A rule that refused candidates, how many, and a few of its reasons."""

    kind: str
    rule: str
    count: int
    examples: list[dict[str, Any]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The rule without its kind in front."""
        return self.rule.removeprefix(f"{self.kind}.")


@dataclass(frozen=True, slots=True)
class SetAside:
    """A spec row that could not be used."""

    file: str
    row: str
    job_id: str
    kind: str
    column: str
    reason: str


@dataclass(slots=True)
class Refusals:
    """Why candidates were refused, by rule, and the first of them."""

    rules: list[Rule]
    rows: list[dict[str, Any]]
    total: int
    last_reason: dict[tuple[str, int], tuple[str, str]]


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


def refusals(store: Store, run: str, sheet: Sheet, scratch: Path) -> Refusals:
    """Counts by rule from the commits; reasons from the first rejected parts, those of given-up items before others."""
    rules = {
        (tally.kind, rule): Rule(tally.kind, rule, count)
        for tally in sheet.kinds
        for rule, count in tally.refusals.items()
    }
    wanted = {(short.job_id, short.variant) for _, short in sheet.given_up}
    rows: list[dict[str, Any]] = []
    reasons: dict[tuple[str, int], tuple[int, str, str]] = {}
    for row in islice(_rejected(store, run, sheet.rejected[:MAX_REJECTED_PARTS], scratch), MAX_ROWS_READ):
        rule = rules.setdefault((row["kind"], row["rule"]), Rule(row["kind"], row["rule"], 0))
        if row["stage"] == "fit":
            rule.count += 1  # a fit makes no candidate, so commits do not count it
        if len(rule.examples) < EXAMPLES and all(row["reason"] != shown["reason"] for shown in rule.examples):
            rule.examples.append(row)
        if len(rows) < MAX_REFUSED:
            rows.append(row)
        item = row["job_id"], row["variant"]
        if item in wanted and (row["attempt"] or 0) >= reasons.get(item, (0, "", ""))[0]:
            reasons[item] = row["attempt"] or 0, row["rule"], row["reason"]
    ordered = sorted(rules.values(), key=lambda rule: (-rule.count, rule.kind, rule.rule))
    last = {item: (rule, reason) for item, (_, rule, reason) in reasons.items()}
    return Refusals(ordered, rows, sum(rule.count for rule in ordered), last)


def given_up(sheet: Sheet, last: dict[tuple[str, int], tuple[str, str]]) -> Iterator[tuple[str, Short, str, str]]:
    """Kind, item, and the rule and reason of its last refusal."""
    for kind, short in sheet.given_up:
        yield kind, short, *last.get((short.job_id, short.variant), ("", ""))


def set_aside(store: Store, plan: Plan, scratch: Path) -> tuple[list[SetAside], list[tuple[str, int]]]:
    """The first refused spec rows, and how many there are by column at fault."""
    columns: Counter[str] = Counter()
    rows: list[SetAside] = []
    for part in plan.quarantined:
        key = f"{plan.run_id}/{part.key}"
        for row in rows_of(store, key, scratch, None if len(rows) < MAX_SET_ASIDE else ["rule"]):
            columns[row["rule"] or ""] += 1
            if len(rows) < MAX_SET_ASIDE:
                rows.append(_set_aside(row))
    return rows, columns.most_common()


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


def _rejected(store: Store, run: str, parts: Sequence[str], scratch: Path) -> Iterator[dict[str, Any]]:
    for key in parts:
        with closing(rows_of(store, f"{run}/{key}", scratch)) as rows:
            yield from rows


def _set_aside(row: dict[str, Any]) -> SetAside:
    place = _PLACE.fullmatch(row["reason"] or "")
    return SetAside(
        file=(place["file"] if place else "").rpartition("/")[2],
        row=place["row"] if place else "",
        job_id=row["job_id"] or "",
        kind=row["kind"] or "",
        column=row["rule"] or "",
        reason=place["reason"] if place else row["reason"] or "",
    )
