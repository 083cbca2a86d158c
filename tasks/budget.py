"""A hard cap on tokens: what shards cost, committed or in the making, exceeds it by no more than one result."""

from __future__ import annotations

import threading


class BudgetSpent(Exception):
    """The run reached its token cap. What was committed stays; a higher cap goes on from there."""


class Budget:
    """Tokens of a run. `spent` are those of commits that stand; without a cap nothing is ever refused."""

    def __init__(self, cap: int | None, spent: int = 0) -> None:
        self._cap = cap
        self._spent = spent
        self._making: dict[str, int] = {}
        self._lock = threading.Lock()

    def check(self) -> None:
        """Raise `BudgetSpent` unless something is left to begin another shard with."""
        with self._lock:
            self._compare(1)

    def watch(self, shard: str, tokens: int) -> None:
        """A shard in the making has cost so many tokens by now. Raises `BudgetSpent` above the cap."""
        with self._lock:
            self._making[shard] = tokens
            self._compare(0)

    def settle(self, shard: str, tokens: int) -> None:
        """A shard was committed, at this cost."""
        with self._lock:
            self._making.pop(shard, None)
            self._spent += tokens

    def drop(self, shard: str) -> None:
        """A shard failed and will be made again: its tokens were used all the same."""
        with self._lock:
            self._spent += self._making.pop(shard, 0)

    def _compare(self, more: int) -> None:
        used = self._spent + sum(self._making.values())
        if self._cap is not None and used + more > self._cap:
            raise BudgetSpent(
                f"The run has used {used:,} of {self._cap:,} tokens and stops. What was committed stays; the same "
                "command with a higher --max-tokens goes on from there."
            )
