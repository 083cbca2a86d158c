"""Reading a source table from a local Parquet or CSV file, told apart by content, whole or piece by piece."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

MAGIC = b"PAR1"
PARQUET_SUFFIXES = (".parquet", ".pq")
PIECE_CELLS = 4_000_000  # of a piece: tens of megabytes, however wide the table is
PIECE_ROWS = 262_144  # at most
BUFFER = 1 << 16  # bytes of a column's pages read at once, so that a huge row group is not read whole
EMPTY = ["", "NULL", "null", "NaN", "nan"]  # not NA or None, which are also names


def is_parquet(path: Path) -> bool:
    """Whether the file claims to be Parquet, by its first bytes or its name. Raises ValueError without a file."""
    if not path.is_file():
        raise ValueError(f"{path.name} does not exist or is no file")
    with path.open("rb") as file:
        start = file.read(len(MAGIC))
    return start == MAGIC or path.suffix.lower() in PARQUET_SUFFIXES


def open_parquet(path: Path) -> pq.ParquetFile:
    """A file to be read batch by batch. Raises ValueError when it is not Parquet, or only the beginning of one."""
    try:
        # with pre_buffer, pyarrow's default, passing through a file leaves all of it in memory until the end
        return pq.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False)
    except (pa.ArrowInvalid, OSError) as error:
        with path.open("rb") as file:
            whole = file.read(len(MAGIC)) == MAGIC
        what = "is truncated or damaged: its Parquet footer cannot be read" if whole else "is not a Parquet file"
        raise ValueError(f"{path.name} {what}") from error


def read_table(path: Path) -> pa.Table:
    """The whole table. Raises ValueError when the file is neither Parquet nor CSV with a header."""
    if is_parquet(path):
        with open_parquet(path) as file:
            try:
                return file.read()
            except (pa.ArrowInvalid, OSError) as error:
                raise ValueError(f"{path.name} is damaged: {error}") from error
    convert = csv.ConvertOptions(null_values=EMPTY, strings_can_be_null=True)
    try:
        return csv.read_csv(path, convert_options=convert)
    except pa.ArrowInvalid as error:
        raise ValueError(f"{path.name} is neither Parquet nor CSV with a header: {error}") from error


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows a file has, and its columns."""

    rows: int
    schema: pa.Schema


def size_of(path: Path) -> Size:
    """Of Parquet only the footer is read, CSV is read whole. Raises ValueError as `read_table` does."""
    if is_parquet(path):
        with open_parquet(path) as file:
            return Size(file.metadata.num_rows, file.schema_arrow)
    table = read_table(path)
    return Size(table.num_rows, table.schema)


def pieces(path: Path, columns: Sequence[str] | None = None, rows: int | None = None) -> Iterator[pa.Table]:
    """The file's rows in order, `rows` at a time, of all columns or those named.

    Only Parquet is streamed: the types of CSV follow from all of its rows, so that it is read whole. Raises ValueError
    as `read_table` does.
    """
    if not is_parquet(path):
        yield from _cut(read_table(path), columns, rows)
        return
    with open_parquet(path) as file:
        names = list(file.schema_arrow.names if columns is None else columns)
        try:
            # Parquet takes a name as the beginning of a path too, so `a` may bring `a.b` along
            for batch in file.iter_batches(rows or _piece_rows(len(names)), columns=names):
                yield pa.Table.from_batches([batch]).select(names)
        except (pa.ArrowInvalid, OSError) as error:
            raise ValueError(f"{path.name} is damaged: {error}") from error


def _cut(table: pa.Table, columns: Sequence[str] | None, rows: int | None) -> Iterator[pa.Table]:
    chosen = table if columns is None else table.select(list(columns))
    step = rows or _piece_rows(chosen.num_columns)
    for first in range(0, table.num_rows, step):
        yield chosen.slice(first, step)


def _piece_rows(columns: int) -> int:
    return max(1, min(PIECE_ROWS, PIECE_CELLS // max(columns, 1)))
