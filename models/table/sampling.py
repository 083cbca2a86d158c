"""An even sample of a file's rows, for what need not see every row of a table that is larger than memory.

The rows are chosen by their numbers before anything is read, so that neither row groups nor the size of pieces have a
say in which they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from models.table.reading import is_parquet, pieces, read_table, size_of


def sample_rows(
    path: Path,
    most: int,
    rng: np.random.Generator,
    *,
    without: Sequence[str] = (),
    piece: int | None = None,
) -> pa.Table:
    """At most `most` rows, each as likely as any other, in the file's order; all of them where there are no more.

    `rng` is drawn from only where rows have to be chosen. Columns `without` are left out, and `piece` is how many rows
    are in memory beside the sample. CSV is read whole before it is sampled. Raises ValueError for what is no table.
    """
    if not is_parquet(path):
        table = read_table(path).drop_columns(list(without))
        return table if table.num_rows <= most else table.take(chosen_rows(table.num_rows, most, rng))
    size = size_of(path)
    if size.rows <= most:
        return read_table(path).drop_columns(list(without))
    names = [name for name in size.schema.names if name not in without]
    chosen = chosen_rows(size.rows, most, rng)
    taken, first = [], 0
    for rows in pieces(path, names, piece):
        inside = chosen[np.searchsorted(chosen, first) : np.searchsorted(chosen, first + rows.num_rows)]
        taken.append(rows.take(inside - first))
        first += rows.num_rows
    return pa.concat_tables(taken)


def chosen_rows(rows: int, most: int, rng: np.random.Generator) -> np.ndarray:
    """`most` of the row numbers below `rows`, sorted."""
    return np.sort(rng.choice(rows, most, replace=False))
