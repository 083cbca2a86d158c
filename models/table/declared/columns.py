"""A schema made ready to draw from: every column's way of coming about, checked against the others.

What cannot be is refused with the column and what to do: an unknown column behind a formula, columns that wait for one
another in a circle, a dependence that leaves values out, correlations that contradict each other.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import TypeAdapter, ValidationError

from models.table.constraints import literals
from models.table.declared import schema as written
from models.table.declared.copula import factor, normal_correlations
from models.table.declared.distributions import Choice, Constant, Distribution
from models.table.declared.distributions import Sequence as Counted
from models.table.declared.formula import Formula, parse_formula
from models.table.declared.marginals import Listed, Marginal, listed, marginal
from models.table.declared.near import advice
from models.table.declared.template import Template, parse_template
from models.table.declared.values import ValueType, array_of, number_of, numbers_of, type_named

_DISTRIBUTION: TypeAdapter[Any] = TypeAdapter(Distribution)
_WAYS = ("distribution", "values", "given", "formula", "template")


@dataclass(frozen=True, slots=True)
class Split:
    """Distributions by another column's value: by one of `values`, or by the band between `edges` it falls in."""

    column: str
    marginals: tuple[Marginal, ...]
    values: pa.Array | None = None
    edges: np.ndarray | None = None

    def groups(self, other: pa.Array) -> np.ndarray:
        """Which of the distributions goes with each row's value of the other column; -1 for none of them."""
        if self.values is not None:
            return pc.index_in(other, value_set=self.values).fill_null(-1).to_numpy(zero_copy_only=False)
        assert self.edges is not None
        numbers, valid = numbers_of(other)
        found = np.searchsorted(self.edges, numbers, side="right")
        return np.where(valid & (found < len(self.marginals)), found, -1)


@dataclass(frozen=True, slots=True)
class Chance:
    """A column that is drawn: from `split` where that has a distribution for the row, otherwise from `base`."""

    base: Marginal | None
    split: Split | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """A column ready to draw. `texts` are what the numbers of a text column stand for."""

    name: str
    kind: ValueType
    nulls: float
    how: Chance | Counted | Formula | Template
    texts: pa.Array | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The columns that have to be there before."""
        if isinstance(self.how, Chance):
            return () if self.how.split is None else (self.how.split.column,)
        return () if isinstance(self.how, Counted) else self.how.columns


@dataclass(frozen=True, slots=True)
class Declared:
    """A whole schema ready to draw.

    `columns` stand in the table's order, `order` names them so that each comes after those it needs. `counted` are
    those that depend on the number of their row. `correlated` ones are drawn from normal numbers that `factor`
    correlates.
    """

    columns: tuple[Ready, ...]
    order: tuple[str, ...]
    counted: frozenset[str]
    correlations: Mapping[tuple[str, str], float]
    correlated: tuple[str, ...]
    factor: np.ndarray

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the tables that are drawn."""
        return pa.schema([pa.field(column.name, column.kind.arrow) for column in self.columns])

    @property
    def by_name(self) -> dict[str, Ready]:
        return {column.name: column for column in self.columns}


@lru_cache(maxsize=16)
def parse_schema(text: str) -> Declared:
    """Read a schema and make it ready. Raises ValueError: where something is wrong, what it is and what to do."""
    told = written.read_schema(text)
    types = {column.name: type_named(column.type, column.scale) for column in told.columns}
    ready: dict[str, Ready] = {}
    for column in told.columns:
        try:
            ready[column.name] = _ready(column, types)
        except ValueError as error:
            raise ValueError(f"column {column.name!r}: {error}") from None
    order = _order(ready)
    for column in told.columns:
        _check_covered(ready[column.name], ready)
        if isinstance(how := ready[column.name].how, Formula):
            _check_formula(column.name, how, types)
    asked = _asked(told.correlations, ready, {column.name for column in told.columns if column.ordered})
    transforms = {name: how.base.draw for name in ready if isinstance(how := ready[name].how, Chance) and how.base}
    normal = normal_correlations(asked, transforms)
    correlated = sorted({name for pair in asked for name in pair})
    return Declared(
        columns=tuple(ready.values()),
        order=order,
        counted=_counted(ready, order),
        correlations=asked,
        correlated=tuple(correlated),
        factor=factor(correlated, normal),
    )


