"""How long to fit: decided from a table's size alone, so that a plan can freeze it before anything is loaded."""

from __future__ import annotations

import math

FAMILIES = ("transformer", "diffusion", "bayes", "independent")
AUTO = "transformer"  # what `auto` stands for
COUNTED = ("bayes", "independent")  # families without steps: one pass over the rows is all they need
BATCH = 256  # rows a step learns from
EPOCHS = {"transformer": 8, "diffusion": 52}
FEWEST, MOST = 200, {"transformer": 6_000, "diffusion": 12_000}
TOO_FEW = 20  # rows; below, there is nothing to learn but the marginals


def default_steps(rows: int, columns: int, family: str = AUTO) -> int:
    """The most steps worth making for a table: some passes over it, within bounds. Wider tables get no more."""
    if rows < TOO_FEW or columns < 1 or family in COUNTED:
        return 0
    return min(max(math.ceil(EPOCHS[family] * rows / BATCH), FEWEST), MOST[family])
