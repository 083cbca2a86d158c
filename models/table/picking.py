"""Drawing one token for each of many rows."""

from __future__ import annotations

import torch
from torch import Tensor

GOLDEN = (5**0.5 - 1) / 2


def pick(chances: Tensor, generator: torch.Generator) -> Tensor:
    """A token for each row, from `chances` (rows × size, each row with some mass), spread evenly over the rows."""
    upto = chances.cumsum(1)
    draws = spread(-upto.sum(1), generator)
    return torch.searchsorted(upto, draws * upto[:, -1:], right=True).clamp(max=chances.shape[1] - 1)[:, 0]


def spread(expected: Tensor, generator: torch.Generator) -> Tensor:
    """A uniform draw per row, rows × 1, such that rows with like expectations get draws that lie far apart.

    Rows in order of `expected` take turns through a golden-ratio sequence with a random start. Each draw is uniform,
    but together they leave fewer gaps than chance would, so that counts come closer to what the model wants.
    """
    rows = len(expected)
    order = torch.randperm(rows, generator=generator)
    order = order[torch.argsort(expected[order], stable=True)]
    turns = torch.arange(rows, dtype=torch.float64) * GOLDEN + torch.rand(1, dtype=torch.float64, generator=generator)
    draws = torch.empty(rows)
    draws[order] = turns.frac().float()
    return draws[:, None]