def _ready(column: written.Column, types: Mapping[str, ValueType]) -> Ready:
    kind = types[column.name]
    ways = [way for way in _WAYS if getattr(column, way) is not None]
    if not ways:
        raise ValueError(f"nothing says what its values are; write {', '.join(_WAYS[:-1])} or {_WAYS[-1]}")
    if len(ways) > 1 and (ways[-1] != "given" or len(ways) > 2):
        raise ValueError(f"it has {' and '.join(ways)}; only given goes with one of the others, distribution or values")
    if column.scale is not None and column.type != "decimal":
        raise ValueError(f"scale goes with a decimal, and it is {column.type}")
    if column.ordered and (kind.measure != "text" or column.values is None):
        raise ValueError("ordered goes with the values of a category")
    if column.template is not None:
        if column.type != "text":
            raise ValueError(f"a template makes text, and its type is {column.type}; write text")
        others = set(types) - {column.name}
        return Ready(column.name, kind, column.nulls, parse_template(column.template, sorted(others)))
    if column.formula is not None:
        formula = parse_formula(column.formula)
        for name in formula.columns:
            _check_name(name, types, "its formula names")
        return Ready(column.name, kind, column.nulls, formula)
    if isinstance(column.distribution, Counted):
        if column.type != "integer" or column.given is not None or column.nulls:
            raise ValueError("a sequence is a column of integers, never null, and depends on no other column")
        return Ready(column.name, kind, 0.0, column.distribution)
    return _chance(column, kind, types)


def _chance(column: written.Column, kind: ValueType, types: Mapping[str, ValueType]) -> Ready:
    told: Any = column.values if column.values is not None else column.distribution
    pool: dict[str, int] = {}  # texts by the numbers that stand for them
    base = None if told is None else _marginal(told, kind, pool, None)
    split = None
    if column.given is not None:
        over = column.distribution.model_dump(exclude_none=True) if column.distribution is not None else None
        split = _split(column.given, kind, types, pool, over)
    texts = pa.array(list(pool), pa.string()) if kind.measure == "text" else None
    return Ready(column.name, kind, column.nulls, Chance(base, split), texts)


def _marginal(told: Any, kind: ValueType, pool: dict[str, int], over: dict[str, Any] | None) -> Marginal:
    """The distribution that a piece of JSON (or one already read) declares, over `over` where it names no kind."""
    if isinstance(told, dict) and "kind" not in told and kind.measure not in ("text", "boolean") and over is not None:
        told = {**over, **told}
    if isinstance(told, list):
        told = Choice(kind="choice", values=told)
    elif isinstance(told, dict) and "kind" not in told:
        return _weighed(told, kind, pool)
    if isinstance(told, dict):
        try:
            told = _DISTRIBUTION.validate_python(told)
        except ValidationError as error:
            detail = error.errors(include_url=False)[0]
            place = ", ".join(str(part) for part in detail["loc"][1:])
            raise ValueError(f"{place} {detail['msg'][:1].lower()}{detail['msg'][1:]}".strip()) from None
    if kind.measure != "text":
        return marginal(told, kind)
    if isinstance(told, Constant):
        told = Choice(kind="choice", values=[told.value])
    if not isinstance(told, Choice):
        raise ValueError('a text has no place on a number line; write "values": {"a": 0.7, "b": 0.3}, or a template')
    return listed([_text(value, pool) for value in told.values], told.weights)


def _weighed(told: dict[str, Any], kind: ValueType, pool: dict[str, int]) -> Marginal:
    weights = list(told.values())
    if not all(isinstance(weight, int | float) and not isinstance(weight, bool) for weight in weights):
        raise ValueError(f"{_short(told)} is no distribution: it has neither a kind nor a weight for each value")
    if kind.measure == "text":
        return listed([_text(value, pool) for value in told], weights)
    return listed([number_of(_from_key(key, kind), kind) for key in told], weights)


def _text(value: Any, pool: dict[str, int]) -> float:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return float(pool.setdefault(value, len(pool)))


def _from_key(key: str, kind: ValueType) -> Any:
    """The value that a key of a JSON object stands for. Raises ValueError."""
    if kind.measure in ("number", "boolean"):
        try:
            return json.loads(key)
        except json.JSONDecodeError:
            raise ValueError(f"{key!r} is no {kind.name}") from None
    return key


def _split(
    given: written.Given,
    kind: ValueType,
    types: Mapping[str, ValueType],
    pool: dict[str, int],
    over: dict[str, Any] | None,
) -> Split:
    _check_name(given.column, types, "it is given")
    other = types[given.column]
    if (given.values is None) == (given.bands is None):
        raise ValueError(f"given {given.column!r} has either values or bands")
    if given.values is not None:
        found = []
        for key, told in given.values.items():
            try:
                found.append(_marginal(told, kind, pool, over))
            except ValueError as error:
                raise ValueError(f"given {given.column!r} is {key!r}: {error}") from None
        values = literals([_from_key(key, other) for key in given.values], other.arrow)
        return Split(given.column, tuple(found), values=values)
    assert given.bands is not None
    if other.measure == "text":
        raise ValueError(f"{given.column!r} is {other.name}, which has no bands; write values")
    edges = []
    for number, band in enumerate(given.bands, start=1):
        if band.below is not None:
            edges.append(number_of(band.below, other))
        elif number < len(given.bands):
            raise ValueError(f"given {given.column!r}: band {number} has no below, and only the last may lack it")
    if any(high <= low for low, high in pairwise(edges)):
        raise ValueError(f"given {given.column!r}: each band's below has to be more than the one before")
    marginals = tuple(_marginal(band.then, kind, pool, over) for band in given.bands)
    return Split(given.column, marginals, edges=np.array(edges, np.float64))


