"""Fitting a record model under differential privacy: three noisy looks at the table, and all else follows from them.

1. A histogram of every column (two of long ranges of numbers): they make the codec of numbers, pool rare tokens into
   groups, and say how many rows there are, for that is private too.
2. Scores of all pairs of columns, by which each column is told what it leans on.
3. For every column that leans on others, a table of counts with them.

This is the scheme select, measure, generate (McKenna, Miklau and Sheldon 2021), which Tao et al. 2021 found ahead of
trained generators by far, with a network of small tables as in PrivBayes (Zhang et al. 2017). A row adds one to one
cell of each table, so that a look of k tables has sensitivity √k.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from models.table.codec import TableCodec, plain_values
from models.table.columns import CategoryColumn, Column, KeyColumn, MadeColumn, NumberColumn
from models.table.model import TableModel
from models.table.number import CELLS, NumberCodec
from models.table.physical import Units, check_schema, value_type
from models.table.private.budget import RELATION, Budget, with_noise
from models.table.private.estimates import UNLIKELY, conditional, grouped, settled, total_of
from models.table.private.grid import CLEAR
from models.table.private.network import Leaning, NoisyCounts
from models.table.private.parents import by_chance, lean_on, pair_scores
from models.table.private.public import Empty, Key, Made, Numbers, Public, Values, public_of
from models.table.private.settings import SOURCE, Privacy

FAMILY = "private"
HISTOGRAMS, SCORES, TABLES = 0.3, 0.05, 0.65  # shares of the budget, tuned on halves of Adult's train half
RARE = 0.004  # of the rows: tokens rarer than that share a group, as do those that noise could make
ROOM = 1.0  # of a table's noise beside its rows: larger tables are not measured
POOL = 65_536  # rows drawn of what is there already, to tell how often parents stand together
MECHANISM = "Gaussian noise on counts: histograms of columns, scores of pairs, tables of columns that hang together"


@dataclass(slots=True)
class Seen:
    """A column as the first look leaves it. `tokens` are those of its first part, one for each row (private); `counts`
    what is expected of each, `cells` the chances of the second part's tokens given the first's, `groups` of the first.
    """

    column: Column
    tokens: np.ndarray
    counts: np.ndarray
    cells: np.ndarray | None
    groups: np.ndarray

    @property
    def grouped(self) -> np.ndarray:
        """Expected counts by group."""
        return np.bincount(self.groups, weights=self.counts + UNLIKELY, minlength=int(self.groups.max()) + 1)


def fit_private(
    table: pa.Table, privacy: Privacy, *, primary_key: str | None = None, noise_seed: int | None = None
) -> TableModel:
    """A model of `table` that says no more of any row than `privacy` allows, and in its `privacy` what was spent.

    The noise comes from the operating system's entropy; a `noise_seed` is for trials, for whoever knows it can take the
    noise off again. Raises ValueError, naming columns, where something is neither declared public nor can be learned.
    """
    check_schema(table.schema)
    public = public_of(table, privacy, primary_key)
    budget = Budget(privacy.epsilon, privacy.delta)
    rng = np.random.default_rng(secrets.randbits(256) if noise_seed is None else noise_seed)
    seen, total = _look_at_columns(table, public, budget, rng)
    leanings = _look_at_tables(seen, total, privacy.target, budget, rng)
    columns = [seen[n].column if n in seen else _unseen(public[n], table.schema.field(n)) for n in table.schema.names]
    schema = pa.schema([pa.field(field.name, field.type, field.nullable) for field in table.schema])
    drawn = [schema.names.index(name) for name in leanings]
    codec = TableCodec(
        schema=schema,
        columns=columns,
        orders={
            field.name: list(told.values)
            for field in schema
            if pt.is_dictionary(field.type) and isinstance(told := public[field.name], Values)
        },
        drawn=[*drawn, *(number for number in range(len(schema)) if number not in drawn)],
    )
    network = NoisyCounts.for_parts(codec.parts)
    network.hold(_placed(leanings, seen))
    return TableModel(codec, network, FAMILY, privacy=_statement(budget, privacy, public, total))


def _look_at_columns(
    table: pa.Table, public: Mapping[str, Public], budget: Budget, rng: np.random.Generator
) -> tuple[dict[str, Seen], float]:
    """The first look: columns that have something to learn, and about how many rows there are."""
    counted: dict[str, list[np.ndarray]] = {}
    for name, told in public.items():
        values = plain_values(table[name])
        if isinstance(told, Numbers):
            counted[name] = told.grid.histograms(*told.read(values))
        elif isinstance(told, Values):
            category = CategoryColumn(type=values.type, nulls=True, values=list(told.values))
            counted[name] = [_by_value(category, told.read(values))]
    if not counted:
        raise ValueError("no column has anything to learn: all are made up")
    sensitivity = float(np.sqrt(sum(len(histograms) for histograms in counted.values())))
    sigma = budget.noise("histograms of columns", HISTOGRAMS, sensitivity)
    noisy = {name: [with_noise(one, sigma, rng) for one in histograms] for name, histograms in counted.items()}
    total = total_of([one for histograms in noisy.values() for one in histograms])
    seen = {}
    for name, histograms in noisy.items():
        told, values = public[name], plain_values(table[name])
        if isinstance(told, Numbers):
            seen[name] = _number(told, values, histograms, sigma, total)
        elif isinstance(told, Values):
            seen[name] = _category(told, values, histograms[0], sigma, total)
    return seen, total


def _look_at_tables(
    seen: Mapping[str, Seen], total: float, target: str | None, budget: Budget, rng: np.random.Generator
) -> dict[str, tuple[list[str], np.ndarray]]:
    """The second and third look: for each column what it leans on and its groups' chances, first ones first."""
    names = list(seen)
    expected = [seen[name].grouped for name in names]
    sizes = [len(counts) for counts in expected]
    tokens = np.stack([seen[name].groups[seen[name].tokens] for name in names], axis=1)
    pairs = len(names) * (len(names) - 1) // 2
    scores = np.zeros(pairs)
    if pairs:
        sigma = budget.noise("scores of pairs", SCORES, float(np.sqrt(pairs)))
        scores = with_noise(pair_scores(tokens, expected, total), sigma, rng) - by_chance(expected, total)
        # independent columns have scores about zero, and the highest of so many zeros would do for a parent
        scores -= sigma
    least = budget.multiplier(TABLES / len(names))
    first = names.index(target) if target is not None and target in seen else None
    leaning = lean_on(scores, sizes, ROOM * total / least, first)
    measured = {number: parents for number, parents in leaning.items() if parents}
    cells = {number: sizes[number] * np.prod([sizes[p] for p in parents]) for number, parents in measured.items()}
    weight = sum(np.sqrt(count) for count in cells.values())
    found: dict[str, tuple[list[str], np.ndarray]] = {}
    pool: dict[int, np.ndarray] = {}
    for number, parents in leaning.items():
        shape = [sizes[parent] for parent in parents]
        above = _above([pool[parent] for parent in parents], shape, POOL)
        if parents:
            share = TABLES * float(np.sqrt(cells[number]) / weight)
            sigma = budget.noise(f"table of {len(parents) + 1} columns", share, 1.0)
            joint = _above([tokens[:, n] for n in (*parents, number)], [*shape, sizes[number]], len(tokens))
            counts = np.bincount(joint, minlength=int(np.prod(shape)) * sizes[number]).reshape(*shape, sizes[number])
            often = np.bincount(above, minlength=int(np.prod(shape))).reshape(shape) * (total / POOL)
            chances = conditional(with_noise(counts, sigma, rng), sigma, expected[number], often)
        else:
            chances = expected[number] / expected[number].sum()
        chances = chances.reshape(-1, sizes[number])
        pool[number] = _drawn(chances[above], rng)
        found[names[number]] = ([names[parent] for parent in parents], chances)
    return found


