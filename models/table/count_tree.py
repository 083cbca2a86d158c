"""Counts in place of a network: every part leans on one other at most, and its chances are what was counted beside it.

The parts form trees, so the chances of a part given any others are exact: what is known is passed along the branches
(belief propagation, Pearl 1988), and unknown parts on the way are summed over. Fitted in one pass over the rows.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Self

import numpy as np
import torch
from torch import Tensor

from models.table.counting import lean, lean_within, table_of
from models.table.filling import fill_in
from models.table.network import Network
from models.table.number import Part
from models.table.picking import spread

MOST_PARTS = 800  # as many as the networks take; every column is compared with every other


class CountTree(Network):
    """`parents` holds the part that each leans on, -1 for none; `flat` the chances given the parent's token, in a row.

    In `inputs` a part is its token plus one, 0 where it is not known.
    """

    parents: Tensor
    flat: Tensor

    def __init__(self, parts: Sequence[Part], width: int = 1, hidden: int = 0) -> None:
        super().__init__(parts, width, hidden)
        self._hold([-1] * len(self.parts), [np.full((1, part.size), 1 / part.size) for part in self.parts])

    @classmethod
    def for_parts(cls, parts: Sequence[Part]) -> Self:
        """Raises ValueError when the table is too wide."""
        if len(parts) > MOST_PARTS:
            raise ValueError(
                f"the table is too wide: its columns make {len(parts)} tokens a row, {MOST_PARTS} are possible"
            )
        return cls(parts)

    @classmethod
    def restored(cls, parts: Sequence[Part], width: int, hidden: int, weights: Mapping[str, Tensor]) -> Self:
        """The tree whose `state_dict` was `weights`. Raises ValueError when they are no tree over `parts`."""
        network = cls(parts, width, hidden)
        parents, sizes = weights["parents"].tolist(), [part.size for part in parts]
        if width != 1 or len(parents) != len(sizes) or not all(-1 <= parent < len(sizes) for parent in parents):
            raise ValueError("these are no counts of such a table")
        heights = [sizes[parent] if parent >= 0 else 1 for parent in parents]
        lengths = [height * size for height, size in zip(heights, sizes, strict=True)]
        if weights["flat"].shape != (sum(lengths),):
            raise ValueError("these counts do not fit the table")
        pieces = zip(weights["flat"].split(lengths), heights, sizes, strict=True)
        tables = [piece.view(height, size).numpy() for piece, height, size in pieces]
        if not all((table >= 0).all() and np.allclose(table.sum(1), 1, atol=1e-3) for table in tables):
            raise ValueError("these counts are no chances")
        network._hold(parents, tables)
        return network

    def leaning(self, tokens: np.ndarray) -> list[int]:
        """What each part leans on, -1 for nothing."""
        return lean(tokens, self.parts)

    def start(self, tokens: np.ndarray, generator: torch.Generator) -> None:
        """Choose the trees and count; there is nothing else to learn, and nothing is drawn."""
        del generator
        parents = self.leaning(tokens)
        self._hold(parents, [table_of(tokens, self.parts, place, parent) for place, parent in enumerate(parents)])

    def score(self, tokens: Tensor) -> Tensor:
        """Exact negative log-likelihood of each row, nats.

        A cell that a row lacks costs nothing, even where its bin has cells: so stand nulls that the source never had.
        """
        found = torch.zeros(len(tokens), dtype=torch.float64)
        for place, table in enumerate(self.tables):
            own = tokens[:, place]
            loss = -table[self._above(place, tokens), own].double().log()
            found += loss if self.parts[place].gate is None else loss.where(own > 0, 0.0)
        return found.float()

    def sample(self, rows: int, generator: torch.Generator) -> np.ndarray:
        """Draw rows of tokens: int64, rows × parts. The same generator state gives the same rows.

        Each row follows the counts, but rows that lean on the same token share out its chances evenly, see `picking`.
        """
        tokens = torch.zeros(rows, len(self.parts), dtype=torch.int64)
        for place in self.order:
            above, size = self._above(place, tokens), self.parts[place].size
            # all rows of a table end to end, each one higher than the last: one search serves every row
            ladder = self.ladders[place]
            draws = spread(above, generator)[:, 0].double() + above
            tokens[:, place] = (torch.searchsorted(ladder, draws, right=True) - above * size).clamp(0, size - 1)
        return tokens.numpy()

    def fill(
        self, tokens: np.ndarray, known: np.ndarray, nulls: Container[int], generator: torch.Generator
    ) -> np.ndarray:
        """`tokens` with those that are not `known` drawn anew, given all that are: both rows × parts.

        Of the parts in `nulls` token 0 is not drawn.
        """
        given, sure = torch.from_numpy(tokens), torch.from_numpy(known)
        return fill_in(self, given, sure, self.order, nulls, generator).numpy()

    def embed(self, place: int, tokens: Tensor) -> Tensor:
        """A part's tokens plus one, rows × 1."""
        del place
        return (tokens + 1).float()[:, None]

    def chances(self, place: int, inputs: Tensor) -> Tensor:
        """Probabilities of a part's tokens given all others that are known, rows × size."""
        held = inputs.long() - 1
        sure = (held >= 0).all(0).tolist()
        branches = [(place, -1)]
        for part, toward in branches:  # grows as it goes; what lies behind a part that every row knows says nothing
            if part == place or not sure[part]:
                branches += [(other, part) for other in self.beside[part] if other != toward]
        told = {part: self._own(part) for part, _ in branches}
        for part, toward in reversed(branches[1:]):
            table = self._between(part, toward)
            given, knows = held[:, part], held[:, part, None] >= 0
            if sure[part]:
                message = table[given]
            else:
                message = _even(told[part]) @ table
                if bool(knows.any()):
                    message = torch.where(knows, table[given.clamp(min=0)], message)
            told[toward] = told[toward] + message.log()
        found = _even(told[place])
        return (found / found.sum(1, keepdim=True)).expand(len(inputs), -1).clone()

    def _hold(self, parents: Sequence[int], tables: Sequence[np.ndarray]) -> None:
        """Take trees and chances, and what follows from them. Raises ValueError for what is no tree."""
        self.tables = [torch.from_numpy(np.ascontiguousarray(table, dtype=np.float32)) for table in tables]
        self.register_buffer("parents", torch.tensor(list(parents), dtype=torch.int64))
        self.register_buffer("flat", torch.cat([table.flatten() for table in self.tables] or [torch.zeros(0)]))
        self.leans = list(parents)
        self.order = _downward(parents)
        self.beside: list[list[int]] = [[] for _ in parents]
        for place, parent in enumerate(parents):
            if parent >= 0:
                self.beside[place].append(parent)
                self.beside[parent].append(place)
        self.ladders = [_ladder(table) for table in self.tables]

    def _above(self, place: int, tokens: Tensor) -> Tensor:
        """In which row of a part's table each row of tokens stands."""
        parent = self.leans[place]
        return tokens[:, parent] if parent >= 0 else torch.zeros(len(tokens), dtype=torch.int64)

    def _own(self, place: int) -> Tensor:
        """What a part's own table says before anything is heard, logs, 1 × size."""
        return self.tables[place].log() if self.leans[place] < 0 else torch.zeros(1, self.parts[place].size)

    def _between(self, part: int, toward: int) -> Tensor:
        """The table of two neighbours, the first one's tokens × the other's."""
        return self.tables[part].T if self.leans[part] == toward else self.tables[toward]


class Marginals(CountTree):
    """Every column for itself: the floor that other families have to beat."""

    def leaning(self, tokens: np.ndarray) -> list[int]:
        del tokens
        return lean_within(self.parts)


def _even(logs: Tensor) -> Tensor:
    """Logs as weights, the greatest of each row 1; all zero where nothing is possible."""
    return (logs - logs.amax(1, keepdim=True).clamp(min=-1e30)).exp()


def _ladder(table: Tensor) -> Tensor:
    """Cumulative chances of a table's rows end to end, row n from n to n + 1."""
    upto = table.double().cumsum(1)
    return (upto / upto[:, -1:] + torch.arange(len(table), dtype=torch.float64)[:, None]).flatten()


def _downward(parents: Sequence[int]) -> list[int]:
    """The parts in an order in which each comes after the one that it leans on. Raises ValueError for a circle."""
    below: dict[int, list[int]] = {}
    for place, parent in enumerate(parents):
        below.setdefault(parent, []).append(place)
    order = list(below.get(-1, []))
    for place in order:  # grows as it goes
        order += below.get(place, [])
    if len(order) != len(parents):
        raise ValueError("the parts lean on each other in a circle")
    return order
