"""Drawing the rows of a schema, in chunks of a fixed size.

A chunk's randomness comes from the seed and the chunk's number alone, so the first thousand of a million rows are the
same rows as when a thousand were asked for. Where the job has constraints, a chunk is drawn in rounds until it is full
of rows that keep them. What counts rows (sequences, and what is made of them) is made last, so that refused rows leave
no gaps.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from models.table.constraints import (
    Constraint,
    Present,
    Together,
    Unique,
    check_constraints,
    columns_of,
    describe,
    violations,
)
from models.table.declared import gauss
from models.table.declared.columns import Chance, Declared, Ready
from models.table.declared.distributions import Sequence as Counted
from models.table.declared.formula import Formula
from models.table.declared.template import Template, words
from models.table.declared.values import array_of

CHUNK = 8_192  # rows drawn at once; another size would give other rows
ROUNDS = 500  # in which a chunk has to be full
TRIED = 5  # rounds of a trial before any work is paid for
LEAST_KEPT = 1 / ROUNDS  # share of rows that keep the constraints, below which a job is refused
_WORD = "\0"  # begins the names of made-up words among the columns of a row


class Impossible(ValueError):
    """A schema that does not go together with its constraints, or whose formulas give no numbers."""


@dataclass(slots=True)
class Tally:
    """Rows drawn and rows that kept all constraints, so far."""

    drawn: int = 0
    kept: int = 0


@dataclass(slots=True)
class Drawing:
    """Draws the rows of a schema that keep `constraints`.

    `_taken` are digests of what must not repeat, 8 bytes and Python's overhead a row: the one thing here that grows.
    """

    declared: Declared
    constraints: Sequence[Constraint] = ()
    tally: Tally = field(default_factory=Tally)
    _taken: dict[tuple[str, ...], set[bytes]] = field(default_factory=dict)
    _repeated: dict[tuple[str, ...], int] = field(default_factory=dict)

    def batches(self, rows: int, seed: int) -> Iterator[pa.RecordBatch]:
        """Yield `rows` rows, chunk by chunk. Raises `Impossible`."""
        self._taken = {}
        for number, first in enumerate(range(0, rows, CHUNK)):
            drawn, missing = self._fill(seed, number, ROUNDS)
            if missing:
                raise Impossible(self._why())
            yield self._whole(drawn, seed, number).slice(0, min(CHUNK, rows - first))

    def trial(self) -> None:
        """Draw a chunk to see whether it goes. Raises `Impossible` with the rule that hardly any row keeps."""
        self._taken = {}
        drawn, _ = self._fill(0, 0, TRIED)
        if self.tally.kept < LEAST_KEPT * self.tally.drawn:
            raise Impossible(self._why())
        self._whole(drawn.take(pa.array(np.arange(CHUNK) % drawn.num_rows)), 0, 0)

    def _fill(self, seed: int, number: int, rounds: int) -> tuple[pa.Table, int]:
        """Rows of a chunk that keep the constraints, without what counts them, and how many are missing."""
        found: list[pa.Table] = []
        missing = CHUNK
        for turn in range(rounds):
            drawn = self._free(np.random.default_rng([seed, number, 0, turn]))
            kept = self._kept(drawn)[:missing]
            found.append(drawn if len(kept) == CHUNK else drawn.take(pa.array(kept)))
            missing -= len(kept)
            if not missing:
                break
        return pa.concat_tables(found).combine_chunks(), missing

    def _free(self, rng: np.random.Generator) -> pa.Table:
        """A chunk of rows without what counts them, and without regard to constraints."""
        declared, by_name = self.declared, self.declared.by_name
        names = [name for name in declared.order if name not in declared.counted]
        shares: dict[str, np.ndarray] = {}
        if declared.correlated:
            normal = rng.standard_normal((CHUNK, len(declared.correlated))) @ declared.factor.T
            shares = {name: gauss.cumulative(normal[:, place]) for place, name in enumerate(declared.correlated)}
        columns: dict[str, pa.Array] = {}
        for word in _words(declared):
            options = words()[word]
            columns[_WORD + word] = options.take(pa.array(rng.integers(len(options), size=CHUNK)))
        for name in names:
            columns[name] = _made(by_name[name], columns, shares.get(name), None, rng)
        return pa.table(columns) if columns else pa.table({_WORD: pa.nulls(CHUNK)})

    def _kept(self, drawn: pa.Table) -> np.ndarray:
        """The numbers of the rows that keep all constraints."""
        good = np.ones(CHUNK, bool)
        for rule in self.constraints:
            if not isinstance(rule, Unique):
                good &= ~violations(rule, drawn)
        for rule in self.constraints:
            if isinstance(rule, Unique) and not self.declared.counted.intersection(rule.columns):
                new = _are_new(drawn.select(rule.columns), good, self._taken.setdefault(rule.columns, set()))
                self._repeated[rule.columns] = int(good.sum()) - int(new.sum())
                good = new
        self.tally.drawn += CHUNK
        self.tally.kept += int(good.sum())
        return np.flatnonzero(good)

    def _whole(self, drawn: pa.Table, seed: int, number: int) -> pa.RecordBatch:
        """A chunk of whole rows: with what counts them."""
        columns = {name: drawn[name].combine_chunks() for name in drawn.schema.names}
        rng = np.random.default_rng([seed, number, 1])
        numbers = np.arange(number * CHUNK, (number + 1) * CHUNK, dtype=np.int64)
        for name in self.declared.order:
            if name in self.declared.counted:
                columns[name] = _made(self.declared.by_name[name], columns, None, numbers, rng)
        schema = self.declared.schema
        return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)

    def _why(self) -> str:
        """Why chunks cannot be filled, in words."""
        for names, repeated in self._repeated.items():
            if repeated > CHUNK / 2:
                rows = len(self._taken[names])
                return f"{', '.join(names)} cannot be unique: after {rows:,} rows hardly any new values come up"
        rules = [rule for rule in self.constraints if not isinstance(rule, Unique)]
        tables = [self._free(np.random.default_rng([0, 0, 0, turn])) for turn in range(3)]
        rates = [
            (1 - float(np.mean([violations(rule, table).mean() for table in tables])), describe(rule)) for rule in rules
        ]
        rate, rule = min(rates)
        return (
            f"hardly any row keeps the constraints; of {3 * CHUNK:,} drawn as the schema says, {rate:.2%} keep "
            f"“{rule}”. Let the schema's distributions, or a formula, make it so"
        )


def check_drawable(declared: Declared, constraints: Sequence[Constraint]) -> None:
    """Raise ValueError for constraints that a schema cannot have; then draw a trial, which raises `Impossible`."""
    schema = declared.schema
    for rule in constraints:
        if isinstance(rule, Together):
            raise Impossible("together asks for a source, and a schema has none; write given for the dependence")
        for name in columns_of(rule):
            if name not in schema.names:
                raise Impossible(f"the constraints name {name!r}, which is no column of the schema")
        counted = sorted(declared.counted.intersection(columns_of(rule)))
        if counted and not isinstance(rule, Unique | Present):
            raise Impossible(f"{counted[0]!r} follows from the number of its row, and no constraint can choose it")
    check_constraints(constraints, _sample(declared))
    Drawing(declared, constraints).trial()


def _sample(declared: Declared) -> pa.Table:
    """Rows that show the columns' types and values."""
    return pa.Table.from_batches(Drawing(declared).batches(1_000, 0))


