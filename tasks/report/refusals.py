"""What a report shows of refusals: of candidates by rule, of items that were given up, and of spec rows set aside."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from tasks.commit import Short
from tasks.plan.model import Plan
from tasks.report.parts import rows_of
from tasks.report.tally import Sheet
from tasks.store import Store

MAX_REFUSED = 100
MAX_SET_ASIDE = 100
MAX_REJECTED_PARTS = 24
MAX_ROWS_READ = 20_000
EXAMPLES = 3

_PLACE = re.compile(r"(?P<file>.*?), row (?P<row>\d+): (?P<reason>.*)", re.DOTALL)


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
