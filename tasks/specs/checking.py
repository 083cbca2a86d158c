"""Every problem of a set of spec files: of the files, of all rows, and ids that stand more than once."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from tasks.kinds.base import Job
from tasks.specs.files import SpecFile, open_file
from tasks.specs.places import local_copy
from tasks.specs.problems import Problem, Quarantined, SpecError, duplicate
from tasks.specs.reading import header_errors, judged, set_aside


def check(paths: Sequence[str], scratch: Path) -> Iterator[Quarantined]:
    """Every problem of the spec files, all of a row's included; nothing is raised for bad input.

    Row 0 stands for the file itself. A file whose columns are wrong is not read further. A column of another kind is an
    error of the file, reported where it first stands. Duplicate ids come last. Memory grows by 24 bytes a row.
    """
    ids = _Ids()
    files: list[SpecFile] = []
    for name in dict.fromkeys([paths] if isinstance(paths, str) else map(str, paths)):
        try:
            file = open_file(name, local_copy(name, scratch))
        except SpecError as error:
            yield _of_file(name, str(error))
            continue
        errors = header_errors(file)
        for problem in errors:
            yield Quarantined(name, 0, None, None, problem.column, problem.reason, problem.suggestion)
        if not errors:
            files.append(file)
            yield from _rows(file, ids)
    yield from _duplicates(files, ids)


def _rows(file: SpecFile, ids: _Ids) -> Iterator[Quarantined]:
    strangers: set[tuple[str | None, str]] = set()
    ids.next_file()
    try:
        for row, outcome in judged(file):
            if isinstance(outcome, Job):
                ids.add(row, outcome.job_id)
                continue
            if isinstance(outcome.job_id, str):
                ids.add(row, outcome.job_id)
            for problem in outcome.problems:
                if not problem.fatal:
                    yield set_aside(file, row, outcome, problem)
                elif (outcome.kind, problem.column) not in strangers:
                    strangers.add((outcome.kind, problem.column))
                    yield _of_column(file.name, row, problem)
    except SpecError as error:
        yield _of_file(file.name, str(error))


def _of_file(name: str, message: str) -> Quarantined:
    """A `SpecError` as a problem: its message already names the file and says what to do."""
    reason, _, suggestion = message.removeprefix(f"{name}: ").rpartition(". ")
    return Quarantined(name, 0, None, None, "", reason or suggestion, suggestion if reason else "")


def _of_column(name: str, row: int, problem: Problem) -> Quarantined:
    return Quarantined(name, 0, None, None, problem.column, f"row {row:,}: {problem.reason}", problem.suggestion)


class _Ids:
    """Digests of the job ids of all files, 16 bytes each, with row numbers."""

    def __init__(self) -> None:
        self.digests = bytearray()
        self.rows = array("Q")
        self.starts: list[int] = []

    def next_file(self) -> None:
        self.starts.append(len(self.rows))

    def add(self, row: int, job_id: str) -> None:
        self.digests += hashlib.blake2b(job_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        self.rows.append(row)

    def shared(self) -> tuple[np.ndarray, np.ndarray]:
        """Indices of rows whose id stands more than once, and how often it stands."""
        digests = np.frombuffer(bytes(self.digests), dtype=[("high", "<u8"), ("low", "<u8")])
        order = np.argsort(digests, order=("high", "low"), kind="stable")
        ranked = digests[order]
        first = np.ones(len(ranked), dtype=bool)
        first[1:] = ranked[1:] != ranked[:-1]
        groups = np.cumsum(first) - 1
        counts = np.bincount(groups)[groups] if len(groups) else groups
        indices = order[counts > 1]
        back = np.argsort(indices)
        return indices[back], counts[counts > 1][back]


def _duplicates(files: list[SpecFile], ids: _Ids) -> Iterator[Quarantined]:
    """The rows that share an id; only now, when there are any, are the files read once more for the ids' text."""
    indices, counts = ids.shared()
    for number, file in enumerate(files):
        end = ids.starts[number + 1] if number + 1 < len(files) else len(ids.rows)
        inside = (indices >= ids.starts[number]) & (indices < end)
        wanted = {ids.rows[int(i)]: int(c) for i, c in zip(indices[inside], counts[inside], strict=True)}
        if not wanted:
            continue
        try:
            for row, outcome in judged(file):
                if row in wanted and isinstance(outcome.job_id, str):
                    yield duplicate(file.name, row, outcome.job_id, outcome.kind, wanted[row] - 1)
        except SpecError:
            continue  # the file's own problem is reported already
