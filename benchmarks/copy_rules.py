"""How fast are the copy rules? Judges good and spoilt texts on one core and prints texts per second.

    python benchmarks/copy_rules.py [--seconds S] [--profile]

`new job` makes the job's rules for each text, as when every product has one text; `same job` keeps them, as between
variants and retries. Texts are those of the tests, stretched to the length asked for.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.corrupt_copy import corrupted_copy  # noqa: E402
from support.good_copy import good_copy  # noqa: E402

from tasks.kinds.copy.job import CopyJob  # noqa: E402
from tasks.kinds.copy.rules import JobRules, judge_among  # noqa: E402

LENGTH = 300  # characters of a typical text
FILLER = (
    " It feels right from the first day. Friends will ask where you found it. We pack it by hand and send it quickly.",
    " Good things need few words. Keep it close on slow mornings. Take it along when the road is long.",
)

Case = tuple[CopyJob, dict[str, str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="how long to measure each line")
    parser.add_argument("--profile", action="store_true", help="print where the time goes")
    options = parser.parse_args()
    good = [stretched(case) for case in good_copy() if case[0].channel in ("product_page", "email")]
    spoilt = [(job, fields) for _, job, fields in corrupted_copy(good_copy())]
    lengths = [sum(map(len, fields.values())) for _, fields in good]
    print(f"{len(good)} good texts of {sum(lengths) / len(good):.0f} characters, {len(spoilt)} spoilt ones, one core")
    measure("good, new job", new_job, good, options.seconds)
    kept = [(JobRules(job), fields) for job, fields in good]
    measure("good, same job", same_job, kept, options.seconds)
    measure("spoilt, new job", new_job, spoilt, options.seconds)
    accepted = [fields for _, fields in good[:20]]
    measure("among 20 variants", lambda case: judge_among(case[0], case[1], accepted), good, options.seconds)
    if options.profile:
        profiler = cProfile.Profile()
        profiler.enable()
        for _ in range(20):
            for case in kept:
                same_job(case)
        profiler.disable()
        pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


def stretched(case: Case) -> Case:
    """A case whose body is filled up to the typical length."""
    job, fields = case
    body = fields["body"]
    for filler in FILLER:
        if sum(map(len, fields.values())) + len(filler) <= LENGTH + 20:
            greeting = body.find("\n\n", len(body) // 2)
            at = greeting if greeting > 0 else len(body)
            body = body[:at] + filler + body[at:]
            fields = {**fields, "body": body}
    return job, fields


def new_job(case: Case) -> None:
    JobRules(case[0]).judge_alone(case[1])


def same_job(case: tuple[JobRules, dict[str, str]]) -> None:
    case[0].judge_alone(case[1])


def measure(name: str, judge: Callable[[Any], object], cases: list[Any], seconds: float) -> None:
    """Prints the mean rate and that of the best rounds; on a busy machine the latter is nearer the truth."""
    for case in cases:
        judge(case)
    rates = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        for start in range(0, len(cases), 10):
            batch = cases[start : start + 10]
            began = time.thread_time()  # what others take of the core does not count
            for case in batch:
                judge(case)
            rates.append(((time.thread_time() - began) / len(batch), start))
    # Rounds of ten texts differ in what they hold: the best of each, then their mean.
    best: dict[int, float] = {}
    for took, start in rates:
        best[start] = min(took, best.get(start, took))
    mean = sum(took for took, _ in rates) / len(rates)
    least = sum(best.values()) / len(best)
    print(f"{name:20} {1 / mean:8,.0f} texts/s   best rounds {1 / least:8,.0f} texts/s ({least * 1e6:.0f} µs a text)")


if __name__ == "__main__":
    main()
