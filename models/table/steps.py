"""How long to fit: decided from a table's size alone, so that a plan can freeze it before anything is loaded."""

from __future__ import annotations

import math

FAMILIES = ("transformer", "diffusion", "vae", "gan", "bayes", "independent")
AUTO = "transformer"  # what `auto` stands for, but for small tables
SMALL = 2_000  # rows; below, `auto` also counts: likelier on Adult up to 800 rows, on Airbnb still at 1,600
FILLING = ("diffusion", "bayes", "independent")  # families that can be given any columns and draw the others
LEARNED = 5_000  # rows from which `auto` fills nulls by a diffusion; on 800 of Adult counts fill better, on 4,000 alike
CODED = ("vae", "gan")  # families whose rows follow from hidden codes: nothing of them can be given or ruled out
COUNTED = ("bayes", "independent")  # families without steps: one pass over the rows is all they need
PRESETS = ("default", "fast")  # of the usual family: several networks whose chances are averaged, or one
MEMBERS = {"default": 4, "fast": 1}
BATCH = 256  # rows a step learns from
EPOCHS = {"transformer": 7, "diffusion": 52, "vae": 24, "gan": 24}
FEWEST, MOST = 200, {"transformer": 6_000, "diffusion": 12_000, "vae": 12_000, "gan": 12_000}
TOO_FEW = 20  # rows; below, there is nothing to learn but the marginals


def settled(family: str, rows: int) -> str:
    """The family to fit a table with; `auto` stays where the fit has to choose."""
    return AUTO if family == "auto" and not TOO_FEW <= rows < SMALL else family


def default_steps(rows: int, columns: int, family: str = AUTO) -> int:
    """The most steps worth making for a table: some passes over it, within bounds. Wider tables get no more."""
    family = AUTO if family == "auto" else family
    if rows < TOO_FEW or columns < 1 or family in COUNTED:
        return 0
    return min(max(math.ceil(EPOCHS[family] * rows / BATCH), FEWEST), MOST[family])


def filling_family(family: str, rows: int) -> str:
    """The family that fills a table's nulls; `auto` is the one that learns most from so many rows."""
    return ("diffusion" if rows >= LEARNED else "bayes") if family == "auto" else family
