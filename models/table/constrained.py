"""Drawing rows that keep rules: tokens are masked while they are drawn, what still slips is drawn again.

Columns are decoded as soon as their tokens are drawn, so that a later column can be held to an earlier one's very
value. A value that misses its bounds is drawn again within its row; a row that breaks a rule all the same is drawn
again as a whole, in its own place, so that given shares stay exact. How often that was needed is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
import rstr
import torch

from models.table.codec import TableCodec, plain_values
from models.table.columns import CategoryColumn, Chunk, KeyColumn, MadeColumn, NumberColumn, TextColumn
from models.table.conditions import Conditions, Given, assign
from models.table.constraints import (
    Among,
    Constraint,
    Less,
    Matches,
    Present,
    Sum,
    Together,
    Unique,
    Within,
    columns_of,
    describe,
    literals,
    place_of,
    violations,
)
from models.table.masks import Masks
from models.table.network import Network
from models.table.physical import from_numbers
from models.table.picking import pick
from models.table.scale import MICRO, places, units_per_place
from models.table.steering import matching

LEAST_AT_ONCE = 512  # candidates of a round; few rows left are tried several times in one
REDRAWS = 8  # of a value that misses its bounds, before its row is given up
ROUNDS = 200  # of a chunk, before the rules count as impossible
BARREN = 8  # rounds in a row without a good row, before they do


class Impossible(ValueError):
    """The rules leave nothing that the model can draw."""


@dataclass(slots=True)
class Tally:
    """Rows drawn and kept, and how many each rule sent back."""

    drawn: int = 0
    kept: int = 0
    sent_back: dict[str, int] = field(default_factory=dict)

    def worst(self) -> str:
        """The rule that sent back most, in words."""
        return max(self.sent_back, key=lambda rule: self.sent_back[rule], default="the masks")


@dataclass(slots=True)
class _Rows:
    """Candidates in the making: their tokens, values by column, and which of them are lost."""

    tokens: np.ndarray
    values: dict[int, pa.Array]
    lost: np.ndarray
    prefixes: list[np.ndarray]


class ConstrainedSampler:
    """Draws the rows of one sample. `seen` holds, per `Together`, the distinct tokens of the source's rows."""

    def __init__(
        self,
        codec: TableCodec,
        network: Network,
        constraints: Sequence[Constraint],
        conditions: Conditions,
        seen: dict[tuple[str, ...], np.ndarray],
    ) -> None:
        if network.code:
            raise ValueError(
                "this model draws whole rows from hidden codes, so that no condition or constraint can steer them: fit "
                "one of the family transformer"
            )
        self.codec, self.network = codec, network
        self.given = {self._number(given.column): given for given in conditions.given}
        self.rules = [*conditions.rules, *constraints]
        self.places = codec.places()
        self.tally = Tally()
        self._met: dict[Unique, set[tuple[Any, ...]]] = {
            rule: set() for rule in self.rules if isinstance(rule, Unique) and not self._keys_among(rule)
        }
        self._masks = Masks(codec, self.rules, seen)
        self._sums = {self._number(rule.total): rule for rule in self.rules if isinstance(rule, Sum)}
        self._check()

    def chunk(self, first: int, rows: int, size: int, seed: Sequence[int], taken: list[set[str]]) -> pa.RecordBatch:
        """The rows `first` … `first + rows` of the sample, `size` at most. Raises `Impossible`.

        Without given values rows are what is good among the candidates, in their order; how many candidates come does
        not depend on `rows`, so that a sample is the beginning of any longer one. Given values belong to certain rows,
        whose candidates are drawn until one is good.
        """
        wanted = {n: assign(given.shares, first, rows) for n, given in self.given.items()}
        pending = np.arange(rows)
        kept: list[tuple[np.ndarray, pa.RecordBatch]] = []
        barren = 0
        for round_ in range(ROUNDS):
            if self.given:
                slots = np.resize(pending, max(len(pending), min(LEAST_AT_ONCE, rows)))
            else:
                slots = np.arange(max(size - (rows - len(pending)), LEAST_AT_ONCE))
            for_tokens, for_values = np.random.SeedSequence([*seed, round_]).spawn(2)
            generator = torch.Generator().manual_seed(int(for_tokens.generate_state(1, np.uint64)[0] >> np.uint64(1)))
            rng = np.random.default_rng(for_values)
            batch, good = self._candidates(slots, wanted, generator, rng, taken)
            chosen = self._chosen(slots, good, batch, len(pending))
            filled = slots[chosen] if self.given else pending[: len(chosen)]
            kept.append((filled, batch.take(pa.array(chosen))))
            self.tally.drawn += len(slots)
            self.tally.kept += int(good.sum())
            pending = np.setdiff1d(pending, filled)
            if not len(pending):
                return self._assembled(kept, first, rows, taken, seed)
            barren = 0 if len(chosen) else barren + 1
            if barren == BARREN:
                break
        raise Impossible(
            f"only {rows - len(pending):,} of {rows:,} rows that keep the rules were found among {self.tally.drawn:,}; "
            f"what fails most is: {self.tally.worst()}. Loosen it, or leave out a condition"
        )

    def _number(self, name: str) -> int:
        return self.codec.schema.names.index(name)

    def _check(self) -> None:
        for given in self.given.values():
            self._check_given(given)
        for number, rule in self._sums.items():
            if number in self.given:
                raise ValueError(f"{rule.total!r} is a sum and given at once; leave out one of the two")
            earlier = [self._number(name) for name in rule.terms]
            order = list(self.places)
            if any(order.index(n) > order.index(number) for n in earlier):
                raise ValueError(f"{rule.total!r} has to be drawn after what it is the sum of: fit the table again")

        steered = [given.column for given in self.given.values()]
        steered += [name for rule in self.rules if not isinstance(rule, Unique | Present) for name in columns_of(rule)]
        for name in steered:
            if isinstance(self.codec.columns[self._number(name)], KeyColumn):
                raise ValueError(f"{name!r} is a running key: it is made anew, and no rule or condition can steer it")

    def _keys_among(self, rule: Unique) -> bool:
        return any(isinstance(self.codec.columns[self._number(name)], KeyColumn) for name in rule.columns)

    def _check_given(self, given: Given) -> None:
        column = self.codec.columns[self._number(given.column)]
        for value in given.values:
            known = True
            if value is None:
                known = column.codec.nulls if isinstance(column, NumberColumn) else getattr(column, "nulls", False)
            elif isinstance(column, CategoryColumn):
                known = value in column.values or column.manner is not None
            elif isinstance(column, NumberColumn) and not pt.is_boolean(column.type):
                low, high = _reach(column)
                known = low <= place_of(value, pa.nulls(0, column.type), given.column) <= high
            if not known:
                raise ValueError(f"the condition {given.column} = {value!r} lies outside what the source holds")

    def _candidates(
        self,
        slots: np.ndarray,
        wanted: dict[int, np.ndarray],
        generator: torch.Generator,
        rng: np.random.Generator,
        taken: list[set[str]],
    ) -> tuple[pa.RecordBatch, np.ndarray]:
        count = len(slots)
        rows = _Rows(
            tokens=np.zeros((count, len(self.network.parts)), np.int64),
            values={},
            lost=np.zeros(count, bool),
            prefixes=self._masks.beginnings(count),
        )
        for number, place in self.places.items():
            column = self.codec.columns[number]
            if number in self._sums:
                self._add_up(rows, number)
                rows.lost |= self._masks.advance(rows.prefixes, number, rows.tokens)
                continue
            self._draw(rows, number, np.arange(count), generator)
            rows.values[number] = column.decode(rows.tokens[:, place], Chunk(rng, 0, taken[number]))
            if number in self.given:
                self._give(rows, number, wanted[number][slots])
            elif isinstance(column, TextColumn):
                self._spell(rows, number, rng, taken[number])
            else:
                self._redraw(rows, number, generator, rng, taken)
            rows.lost |= self._masks.advance(rows.prefixes, number, rows.tokens)
        batch = self.codec.batch(rows.values)
        return batch, ~rows.lost & self._judged(batch)

    def _draw(self, rows: _Rows, number: int, chosen: np.ndarray, generator: torch.Generator) -> None:
        """Draw a column's tokens in the rows `chosen`, under the masks of its rules."""
        place = self.places[number]
        for part, at in enumerate(range(place.start, place.stop)):
            known = rows.tokens[:, :at] if len(chosen) == len(rows.tokens) else rows.tokens[chosen, :at]
            chances = self.network.after(at, torch.from_numpy(known))
            drawn = rows.tokens[chosen, place.start : at]
            gate = self.network.parts[at].gate
            applies = None if gate is None else rows.tokens[chosen, at - 1] >= gate
            for mask in self._masks.of(number, part, chosen, drawn, rows.values, rows.prefixes):
                free = mask if applies is None else mask | ~applies[:, None]
                allowed = chances * torch.from_numpy(free)
                some = allowed.sum(1) > 0
                rows.lost[chosen[~some.numpy()]] = True
                chances = torch.where(some[:, None], allowed, chances)
            tokens = pick(chances, generator)
            if applies is not None:
                tokens *= torch.from_numpy(applies)
            rows.tokens[chosen, at] = tokens.numpy()

    def _redraw(
        self, rows: _Rows, number: int, generator: torch.Generator, rng: np.random.Generator, taken: list[set[str]]
    ) -> None:
        """Draw values again that miss their bounds by less than a cell."""
        name = self.codec.schema.names[number]
        own = [r for r in self.rules if isinstance(r, Within | Less | Among) and name in columns_of(r)]
        own = [r for r in own if all(self._number(other) in rows.values for other in columns_of(r))]
        if not own:
            return
        column, place = self.codec.columns[number], self.places[number]
        chosen = np.arange(len(rows.tokens))
        for attempt in range(REDRAWS + 1):
            table = pa.table(
                {n: rows.values[self._number(n)].take(pa.array(chosen)) for r in own for n in columns_of(r)}
            )
            chosen = chosen[np.any([violations(rule, table) for rule in own], axis=0) & ~rows.lost[chosen]]
            if not len(chosen) or attempt == REDRAWS:
                return
            self._draw(rows, number, chosen, generator)
            again = column.decode(rows.tokens[chosen, place], Chunk(rng, 0, taken[number]))
            rows.values[number] = _replaced(rows.values[number], chosen, again)

    def _give(self, rows: _Rows, number: int, assigned: np.ndarray) -> None:
        """Set the rows' given values; rows that are to have any other value and drew a given one are lost."""
        given, column, place = self.given[number], self.codec.columns[number], self.places[number]
        values = self._written(given.values, number).cast(rows.values[number].type)
        tokens = column.encode(values) if column.parts else np.zeros((len(values), 0), np.int64)
        fixed = np.flatnonzero(assigned < len(given.values))
        rows.tokens[fixed, place] = tokens[assigned[fixed]]
        rows.values[number] = _replaced(rows.values[number], fixed, values.take(pa.array(assigned[fixed])))
        free = assigned == len(given.values)
        rows.lost |= free & np.asarray(pc.is_in(rows.values[number], value_set=values).fill_null(False))

    def _written(self, values: Sequence[Any], number: int) -> pa.Array:
        """Values from JSON as the column writes them: dates in text are written in its own format."""
        column = self.codec.columns[number]
        if not isinstance(column, NumberColumn):
            return literals(values, pa.large_string())
        if column.units.date_format is None:
            return literals(values, column.type)
        numbers, valid = places(literals(values, pa.string()), self.codec.schema.names[number])
        return from_numbers(numbers // MICRO, valid, column.units, column.type)

    def _add_up(self, rows: _Rows, number: int) -> None:
        """Compute a total from its terms, which were drawn before it."""
        rule, column = self._sums[number], self.codec.columns[number]
        terms = [places(rows.values[self._number(name)], name) for name in rule.terms]
        numbers = np.sum([term for term, _ in terms], axis=0)
        valid = np.all([good for _, good in terms], axis=0)
        if isinstance(column, NumberColumn):
            if column.units.digits is not None:
                numbers = np.round(numbers, column.units.digits)
            low, high = _reach(column)
            rows.lost |= valid & ((numbers < low) | (numbers > high))
        if pt.is_decimal(column.type):
            texts = [f"{v:.{column.type.scale}f}" if good else None for v, good in zip(numbers, valid, strict=True)]
            rows.values[number] = pa.array(texts, pa.string()).cast(column.type)
        else:
            rows.values[number] = pa.array(numbers, mask=~valid).cast(column.type, safe=False)
        rows.tokens[:, self.places[number]] = column.encode(rows.values[number])

    def _spell(self, rows: _Rows, number: int, rng: np.random.Generator, taken: set[str]) -> None:
        """Texts that are made anew are made to match their pattern; rows for which none is found are lost."""
        name, column = self.codec.schema.names[number], self.codec.columns[number]
        patterns = [rule.pattern for rule in self.rules if isinstance(rule, Matches) and rule.column == name]
        if not patterns:
            return
        assert isinstance(column, TextColumn)
        made = rstr.Rstr(Random(int(rng.integers(2**63))))  # noqa: S311
        fits = [matching(pattern) for pattern in patterns]
        texts = np.array(rows.values[number].to_pylist(), dtype=object)
        left = np.flatnonzero(np.asarray(rows.values[number].is_valid()))
        for _ in range(REDRAWS):
            spelled = np.array([made.xeger(patterns[0]) for _ in left], dtype=object)
            good = np.array([all(fit(text) for fit in fits) for text in spelled], bool)
            good[good] = column.manner.are_new(spelled[good], taken if column.unique else None)
            texts[left[good]] = spelled[good]
            left = left[~good]
            if not len(left):
                break
        rows.lost[left] = True
        rows.values[number] = pa.array(texts, rows.values[number].type)

    def _judged(self, batch: pa.RecordBatch) -> np.ndarray:
        """Which rows keep every rule that can be told from one row."""
        table = pa.Table.from_batches([batch])
        good = np.ones(batch.num_rows, bool)
        for rule in self.rules:
            if isinstance(rule, Together | Unique):
                continue
            broken = violations(rule, table)
            good &= ~broken
            if broken.any():
                self._send_back(rule, int(broken.sum()))
        return good

    def _chosen(self, slots: np.ndarray, good: np.ndarray, batch: pa.RecordBatch, room: int) -> np.ndarray:
        """The candidates that become rows: with given values the first good one of every slot, else as many as there
        is room for; of those that must differ the first."""
        candidates = np.flatnonzero(good)
        if not self._met:
            return candidates[np.unique(slots[candidates], return_index=True)[1]] if self.given else candidates[:room]
        marks = {rule: _marks(batch, rule.columns) for rule in self._met}
        filled: set[int] = set()
        chosen: list[int] = []
        for candidate in candidates:
            if len(chosen) == room:
                break
            if int(slots[candidate]) in filled:
                continue
            repeated = [rule for rule, own in marks.items() if own[candidate] in self._met[rule]]
            if repeated:
                self._send_back(repeated[0], 1)
                continue
            for rule, own in marks.items():
                if None not in own[candidate]:
                    self._met[rule].add(own[candidate])
            filled.add(int(slots[candidate]))
            chosen.append(int(candidate))
        return np.array(chosen, np.int64)

    def _send_back(self, rule: Constraint, rows: int) -> None:
        words = describe(rule)
        self.tally.sent_back[words] = self.tally.sent_back.get(words, 0) + rows

    def _assembled(
        self,
        kept: list[tuple[np.ndarray, pa.RecordBatch]],
        first: int,
        rows: int,
        taken: list[set[str]],
        seed: Sequence[int],
    ) -> pa.RecordBatch:
        """The kept rows in the order of their slots; keys and made-up texts count slots, not candidates."""
        order = np.argsort(np.concatenate([slots for slots, _ in kept]), kind="stable")
        table = pa.Table.from_batches([batch for _, batch in kept]).take(pa.array(order))
        values = {n: plain_values(table.column(n)) for n in range(table.num_columns)}
        ruled = {name for rule in self.rules for name in columns_of(rule)}
        for number, column in enumerate(self.codec.columns):
            made = isinstance(column, MadeColumn) and self.codec.schema.names[number] not in ruled
            if made or isinstance(column, KeyColumn):
                chunk = Chunk(np.random.default_rng([*seed, number]), first, taken[number])
                values[number] = column.decode(np.zeros((rows, 0), np.int64), chunk)
        return self.codec.batch(values)


def _replaced(values: pa.Array, chosen: np.ndarray, new: pa.Array) -> pa.Array:
    """`values` with `new` in the places `chosen`."""
    places_ = np.arange(len(values))
    places_[chosen] = len(values) + np.arange(len(chosen))
    return pa.concat_arrays([values, new.cast(values.type)]).take(pa.array(places_))


def _reach(column: NumberColumn) -> tuple[float, float]:
    """The lowest and the highest number of the source, on the number line."""
    codec = column.codec
    ends: list[Any] = [*codec.atoms[:1], *codec.atoms[-1:], *codec.edges[:1], *codec.edges[-1:]]
    if codec.whole and len(codec.edges):
        ends[-1] -= codec.step  # the last edge lies one step beyond
    per = units_per_place(column.type, column.units)
    finite = [float(v) / per for v in ends if np.isfinite(v)]
    return (min(finite), max(finite)) if finite else (-np.inf, np.inf)


def _marks(batch: pa.RecordBatch, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """Each row's values in `columns`."""
    return list(zip(*(batch.column(batch.schema.names.index(name)).to_pylist() for name in columns), strict=True))
