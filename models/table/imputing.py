"""Filling the nulls of a table with what a model finds likely beside the values that are there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from models.table.codec import plain_values
from models.table.columns import KeyColumn, TextColumn, has_null
from models.table.count_tree import CountTree
from models.table.diffusion import MaskedDiffusion
from models.table.model import CHUNK, TableModel


def fill_columns(model: TableModel, table: pa.Table, seed: int, columns: Sequence[str]) -> pa.Table:
    """`table` with the nulls of `columns` filled as by `impute`; all other columns, types and metadata as they are.

    A column gets the same values whichever others are asked for. Raises ValueError as `impute` does.
    """
    filled = impute(model, table, seed)
    for name in columns:
        number = table.schema.get_field_index(name)
        table = table.set_column(number, table.schema.field(number), filled[name])
    return table


def impute(model: TableModel, table: pa.Table, seed: int) -> pa.Table:
    """`table` with every null of a column that the source has values of replaced by a drawn value; the rest untouched.

    A row's values are drawn from the model's distribution given all that the row holds, not the likeliest ones: so the
    filled columns keep their spread. Raises ValueError for a model of the family `transformer`, which can be given
    none but its first columns, for a table with other columns than its source, or for one that lacks keys.
    """
    if not isinstance(model.network, MaskedDiffusion | CountTree):
        raise ValueError(f"nulls are filled by a model of the family diffusion or bayes, this one is of {model.family}")
    codec = model.codec
    tokens, places = codec.encode(table), codec.places()
    known = np.ones(tokens.shape, dtype=bool)
    for number, place in places.items():
        known[:, place] = np.asarray(plain_values(table.column(number)).is_valid())[:, None]
    nulls = {place.start for number, place in places.items() if has_null(codec.columns[number])}
    taken = codec.nothing_taken()
    for number, column in enumerate(codec.columns):
        real = plain_values(table.column(number))
        if isinstance(column, KeyColumn) and real.null_count:
            raise ValueError(f"column {codec.schema.names[number]!r} is a key, which cannot be guessed: fill it first")
        if isinstance(column, TextColumn) and column.unique:
            taken[number].update(real.drop_null().to_pylist())
    pieces = []
    for first in range(0, table.num_rows, CHUNK):
        rows = slice(first, min(first + CHUNK, table.num_rows))
        for_tokens, for_values = np.random.SeedSequence([seed, first // CHUNK]).spawn(2)
        generator = torch.Generator().manual_seed(int(for_tokens.generate_state(1, np.uint64)[0] >> np.uint64(1)))
        filled = model.network.fill(tokens[rows], known[rows], nulls, generator)
        drawn = codec.decode(filled, np.random.default_rng(for_values), first, taken)
        values = {}
        for number, name in enumerate(codec.schema.names):
            real = plain_values(table[name].slice(first, len(filled)))
            made = plain_values(pa.chunked_array([drawn[name]]))
            values[number] = pc.if_else(real.is_valid(), real.cast(made.type), made)
        pieces.append(codec.batch(values))
    return pa.Table.from_batches(pieces, schema=codec.schema)
