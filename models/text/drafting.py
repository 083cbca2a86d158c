"""Drafts of one text: it is written several times where need be, and the best is kept (best-of-n sampling).

A draft that does all that was asked ends the search, so that most texts are written once. Which draft is kept depends
on the request alone: drafts count in their order, whether they were written one after the other or side by side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from models.engine import TextRequest
from models.text.decode import Row, Written
from models.text.sampling import uniforms

# How well a finished text does what was asked: 0 to 1, where 1 leaves nothing to better.
Critic = Callable[[str], float]


@dataclass(slots=True)
class Drafting:
    """A request that waits for its drafts. `row` is what the first is written from, `critic` judges them."""

    order: int
    request: TextRequest
    row: Row
    critic: Critic | None = None
    most: int = 1
    begun: int = 0
    done: int = 0
    best: Written | None = None
    merit: float = field(default=-1.0)

    @property
    def settled(self) -> bool:
        """Whether no further draft is wanted."""
        return self.best is not None and (self.done >= self.most or self.merit >= 1.0)

    @property
    def more(self) -> bool:
        """Whether another draft may be begun."""
        return self.begun < self.most and not self.settled

    def begin(self) -> Row:
        """The next draft: the same row with uniforms of its own."""
        draws = uniforms(self.request.seed, len(self.row.draws), self.begun)
        self.begun += 1
        return replace(self.row, draws=draws)

    def end(self, written: Written, text: str) -> None:
        """Take a draft, in the order in which they were begun; those behind a perfect one are not looked at."""
        if self.settled:
            return
        self.done += 1
        merit = self.critic(text) if self.critic and written.sound else 0.0
        if merit > self.merit:
            self.best, self.merit = written, merit
