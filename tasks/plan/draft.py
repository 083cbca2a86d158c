"""Drawing up a plan: read the specs once, in a stream, and file every job by the hash of its id.

Jobs go to 256 buckets on disk; a partition of the plan is a contiguous range of buckets. So a million jobs never stand
in memory together, the order of rows and files leaves no trace, and any spec set of one content gives one plan.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import orjson

from tasks import identity
from tasks.kinds import kind as kind_named
from tasks.kinds.base import Desk, Filed, Job, Refused
from tasks.specs import Quarantined, SpecError, duplicate, numbered

ITEMS_PER_PARTITION = 32_768
ASIDE_SHOWN = 5


@dataclass(slots=True)
class Entry:
    """A filed job: what later steps need of it, without parsing it again."""

    job_id: str
    kind: str
    job: dict[str, Any]
    inputs: str
    group: int
    fit: int | None
    sources: dict[str, str]
    file: str
    row: int

    @property
    def variants(self) -> int:
        """How many items the job asks for."""
        return int(self.job.get("variants", 1))


@dataclass(frozen=True, slots=True)
class Child:
    """A job that is made from another's outputs: what identifies both, for looking up what was made before."""

    job_id: str
    inputs: str
    variants: int
    parent_id: str
    parent_inputs: str


@dataclass(slots=True)
class Draft:
    """A plan on local disk, before it is compared with what the store holds."""

    folder: Path
    rows: int = 0
    valid: int = 0
    quarantined: int = 0
    intent: str = ""
    groups: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    fits: list[dict[str, Any]] = field(default_factory=list)
    meta: dict[str, str] = field(default_factory=dict)
    items: Counter[str] = field(default_factory=Counter)
    aside: list[str] = field(default_factory=list)
    """What is wrong with the first quarantined rows, for people."""
    children: list[Child] = field(default_factory=list)
    """Jobs that have a parent; parents come before their children."""

    @property
    def partitions(self) -> int:
        """A power of two, by the number of items alone: a partition is what planning holds in memory at once."""
        count, items = 1, sum(self.items.values())
        while count < identity.BUCKETS and items > count * ITEMS_PER_PARTITION:
            count *= 2
        return count

    def buckets(self, partition: int) -> range:
        """The buckets of one partition."""
        width = identity.BUCKETS // self.partitions
        return range(partition * width, (partition + 1) * width)

    def entries(self, partition: int) -> Iterator[Entry]:
        """The jobs of a partition, sorted by bucket and job id; jobs that share an id are left out."""
        for bucket in self.buckets(partition):
            yield from self._bucket(bucket)[0]

    def quarantine(self) -> Iterator[Quarantined]:
        """Every refused row."""
        with (self.folder / "quarantine").open("rb") as file:
            for line in file:
                yield Quarantined(**orjson.loads(line))

    def _bucket(self, bucket: int) -> tuple[list[Entry], list[Entry]]:
        """The bucket's entries sorted by job id, and those whose job id stands more than once."""
        path = self.folder / f"bucket-{bucket:03d}"
        if not path.exists():
            return [], []
        with path.open("rb") as file:
            entries = sorted((Entry(*orjson.loads(line)) for line in file), key=lambda e: (e.job_id, e.file, e.row))
        seen = Counter(entry.job_id for entry in entries)
        return [e for e in entries if seen[e.job_id] == 1], [e for e in entries if seen[e.job_id] > 1]


