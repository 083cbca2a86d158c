"""The hard cap on tokens."""

from __future__ import annotations

import pytest

from tasks.budget import Budget, BudgetSpent


def test_without_a_cap_nothing_is_refused() -> None:
    budget = Budget(None)
    budget.watch("a", 10**12)
    budget.check()


def test_shards_in_the_making_count_together() -> None:
    budget = Budget(100)
    budget.watch("a", 60)
    budget.watch("b", 40)
    with pytest.raises(BudgetSpent, match="101 of 100"):
        budget.watch("b", 41)


def test_a_shard_that_uses_up_the_cap_is_kept_and_the_next_does_not_begin() -> None:
    budget = Budget(100)
    budget.check()
    budget.watch("a", 100)
    budget.settle("a", 100)
    with pytest.raises(BudgetSpent, match="--max-tokens"):
        budget.check()


def test_what_earlier_processes_committed_counts() -> None:
    budget = Budget(100, spent=90)
    budget.watch("a", 10)
    with pytest.raises(BudgetSpent):
        budget.watch("a", 11)
    with pytest.raises(BudgetSpent):
        Budget(100, spent=100).check()


def test_tokens_of_a_failed_shard_were_used_all_the_same() -> None:
    budget = Budget(100)
    budget.watch("a", 70)
    budget.drop("a")
    budget.watch("a", 30)
    with pytest.raises(BudgetSpent):
        budget.watch("a", 31)
