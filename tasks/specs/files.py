"""Spec files as batches of columns, a few thousand rows at a time, whatever their format.

Parquet columns arrive as Arrow arrays; CSV and JSON lines as Python values. What is wrong with a whole file is a
`SpecError`; a line that cannot be parsed is handed on as a broken row.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.specs.problems import Problem, SpecError, show

BATCH = 4_096
MAX_LINE = 4 << 20  # bytes of one JSON line; also the longest CSV cell

_WRITE_AGAIN = "write the file again, or copy it again if it was cut short"


@dataclass(slots=True)
class Batch:
    """Some rows: `columns` by name, all `size` long; `broken` holds lines that are no rows, by index."""

    first_row: int
    size: int
    columns: dict[str, pa.Array | list[Any]]
    broken: dict[int, Problem] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SpecFile:
    """A spec file: `name` as the user gave it, `path` on this machine, and for Parquet and CSV its columns.

    `columns` maps names to Arrow types, or to None where a format has none. It is None for JSON lines, whose names
    come with each row.
    """

    name: str
    path: Path
    columns: list[tuple[str, pa.DataType | None]] | None
    batches: Callable[[], Iterator[Batch]]


def open_file(name: str, path: Path) -> SpecFile:
    """Look at a file's head. Raises `SpecError`; no row is read yet."""
    if not path.exists():
        raise SpecError(f"{name}: there is no such file. Check the path")
    if path.is_dir():
        raise SpecError(f"{name}: is a folder. Name the files in it, such as {name.rstrip('/')}/*.parquet")
    suffix = path.suffix.lower()
    if suffix not in _OPENERS:
        raise SpecError(f"{name}: {suffix or 'a file without extension'} is not a spec format. Write {_FORMATS}")
    try:
        if path.stat().st_size == 0:
            raise SpecError(f"{name}: is empty. Write the file again")
        return _OPENERS[suffix](name, path)
    except OSError as error:
        raise SpecError(f"{name}: cannot be read: {error.strerror or error}. Check its permissions") from error


def _parquet(name: str, path: Path) -> SpecFile:
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(-min(4, path.stat().st_size), io.SEEK_END)
        tail = file.read(4)
    if head != b"PAR1":
        raise SpecError(f"{name}: is not a Parquet file. {_sentence(_WRITE_AGAIN)}")
    if tail != b"PAR1":
        raise SpecError(f"{name}: is a Parquet file that was cut short. Copy it again")
    try:
        with pq.ParquetFile(path) as parquet:
            schema = parquet.schema_arrow
            rows = parquet.metadata.num_rows
    except (pa.ArrowException, OSError, ValueError) as error:
        raise SpecError(
            f"{name}: is a damaged Parquet file ({_first_line(error)}). {_sentence(_WRITE_AGAIN)}"
        ) from error
    if rows == 0:
        raise SpecError(f"{name}: has columns but no rows. Write at least one row")
    return SpecFile(name, path, [(entry.name, entry.type) for entry in schema], lambda: _parquet_batches(name, path))


def _parquet_batches(name: str, path: Path) -> Iterator[Batch]:
    first = 1
    try:
        # Without pre-buffering a file of one huge row group streams too.
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as parquet:
            for batch in parquet.iter_batches(batch_size=BATCH, use_threads=False):
                columns = dict(zip(batch.schema.names, batch.columns, strict=True))
                yield Batch(first, batch.num_rows, columns)
                first += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise SpecError(
            f"{name}: is damaged after row {first - 1:,} ({_first_line(error)}). {_sentence(_WRITE_AGAIN)}"
        ) from error


def _csv(name: str, path: Path) -> SpecFile:
    with _text(path) as file:
        try:
            reader = csv_reader(file)
            names = [n.strip() for n in next(reader, [])]
            more = any(any(row) for row in itertools.islice(reader, 1_000))
        except (UnicodeDecodeError, csv.Error) as error:
            raise SpecError(_csv_error(name, error)) from error
    if not more:
        raise SpecError(f"{name}: has no rows below its header. Write at least one row")
    return SpecFile(name, path, [(n, None) for n in names], lambda: _csv_batches(name, path, names))


