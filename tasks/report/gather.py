"""What stands in a report, gathered from the store alone: a finished run's, or what stands of an unfinished one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from tasks.commit import Short
from tasks.manifest import load_manifest
from tasks.plan.freeze import PLAN, load_plan
from tasks.plan.model import Plan
from tasks.report import refusals as refused
from tasks.report import samples
from tasks.report.datasets import DataSetShown, data_sets
from tasks.report.tally import Sheet, Tally, count
from tasks.store import NotFound, Store

MAX_BATCHES = 100


@dataclass(slots=True)
class Page:
    """Everything the template shows."""

    run: str
    place: str
    batches: list[str]
    status: str
    sentence: str
    started: datetime
    finished: datetime | None
    plan: Plan
    manifest: dict[str, Any]
    kinds: list[Tally]
    total: Tally
    texts: list[samples.TextJob]
    texts_accepted: int
    pictures: list[samples.Picture]
    pictures_accepted: int
    data_sets: list[DataSetShown]
    data_sets_accepted: int
    refusals: refused.Refusals
    given_up: list[tuple[str, Short, str, str]]
    set_aside: list[refused.SetAside]
    set_aside_columns: list[tuple[str, int]]
    numerics: list[dict[str, Any]]

    def lost(self, kind: str, job_id: str) -> list[tuple[int, str, str]]:
        """The given-up variants of a job, as far as they are listed, with the rule and reason of the last refusal."""
        return [
            (short.variant, rule, reason)
            for of_kind, short, rule, reason in self.given_up
            if (of_kind, short.job_id) == (kind, job_id)
        ]


def gather(store: Store, run: str, scratch: Path) -> Page:
    """Collect what the report of `run` shows. Raises `NotFound` when there is no such run."""
    plan, planned = load_plan(store, run), store.head(f"{run}/{PLAN}")
    if plan is None or planned is None:
        raise NotFound(
            f"{store.join(run)} holds no run: there is no {PLAN} in it. `pressrun runs` lists those there are"
        )
    manifest = load_manifest(store, run)
    sheet = count(store, plan, finished=manifest is not None)
    texts: list[samples.TextJob] = []
    pictures: list[samples.Picture] = []
    accepted = {tally.kind: tally.accepted for tally in sheet.kinds}
    shown = {"copy": 0, "image": 0}
    if parts := sheet.parts.get("copy"):
        texts, shown["copy"] = samples.texts(store, plan, parts, scratch), accepted["copy"]
    if parts := sheet.parts.get("image"):
        pictures, shown["image"] = samples.pictures(store, plan, parts, scratch), accepted["image"]
    refusals = refused.refusals(store, run, sheet, scratch)
    set_aside, columns = refused.set_aside(store, plan, scratch)
    return Page(
        run=run,
        place=store.join(run),
        batches=_batches(store, run),
        status=manifest["status"] if manifest else "unfinished",
        sentence=_sentence(plan, sheet),
        started=datetime.fromisoformat(manifest["started"]) if manifest else planned.modified.astimezone(UTC),
        finished=datetime.fromisoformat(manifest["finished"]) if manifest else None,
        plan=plan,
        manifest=manifest or {},
        kinds=sheet.kinds,
        total=sheet.total,
        texts=texts,
        texts_accepted=shown["copy"],
        pictures=pictures,
        pictures_accepted=shown["image"],
        data_sets=data_sets(store, run, sheet.data_sets),
        data_sets_accepted=sheet.data_sets_total,
        refusals=refusals,
        given_up=list(refused.given_up(sheet, refusals.last_reason)),
        set_aside=set_aside,
        set_aside_columns=columns,
        numerics=sheet.numerics,
    )


def _batches(store: Store, run: str) -> list[str]:
    """The named batches whose last run this is."""
    names = []
    for number, entry in enumerate(store.list("latest/")):
        if number == MAX_BATCHES:
            break
        try:
            pointer = orjson.loads(store.get(entry.key))
        except (NotFound, orjson.JSONDecodeError):
            continue
        if isinstance(pointer, dict) and pointer.get("run_id") == run:
            names.append(entry.key.removeprefix("latest/").removesuffix(".json"))
    return names


def _sentence(plan: Plan, sheet: Sheet) -> str:
    """The run in a sentence."""
    total = sheet.total
    said = [f"{total.accepted:,} of {total.requested:,} {_plural('item', total.requested)} accepted"]
    if total.given_up:
        said.append(f"{total.given_up:,} given up")
    if not sheet.finished:
        said.append(f"{total.pending:,} still to make")
    if aside := plan.specs["quarantined"]:
        said.append(f"{aside:,} {_plural('spec row', aside)} set aside")
    return "; ".join(said)


def _plural(word: str, number: int) -> str:
    return word if number == 1 else f"{word}s"