def _words(declared: Declared) -> list[str]:
    """The made-up words that the templates of a schema use."""
    used = {word for column in declared.columns if isinstance(column.how, Template) for word in column.how.words}
    return sorted(used)


def _made(
    column: Ready,
    columns: dict[str, pa.Array],
    shares: np.ndarray | None,
    numbers: np.ndarray | None,
    rng: np.random.Generator,
) -> pa.Array:
    """A chunk of one column, from those before it. `shares` are given where it is correlated, `numbers` where rows
    are counted."""
    how = column.how
    if isinstance(how, Counted):
        assert numbers is not None
        return pa.array(how.start + how.step * numbers)
    if isinstance(how, Chance):
        made = _drawn(column, how, columns, rng.random(CHUNK) if shares is None else shares)
    elif isinstance(how, Formula):
        made = _computed(column, how, columns)
    else:
        made = _templated(how, columns, numbers, rng)
    if not column.nulls:
        return made
    return pa.compute.if_else(pa.array(rng.random(CHUNK) >= column.nulls), made, pa.scalar(None, made.type))


def _drawn(column: Ready, how: Chance, columns: dict[str, pa.Array], shares: np.ndarray) -> pa.Array:
    drawn = np.zeros(CHUNK) if how.base is None else how.base.draw(shares)
    if how.split is not None:
        groups = how.split.groups(columns[how.split.column])
        for group in np.unique(groups[groups >= 0]):
            rows = groups == group
            drawn[rows] = how.split.marginals[group].draw(shares[rows])
    if column.texts is not None:
        return column.texts.take(pa.array(drawn.astype(np.int64)))
    return array_of(drawn, np.ones(CHUNK, bool), column.kind)


def _computed(column: Ready, how: Formula, columns: dict[str, pa.Array]) -> pa.Array:
    results, valid = how.numbers(columns, CHUNK)
    if column.kind.measure == "text":
        return pa.array(results, pa.string(), mask=~valid)
    least, most = column.kind.least, column.kind.most
    bad = valid & ~(np.isfinite(results) & (results >= least) & (results <= most))
    if bad.any():
        raise Impossible(
            f"the formula of {column.name!r} gives no {column.kind.name} in {int(bad.sum()):,} of {CHUNK:,} rows: "
            "a division by 0, a root of less than 0, or a result that is too large"
        )
    return array_of(np.where(valid, results, 0.0), valid, column.kind)


def _templated(
    how: Template, columns: dict[str, pa.Array], numbers: np.ndarray | None, rng: np.random.Generator
) -> pa.Array:
    known = {name: columns[name] for name in how.columns} | {word: columns[_WORD + word] for word in how.words}
    return how.texts(known, np.arange(CHUNK) if numbers is None else numbers + 1, rng)


def _are_new(table: pa.Table, good: np.ndarray, taken: set[bytes]) -> np.ndarray:
    """Which of the good rows have values that were not there before; they are noted. Nulls are unlike any other."""
    new = good.copy()
    values = [column.to_pylist() for column in table.columns]
    for row in np.flatnonzero(good):
        key = [column[row] for column in values]
        if any(value is None for value in key):
            continue
        digest = hashlib.blake2b(repr(key).encode(), digest_size=8).digest()
        new[row] = digest not in taken
        taken.add(digest)
    return new
