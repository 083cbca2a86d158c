"""The rows a model was fitted on, rows held out, and synthetic rows, coded alike so that distances can be taken.

Ranks are taken over members and others together, so that neither side is favoured. Columns that are made anew (keys,
free texts) are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tasks.kinds.records.privacy.gower import for_gower
from tasks.kinds.records.views import MADE_ANEW, View, side_by_side

MOST_ROWS = 50_000  # of each side; beyond, the time grows and the figures hardly change


@dataclass(frozen=True, slots=True)
class Sides:
    """`real` and `synthetic` are float32, columns × rows, of which two rows' distance is the sum of min(1, |a − b|).

    The first `members` columns of `real` were fitted on, as many others follow. All three are in random order, so that
    a slice is a sample. `views` stand in the same order and hold the values themselves.
    """

    views: list[View]
    real: np.ndarray
    synthetic: np.ndarray
    count: int

    @property
    def members(self) -> np.ndarray:
        return self.real[:, : self.count]

    @property
    def others(self) -> np.ndarray:
        return self.real[:, self.count :]


def sides_of(
    members: pa.Table, others: pa.Table, synthetic: pa.Table, seed: int, roles: Mapping[str, str] | None = None
) -> Sides:
    """As many members as others, at most `MOST_ROWS`, and the synthetic rows. `roles` tell how columns are treated.

    Raises ValueError when the columns differ, a table has fewer than two rows, or nothing is left to compare.
    """
    if not members.schema.names == others.schema.names == synthetic.schema.names:
        raise ValueError("the tables have different columns")
    count = min(members.num_rows, others.num_rows, MOST_ROWS)
    if count < 2 or synthetic.num_rows < 2:
        raise ValueError("every table needs at least two rows")
    rng = np.random.default_rng([seed, 1])
    drawn = [_drawn(table, count, rng) for table in (members, others)]
    drawn.append(_drawn(synthetic, MOST_ROWS, rng))
    bare = [table.replace_schema_metadata(None).cast(pa.schema(list(members.schema))) for table in drawn]
    every = side_by_side(pa.concat_tables(bare[:2]), bare[2], roles)
    views = [view for view in every if view.role not in (*MADE_ANEW, "empty")]
    if not views:
        raise ValueError("no column can be compared: all are made anew or empty")
    coded = [for_gower(view) for view in views]
    return Sides(views, np.stack([real for real, _ in coded]), np.stack([made for _, made in coded]), count)


def _drawn(table: pa.Table, most: int, rng: np.random.Generator) -> pa.Table:
    return table.take(rng.permutation(table.num_rows)[:most])
