"""The loop that turns items into accepted outputs: generate, judge, try again with the reason, or give up.

Results are judged as they arrive and a failed candidate goes back into the running batch at once. Two things keep the
outcome independent of the order in which results come: an attempt's seed and hints depend on its item alone, and a
variant is judged among its siblings only when all lower variants of its job have been settled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from models.engine import Engine
from tasks import identity
from tasks.kinds.base import Attempt, Check, Desk, Kind, Output, checks_column, settle
from tasks.plan.model import Item, PlannedJob
from tasks.rejects import redact

MAX_HINTS = 6


@dataclass(slots=True)
class Outcome:
    """What became of the items of a shard."""

    accepted: list[tuple[PlannedJob, Item, Output]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    shortfall: list[tuple[PlannedJob, Item, int]] = field(default_factory=list)
    made: int = 0
    tokens: int = 0
    refusals: Counter[str] = field(default_factory=Counter)

    def give_up(self, kind: Kind, planned: PlannedJob, item: Item, stage: str, reason: str) -> None:
        """Note an item that cannot be attempted, for want of what it is made from."""
        self.shortfall.append((planned, item, item.first_attempt))
        self.rejected.append(
            {
                "job_id": planned.job.job_id,
                "variant": item.variant,
                "kind": kind.name,
                "stage": stage,
                "rule": stage,
                "reason": reason,
                "attempt": item.first_attempt,
            }
        )


def meta_columns(planned: PlannedJob) -> dict[str, Any]:
    """The columns that pass through a job to its outputs."""
    return {f"meta_{name}": value for name, value in planned.job.meta.items()}


@dataclass(slots=True)
class _Siblings:
    """The variants of one job: those below `next` are settled, `rows` are the accepted ones among them.

    `waiting` passed alone before their turn came, `lost` were given up before it came.
    """

    planned: PlannedJob
    next: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    waiting: dict[int, tuple[Attempt, Any, list[Check], Any]] = field(default_factory=dict)
    lost: set[int] = field(default_factory=set)


def refine(
    kind: Kind,
    jobs: Iterator[PlannedJob],
    engine: Engine,
    desk: Desk,
    *,
    reused: Callable[[Item], dict[str, Any] | None],
    window: int,
    on_result: Callable[[Outcome], None] | None = None,
) -> Outcome:
    """Make the items of `jobs`. `reused` gives the row of an item made before; `window` bounds requests in flight."""
    return _Refinery(kind, engine, desk, reused, on_result).run(jobs, window)


class _Refinery:
    def __init__(
        self,
        kind: Kind,
        engine: Engine,
        desk: Desk,
        reused: Callable[[Item], dict[str, Any] | None],
        on_result: Callable[[Outcome], None] | None,
    ) -> None:
        self.kind = kind
        self.engine = engine
        self.desk = desk
        self.reused = reused
        self.on_result = on_result
        self.outcome = Outcome()
        self.flight: dict[str, tuple[_Siblings, Item, Attempt]] = {}

    def run(self, jobs: Iterator[PlannedJob], window: int) -> Outcome:
        self._top_up(jobs, window)
        while self.flight:
            under_way = len(self.flight)
            for result in self.engine.results():
                under_way = 0
                self._judge(*self.flight.pop(result.id), result)
                if self.on_result:
                    self.on_result(self.outcome)
                if len(self.flight) <= window // 2:
                    self._top_up(jobs, window)
            if under_way:
                raise RuntimeError(f"the engine ended without an answer to {under_way} requests")
        return self.outcome

    def _top_up(self, jobs: Iterator[PlannedJob], window: int) -> None:
        requests = []
        while len(self.flight) < window:
            planned = next(jobs, None)
            if planned is None:
                break
            siblings = _Siblings(planned)
            for item in planned.items:
                if item.reuse is None:
                    requests.append(self._request(siblings, item, item.first_attempt, ()))
            self._settle_ready(siblings)
        if requests:
            self.engine.submit(requests)

    def _request(self, siblings: _Siblings, item: Item, number: int, hints: tuple[str, ...]) -> Any:
        attempt = Attempt(
            id=f"{item.content_key[:24]}-{number}",
            variant=item.variant,
            number=number,
            seed=identity.candidate_seed(item.content_key, number),
            feedback=hints,
        )
        self.flight[attempt.id] = siblings, item, attempt
        return self.kind.request(siblings.planned.job, attempt, self.desk)

    def _judge(self, siblings: _Siblings, item: Item, attempt: Attempt, result: Any) -> None:
        self.outcome.made += 1
        self.outcome.tokens += self.kind.tokens(result)
        if result.error is not None:
            checks = [Check(rule="engine", verdict="reject", reason=result.error)]
            self._refuse(siblings, item, attempt, checks, None)
        else:
            value, checks = self.kind.judge(siblings.planned.job, attempt, result, self.desk)
            if settle(checks) == "accept":
                siblings.waiting[item.variant] = attempt, value, checks, result
            else:
                self._refuse(siblings, item, attempt, checks, result)
        self._settle_ready(siblings)

    def _settle_ready(self, siblings: _Siblings) -> None:
        """Settle variants in order, as far as they have something to be settled with."""
        items = siblings.planned.items
        while siblings.next < len(items):
            item = items[siblings.next]
            if item.variant in siblings.lost:
                siblings.next += 1
                continue
            if item.reuse is not None:
                if (row := self.reused(item)) is not None:
                    siblings.rows.append(row)
                siblings.next += 1
                continue
            ready = siblings.waiting.pop(item.variant, None)
            if ready is None:
                return
            attempt, value, checks, result = ready
            among = self.kind.judge_among(siblings.planned.job, value, [*siblings.rows, *self._made_above(siblings)])
            if settle(among) == "accept":
                self._accept(siblings, item, attempt, value, checks + among, result)
            else:
                self._refuse(siblings, item, attempt, checks + among, result)

    def _made_above(self, siblings: _Siblings) -> list[dict[str, Any]]:
        """Rows of higher variants that an earlier run made, while a lower one was given up: fixed by the plan."""
        above = siblings.planned.items[siblings.next + 1 :]
        return [row for item in above if item.reuse is not None and (row := self.reused(item)) is not None]

    def _accept(
        self, siblings: _Siblings, item: Item, attempt: Attempt, value: Any, checks: list[Check], result: Any
    ) -> None:
        output = self.kind.output(siblings.planned.job, attempt, value, checks, self.desk)
        if output.row is not None:
            output.row.update(
                job_id=siblings.planned.job.job_id,
                variant=item.variant,
                seed=attempt.seed,
                attempts=attempt.number + 1,
                tokens=self.kind.tokens(result),
                content_key=item.content_key,
                checks=checks_column(checks),
                **meta_columns(siblings.planned),
            )
            siblings.rows.append(output.row)
        self.outcome.accepted.append((siblings.planned, item, output))
        siblings.next += 1

    def _refuse(self, siblings: _Siblings, item: Item, attempt: Attempt, checks: list[Check], result: Any) -> None:
        failed = [check for check in checks if check.verdict != "accept"]
        text = redact(self.kind.rejected_text(result)) if result is not None else None
        for check in failed:
            self.outcome.refusals[check.rule] += 1
            self.outcome.rejected.append(
                {
                    "job_id": siblings.planned.job.job_id,
                    "variant": item.variant,
                    "kind": self.kind.name,
                    "stage": "generate" if result is None else "judge",
                    "rule": check.rule,
                    "reason": redact(check.reason),
                    "attempt": attempt.number,
                    "output": text,
                }
            )
        last = item.first_attempt + self.desk.settings.max_attempts - 1
        if attempt.number < last and all(check.verdict == "retry" for check in failed):
            new = [check.hint for check in failed if check.hint]
            hints = tuple(dict.fromkeys([*attempt.feedback, *new]))[-MAX_HINTS:]
            self.engine.submit([self._request(siblings, item, attempt.number + 1, hints)])
            return
        self.outcome.shortfall.append((siblings.planned, item, attempt.number + 1))
        siblings.lost.add(item.variant)
