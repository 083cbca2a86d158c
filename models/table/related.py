"""Children of a table: how many each parent has, and their rows one after the other, each given parent and sibling.

Two record models do it. One learns the number of children given the parent's own columns; the other learns a child's
columns given the parent's, its place among its siblings, and the sibling before it. Children are drawn for all parents
at once, first ones first. Where they have an order (a year, a date), its steps are learned instead of its values, so
that siblings come out in order and an unseen pair of values keeps its distance. A sequence that would step beyond the
orders that the source knows ends there, as the source's own did when it was taken.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from models.table.codec import as_field, plain_values
from models.table.columns import ADDED, Chunk, KeyColumn, role_of
from models.table.model import CHUNK, TableModel, fit_table, load_model
from models.table.picking import pick
from models.table.references import MOST_PLACES, as_order, order_units, owners_of
from models.table.steering import no_nulls

PARENT, BEFORE = "↑", "←"  # before the names of columns of the parent, and of the sibling before
COUNT, PLACE, FIRST, STEP = (f"{ADDED}{name}" for name in ("children", "place", "first", "step"))
ANEW = ("text", "key")  # roles that say nothing of a row
LINK = "link.arrow"  # the child table's schema, and the link in its metadata

Compute = Callable[[Mapping[str, pa.Array]], pa.Array]


@dataclass(frozen=True, slots=True)
class Link:
    """How a child table hangs on its parent: `child` refers to `parent`; siblings are ordered by `order`, if at all.

    `without` are columns of the parent that tell a child nothing: references of its own, which are new in every draw.
    """

    child: str
    parent: str
    order: str | None = None
    without: Sequence[str] = ()


@dataclass(slots=True)
class ChildModel:
    """Draws the children of given parents."""

    link: Link
    schema: pa.Schema
    counts: TableModel
    rows: TableModel
    span: tuple[int, int] | None = None
    """The least and greatest order of the source, in whole units; None without an order."""

    def sample(self, parents: pa.Table, seed: int) -> pa.Table:
        """Children of `parents`, sorted by parent and place, with the child table's own columns and types.

        Every reference is one of the parents' values in the link's column; parents may have no children. Parents are
        taken chunk by chunk, so that memory does not grow with them but for what is drawn.
        """
        taken = self.rows.codec.nothing_taken()
        made = [self.schema.empty_table()]
        for first in range(0, parents.num_rows, CHUNK):
            chunk = self._chunk(parents.slice(first, CHUNK), [seed, first // CHUNK], taken)
            made.append(self._keyed(chunk, sum(table.num_rows for table in made)))
        return pa.concat_tables(made)

    def _chunk(self, parents: pa.Table, seed: list[int], taken: list[set[str]]) -> pa.Table:
        """The children of one chunk of parents."""
        rows = parents.num_rows
        context = _context(parents, self.counts)
        nothing = self.counts.codec.nothing_taken()
        counted = _draw(self.counts, rows, context, {}, np.random.SeedSequence([*seed, 0]), nothing)
        left = np.asarray(counted[COUNT]).astype(np.int64)
        alive, before = np.arange(rows), None
        pieces, owners = [], []
        for place in range(1, int(left.max(initial=0)) + 1):
            stay = left[alive] >= place
            if before is not None:
                before = before.filter(pa.array(stay))
            alive = alive[stay]
            own = {name: values.take(pa.array(alive)) for name, values in context.items()}
            own[COUNT] = pa.array(left[alive])
            own[PLACE] = pa.array(np.full(len(alive), place))
            before, inside = self._children(own, before, np.random.SeedSequence([*seed, place]), taken)
            before, alive = before.filter(pa.array(inside)), alive[inside]
            pieces.append(before)
            owners.append(alive)
        return self._assembled(parents, pieces, owners)

    def save(self, folder: Path) -> None:
        """Write both models and the link into `folder`."""
        self.counts.save(folder / "counts")
        self.rows.save(folder / "rows")
        schema = self.schema.with_metadata({"link": json.dumps({"link": asdict(self.link), "span": self.span})})
        (folder / LINK).write_bytes(schema.serialize().to_pybytes())

    def _children(
        self,
        context: dict[str, pa.Array],
        before: pa.Table | None,
        seed: np.random.SeedSequence,
        taken: list[set[str]],
    ) -> tuple[pa.Table, np.ndarray]:
        """The next child of every parent in `context`, and which of them have an order that the source reaches."""
        rows, schema, order = len(context[PLACE]), self.rows.codec.schema, self.link.order
        for name in schema.names:
            if name.startswith(BEFORE):
                known = None if before is None else plain_values(before[name.removeprefix(BEFORE)])
                context[name] = pa.nulls(rows, schema.field(name).type) if known is None else known
        computed: dict[str, Compute] = {}
        inside = np.ones(rows, dtype=bool)
        if order is not None and self.span is not None:
            kind, span = schema.field(order).type, self.span
            unused, drawn = (STEP, FIRST) if before is None else (FIRST, STEP)
            context[unused] = pa.nulls(rows, pa.int64())
            start = 0 if before is None else np.asarray(order_units(plain_values(before[order]), order))

            def reckoned(row: Mapping[str, pa.Array]) -> pa.Array:
                units = start + np.asarray(row[drawn])
                inside[:] = (units >= span[0]) & (units <= span[1])
                return as_order(pa.array(np.clip(units, *span)), kind)

            computed[order] = reckoned
        made = _draw(self.rows, rows, context, computed, seed, taken)
        return pa.table({name: made[name] for name in self.schema.names if name in made}), inside

    def _assembled(self, parents: pa.Table, pieces: list[pa.Table], owners: list[np.ndarray]) -> pa.Table:
        if not pieces:
            return self.schema.empty_table()
        children, owner = pa.concat_tables(pieces), np.concatenate(owners)
        places = np.repeat(np.arange(len(owners)), [len(alive) for alive in owners])
        order = pa.array(np.lexsort((places, owner)))
        arrays = []
        for field in self.schema:
            if field.name == self.link.child:
                values = plain_values(parents[self.link.parent]).take(pa.array(owner))
            else:
                values = plain_values(children[field.name])
            arrays.append(as_field(values.take(order), field.type))
        return pa.Table.from_arrays(arrays, schema=self.schema)

    def _keyed(self, made: pa.Table, first: int) -> pa.Table:
        """Running keys run over all places and chunks: `first` rows came before."""
        for name, column in zip(self.rows.codec.schema.names, self.rows.codec.columns, strict=True):
            if isinstance(column, KeyColumn) and name in made.schema.names:
                number = made.schema.get_field_index(name)
                keys = column.decode(np.zeros((made.num_rows, 0)), Chunk(np.random.default_rng(0), first, set()))
                made = made.set_column(number, made.schema.field(number), as_field(keys, made.schema.types[number]))
        return made


def _draw(
    model: TableModel,
    rows: int,
    given: Mapping[str, pa.Array],
    computed: Mapping[str, Compute],
    seed: np.random.SeedSequence,
    taken: list[set[str]],
) -> dict[str, pa.Array]:
    """All columns of `model` for rows whose columns `given` are known; `computed` ones follow from those before.

    Columns that this module adds are never drawn null.
    """
    for_tokens, for_values = seed.spawn(2)
    generator = torch.Generator().manual_seed(int(for_tokens.generate_state(1, np.uint64)[0] >> np.uint64(1)))
    rng, network, names = np.random.default_rng(for_values), model.network, model.codec.schema.names
    tokens = torch.zeros(rows, len(network.parts), dtype=torch.int64)
    values: dict[str, pa.Array] = {}
    for number, place in model.codec.places().items():
        column, name = model.codec.columns[number], names[number]
        known = given[name] if name in given else computed[name](values) if name in computed else None
        if known is not None:
            tokens[:, place] = torch.from_numpy(column.encode(known))
        for at in range(place.start, place.stop):
            if known is None:
                chances = network.after(at, tokens)
                if at == place.start and name.startswith(ADDED) and (mask := no_nulls(column)) is not None:
                    chances = chances * torch.from_numpy(mask)
                tokens[:, at] = pick(chances, generator)
                gate = network.parts[at].gate
                if gate is not None:
                    tokens[:, at] *= tokens[:, at - 1] >= gate
        chunk = Chunk(rng, 0, taken[number])
        values[name] = column.decode(tokens[:, place].numpy(), chunk) if known is None else known
    return values


def fit_children(
    parents: pa.Table,
    children: pa.Table,
    link: Link,
    *,
    seed: int,
    steps: int | None = None,
    family: str = "auto",
    primary_key: str | None = None,
) -> ChildModel:
    """Fit the children of a table; `primary_key` is the children's own, and may be what refers to the parent.

    `family` is the usual one or `auto`, which chooses for each of the two models, see `model.fit_table`.

    Raises ValueError for references that name no parent, or an order without steps.
    """
    schema = pa.schema([pa.field(field.name, field.type, field.nullable) for field in children.schema])
    parents, children = (
        pa.table({n: plain_values(table[n]) for n in table.schema.names}) for table in (parents, children)
    )
    owner = owners_of(children[link.child], parents[link.parent])
    if owner.null_count:
        raise ValueError(
            f"{owner.null_count:,} rows of the child table refer by {link.child!r} to no {link.parent!r} of the parent"
        )
    owners = owner.to_numpy().astype(np.int64)
    numbers = np.bincount(owners, minlength=parents.num_rows)
    if numbers.max(initial=0) > MOST_PLACES:
        raise ValueError(f"a parent has {numbers.max():,} children; {MOST_PLACES:,} are possible")
    order = np.lexsort((_ranks(children, link.order), owners))
    context = _told(parents, [link.parent, *link.without])
    fitted = partial(fit_table, seed=seed, steps=steps, family=family, preset="fast")
    counts, _ = fitted(pa.table({**context, COUNT: pa.array(numbers)}))
    sequences = _sequences(context, children.take(pa.array(order)), owners[order], numbers, link)
    own_key = None if primary_key == link.child else primary_key
    rows, _ = fitted(sequences, primary_key=own_key)
    span = None
    if link.order is not None:
        units = np.asarray(order_units(plain_values(children[link.order]), link.order))
        span = int(units.min()), int(units.max())
    return ChildModel(link=link, schema=schema, counts=counts, rows=rows, span=span)


def load_children(folder: Path) -> ChildModel:
    """Read a model that `save` wrote."""
    schema = pa.ipc.read_schema(pa.py_buffer((folder / LINK).read_bytes()))
    told = json.loads((schema.metadata or {})[b"link"])
    link = Link(**told["link"])
    models = load_model(folder / "counts"), load_model(folder / "rows")
    return ChildModel(link, schema.remove_metadata(), *models, tuple(told["span"]) if told["span"] else None)


def _told(parents: pa.Table, without: Sequence[str]) -> dict[str, pa.Array]:
    """The parent's columns that say something of its children, by the name they have beside them."""
    found = {}
    for name in parents.schema.names:
        values = plain_values(parents[name])
        if name not in without and role_of(name, values) not in ANEW:
            found[f"{PARENT}{name}"] = values
    return found