def _placed(leanings: Mapping[str, tuple[list[str], np.ndarray]], seen: Mapping[str, Seen]) -> list[Leaning]:
    """What each part of a row leans on, groups spelled out as tokens."""
    found: list[Leaning] = []
    places: dict[str, int] = {}
    for name, (parents, chances) in leanings.items():
        own = seen[name]
        if not own.column.parts:
            continue
        kept = [parent for parent in parents if parent in places]  # the others have one token, which tells nothing
        weights = own.counts + UNLIKELY
        inside = weights / np.bincount(own.groups, weights=weights)[own.groups]
        places[name] = len(found)
        found.append(Leaning(tuple(places[parent] for parent in kept), chances[:, own.groups] * inside, own.groups))
        if own.cells is not None:
            found.append(Leaning((places[name],), own.cells, np.arange(own.cells.shape[1])))
    return found


def _number(told: Numbers, values: pa.Array, noisy: Sequence[np.ndarray], sigma: float, total: float) -> Seen:
    codec, mass = told.grid.codec(noisy, sigma, total, told.nulls)
    first = codec.first_bin
    inside = mass[first:].reshape(-1, CELLS)
    counts, cells = np.concatenate([mass[:first], inside.sum(1)]), None
    if codec.cells:
        cells = np.zeros((len(counts), 1 + CELLS))
        cells[:first, 0] = 1.0  # it does not apply
        cells[first:, 1:] = (inside + UNLIKELY) / (inside + UNLIKELY).sum(1, keepdims=True)
    ranks = codec.parts[0].ranks if codec.parts else ()
    column = NumberColumn(type=values.type, units=told.units, codec=codec)
    tokens = codec.encode(*told.read(values))[:, 0] if codec.parts else np.zeros(len(values), np.int64)
    return Seen(column, tokens, counts, cells, grouped(counts, _least(sigma, total), ranks))


