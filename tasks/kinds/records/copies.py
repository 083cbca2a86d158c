"""How many synthetic rows are rows of the source, beside how many rows two real halves share.

Every real table repeats itself a little, so the measure is not zero but what the source does to itself: each half of
it is the reference once, the other half the yardstick. Columns that are made anew (keys, texts) are left out, since
they would make every row look new.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from models.table.codec import plain_values
from models.table.facts import marks_of
from models.table.reading import pieces
from tasks.kinds.records.views import MADE_ANEW, View

SEED = 7  # cuts the halves; fixed, so that a verdict can be repeated
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class CopyRate:
    """Shares of rows that occur in a random half of the source: of the synthetic rows, and of the other half's."""

    synthetic: float
    real: float
    synthetic_rows: int
    real_rows: int

    @property
    def slack(self) -> float:
        """Three standard errors of the difference, when both rates are the real one, and one row in a thousand."""
        share = max(self.real, 1 / max(self.real_rows, 1))
        spread = share * (1 - min(share, 1)) * (1 / max(self.synthetic_rows, 1) + 1 / max(self.real_rows, 1))
        return 3 * float(np.sqrt(spread)) + 0.001


def copy_rate(views: Sequence[View]) -> CopyRate:
    """The rates of exact copies over the columns that are learned."""
    compared = [view for view in views if view.role not in MADE_ANEW]
    if not compared or len(compared[0].source_codes) < 2 or not len(compared[0].synthetic_codes):
        return CopyRate(0.0, 0.0, 0, 0)
    return _rate(
        row_hashes([view.source_codes for view in compared]), row_hashes([view.synthetic_codes for view in compared])
    )


def copy_rate_of_files(source: Path, synthetic: Path, names: Sequence[str]) -> CopyRate:
    """The rates of exact copies over the columns `names`, of all rows of both files: 8 bytes of memory a row, and
    a few times that while hashes are sorted."""
    if not names:
        return CopyRate(0.0, 0.0, 0, 0)
    real, made = (_hashes_of_file(path, names) for path in (source, synthetic))
    return _rate(real, made) if len(real) > 1 and len(made) else CopyRate(0.0, 0.0, 0, 0)


def copy_rate_of_tables(source: pa.Table, other: pa.Table, names: Sequence[str]) -> CopyRate:
    """The rates of exact copies over the columns `names`, of two tables with equal types and at least two rows each."""
    return _rate(*(_hashes_of_table(table, names) for table in (source, other)))


def _hashes_of_file(path: Path, names: Sequence[str]) -> np.ndarray:
    found = [_hashes_of_table(piece, names) for piece in pieces(path, names)]
    return np.concatenate(found) if found else np.zeros(0, np.uint64)


def _hashes_of_table(table: pa.Table, names: Sequence[str]) -> np.ndarray:
    return row_hashes([marks_of(plain_values(table[name])) for name in names])


def _rate(source: np.ndarray, synthetic: np.ndarray) -> CopyRate:
    """The rates by hashes of rows."""
    order = np.random.default_rng(SEED).permutation(len(source))
    half, other = source[order[: len(order) // 2]], source[order[len(order) // 2 :]]
    real = (np.isin(half, other).mean() + np.isin(other, half).mean()) / 2
    made = (np.isin(synthetic, half).mean() + np.isin(synthetic, other).mean()) / 2
    return CopyRate(float(made), float(real), len(synthetic), len(source))


def row_hashes(columns: Sequence[np.ndarray]) -> np.ndarray:
    """A 64-bit hash per row of codes (splitmix64 over the columns)."""
    hashes = np.zeros(len(columns[0]), dtype=np.uint64)
    with np.errstate(over="ignore"):
        for codes in columns:
            mixed = (hashes ^ codes.astype(np.uint64)) + GOLDEN
            mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            hashes = mixed ^ (mixed >> np.uint64(31))
    return hashes
