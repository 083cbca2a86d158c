"""The loop of generating, judging and trying again, with a small kind whose verdicts the tests choose."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from support.engines import Tiny

from models.engine import TextRequest, TextResult
from tasks import identity
from tasks.desk import LocalDesk
from tasks.kinds.base import Attempt, Check, Job, Output
from tasks.plan.model import Item, PlannedJob, Reuse
from tasks.refine import MAX_HINTS, Outcome, refine
from tasks.settings import Settings

PASS = [Check(rule="word")]


def failed(hint: str = "") -> list[Check]:
    return [Check(rule="word", verdict="retry", reason="no good, mail jo@example.org", hint=hint)]


class Words:
    """A kind that asks for a word; `alone` and `among` say what is thought of it."""

    name = "words"

    def __init__(
        self,
        alone: Callable[[Job, Attempt, str], list[Check]] = lambda job, attempt, word: PASS,
        among: Callable[[str, list[str]], list[Check]] = lambda word, others: [],
    ) -> None:
        self.alone, self.among = alone, among
        self.attempts: list[Attempt] = []
        self.compared: list[tuple[str, list[str]]] = []

    def request(self, job: Job, attempt: Attempt, desk: Any) -> TextRequest:
        self.attempts.append(attempt)
        content = f"{job.job_id}/{attempt.variant}/{attempt.number}/{','.join(attempt.feedback)}"
        return TextRequest(id=attempt.id, messages=[{"role": "user", "content": content}], seed=attempt.seed)

    def judge(self, job: Job, attempt: Attempt, result: TextResult, desk: Any) -> tuple[str, list[Check]]:
        return result.text, self.alone(job, attempt, result.text)

    def judge_among(self, job: Job, value: str, accepted: Sequence[dict[str, Any]]) -> list[Check]:
        others = [row["text"] for row in accepted]
        self.compared.append((value, others))
        return self.among(value, others)

    def output(self, job: Job, attempt: Attempt, value: str, checks: Sequence[Check], desk: Any) -> Output:
        return Output(row={"text": value})

    def rejected_text(self, result: TextResult) -> str:
        return f"{result.text} jo@example.org"

    def tokens(self, result: TextResult) -> int:
        return result.tokens


class Unordered(Tiny):
    """Answers in an order of its own and one result at a time, as engines with batches do."""

    def __init__(self, answer: Callable[[Any], Any], seed: int) -> None:
        super().__init__(answer)
        self.draw = random.Random(seed)
        self.most = 0

    def results(self) -> Iterator[Any]:
        while self._queue:
            self.most = max(self.most, len(self._queue))
            place = self.draw.randrange(len(self._queue))
            self._queue.rotate(-place)
            yield self._answer(self._queue.popleft())


def a_word(request: TextRequest) -> TextResult:
    """One of few words, so that variants of a job often agree; the prompt enters, as it does with models."""
    words = ("ash", "birch", "cedar", "elm", "fir")
    digest = identity.sha256(f"{request.seed} {request.messages}".encode())
    return TextResult(id=request.id, text=words[int(digest, 16) % len(words)], tokens=3)


def planned(job_id: str, variants: int, *, first: int = 0, made: Sequence[int] = ()) -> PlannedJob:
    inputs = identity.inputs_digest("words", job_id, {})
    items = [
        Item(v, identity.content_key(inputs, v), first, Reuse("p", v, []) if v in made else None)
        for v in range(variants)
    ]
    return PlannedJob(Job(job_id=job_id, kind="words", variants=variants, meta={"sku": 7}), items)


def run(
    kind: Words, jobs: list[PlannedJob], tmp_path: Path, *, engine: Any = None, window: int = 8, attempts: int = 4
) -> Outcome:
    settings = Settings(max_attempts=attempts)
    return refine(
        kind,  # type: ignore[arg-type]
        iter(jobs),
        engine or Tiny(a_word),
        LocalDesk(settings, tmp_path),
        reused=lambda item: {"text": f"old {item.variant}", "variant": item.variant},
        window=window,
    )


def told(outcome: Outcome) -> tuple[Any, ...]:
    """An outcome without the order in which things happened."""
    return (
        sorted((p.job.job_id, i.variant, str(sorted(o.row.items()))) for p, i, o in outcome.accepted if o.row),
        sorted(map(str, outcome.rejected)),
        sorted((p.job.job_id, i.variant, attempts) for p, i, attempts in outcome.shortfall),
        outcome.made,
        outcome.tokens,
        sorted(outcome.refusals.items()),
    )


def test_the_order_of_results_leaves_no_trace(tmp_path: Path) -> None:
    def alone(job: Job, attempt: Attempt, word: str) -> list[Check]:
        return failed(f"not {word}") if word == "fir" else PASS

    def among(word: str, others: list[str]) -> list[Check]:
        return [Check(rule="same", verdict="retry", hint="another")] if word in others else []

    def outcome(seed: int, window: int) -> tuple[Any, ...]:
        jobs = [planned(f"job-{n}", 4, made=(1,) if n % 3 == 0 else ()) for n in range(20)]
        random.Random(seed).shuffle(jobs)
        return told(run(Words(alone, among), jobs, tmp_path, engine=Unordered(a_word, seed), window=window, attempts=3))

    first = outcome(0, 8)
    assert first[0]
    assert first[2]
    assert all(outcome(seed, window) == first for seed in range(1, 6) for window in (1, 5, 500))


def test_a_variant_is_judged_against_the_accepted_ones_below_it(tmp_path: Path) -> None:
    def answer(request: TextRequest) -> TextResult:
        variant, number = request.messages[0]["content"].split("/")[1:3]
        return TextResult(id=request.id, text=f"{variant}.{number}")

    def alone(job: Job, attempt: Attempt, word: str) -> list[Check]:
        return failed() if (attempt.variant, attempt.number) in {(1, 0), (1, 1), (2, 0)} else PASS

    kind = Words(alone)
    outcome = run(kind, [planned("a", 4)], tmp_path, engine=Tiny(answer), attempts=2)
    # 3.0 was ready long before; 1 was given up and is compared with nobody.
    assert kind.compared == [("0.0", []), ("2.1", ["0.0"]), ("3.0", ["0.0", "2.1"])]
    assert [i.variant for _, i, _ in outcome.shortfall] == [1]


def test_what_an_earlier_run_made_is_judged_against_on_both_sides(tmp_path: Path) -> None:
    kind = Words()
    outcome = run(kind, [planned("a", 4, made=(0, 3))], tmp_path)
    assert [others[0] for _, others in kind.compared] == ["old 0", "old 0"]
    assert all("old 3" in others for _, others in kind.compared)
    assert [item.variant for _, item, _ in outcome.accepted] == [1, 2]


def test_retries_carry_the_hints_of_all_failures_before(tmp_path: Path) -> None:
    kind = Words(lambda job, attempt, word: failed(f"hint {attempt.number}") if attempt.number < 3 else PASS)
    outcome = run(kind, [planned("a", 1)], tmp_path)
    assert [attempt.feedback for attempt in kind.attempts] == [
        (),
        ("hint 0",),
        ("hint 0", "hint 1"),
        ("hint 0", "hint 1", "hint 2"),
    ]
    row = outcome.accepted[0][2].row
    assert row is not None
    assert row["attempts"] == 4
    assert row["meta_sku"] == 7
    assert row["seed"] == identity.candidate_seed(row["content_key"], 3)
    assert [r["attempt"] for r in outcome.rejected] == [0, 1, 2]


def test_hints_do_not_grow_without_end_and_do_not_repeat(tmp_path: Path) -> None:
    kind = Words(lambda job, attempt, word: failed(f"hint {attempt.number // 2}"))
    run(kind, [planned("a", 1)], tmp_path, attempts=30)
    last = kind.attempts[-1].feedback
    assert last == tuple(f"hint {n}" for n in range(14 - MAX_HINTS + 1, 15))


def test_attempts_are_capped_and_counted_from_where_an_earlier_run_gave_up(tmp_path: Path) -> None:
    kind = Words(lambda job, attempt, word: failed())
    outcome = run(kind, [planned("a", 1, first=4)], tmp_path, attempts=3)
    assert [attempt.number for attempt in kind.attempts] == [4, 5, 6]
    assert [attempts for _, _, attempts in outcome.shortfall] == [7]
    assert outcome.made == 3
    assert outcome.refusals == {"word": 3}


def test_a_rejection_ends_an_item_at_once(tmp_path: Path) -> None:
    kind = Words(lambda job, attempt, word: [Check(rule="banned", verdict="reject"), *failed("x")])
    outcome = run(kind, [planned("a", 1)], tmp_path)
    assert outcome.made == 1
    assert [(r["rule"], r["stage"]) for r in outcome.rejected] == [("banned", "judge"), ("word", "judge")]
    assert [attempts for _, _, attempts in outcome.shortfall] == [1]


def test_an_engines_error_is_rejected_at_the_stage_generate(tmp_path: Path) -> None:
    outcome = run(Words(), [planned("a", 1)], tmp_path, engine=Tiny(lambda r: TextResult(id=r.id, error="too long")))
    assert [(r["rule"], r["stage"], r["reason"], r["output"]) for r in outcome.rejected] == [
        ("engine", "generate", "too long", None)
    ]
    assert len(outcome.shortfall) == 1


def test_personal_data_is_kept_out_of_the_rejected_table(tmp_path: Path) -> None:
    outcome = run(Words(lambda job, attempt, word: failed()), [planned("a", 1)], tmp_path, attempts=1)
    assert "@" not in str(outcome.rejected)
    assert outcome.rejected[0]["output"].endswith("[e-mail]")


def test_the_window_bounds_what_is_in_flight(tmp_path: Path) -> None:
    engine = Unordered(a_word, 1)
    outcome = run(Words(), [planned(f"job-{n}", 3) for n in range(100)], tmp_path, engine=engine, window=10)
    assert len(outcome.accepted) == 300
    assert engine.most <= 10 + 2  # a job's items go together


def test_a_thousand_variants_lost_one_after_the_other(tmp_path: Path) -> None:
    class LastFirst(Tiny):
        def results(self) -> Iterator[Any]:
            while self._queue:
                yield self._answer(self._queue.pop())

    kind = Words(among=lambda word, others: [Check(rule="same", verdict="reject")] if others else [])
    outcome = run(kind, [planned("a", 1000)], tmp_path, engine=LastFirst(a_word), window=2000)
    assert len(outcome.accepted) == 1
    assert len(outcome.shortfall) == 999


def test_an_engine_that_ends_without_answers_is_an_error_not_a_loop(tmp_path: Path) -> None:
    class Silent(Tiny):
        def results(self) -> Iterator[Any]:
            return iter(())

    with pytest.raises(RuntimeError, match="without an answer to 2"):
        run(Words(), [planned("a", 2)], tmp_path, engine=Silent(a_word))