def draw_up(
    specs: Sequence[str],
    desk: Desk,
    folder: Path,
    *,
    limit: int | None = None,
    strict: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Draft:
    """Read `specs` and file their jobs under `folder`.

    Raises `tasks.specs.SpecError` for what is wrong with a file as a whole, and with `strict` for the first bad row;
    `Refused` for a model that the settings name and that cannot be used; `Transient` where a store fails.
    """
    draft = Draft(folder)
    folder.mkdir(parents=True, exist_ok=True)
    filing = _Filing(draft, desk, strict)
    with ExitStack() as stack:
        filing.open(stack)
        for file, row, found in numbered(specs, scratch=desk.scratch, strict=strict, limit=limit):
            draft.rows += 1
            filing.add(file, row, found)
            if progress and draft.rows % 10_000 == 0:
                progress(draft.rows)
        filing.add_children()
        filing.close_buckets()
        intent = hashlib.sha256()
        for bucket in range(identity.BUCKETS):
            unique, doubled = draft._bucket(bucket)
            for entry in unique:
                intent.update(bytes.fromhex(entry.inputs))
                intent.update(identity.canonical([entry.variants, entry.job.get("meta")]))
                draft.items[entry.kind] += entry.variants
            draft.valid += len(unique)
            for entry in doubled:
                filing.refuse(duplicate(file=entry.file, row=entry.row, job_id=entry.job_id, kind=entry.kind))
        intent.update(filing.refusals())
    draft.quarantined = draft.rows - draft.valid
    draft.intent = identity.digest([intent.hexdigest(), desk.settings.affecting_output()])
    return draft


class _Filing:
    """The open bucket files and what is learned while filling them."""

    def __init__(self, draft: Draft, desk: Desk, strict: bool) -> None:
        self.draft = draft
        self.desk = desk
        self.strict = strict
        self.groups: dict[tuple[str, tuple[str, ...]], int] = {}
        self.fits: dict[str, int] = {}
        self.meta: dict[str, set[str]] = {}
        self._children: list[tuple[str, int, Job]] = []
        self._refusals = 0

    def open(self, stack: ExitStack) -> None:
        self.quarantine = stack.enter_context((self.draft.folder / "quarantine").open("wb"))
        self.buckets = [
            stack.enter_context((self.draft.folder / f"bucket-{b:03d}").open("wb")) for b in range(identity.BUCKETS)
        ]

    def close_buckets(self) -> None:
        for file in self.buckets:
            file.close()
        self.draft.groups = list(self.groups)
        self.draft.meta = {name: _arrow_type(types) for name, types in sorted(self.meta.items())}

    def add(self, file: str, row: int, job: Job | Quarantined) -> None:
        if isinstance(job, Quarantined):
            self.refuse(job)
        elif job.parent_id is not None:
            self._children.append((file, row, job))
        else:
            self._file(file, row, job)

    def add_children(self) -> None:
        """File the jobs that have a parent, now that all others are: parents first. There are few such jobs."""
        waiting = self._children
        while waiting:
            ids = {job.job_id for _, _, job in waiting}
            ready = [child for child in waiting if child[2].parent_id not in ids]
            left = [child for child in waiting if child[2].parent_id in ids]
            for file, row, job in ready:
                if (parent := self._filed(str(job.parent_id))) is not None:
                    self.desk.jobs[parent.job.job_id] = parent
                self._file(file, row, job)
            if not ready:
                for file, row, job in waiting:
                    reason = "its parents lead back to itself, so that none could be made first"
                    self.refuse(Quarantined(file, row, job.job_id, job.kind, "parent", reason, ""))
                return
            waiting = left

    def _filed(self, job_id: str) -> Filed | None:
        number = identity.bucket(job_id)
        self.buckets[number].flush()
        found = next((entry for entry in self.draft._bucket(number)[0] if entry.job_id == job_id), None)
        if found is None:
            return None
        return Filed(kind_named(found.kind).job.model_validate(found.job), found.inputs)

    def _file(self, file: str, row: int, job: Job) -> None:
        plug = kind_named(job.kind)
        try:
            prepared = plug.prepare(job, self.desk)
        except Refused as refusal:
            if refusal.column == "model" and job.model is None:
                raise  # the settings' model: no row is at fault, and every row would be set aside
            self.refuse(Quarantined(file, row, job.job_id, job.kind, refusal.column, str(refusal), ""))
            return
        for name, value in job.meta.items():
            self.meta.setdefault(f"meta_{name}", set()).add(type(value).__name__)
        group = self.groups.setdefault((job.kind, prepared.group), len(self.groups))
        fit = None
        if prepared.fit is not None:
            key = identity.digest(["fit", prepared.fit.inputs])
            if key not in self.fits:
                self.fits[key] = len(self.fits)
                self.draft.fits.append(
                    {"key": key, **{f.name: getattr(prepared.fit, f.name) for f in fields(prepared.fit)}}
                )
            fit = self.fits[key]
        inputs = identity.inputs_digest(job.kind, job.job_id, prepared.inputs)
        if job.parent_id is not None:
            above = self.desk.jobs[job.parent_id].inputs
            self.draft.children.append(Child(job.job_id, inputs, job.variants, job.parent_id, above))
        line = orjson.dumps(
            [
                job.job_id,
                job.kind,
                job.model_dump(mode="json", exclude_defaults=True),
                inputs,
                group,
                fit,
                prepared.sources,
                file,
                row,
            ]
        )
        self.buckets[identity.bucket(job.job_id)].write(line + b"\n")

    def refuse(self, row: Quarantined) -> None:
        if self.strict:
            raise SpecError(str(row))
        self.quarantine.write(orjson.dumps(row) + b"\n")
        if len(self.draft.aside) < ASIDE_SHOWN:
            self.draft.aside.append(str(row))
        mark = identity.digest([row.job_id, row.column, row.reason])
        self._refusals = (self._refusals + int(mark, 16)) % 2**256

    def refusals(self) -> bytes:
        """A digest of all refused rows that their order leaves no trace in."""
        self.quarantine.flush()
        return self._refusals.to_bytes(32, "big")


def _arrow_type(types: set[str]) -> str:
    """The Arrow type that holds every value of a meta column over all files."""
    types = types - {"NoneType"}
    for one, arrow in (({"bool"}, "bool"), ({"int"}, "int64"), ({"int", "float"}, "double")):
        if types and types <= one:
            return arrow
    return "string"