def csv_reader(file: io.TextIOWrapper) -> Any:
    """A CSV reader from the start of `file`, whose header tells what separates cells: comma, semicolon or tab."""
    csv.field_size_limit(MAX_LINE)  # Python's own 128 KiB are less than a product page with a picture inside
    head = file.readline(1 << 20)
    file.seek(0)
    # The first wins a tie, so a single column is comma-separated.
    return csv.reader(file, delimiter=max(",;\t", key=head.count), strict=True)


def _csv_batches(name: str, path: Path, names: list[str]) -> Iterator[Batch]:
    first = 1
    with _text(path) as file:
        reader = csv_reader(file)
        try:
            next(reader)
            rows = (row for row in reader if row)
            while lines := list(itertools.islice(rows, BATCH)):
                broken = {}
                for index, line in enumerate(lines):
                    if len(line) != len(names):
                        reason = f"has {len(line)} cells where the header has {len(names)}"
                        broken[index] = Problem("", reason, "put quotation marks around text that holds the separator")
                        lines[index] = [""] * len(names)
                columns = {n: list(c) for n, c in zip(names, zip(*lines, strict=True), strict=True)}
                yield Batch(first, len(lines), columns, broken)
                first += len(lines)
        except (UnicodeDecodeError, csv.Error) as error:
            raise SpecError(_csv_error(name, error, reader.line_num)) from error


def _csv_error(name: str, error: Exception, line: int = 0) -> str:
    where = f"after line {line:,} " if line else ""
    if isinstance(error, UnicodeDecodeError):
        return f"{name}: {where}is not UTF-8 text. Save it as CSV UTF-8"
    return f"{name}: {where}is not CSV ({error}). Look for a quotation mark that is never closed"


def _json(name: str, path: Path) -> SpecFile:
    with path.open("rb") as file:
        head = next((line for line in _lines(file) if line.strip()), b"").removeprefix(b"\xef\xbb\xbf").strip()
    if not head:
        raise SpecError(f"{name}: is empty. Write the file again")
    if not (head.startswith(b"{") and head.endswith(b"}")):
        raise SpecError(f"{name}: is not JSON lines. Write one object a line, without a list around them")
    return SpecFile(name, path, None, lambda: _json_batches(path))


def _json_batches(path: Path) -> Iterator[Batch]:
    first = 1
    with path.open("rb") as file:
        lines = (line for line in _lines(file) if line.strip())
        while chunk := list(itertools.islice(lines, BATCH)):
            rows: list[dict[str, Any]] = []
            broken = {}
            for index, line in enumerate(chunk):
                row = _json_row(line)
                if isinstance(row, Problem):
                    broken[index] = row
                    row = {}
                rows.append(row)
            names = dict.fromkeys(itertools.chain.from_iterable(rows))
            yield Batch(first, len(chunk), {n: [row.get(n) for row in rows] for n in names}, broken)
            first += len(chunk)


def _json_row(line: bytes) -> dict[str, Any] | Problem:
    if len(line) >= MAX_LINE:
        return Problem("", f"is a line of more than {MAX_LINE >> 20} MiB", "shorten it")
    try:
        row = orjson.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        return Problem("", f"is not JSON: {error.msg}, at character {error.pos + 1:,}", "write one object a line")
    return row if isinstance(row, dict) else Problem("", f"is {show(row)}, not an object", "write one object a line")


def _lines(file: io.BufferedReader) -> Iterator[bytes]:
    """Lines of bounded length; of a longer one the first `MAX_LINE` bytes."""
    while line := file.readline(MAX_LINE):
        yield line
        while len(line) == MAX_LINE and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE)


def _text(path: Path) -> io.TextIOWrapper:
    return path.open(encoding="utf-8-sig", newline="")


def _first_line(error: Exception) -> str:
    return show((str(error).splitlines() or [type(error).__name__])[0], 120)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


_OPENERS: dict[str, Callable[[str, Path], SpecFile]] = {
    ".parquet": _parquet,
    ".pq": _parquet,
    ".csv": _csv,
    ".tsv": _csv,
    ".jsonl": _json,
    ".ndjson": _json,
    ".json": _json,
}
_FORMATS = "Parquet (.parquet), CSV (.csv) or JSON lines (.jsonl)"
