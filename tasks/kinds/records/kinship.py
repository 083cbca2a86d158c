"""Tables that refer to one another: what a job says of its parent, and how well a made child keeps to it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.table.codec import plain_values
from models.table.physical import is_string, value_type
from models.table.reading import read_table
from models.table.references import MOST_PLACES, order_units, owners_of
from tasks.kinds.base import JOB_ID

_SHORT = re.compile(r"(?P<column>.+?)\s*->\s*(?P<job>[A-Za-z0-9_-]+)\.(?P<key>[^.]+)")
_SHOWN = 80  # characters of a wrong value that a message repeats
_FORM = 'write COLUMN->JOB_ID.COLUMN, or JSON: {"column": …, "job": …, "key": …, "order": …}'


@dataclass(frozen=True, slots=True)
class Parent:
    """`column` refers to `key` of the data sets of the job `job`; `order` is what siblings are sorted by, if at all."""

    column: str
    job: str
    key: str
    order: str | None = None

    def to_json(self) -> str:
        """The form in which a plan keeps it."""
        return json.dumps(asdict(self), ensure_ascii=False)


def parse_parent(text: str) -> Parent | None:
    """The parent that `text` names; None for an empty one. Raises ValueError with what to write."""
    if not text.strip():
        return None
    if text.lstrip().startswith("{"):
        return _from_json(text)
    found = _SHORT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text[:_SHOWN]!r} names no parent: {_FORM}")
    return Parent(**found.groupdict())


def _from_json(text: str) -> Parent:
    try:
        told = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}; {_FORM}") from error
    extra = set(told) - {"column", "job", "key", "order"}
    missing = {"column", "job", "key"} - set(told)
    if missing:
        raise ValueError(f"the parent lacks {', '.join(sorted(missing))}: {_FORM}")
    if extra:
        raise ValueError(f"the parent has the unknown {min(extra)[:_SHOWN]!r}: {_FORM}")
    texts = [value for name, value in told.items() if name != "order" or value is not None]
    if not all(isinstance(value, str) and value for value in texts):
        raise ValueError(f"the parts of a parent are texts that are not empty: {_FORM}")
    if not re.fullmatch(JOB_ID, told["job"]):
        raise ValueError(f"no job has such an id: {_FORM}")
    return Parent(**told)


def check_references(path: Path, parents: Path, parent: Parent) -> None:
    """Raises ValueError unless every row of the source at `path` refers to a row of the one at `parents`."""
    children, above = read_table(path), read_table(parents)
    for name in (parent.column, parent.order):
        if name is not None and name not in children.schema.names:
            raise ValueError(f"{name!r} is no column of {path.name}")
    pair = ((children, parent.column), (above, parent.key))
    one, other = (value_type(table.schema.field(name).type) for table, name in pair)
    if one != other and not (is_string(one) and is_string(other)):
        raise ValueError(
            f"{parent.column!r} is {one} and {parent.key!r} of {parent.job!r} is {other}: they cannot match"
        )
    if parent.order is not None:
        nulls = order_units(plain_values(children[parent.order]), parent.order).null_count
        if nulls:
            raise ValueError(f"{parent.order!r}, which orders siblings, is null in {nulls:,} rows")
    lost = orphans(children, above, parent)
    if lost:
        raise ValueError(
            f"{lost:,} rows refer by {parent.column!r} to no {parent.key!r} of {parents.name}; "
            "take them out of the source"
        )
    most = int(_children_per_parent(children, above, parent).max(initial=0))
    if most > MOST_PLACES:
        raise ValueError(f"one {parent.key!r} has {most:,} rows that refer to it; {MOST_PLACES:,} are possible")


def kinship(source: Path, parents: Path, made: Path, made_parents: Path, parent: Parent) -> dict[str, Any]:
    """How a made child keeps to its made parent: orphans, siblings out of order, and children per parent.

    `children_per_parent` are the Kolmogorov–Smirnov distance to the source's numbers (`ks`), how large it may be by
    chance (`noise`), and both means.
    """
    real, above = read_table(source), read_table(parents)
    child, made_above = read_table(made), read_table(made_parents)
    numbers = [_children_per_parent(real, above, parent), _children_per_parent(child, made_above, parent)]
    return {
        "job": parent.job,
        "orphans": orphans(child, made_above, parent),
        "out_of_order": out_of_order(child, parent),
        "children_per_parent": {
            "ks": round(_distance(*numbers), 6),
            "noise": round(float(sum(1 / len(side) for side in numbers) ** 0.5), 6),
            "source": round(float(numbers[0].mean()), 4),
            "synthetic": round(float(numbers[1].mean()), 4),
        },
    }


def orphans(children: pa.Table, parents: pa.Table, parent: Parent) -> int:
    """Rows whose reference names no parent, null ones among them."""
    return int(owners_of(children[parent.column], parents[parent.key]).null_count)


def _children_per_parent(children: pa.Table, parents: pa.Table, parent: Parent) -> np.ndarray:
    owner = owners_of(children[parent.column], parents[parent.key])
    return np.bincount(owner.drop_null().to_numpy().astype(np.int64), minlength=parents.num_rows)


def _distance(real: np.ndarray, made: np.ndarray) -> float:
    everywhere = np.union1d(real, made)
    below = [np.searchsorted(np.sort(numbers), everywhere, side="right") / len(numbers) for numbers in (real, made)]
    return float(np.abs(below[0] - below[1]).max())


def out_of_order(child: pa.Table, parent: Parent) -> int:
    """Rows that come before their elder sibling; none where siblings have no order."""
    if parent.order is None or child.num_rows < 2:
        return 0
    owner, order = plain_values(child[parent.column]), plain_values(child[parent.order])
    same = pc.equal(owner.slice(1), owner.slice(0, len(owner) - 1))
    less = pc.less(order.slice(1), order.slice(0, len(order) - 1))
    return int(pc.sum(pc.and_(same, less)).as_py() or 0)
