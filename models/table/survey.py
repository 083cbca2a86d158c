"""Looking at a whole source without holding it: a sample to study, and facts of all rows, gathered piece by piece."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from models.table.codec import plain_values
from models.table.facts import Facts, marks_of, range_of
from models.table.physical import check_schema, dates_of_strings, is_string, reads_as
from models.table.reading import is_parquet, pieces, read_table, size_of
from models.table.sampling import sample_rows

MOST_ROWS = 1_000_000  # a fit makes at most 1.5 million looks at rows, of some families 3 million
MOST_CELLS = 32_000_000  # tokens are held three times, at 8 bytes and some two to a cell: some 1.5 GB
FEWEST_ROWS = 200_000  # however wide: so many a fit can pass eight times
MERGED_AT = 1 << 18  # marks


@dataclass(frozen=True, slots=True)
class Survey:
    """`table` is what a fit studies. `facts` tell of all `rows` of the file, and are None where `table` holds them."""

    table: pa.Table
    rows: int
    facts: dict[str, Facts] | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to gather of a column: whether its distinct values, and the format of dates that its texts may have."""

    marks: bool = False
    date_format: str | None = None


def most_studied(columns: int) -> int:
    """How many rows of a table with so many columns a fit looks at."""
    return min(MOST_ROWS, max(FEWEST_ROWS, MOST_CELLS // max(columns, 1)))


def survey(path: Path, seed: int, primary_key: str | None = None, most: int | None = None) -> Survey:
    """What a fit must know of a file: all of a CSV file or of at most `most` rows, otherwise a sample and facts.

    The same file and seed give the same sample. Memory grows with the number of rows by 8 bytes for each different
    text, and for each value of columns that may be keys. Raises ValueError for what is no table or cannot be imitated.
    """
    if not is_parquet(path):
        table = read_table(path)
        return Survey(table, table.num_rows)
    size = size_of(path)
    most = most_studied(len(size.schema)) if most is None else most
    if size.rows <= most:
        return Survey(read_table(path), size.rows)
    check_schema(size.schema)
    table = sample_rows(path, most, np.random.default_rng([seed, most]))
    wanted = {name: wanted_of(plain_values(table[name]), primary_key=name == primary_key) for name in size.schema.names}
    return Survey(table, size.rows, gather(path, wanted))


def wanted_of(values: pa.Array, *, primary_key: bool = False) -> Wanted:
    """What must be gathered to tell how a column is to be treated, by a sample of its values."""
    if is_string(values.type):
        dates = None if primary_key else dates_of_strings(values)
        return Wanted(marks=True, date_format=None if dates is None else dates[2].date_format)
    if pt.is_boolean(values.type) or primary_key:
        return Wanted(marks=True)
    # what repeats in a sample repeats in the whole, and is no key
    unique = pt.is_integer(values.type) and not values.null_count and pc.count_distinct(values).as_py() == len(values)
    return Wanted(marks=unique)


def gather(path: Path, wanted: Mapping[str, Wanted]) -> dict[str, Facts]:
    """Facts of the named columns over all rows, in one pass. Raises ValueError naming a column that is unreadable."""
    tallies = {name: _Tally(asked) for name, asked in wanted.items()}
    for piece in pieces(path, list(wanted)):
        for name, tally in tallies.items():
            try:
                tally.add(plain_values(piece[name]))
            except ValueError as error:
                raise ValueError(f"column {name!r}: {error}") from error
    return {name: tally.facts() for name, tally in tallies.items()}


@dataclass(slots=True)
class _Tally:
    """The facts of one column so far."""

    wanted: Wanted
    rows: int = 0
    nulls: int = 0
    ranges: list[tuple[float | int, float | int]] = field(default_factory=list)
    dates: bool = True
    merged: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    waiting: list[np.ndarray] = field(default_factory=list)

    def add(self, values: pa.Array) -> None:
        date_format = self.wanted.date_format
        self.rows += len(values)
        self.nulls += values.null_count
        found = range_of(values, date_format)
        self.ranges += [found] if found is not None else []
        if date_format is not None and self.dates:
            self.dates = reads_as(values.unique().drop_null().cast(pa.string()), date_format)
        if self.wanted.marks:
            self.waiting.append(np.unique(marks_of(values.drop_null())))
            if sum(map(len, self.waiting)) > max(MERGED_AT, len(self.merged)):
                self._merge()

    def facts(self) -> Facts:
        self._merge()
        return Facts(
            rows=self.rows,
            nulls=self.nulls,
            low=min((low for low, _ in self.ranges), default=None),
            high=max((high for _, high in self.ranges), default=None),
            marks=self.merged if self.wanted.marks else None,
            date_format=self.wanted.date_format if self.dates else None,
        )

    def _merge(self) -> None:
        self.merged = np.unique(np.concatenate([self.merged, *self.waiting]))
        self.waiting = []
