"""The rows a model was fitted on, rows held out, and synthetic rows, coded alike so that distances can be taken.

A distance is Gower's: every column adds from 0 to 1, a category 1 when it differs, a number the difference of its ranks
among the real rows (so that a long tail does not drown the rest), null beside a value 1. Ranks are taken over members
and others together, so that neither side is favoured. Columns that are made anew (keys, free texts) are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch

from tasks.kinds.records.views import MADE_ANEW, View, side_by_side

MOST_ROWS = 50_000  # of each side; beyond, the time grows and the figures hardly change
BLOCK = 1 << 20  # distances held at once, 4 MB: what fits a processor's cache is fastest
NULL = 2.0  # at least 1 away from every rank


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


def sides_of(members: pa.Table, others: pa.Table, synthetic: pa.Table, seed: int) -> Sides:
    """As many members as others, at most `MOST_ROWS`, and the synthetic rows.

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
    views = [v for v in side_by_side(pa.concat_tables(bare[:2]), bare[2]) if v.role not in (*MADE_ANEW, "empty")]
    if not views:
        raise ValueError("no column can be compared: all are made anew or empty")
    coded = [_coded(view) for view in views]
    return Sides(views, np.stack([real for real, _ in coded]), np.stack([made for _, made in coded]), count)


def nearest(asked: np.ndarray, among: np.ndarray, k: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Distances (0 to 1, ascending) from rows to their k nearest among others, and which those are; both rows × k."""
    rows = torch.from_numpy(among)
    k = min(k, rows.shape[1])
    found = [_distances(block, rows).topk(k, dim=1, largest=False, sorted=True) for block in _blocks(asked, rows)]
    distances, places = (torch.cat([pair[n] for pair in found]).numpy() for n in (0, 1))
    return distances / len(asked), places


def nearest_without(asked: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Which row is nearest when a column is left out of the distance: int64, columns × asked rows."""
    rows, found = torch.from_numpy(among), []
    for block in _blocks(asked, rows):
        # the sum is taken once and each column off it again: columns² passes become columns
        whole = _distances(block, rows)
        left = torch.empty_like(whole)
        found.append(
            torch.stack(
                [torch.sub(whole, _column(block[n], rows[n], left), out=left).argmin(dim=1) for n in range(len(rows))]
            )
        )
    return torch.cat(found, dim=1).numpy()


def _blocks(asked: np.ndarray, rows: torch.Tensor) -> tuple[torch.Tensor, ...]:
    return torch.from_numpy(asked).split(max(BLOCK // rows.shape[1], 1), dim=1)


def _distances(asked: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    whole = torch.zeros(asked.shape[1], rows.shape[1])
    scratch = torch.empty_like(whole)
    for one, other in zip(asked, rows, strict=True):
        whole += _column(one, other, scratch)
    return whole


def _column(asked: torch.Tensor, rows: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    """What a column adds to every distance. Codes of categories are whole numbers, so that 1 is their least gap."""
    return torch.sub(asked[:, None], rows[None, :], out=out).abs_().clamp_(max=1)


def _drawn(table: pa.Table, most: int, rng: np.random.Generator) -> pa.Table:
    return table.take(rng.permutation(table.num_rows)[:most])


def _coded(view: View) -> tuple[np.ndarray, np.ndarray]:
    if view.source is None or view.synthetic is None:
        return view.source_codes.astype(np.float32), view.synthetic_codes.astype(np.float32)
    values, counts = np.unique(view.source[~np.isnan(view.source)], return_counts=True)
    middles = np.cumsum(counts) - counts / 2
    ranks = (middles - middles[0]) / (middles[-1] - middles[0]) if len(values) > 1 else np.zeros(len(values))
    sides = [np.interp(side, values, ranks) for side in (view.source, view.synthetic)]
    ranked = [np.where(np.isnan(side), NULL, r) for side, r in zip((view.source, view.synthetic), sides, strict=True)]
    return ranked[0].astype(np.float32), ranked[1].astype(np.float32)
