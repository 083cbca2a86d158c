"""A whole table as one token matrix, and back to exactly the source's columns, order and Arrow types.

The codec is learned once on the source and saved as JSON (and digests of texts that must not be repeated). It knows
nothing of the model that learns the tokens.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from models.table.columns import CategoryColumn, Chunk, Column, NumberColumn, TextColumn, column_from_json, fit_column
from models.table.facts import Facts
from models.table.number import Part
from models.table.physical import check_schema

VERSION = 2


@dataclass(slots=True)
class TableCodec:
    """Table ↔ tokens. `schema` is the source's without metadata; `orders` holds dictionaries in their own order.

    Tokens stand in the order `drawn`, of column numbers: what comes early can be given, and the rest follows from it.
    """

    schema: pa.Schema
    columns: list[Column]
    orders: dict[str, list[str]]
    drawn: list[int]

    @property
    def parts(self) -> list[Part]:
        """All tokens of a row, in the order in which columns are drawn."""
        return [part for number in self.drawn for part in self.columns[number].parts]

    def places(self) -> dict[int, slice]:
        """Where each column's tokens stand in a row, in the order in which columns are drawn."""
        found, at = {}, 0
        for number in self.drawn:
            found[number] = slice(at, at + len(self.columns[number].parts))
            at = found[number].stop
        return found

    def encode(self, table: pa.Table) -> np.ndarray:
        """Tokens of a table with the source's schema: int64, rows × parts. Raises ValueError naming the column."""
        if table.schema.names != self.schema.names:
            raise ValueError(f"the table has columns {table.schema.names}, the model {self.schema.names}")
        tokens = np.zeros((table.num_rows, len(self.parts)), dtype=np.int64)
        for number, place in self.places().items():
            name = self.schema.names[number]
            try:
                tokens[:, place] = self.columns[number].encode(plain_values(table[name]))
            except ValueError as error:
                raise ValueError(f"column {name!r}: {error}") from error
        return tokens

    def decode(
        self, tokens: np.ndarray, rng: np.random.Generator, first_row: int, taken: list[set[str]]
    ) -> pa.RecordBatch:
        """Records of tokens. `taken` remembers, per column, the unique texts drawn in earlier chunks."""
        values = {
            number: self.columns[number].decode(tokens[:, place], Chunk(rng, first_row, taken[number]))
            for number, place in self.places().items()
        }
        return self.batch(values)

    def batch(self, values: Mapping[int, pa.Array]) -> pa.RecordBatch:
        """Plain values by column number, as a batch of the source's schema."""
        arrays = [
            as_field(values[number], field.type, self.orders.get(field.name))
            for number, field in enumerate(self.schema)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def nothing_taken(self) -> list[set[str]]:
        """The `taken` of a first chunk."""
        return [set() for _ in self.columns]

    def to_json(self) -> dict[str, Any]:
        columns = [
            {
                "name": field.name,
                "type": str(field.type),
                "role": column.role,
                "empty": isinstance(column, NumberColumn) and pt.is_null(column.type),
                "body": column.to_json(),
            }
            for field, column in zip(self.schema, self.columns, strict=True)
        ]
        schema = base64.b64encode(self.schema.serialize().to_pybytes()).decode()
        return {
            "version": VERSION,
            "schema": schema,
            "orders": self.orders,
            "drawn": self.drawn,
            "columns": columns,
        }

    def digests(self) -> dict[str, np.ndarray]:
        """Per column number, the digests of the texts that must not be drawn."""
        found = {}
        for number, column in enumerate(self.columns):
            if isinstance(column, TextColumn | CategoryColumn) and column.manner is not None:
                found[str(number)] = column.manner.known
        return found

    @classmethod
    def from_json(cls, data: dict[str, Any], digests: dict[str, np.ndarray]) -> TableCodec:
        """Raises ValueError when another version wrote it."""
        if data.get("version") != VERSION:
            raise ValueError(f"the codec has version {data.get('version')}, this program reads version {VERSION}")
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(data["schema"])))
        nothing = np.zeros(0, dtype=np.int64)
        columns = [
            column_from_json(described, field.type, digests.get(str(number), nothing))
            for number, (field, described) in enumerate(zip(schema, data["columns"], strict=True))
        ]
        return cls(schema=schema, columns=columns, orders=data["orders"], drawn=data["drawn"])


def fit_codec(
    table: pa.Table,
    primary_key: str | None = None,
    order: Sequence[str] = (),
    facts: Mapping[str, Facts] | None = None,
) -> TableCodec:
    """Learn the codec of a table. Raises ValueError naming the column that cannot be modelled.

    `order` names all columns in the order in which they will be drawn; without it, it is the table's own. With `facts`
    of all columns, the table is a sample of the rows that they tell of.
    """
    check_schema(table.schema)
    if primary_key is not None and primary_key not in table.schema.names:
        raise ValueError(f"there is no column {primary_key!r} to be the primary key")
    columns, orders = [], {}
    for field in table.schema:
        try:
            told = None if facts is None else facts[field.name]
            values = plain_values(table[field.name])
            columns.append(fit_column(field.name, values, primary_key=field.name == primary_key, facts=told))
        except ValueError as error:
            raise ValueError(f"column {field.name!r}: {error}") from error
        if pt.is_dictionary(field.type) and isinstance(columns[-1], CategoryColumn):
            used = set(columns[-1].values)
            listed = table[field.name].unify_dictionaries().combine_chunks()
            dictionary = (listed.chunk(0) if isinstance(listed, pa.ChunkedArray) else listed).dictionary
            orders[field.name] = [value for value in dictionary.to_pylist() if value in used]
    schema = pa.schema([pa.field(f.name, f.type, f.nullable) for f in table.schema])
    drawn = [schema.names.index(name) for name in order or schema.names]
    if sorted(drawn) != list(range(len(schema))):
        raise ValueError("the order does not name every column once")
    return TableCodec(schema=schema, columns=columns, orders=orders, drawn=drawn)


def plain_values(column: pa.ChunkedArray) -> pa.Array:
    """A column as one array of plain values; string views become large strings, which more can be done with."""
    if pt.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pt.is_string_view(column.type):
        column = column.cast(pa.large_string())
    whole = column.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):  # what is too long for one array of its type
        whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], type=column.type)
    return whole


def as_field(values: pa.Array, kind: pa.DataType, order: list[str] | None = None) -> pa.Array:
    """Plain values in the type of a schema's field; `order` is that of a dictionary's own values."""
    if not pt.is_dictionary(kind):
        return values if values.type == kind else values.cast(kind)
    values = values.cast(kind.value_type)
    if order is None:
        coded = values.dictionary_encode()
        return pa.DictionaryArray.from_arrays(
            coded.indices.cast(kind.index_type), coded.dictionary, ordered=kind.ordered
        )
    drawn = set(values.drop_null().unique().to_pylist()) - set(order)  # texts made anew for the pool
    dictionary = pa.array([*order, *sorted(drawn)], type=kind.value_type)
    indices = pa.compute.index_in(values, value_set=dictionary)
    return pa.DictionaryArray.from_arrays(indices.cast(kind.index_type), dictionary, ordered=kind.ordered)
