"""What people see of a run: tallies, lines, a bar, JSON."""

from __future__ import annotations

import io
import json
import time
from typing import Any

import pytest
from rich.console import Console

from flows import progress
from flows.tally import Tally, duration

PLAN = {
    "run_id": "night", "resumed": False, "items": 100, "reused": 10, "shards": 4, "quarantined": 7, "rejected": "out/x",
    "aside": ["s.csv, row 3: bad [bold]markup[/bold]"], "kinds": {"copy": {"requested": 100, "reused": 10}},
}  # fmt: skip


def items(shard: str, accepted: int, made: int, *, shortfall: int = 0, reused: int = 0, **refusals: int) -> dict:
    return {
        "shard": shard, "kind": "copy", "accepted": accepted, "reused": reused, "shortfall": shortfall, "made": made,
        "refusals": refusals,
    }  # fmt: skip


def heard(listener: Any, *told: tuple[str, dict[str, Any]]) -> str:
    for event, details in told:
        listener.hear(event, details)
    text: str = listener.console.file.getvalue()
    return text


def plain(**options: Any) -> progress.Plain:
    return progress.Plain(Console(file=io.StringIO(), width=60, **options))


BEGIN = [("plan", PLAN), ("shards", {"done": 0, "left": 4, "kinds": {"copy": {"accepted": 0, "shortfall": 0}}})]


def test_a_tally_adds_up_over_shards_and_repeats() -> None:
    tally = Tally("copy", 100)
    tally.committed(accepted=20, shortfall=1)
    tally.update(items("a", 5, 8, reused=2, shortfall=1))
    tally.update(items("b", 3, 3))
    tally.update(items("a", 7, 10, reused=2, shortfall=1))
    assert (tally.accepted, tally.given_up, tally.made, tally.refused) == (30, 2, 13, 5)
    tally.update(items("a", 2, 0, reused=2))  # the shard began again
    assert (tally.accepted, tally.given_up, tally.made, tally.refused) == (25, 1, 3, 0)


def test_pace_and_time_left_count_only_what_was_made_here() -> None:
    tally = Tally("copy", 100)
    tally.committed(accepted=50, shortfall=0)
    assert tally.counts() == "50 of 100"
    tally.update(items("a", 10, 10))
    tally.started = time.monotonic() - 5
    assert tally.counts() == "60 of 100 · 2.0/s · 20 s left"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (59, "59 s"), (85, "1 min 25 s"), (1500, "25 min"), (7260, "2 h 01 min"), (59.6, "1 min 00 s")],
)
def test_durations_read_as_people_say_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_many_refusals_are_told_once_with_the_rules_that_refuse() -> None:
    told = heard(
        plain(), *BEGIN, ("items", items("a", 10, 49, numbers=30)), ("items", items("a", 20, 60, numbers=35, length=9)),
        ("items", items("a", 20, 70, numbers=45, length=9)),
    )  # fmt: skip
    assert told.count("candidates were refused") == 1
    assert "copy: 40 of 60 candidates were refused, most by numbers (35), length (9)" in told


def test_few_refusals_are_not_told() -> None:
    assert "were refused" not in heard(plain(), *BEGIN, ("items", items("a", 60, 90, numbers=30)))


def test_plain_lines_are_few_whole_and_end_with_the_last_count() -> None:
    many = [("items", items("a", n, n)) for n in range(1, 101)]
    lines = heard(plain(), *BEGIN, *many).splitlines()
    assert lines[0] == "Planned run night: 100 items in 4 shards, 10 made before, 7 spec rows set aside"
    assert lines[1] == "  set aside: s.csv, row 3: bad [bold]markup[/bold]"
    assert lines[2] == "  and 6 more; all stand in out/x"
    assert len(lines) <= 5
    assert lines[-1].startswith("copy: 100 of 100")


def test_trouble_is_told_in_words_and_not_without_end() -> None:
    told = heard(
        plain(), *BEGIN, ("engine opened", {"pid": 1, "seconds": 2.0}), ("engine hung", {"seconds": 300.0}),
        *[("trouble", {"reason": "the server is overloaded."})] * 9,
    )  # fmt: skip
    assert "engine: no answer for 300 s; killed, starting it again" in told
    assert told.count("storage: the server is overloaded. Trying again.") == 5
    assert "opened" not in told


def test_a_fit_is_announced() -> None:
    told = heard(plain(), *BEGIN, ("making", {"shard": "fit-1", "kind": "records", "items": 0, "fit": True}))
    assert "fitting a model" in told


def test_the_bar_shows_kind_counts_and_leaves_the_terminal_alone() -> None:
    file = io.StringIO()
    bar = progress.Bar(Console(file=file, force_terminal=True, width=100))
    bar.hear("reading", {"rows": 20_000})
    told = heard(bar, *BEGIN, ("items", items("a", 99, 99)), ("items", items("a", 100, 101)), ("finished", {}))
    assert "copy" in told
    assert "100 of 100" in told
    assert "1 refused" in told
    assert told.endswith("\x1b[?25h\n") or told.rstrip().endswith("\x1b[?25h")  # the cursor is back
    bar.stop()


def test_the_bar_of_a_run_that_was_finished_before_ends_quietly() -> None:
    bar = progress.Bar(Console(file=io.StringIO(), force_terminal=True, width=100))
    told = heard(bar, ("plan", PLAN), ("finished", {}))
    assert "Planned run night" in told
    assert bar.status is None


def test_json_lines_leave_out_single_items(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    listener = progress.JsonLines()
    listener.hear("plan", PLAN)
    listener.hear("items", items("a", 1, 1))
    (line,) = capfdbinary.readouterr().out.splitlines()
    assert json.loads(line) == {"event": "plan", **PLAN}
