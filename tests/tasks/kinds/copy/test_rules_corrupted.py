"""The rules earn their keep: 200 texts spoilt in known ways are caught, 200 good ones pass. The spoilers were written
before the rules; what they do stands in tests/support/corrupt_copy.py."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest
from support.corrupt_copy import SPOILERS, corrupted_copy
from support.good_copy import good_copy

from tasks.kinds.copy.rules import judge_alone

GOOD = good_copy()


def broken_rules(job, fields) -> list[str]:
    return [check.rule for check in judge_alone(job, fields) if check.verdict != "accept"]


def test_at_most_two_in_a_hundred_good_texts_are_refused():
    refused = {job.job_id: broken for job, fields in GOOD if (broken := broken_rules(job, fields))}
    print(f"\n{len(refused)} of {len(GOOD)} good texts refused: {refused}")
    assert len(GOOD) == 200
    assert len(refused) <= 0.02 * len(GOOD)


def test_ninety_eight_in_a_hundred_spoilt_texts_are_caught():
    spoilt = corrupted_copy(GOOD)
    total, caught = Counter(), Counter()
    confusion = defaultdict(Counter)
    for kind, job, fields in spoilt:
        broken = broken_rules(job, fields)
        total[kind] += 1
        caught[kind] += bool(broken)
        confusion[kind].update(broken or ["— none"])
    print()
    for kind in sorted(total):
        seen = ", ".join(f"{rule} {count}" for rule, count in confusion[kind].most_common())
        print(f"{kind:18} {caught[kind]:2}/{total[kind]:2}  {seen}")
    assert len(spoilt) == 200
    assert set(total) == set(SPOILERS)
    assert sum(caught.values()) >= 0.98 * len(spoilt)


@pytest.mark.parametrize("seed", range(100, 110))
def test_other_seeds_spoil_otherwise_and_are_caught_as_well(seed):
    spoilt = corrupted_copy(GOOD, seed)
    missed = [(kind, fields) for kind, job, fields in spoilt if not broken_rules(job, fields)]
    assert len(missed) <= 0.02 * len(spoilt), missed
