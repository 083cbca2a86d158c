"""A Bayesian network of chances that were estimated from noisy counts: every part leans on a few parts before it.

Parts that others lean on are told apart by groups of tokens only, which keeps tables small where tokens are rare; but
a cell leans on its very bin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from models.table.network import Network
from models.table.number import Part
from models.table.picking import spread


@dataclass(frozen=True, slots=True)
class Leaning:
    """What a part leans on: places of `parents`, and its chances, all groups of the parents' tokens × its own tokens.

    `groups` number its tokens, for those that lean on it.
    """

    parents: tuple[int, ...]
    chances: np.ndarray
    groups: np.ndarray


class NoisyCounts(Network):
    """In `inputs` a part is its token plus one, 0 where it is not known. Parts are drawn in their order."""

    def __init__(self, parts: Sequence[Part], width: int = 1, hidden: int = 0) -> None:
        super().__init__(parts, width, hidden)
        self.hold([Leaning((), np.full((1, p.size), 1 / p.size), np.arange(p.size)) for p in self.parts])

    @classmethod
    def for_parts(cls, parts: Sequence[Part]) -> Self:
        """Every token as likely as any other, until `hold` says otherwise."""
        return cls(parts)

    @classmethod
    def restored(cls, parts: Sequence[Part], width: int, hidden: int, weights: Mapping[str, Tensor]) -> Self:
        """The network whose `state_dict` was `weights`. Raises ValueError when they are none over `parts`."""
        network = cls(parts, width, hidden)
        leanings: list[Leaning] = []
        for place, part in enumerate(parts):
            parents = tuple(weights[f"parents.{place}"].tolist())
            chances, groups = (weights[f"{name}.{place}"].numpy() for name in ("chances", "groups"))
            if not all(0 <= parent < place for parent in parents):
                raise ValueError("a part leans on one that is drawn after it")
            if groups.shape != (part.size,) or groups.min() < 0 or groups.max() >= part.size:
                raise ValueError("these groups do not fit the table")
            heights = [parts[p].size if part.gate is not None else leanings[p].groups.max() + 1 for p in parents]
            if chances.shape != (int(np.prod(heights)), part.size):
                raise ValueError("these chances do not fit the table")
            if not ((chances >= 0).all() and np.allclose(chances.sum(1), 1, atol=1e-3)):
                raise ValueError("these are no chances")
            leanings.append(Leaning(parents, chances, groups))
        network.hold(leanings)
        return network

    def hold(self, leanings: Sequence[Leaning]) -> None:
        """Take what each part leans on, and its chances."""
        self._parents = [one.parents for one in leanings]
        self._tables = [torch.from_numpy(np.ascontiguousarray(one.chances, dtype=np.float32)) for one in leanings]
        self._groups = [torch.from_numpy(np.asarray(one.groups, np.int64)) for one in leanings]

    def state_dict(self, *args: object, **kwargs: object) -> dict[str, Tensor]:  # type: ignore[override]
        """Tensors by name, as `restored` takes them."""
        del args, kwargs
        found = {}
        for place, parents in enumerate(self._parents):
            found[f"parents.{place}"] = torch.tensor(parents, dtype=torch.int64)
            found[f"chances.{place}"], found[f"groups.{place}"] = self._tables[place], self._groups[place]
        return found

    def start(self, tokens: np.ndarray, generator: torch.Generator) -> None:
        """Rows are never looked at here: what is held comes from noisy counts alone, see `fit`."""
        del tokens, generator
        raise TypeError("a private network is not fitted on rows")

    @torch.no_grad()
    def score(self, tokens: Tensor) -> Tensor:
        """Exact negative log-likelihood of each row, nats; a cell that a row lacks costs nothing."""
        found = torch.zeros(len(tokens), dtype=torch.float64)
        for place, table in enumerate(self._tables):
            own = tokens[:, place]
            loss = -table[self._above(place, tokens), own].double().log()
            found += loss if self.parts[place].gate is None else loss.where(own > 0, 0.0)
        return found.float()

    @torch.no_grad()
    def sample(self, rows: int, generator: torch.Generator) -> np.ndarray:
        """Draw rows of tokens: int64, rows × parts. The same generator state gives the same rows.

        Rows that lean on the same tokens share out its chances evenly, see `picking`.
        """
        tokens = torch.zeros(rows, len(self.parts), dtype=torch.int64)
        for place, table in enumerate(self._tables):
            above = self._above(place, tokens)
            draws = spread(above.float(), generator)
            upto = table.double().cumsum(1)
            ladder = (upto / upto[:, -1:] + torch.arange(len(table), dtype=torch.float64)[:, None]).flatten()
            found = torch.searchsorted(ladder, draws[:, 0].double() + above, right=True) - above * table.shape[1]
            tokens[:, place] = found.clamp(0, table.shape[1] - 1)
        return tokens.numpy()

    def embed(self, place: int, tokens: Tensor) -> Tensor:
        """A part's tokens plus one, rows × 1."""
        del place
        return (tokens + 1).float()[:, None]

    def chances(self, place: int, inputs: Tensor) -> Tensor:
        """Probabilities of a part's tokens given the parts before it, rows × size."""
        return self._tables[place][self._above(place, inputs.long() - 1)]

    def _above(self, place: int, tokens: Tensor) -> Tensor:
        """In which row of a part's table each row of tokens stands."""
        found = torch.zeros(len(tokens), dtype=torch.int64)
        if self.parts[place].gate is not None:
            return tokens[:, self._parents[place][0]] if self._parents[place] else found
        for parent in self._parents[place]:
            groups = self._groups[parent]
            found = found * int(groups.max() + 1) + groups[tokens[:, parent]]
        return found
