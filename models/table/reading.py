"""Reading a source table from a local Parquet or CSV file, told apart by content."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

MAGIC = b"PAR1"
PARQUET_SUFFIXES = (".parquet", ".pq")
EMPTY = ["", "NULL", "null", "NaN", "nan"]  # not NA or None, which are also names


def is_parquet(path: Path) -> bool:
    """Whether the file claims to be Parquet, by its first bytes or its name. Raises ValueError without a file."""
    if not path.is_file():
        raise ValueError(f"{path.name} does not exist or is no file")
    with path.open("rb") as file:
        start = file.read(len(MAGIC))
    return start == MAGIC or path.suffix.lower() in PARQUET_SUFFIXES


def open_parquet(path: Path) -> pq.ParquetFile:
    """Raises ValueError when the file is not Parquet, or only the beginning of one."""
    try:
        return pq.ParquetFile(path)
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
