"""How far the items of one kind are: counts, pace, time left, and whether too many candidates are refused."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ENOUGH = 50  # candidates before the share of refused ones says anything
TOO_MANY = 0.5


@dataclass(slots=True)
class _Part:
    """What is known of one shard."""

    accepted: int = 0
    reused: int = 0
    shortfall: int = 0
    made: int = 0
    refusals: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Tally:
    """The items of one kind. Only what this process made counts for the pace."""

    kind: str
    requested: int
    accepted: int = 0
    given_up: int = 0
    made: int = 0
    new: int = 0
    started: float | None = None
    _parts: dict[str, _Part] = field(default_factory=dict)
    _warned: bool = False

    @property
    def settled(self) -> int:
        """Items whose fate is known."""
        return self.accepted + self.given_up

    @property
    def refused(self) -> int:
        """Candidates refused so far."""
        return max(0, self.made - self.new)

    def committed(self, accepted: int, shortfall: int) -> None:
        """An earlier process has committed these."""
        self.accepted += accepted
        self.given_up += shortfall

    def update(self, details: Mapping[str, Any]) -> None:
        """Take in what a shard, in the making or done, says of itself."""
        old = self._parts.get(details["shard"], _Part())
        now = _Part(*(details[name] for name in ("accepted", "reused", "shortfall", "made", "refusals")))
        self._parts[details["shard"]] = now
        self.accepted += now.accepted - old.accepted
        self.given_up += now.shortfall - old.shortfall
        self.made += now.made - old.made
        self.new += (now.accepted - now.reused) - (old.accepted - old.reused)
        if self.started is None and now.made:
            self.started = time.monotonic()

    def pace(self) -> float | None:
        """Accepted new items a second, or None while there is too little to say."""
        if self.started is None or (elapsed := time.monotonic() - self.started) < 1 or not self.new:
            return None
        return self.new / elapsed

    def counts(self) -> str:
        """`12 of 300 · 3.4/s · 1 min 25 s left · 4 refused · 1 given up`."""
        words = [f"{self.accepted:,} of {self.requested:,}"]
        if pace := self.pace():
            words.append(f"{pace:,.1f}/s")
            if left := self.requested - self.settled:
                words.append(f"{duration(left / pace)} left")
        if self.refused:
            words.append(f"{self.refused:,} refused")
        if self.given_up:
            words.append(f"{self.given_up:,} given up")
        return " · ".join(words)

    def line(self) -> str:
        """The counts with the kind before them."""
        return f"{self.kind}: {self.counts()}"

    def warning(self) -> str | None:
        """Once, when more than half of the candidates are refused: how many, and by which rules most."""
        if self._warned or self.made < ENOUGH or self.refused <= TOO_MANY * self.made:
            return None
        self._warned = True
        rules: Counter[str] = Counter()
        for part in self._parts.values():
            rules.update(dict(part.refusals))  # a copy in one step: another thread may be counting
        most = ", ".join(f"{rule} ({count:,})" for rule, count in rules.most_common(3))
        return f"{self.kind}: {self.refused:,} of {self.made:,} candidates were refused, most by {most}"


def duration(seconds: float) -> str:
    """A span of time as people say it."""
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s" if whole < 600 else f"{round(whole / 60)} min"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