def _context(parents: pa.Table, counts: TableModel) -> dict[str, pa.Array]:
    """The columns of given parents that the models know."""
    names = [name for name in counts.codec.schema.names if name.startswith(PARENT)]
    missing = [name.removeprefix(PARENT) for name in names if name.removeprefix(PARENT) not in parents.schema.names]
    if missing:
        raise ValueError(f"the parent table lacks {', '.join(map(repr, missing))}")
    return {name: plain_values(parents[name.removeprefix(PARENT)]) for name in names}


def _sequences(
    context: Mapping[str, pa.Array], children: pa.Table, owners: np.ndarray, numbers: np.ndarray, link: Link
) -> pa.Table:
    """What the rows of a child table are learned from: context, place, sibling before, step, own columns."""
    first = np.concatenate([[0], np.cumsum(numbers)])[owners]
    places = np.arange(len(owners)) - first
    previous = pa.array(np.maximum(np.arange(len(owners)) - 1, 0), mask=places == 0)
    columns: dict[str, pa.Array] = {name: values.take(pa.array(owners)) for name, values in context.items()}
    columns[COUNT] = pa.array(numbers[owners])
    columns[PLACE] = pa.array(places + 1)
    own = [name for name in children.schema.names if name != link.child]
    for name in own:
        values = plain_values(children[name])
        if role_of(name, values) not in ANEW:
            columns[f"{BEFORE}{name}"] = values.take(previous)
    if link.order is not None:
        units = order_units(plain_values(children[link.order]), link.order)
        columns[FIRST] = pc.if_else(pa.array(places == 0), units, None)
        columns[STEP] = pc.subtract(units, units.take(previous))
        own = [link.order, *(name for name in own if name != link.order)]
    for name in own:
        if name in columns:
            raise ValueError(f"column {name!r}: rename it, a column that is added for learning has this name")
        columns[name] = plain_values(children[name])
    return pa.table(columns)


def _ranks(children: pa.Table, order: str | None) -> np.ndarray:
    """By what siblings are sorted: their order, else as they stand. Raises ValueError where there is none."""
    if order is None:
        return np.arange(children.num_rows)
    values = plain_values(children[order])
    if values.null_count:
        raise ValueError(f"siblings cannot be ordered by {order!r}, which is null in {values.null_count:,} rows")
    return np.asarray(order_units(values, order))
