"""The masks that the rules of a sample lay on each column's tokens, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from models.table.codec import TableCodec
from models.table.columns import CategoryColumn, NumberColumn
from models.table.constraints import (
    Among,
    Constraint,
    Less,
    Matches,
    Present,
    Together,
    Within,
    describe,
    literals,
    place_of,
)
from models.table.scale import places, units_per_place
from models.table.steering import (
    Combinations,
    Limits,
    Mask,
    among,
    category_masks,
    matching,
    no_nulls,
    number_mask,
    second_of,
)


class Masks:
    """What the rules leave of a column's tokens. `seen` holds, per `Together`, the distinct tokens of the source."""

    def __init__(
        self, codec: TableCodec, rules: Sequence[Constraint], seen: Mapping[tuple[str, ...], np.ndarray]
    ) -> None:
        self._codec = codec
        self._rules = rules
        self._names = codec.schema.names
        self._places = codec.places()
        self._together = [self._combinations(rule, seen) for rule in rules if isinstance(rule, Together)]
        self._present = {self._names.index(rule.column) for rule in rules if isinstance(rule, Present)}
        self._of_category = {
            n: self._category(n, column) for n, column in enumerate(codec.columns) if isinstance(column, CategoryColumn)
        }

    def beginnings(self, rows: int) -> list[np.ndarray]:
        """The prefixes, one array per combination of columns, of rows in which nothing is drawn yet."""
        return [np.zeros(rows, np.int64) for _ in self._together]

    def advance(self, prefixes: list[np.ndarray], number: int, tokens: np.ndarray) -> np.ndarray:
        """Move prefixes on by a column whose tokens (rows × all parts) are settled; which rows left the source's."""
        strayed = np.zeros(len(tokens), bool)
        place = self._places[number]
        for which, combinations in enumerate(self._together):
            if number in combinations.columns:
                for part, at in enumerate(range(place.start, place.stop)):
                    reached = self._level(combinations, number, part)[prefixes[which], tokens[:, at]]
                    strayed |= reached < 0
                    prefixes[which] = np.maximum(reached, 0).astype(np.int64)
        return strayed

    def of(
        self,
        number: int,
        part: int,
        chosen: np.ndarray,
        drawn: np.ndarray,
        values: Mapping[int, pa.Array],
        prefixes: Sequence[np.ndarray],
    ) -> Iterator[Mask]:
        """The masks of a part in the rows `chosen`: `drawn` are the column's earlier tokens there, `values` and
        `prefixes` what earlier columns hold in all rows."""
        column = self._codec.columns[number]
        present = number in self._present
        if isinstance(column, CategoryColumn):
            masks = self._of_category[number]
            if masks is not None:
                yield masks[0] if part == 0 else second_of(column, masks, drawn)
        elif isinstance(column, NumberColumn):
            limits = self._limits(number, column, chosen, values)
            if limits is not None:
                yield number_mask(column.codec, part, drawn, limits, present)
            elif present and part == 0 and (mask := no_nulls(column)) is not None:
                yield mask
            if part == 0 and (listed := self._listed(number, column)) is not None:
                yield listed
        elif part == 0 and present and (mask := no_nulls(column)) is not None:
            yield mask
        for combinations, prefix in zip(self._together, prefixes, strict=True):
            if number in combinations.columns:
                at = prefix[chosen]
                for before in range(part):  # within a column the prefix has not been moved on yet
                    at = np.maximum(self._level(combinations, number, before)[at, drawn[:, before]], 0)
                yield self._level(combinations, number, part)[at] >= 0

    def _combinations(self, rule: Together, seen: Mapping[tuple[str, ...], np.ndarray]) -> Combinations:
        if rule.columns not in seen:
            raise ValueError(f"the model was fitted without the rule: {describe(rule)}")
        numbers = sorted(map(self._names.index, rule.columns), key=list(self._places).index)
        sizes = [part.size for n in numbers for part in self._codec.columns[n].parts]
        return Combinations.of(numbers, seen[rule.columns], sizes)

    def _level(self, combinations: Combinations, number: int, part: int) -> np.ndarray:
        """The trie's level for a part of a column."""
        earlier = combinations.columns[: combinations.columns.index(number)]
        return combinations.levels[sum(len(self._codec.columns[n].parts) for n in earlier) + part]

    def _category(self, number: int, column: CategoryColumn) -> list[Mask] | None:
        """The masks of a category's parts under the rules about its values; None where there are none."""
        name = self._names[number]
        own = [r for r in self._rules if isinstance(r, Among | Matches | Present) and r.column == name]
        if not own:
            return None
        tests = [among(literals(r.values, pa.string())) for r in own if isinstance(r, Among)]
        tests += [matching(r.pattern) for r in own if isinstance(r, Matches)]
        masks = category_masks(column, lambda text: all(test(text) for test in tests), number in self._present)
        if not tests and column.manner is not None:
            masks[0][:, int(column.nulls) : column.first_value] = True  # nothing is asked of what is written anew
        return masks

    def _limits(
        self, number: int, column: NumberColumn, chosen: np.ndarray, values: Mapping[int, pa.Array]
    ) -> Limits | None:
        """The bounds that rules set to a number column, from constants and from columns drawn before it."""
        if pt.is_null(column.type):
            return None
        name, like = self._names[number], pa.nulls(0, column.type)
        factor = units_per_place(column.type, column.units)
        low, high = np.full(len(chosen), -np.inf), np.full(len(chosen), np.inf)
        found = False
        for rule in self._rules:
            if isinstance(rule, Within) and rule.column == name:
                low = np.maximum(low, -np.inf if rule.least is None else place_of(rule.least, like, name) * factor)
                high = np.minimum(high, np.inf if rule.most is None else place_of(rule.most, like, name) * factor)
                found = True
            if isinstance(rule, Less) and name in (rule.low, rule.high):
                other = self._names.index(rule.high if name == rule.low else rule.low)
                if other not in values:
                    continue
                numbers, valid = places(values[other], self._names[other])
                bound = np.where(valid, numbers * factor, np.nan)[chosen]
                step = 0 if rule.or_equal or not column.codec.whole else 1
                if name == rule.high:
                    low = np.fmax(low, bound + step)
                else:
                    high = np.fmin(high, bound - step)
                found = True
        return Limits(low, high) if found else None

    def _listed(self, number: int, column: NumberColumn) -> Mask | None:
        """The first tokens of a number column that hold the values a rule lists; cells among them hold others, too."""
        own = [rule for rule in self._rules if isinstance(rule, Among) and rule.column == self._names[number]]
        if not own or not column.parts:
            return None
        mask = np.ones((1, column.parts[0].size), bool)
        for rule in own:
            allowed = np.zeros(column.parts[0].size, bool)
            allowed[column.encode(literals(rule.values, column.type))[:, 0]] = True
            allowed[: column.codec.first_atom] = number not in self._present
            mask &= allowed
        return mask