def _category(told: Values, values: pa.Array, noisy: np.ndarray, sigma: float, total: float) -> Seen:
    column = CategoryColumn(type=values.type, nulls=told.nulls, values=list(told.values))
    known = noisy.copy()
    if not told.nulls or noisy[0] < CLEAR * sigma:
        known[0] = -np.inf
    counts, cells = settled(known, total), None
    counts = counts if told.nulls else counts[1:]
    if column.width > 1:
        null, groups = int(told.nulls), -(-len(told.values) // column.width)
        places = np.zeros(groups * column.width)
        places[: len(told.values)] = counts[null:] + UNLIKELY
        inside = places.reshape(groups, column.width)
        counts = np.concatenate([counts[:null], inside.sum(1)])
        cells = np.zeros((null + groups, 1 + column.width))
        cells[:null, 0] = 1.0
        cells[null:, 1:] = inside / inside.sum(1, keepdims=True)
    tokens = column.encode(told.read(values))
    first = tokens[:, 0] if tokens.shape[1] else np.zeros(len(values), np.int64)
    return Seen(column, first, counts, cells, grouped(counts, _least(sigma, total)))


def _by_value(category: CategoryColumn, values: pa.Array) -> np.ndarray:
    """Counts of null and every value."""
    tokens = category.encode(values)
    places = tokens[:, 0]
    if category.width > 1:
        places = np.where(places > 0, 1 + (places - 1) * category.width + tokens[:, 1] - 1, 0)
    return np.bincount(places, minlength=1 + len(category.values))


def _least(sigma: float, total: float) -> float:
    return max(RARE * total, CLEAR * sigma)


def _unseen(told: Public, field: pa.Field) -> Column:
    """A column of which nothing is learned."""
    if isinstance(told, Made):
        return MadeColumn(type=value_type(field.type), template=told.template)
    if isinstance(told, Key):
        return KeyColumn(type=value_type(field.type), start=1)
    assert isinstance(told, Empty)
    nothing = NumberCodec(nulls=True, whole=True, atoms=np.zeros(0, np.int64))
    return NumberColumn(type=pa.null(), units=Units(), codec=nothing)


def _above(columns: Sequence[np.ndarray], sizes: Sequence[int], rows: int) -> np.ndarray:
    """One number for the tokens that each row has in several columns."""
    found = np.zeros(rows, np.int64)
    for tokens, size in zip(columns, sizes, strict=True):
        found = found * size + tokens
    return found


def _drawn(chances: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A token for each row of chances, evenly spread."""
    draws = rng.permutation((np.arange(len(chances)) + 0.5) / len(chances))
    found: np.ndarray = (draws[:, None] > chances.cumsum(1)).sum(1).clip(max=chances.shape[1] - 1)
    return found


def _statement(budget: Budget, privacy: Privacy, public: Mapping[str, Public], total: float) -> dict[str, Any]:
    """What was promised and spent, for people and for the record."""
    from_source = [name for name in public if privacy.of(name) == SOURCE]
    return {
        "epsilon": budget.epsilon,
        "delta": budget.delta,
        "relation": RELATION,
        "mechanism": MECHANISM,
        "accountant": f"dp-accounting {version('dp-accounting')}, privacy loss distributions",
        "epsilon_spent": round(budget.epsilon_spent(), 6),
        "looks": [{**look, "share": round(look["share"], 6)} for look in budget.spent],
        "rows": round(total),
        "target": privacy.target,
        "public": {
            "declared": [name for name in public if name not in from_source],
            "from_source": from_source,
        },
    }