def _check_name(name: str, names: Collection[str], what: str) -> None:
    if name not in names:
        raise ValueError(f"{what} {name!r}, which is no column of the schema; {advice(name, names)}")


def _order(ready: Mapping[str, Ready]) -> tuple[str, ...]:
    """The columns so that each comes after those it needs. Raises ValueError naming a circle."""
    try:
        return tuple(TopologicalSorter({name: column.needs for name, column in ready.items()}).static_order())
    except CycleError as error:
        circle = " → ".join(reversed(error.args[1]))
        raise ValueError(
            f"columns wait for one another in a circle: {circle}; declare one without the others"
        ) from None


def _counted(ready: Mapping[str, Ready], order: Sequence[str]) -> frozenset[str]:
    found: set[str] = set()
    for name in order:
        how = ready[name].how
        own = isinstance(how, Counted) or (isinstance(how, Template) and how.counts_rows)
        if own or found.intersection(ready[name].needs):
            found.add(name)
    return frozenset(found)


def _check_covered(column: Ready, ready: Mapping[str, Ready]) -> None:
    """Raise ValueError where a dependence has no distribution for a value that can come up."""
    if not isinstance(column.how, Chance) or column.how.split is None or column.how.base is not None:
        return
    split, other = column.how.split, ready[column.how.split.column]
    rest = f'give {column.name!r} "values" or a "distribution" beside "given" for the others'
    if other.nulls or not isinstance(other.how, Chance):
        why = "may be null" if other.nulls else "is not drawn from a distribution"
        raise ValueError(f"column {column.name!r}: {split.column!r} {why}; {rest}")
    if split.edges is not None:
        if len(split.edges) == len(split.marginals):
            raise ValueError(f"column {column.name!r}: no band holds values from {split.edges[-1]:g} up; {rest}")
        return
    assert split.values is not None
    possible = _possible(other)
    left = None if possible is None else [v for v in possible.to_pylist() if v not in split.values.to_pylist()]
    if left is None or left:
        what = "has more values than are listed" if left is None else f"can be {left[0]!r}, which is not listed"
        raise ValueError(f"column {column.name!r}: {split.column!r} {what}; {rest}")


def _possible(column: Ready) -> pa.Array | None:
    """All values that a drawn column can have; None where they are not listed."""
    if column.texts is not None:
        return column.texts
    assert isinstance(column.how, Chance)
    every = [column.how.base, *(column.how.split.marginals if column.how.split else ())]
    numbers: list[float] = []
    for one in every:
        if isinstance(one, Listed):
            numbers += one.numbers[one.weights > 0].tolist()
        elif one is not None:
            return None
    return array_of(np.array(numbers), np.ones(len(numbers), bool), column.kind)


def _check_formula(name: str, formula: Formula, types: Mapping[str, ValueType]) -> None:
    kind = types[name]
    try:
        found = formula.measure(types)
    except ValueError as error:
        said = str(error)
        for alias, behind in formula.aliases.items():
            said = said.replace(alias, f"`{behind}`")
        raise ValueError(f"column {name!r}: {said}") from None
    if found != kind.measure:
        raise ValueError(f"column {name!r}: its formula gives a {found}, and its type is {kind.name}")


def _asked(
    correlations: Sequence[written.Correlation], ready: Mapping[str, Ready], ordered: Collection[str]
) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for number, correlation in enumerate(correlations, start=1):
        one, other = correlation.columns
        try:
            for name in (one, other):
                _check_name(name, ready, "it names")
                _check_correlated(ready[name], name in ordered)
            if one == other or (one, other) in found or (other, one) in found:
                raise ValueError(f"{one!r} and {other!r} are {'the same' if one == other else 'named twice'}")
        except ValueError as error:
            raise ValueError(f"correlation {number}: {error}") from None
        found[one, other] = correlation.value
    return found


def _check_correlated(column: Ready, ordered: bool) -> None:
    if not isinstance(column.how, Chance):
        raise ValueError(f"{column.name!r} is computed and not drawn, so that it follows from other columns alone")
    if column.how.split is not None or column.how.base is None:
        raise ValueError(f"{column.name!r} is given by another column; a column has either given or correlations")
    if column.kind.measure == "text" and not ordered:
        raise ValueError(
            f'{column.name!r} is a text without an order; write "ordered": true if its values stand in one'
        )
    if isinstance(column.how.base, Listed) and (column.how.base.weights > 0).sum() < 2:
        raise ValueError(f"{column.name!r} is always the same")


def _short(value: Any) -> str:
    return str(value)[:60]
