"""Spec files to jobs, streaming: every row becomes a job of its kind, or is set aside with a reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tasks.kinds.base import Job
from tasks.specs import arrays, wording
from tasks.specs.columns import MAX_META, META, Family, by_kind, families
from tasks.specs.files import Batch, SpecFile, open_file
from tasks.specs.places import Places, local_copy
from tasks.specs.problems import Problem, Quarantined, SpecError, listed, nearest, quote, show


def read(
    paths: Sequence[str], *, scratch: Path, strict: bool = False, limit: int | None = None
) -> Iterator[Job | Quarantined]:
    """Jobs and quarantined rows of spec files, in the order of files and rows, in flat memory.

    `paths` are paths or s3:// URIs; remote files are copied into `scratch`. `limit` ends after so many jobs; `strict`
    makes the first bad row a `SpecError`. Every file's header is checked before the first row. Duplicate ids are not
    looked for. Raises `SpecError` for what is wrong with a file; a value in a column of another kind, and in JSON
    lines an unknown column, are found where they stand, so a caller should exhaust this before acting.
    """
    for _, _, outcome in numbered(paths, scratch=scratch, strict=strict, limit=limit):
        yield outcome


def numbered(
    paths: Sequence[str], *, scratch: Path, strict: bool = False, limit: int | None = None
) -> Iterator[tuple[str, int, Job | Quarantined]]:
    """`read` with the place of each row: (file, data row from 1, outcome)."""
    jobs = 0
    if limit is not None and limit <= 0:
        return
    for file in open_all(paths, scratch):
        for row, outcome in judged(file):
            if isinstance(outcome, Job):
                yield file.name, row, outcome
                jobs += 1
                if jobs == limit:
                    return
                continue
            aside = set_aside(file, row, outcome)
            for problem in outcome.problems:
                if problem.fatal:
                    raise SpecError(
                        f"{aside.file}, row {row:,}, column {problem.column}: {problem.reason}. {problem.suggestion}"
                    )
            if strict:
                raise SpecError(str(aside))
            yield file.name, row, aside


@dataclass(slots=True)
class Bad:
    """A row that is no job: all its problems, and as much of its identity as could be read."""

    job_id: Any
    kind: Any
    problems: list[Problem] = field(default_factory=list)


def set_aside(file: SpecFile, row: int, bad: Bad, problem: Problem | None = None) -> Quarantined:
    """The quarantined row for one of its problems, by default the first."""
    first = problem or bad.problems[0]
    job_id = None if bad.job_id is None else show(bad.job_id)
    kind = None if bad.kind is None else show(bad.kind)
    return Quarantined(file.name, row, job_id, kind, first.column, first.reason, first.suggestion)


def open_all(paths: Sequence[str], scratch: Path) -> list[SpecFile]:
    """All files with their headers checked. Raises `SpecError`."""
    names = [paths] if isinstance(paths, str) else [str(path) for path in paths]
    if not names:
        raise SpecError("no spec file is given. Name at least one Parquet, CSV or JSON lines file")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise SpecError(f"{twice}: is named twice. Name every spec file once")
    files = []
    for name in names:
        file = open_file(name, local_copy(name, scratch))
        if errors := header_errors(file):
            raise SpecError(f"{name}: " + "; ".join(f"{p.reason}. {p.suggestion}" for p in errors))
        files.append(file)
    return files


def header_errors(file: SpecFile) -> list[Problem]:
    """What is wrong with a file's columns: unknown, doubled, of a wrong type, or missing."""
    if file.columns is None:
        return []
    names = [name for name, _ in file.columns]
    found = [p for name in dict.fromkeys(names) if (p := unknown(name))]
    found += [
        Problem(show(n), f"column {quote(n)} appears twice", "Rename or remove one of them")
        for n in dict.fromkeys(names)
        if names.count(n) > 1
    ]
    for name, kind in file.columns:
        if not (family := _family(name)) or kind is None:
            continue
        if not arrays.suits(kind, family):
            found.append(
                Problem(
                    name, f"column {name} holds {show(str(kind))}, where {_HOLDS[family]} belong", "Convert the column"
                )
            )
    if sum(name.startswith(META) for name in names) > MAX_META:
        found.append(Problem("", f"there are more than {MAX_META} meta_ columns", "Remove some"))
    for needed in ("job_id", "kind"):
        if needed not in names and not any(nearest(p.column, [needed]) for p in found):
            found.append(Problem(needed, f"there is no column {needed}", "Add it; every row needs one"))
    return found


def unknown(name: str) -> Problem | None:
    """The problem of a column that no kind has, or None."""
    if _family(name):
        return None
    shown = show(name)
    if name in ("", "Unnamed: 0") or name.startswith("__index_level_"):
        return Problem(shown, f"column {quote(name)} looks like a pandas index", "Write the file with index=False")
    near = nearest(name, [*families(), META])
    if near and near != META:
        return Problem(shown, f"there is no column {quote(name)}", f"Did you mean {near}?")
    return Problem(
        shown, f"there is no column {quote(name)}", "Remove it, or call it meta_… to pass it through to the outputs"
    )


def judged(file: SpecFile) -> Iterator[tuple[int, Job | Bad]]:
    """Every row of a file: its number, and its job or what is wrong with it."""
    places = Places(file.name, file.path)
    known: set[str] = set()
    for batch in file.batches():
        for name, cells in batch.columns.items():
            if name not in known and (problem := unknown(name)):
                row = batch.first_row + next((i for i, value in enumerate(cells) if value is not None), 0)
                raise SpecError(f"{file.name}, row {row:,}: {problem.reason}. {problem.suggestion}")
            known.add(name)
        yield from _judge_batch(batch, places)


