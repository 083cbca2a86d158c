"""References between tables, and the order of siblings: what planning and judging need, without any network."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from models.table.codec import plain_values
from models.table.physical import is_string

MOST_PLACES = 65_535  # children of one parent


def owners_of(references: pa.ChunkedArray | pa.Array, keys: pa.ChunkedArray | pa.Array) -> pa.Array:
    """The row of `keys` that each reference names, null for none."""
    plain, known = (
        plain_values(side if isinstance(side, pa.ChunkedArray) else pa.chunked_array([side]))
        for side in (references, keys)
    )
    return pc.index_in(plain, value_set=known.cast(plain.type))


def order_units(values: pa.Array, name: str) -> pa.Array:
    """The values of an order as whole units that can be added: integers as they are, dates as days, instants as their
    own unit. Raises ValueError for other types."""
    if pt.is_integer(values.type):
        return values.cast(pa.int64())
    if pt.is_date32(values.type):
        return values.cast(pa.int32()).cast(pa.int64())
    if pt.is_timestamp(values.type) or pt.is_date64(values.type):
        return values.cast(pa.int64())
    what = "text" if is_string(values.type) else str(values.type)
    raise ValueError(f"siblings cannot be ordered by {name!r}: it is {what}, not whole numbers or dates")


def as_order(units: pa.Array, kind: pa.DataType) -> pa.Array:
    """The inverse of `order_units`."""
    return units.cast(pa.int32()).cast(kind) if pt.is_date32(kind) else units.cast(kind)
