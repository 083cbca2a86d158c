"""The source of a records job: a local Parquet or CSV file, checked before any work is paid for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from models.table.physical import check_schema
from models.table.reading import is_parquet, open_parquet, read_table
from models.table.survey import Wanted, gather


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a source is, and its columns in order."""

    rows: int
    columns: list[str]


def inspect(path: Path) -> Shape:
    """The shape of a source that can be imitated; of Parquet only the footer is read.

    Raises ValueError with the reason: not a table, no rows, a single column, doubled names, a type that record models
    cannot imitate (named).
    """
    if is_parquet(path):
        with open_parquet(path) as file:
            return _checked(path, file.metadata.num_rows, file.schema_arrow)
    table = read_table(path)
    return _checked(path, table.num_rows, table.schema)


def head(path: Path, rows: int = 1_000) -> pa.Table:
    """The first rows of a source."""
    if is_parquet(path):
        with open_parquet(path) as file:
            first = next(file.iter_batches(rows), None)
            return file.schema_arrow.empty_table() if first is None else pa.Table.from_batches([first])
    return read_table(path).slice(0, rows)


def load(path: Path) -> pa.Table:
    """The whole source, checked as by `inspect`."""
    inspect(path)
    return read_table(path)


def check_key(path: Path, column: str) -> None:
    """Raises ValueError unless `column` names every row of the source once; 8 bytes of memory a row."""
    facts = gather(path, {column: Wanted(marks=True)})[column]
    if facts.nulls:
        raise ValueError(f"primary key {column!r} is null in {facts.nulls} rows of the source")
    repeated = facts.rows - facts.distinct
    if repeated:
        raise ValueError(
            f"primary key {column!r} repeats in {repeated} rows of the source; choose a column that is unique"
        )


def _checked(path: Path, rows: int, schema: pa.Schema) -> Shape:
    if len(schema) == 0:
        raise ValueError(f"{path.name} has no columns")
    if len(schema) == 1:
        raise ValueError(f"{path.name} has the single column {schema.names[0]!r}; a table needs at least two")
    if rows == 0:
        raise ValueError(f"{path.name} has no rows")
    check_schema(schema)
    return Shape(rows=rows, columns=schema.names)