def _judge_batch(batch: Batch, places: Places) -> Iterator[tuple[int, Job | Bad]]:
    cells: dict[str, list[Any]] = {}
    broken: dict[int, list[Problem]] = {index: [problem] for index, problem in batch.broken.items()}
    for name, column in batch.columns.items():
        family = _family(name) or "other"
        values, wrong = arrays.each(column, family) if isinstance(column, list) else arrays.read(column, family)
        for index, error in wrong.items():
            broken.setdefault(index, []).append(Problem(name, error.reason, error.suggestion))
        if wrong or any(value is not None for value in values):
            cells[name] = values
    views = {kind: _View(kind, cells) for kind in by_kind()}
    kinds = cells.get("kind") or [None] * batch.size
    for index, kind in enumerate(kinds):
        view = views.get(kind)
        row = batch.first_row + index
        if view is None or index in broken:
            yield row, _bad_row(index, kind, cells, view, batch, broken.get(index, []), places)
            continue
        row_values = view.values(index)
        problems = view.strangers(index)
        if view.paths:
            problems += places.resolve(row_values, view.paths)
        try:
            job = view.model.model_validate(row_values)
        except ValidationError as error:
            problems += wording.problems(error, view.schema)
        yield row, Bad(row_values.get("job_id"), kind, problems) if problems else job


class _View:
    """A batch as rows of one kind see it: own columns, and those that must be empty."""

    def __init__(self, kind: str, cells: dict[str, list[Any]]) -> None:
        columns = by_kind()[kind]
        self.kind = kind
        self.model = columns.model
        self.schema = columns.schema
        self.own = [(name, values) for name, values in cells.items() if name in columns.schema]
        self.meta = [(name.removeprefix(META), values) for name, values in cells.items() if name.startswith(META)]
        self.paths = [name for name in columns.paths if name in cells]
        self.later = [(name, cells[name], reason) for name, reason in columns.later.items() if name in cells]
        mine = columns.schema.keys() | columns.later.keys()
        self.foreign = [(n, values) for n, values in cells.items() if n not in mine and not n.startswith(META)]

    def values(self, index: int) -> dict[str, Any]:
        """The cells of one row that are not absent, as the job model takes them."""
        row = {name: column[index] for name, column in self.own if column[index] is not None}
        if self.meta:
            row["meta"] = {name: column[index] for name, column in self.meta if column[index] is not None}
        return row

    def foreign_cell(self, name: str) -> Problem:
        """The problem of a cell in a column that only other kinds have."""
        owners = listed(k for k, c in by_kind().items() if name in c.schema or name in c.later)
        reason = f"a {self.kind} job has no such column; it belongs to {owners}"
        return Problem(name, reason, f"Leave {name} empty in {self.kind} rows", fatal=True)

    def strangers(self, index: int) -> list[Problem]:
        """Cells that a row of this kind must not have: those of other kinds, and those of later versions."""
        found = []
        for name, values in self.foreign:
            if values[index] is not None:
                found.append(self.foreign_cell(name))
        for name, values, reason in self.later:
            if values[index] is not None:
                found.append(Problem(name, reason, "leave the column empty"))
        return found


def _bad_row(
    index: int,
    kind: Any,
    cells: dict[str, list[Any]],
    view: _View | None,
    batch: Batch,
    problems: list[Problem],
    places: Places,
) -> Bad:
    """Everything wrong with a row whose kind is unknown or whose cells could not all be read."""
    job_id = cells["job_id"][index] if "job_id" in cells else None
    if index in batch.broken:
        return Bad(None, None, problems)
    if view is None:
        if not any(p.column == "kind" for p in problems):
            problems = [*problems, _unknown_kind(kind)]
        return Bad(job_id, kind, problems)
    foreign = {name for name, _ in view.foreign}
    problems = [view.foreign_cell(p.column) if p.column in foreign else p for p in problems]
    problems = [*view.strangers(index), *problems]
    unread = {problem.column for problem in problems}
    values = view.values(index)
    problems += places.resolve(values, view.paths)
    try:
        view.model.model_validate(values)
    except ValidationError as error:
        # Errors of the row as a whole may come from the cells that are already reported.
        details = {d["loc"][0] for d in error.errors(include_url=False) if d["loc"]}
        problems += [p for p in wording.problems(error, view.schema) if p.column in details - unread]
    return Bad(job_id, kind, problems)


def _unknown_kind(kind: Any) -> Problem:
    names = list(by_kind())
    if kind is None:
        return Problem("kind", "is empty", f"write {listed(names)}")
    near = nearest(kind, names)
    return Problem(
        "kind",
        f"is {quote(kind)}, not one of {', '.join(names)}",
        f"did you mean {near}?" if near else f"write {listed(names)}",
    )


def _family(name: str) -> Family | None:
    if name.startswith(META):
        tail = name.removeprefix(META)
        return "meta" if 0 < len(tail) <= 100 and tail.isprintable() else None
    return families().get(name)


_HOLDS: dict[Family, str] = {
    "text": "texts",
    "integer": "whole numbers",
    "number": "numbers",
    "list": "lists of texts",
    "map": "maps of texts",
    "json": "JSON texts, lists or objects",
    "meta": "single values",
    "other": "values",
}
