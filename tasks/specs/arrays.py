"""Arrow columns to Python cells, a column at a time: the common types without a Python object per scalar."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import types

from tasks.specs.columns import Family
from tasks.specs.values import CellError, cell

Cells = list[Any]
Broken = dict[int, CellError]


def read(array: pa.Array, family: Family) -> tuple[Cells, Broken]:
    """The cells of a column, None where absent, and by index the cells that cannot be read."""
    kind = array.type
    if array.null_count == len(array):
        return [None] * len(array), {}
    if types.is_dictionary(kind):
        values, wrong = read(array.dictionary, family)
        places = array.indices.to_pylist()
        cells = [None if p is None else values[p] for p in places]
        return cells, {i: wrong[p] for i, p in enumerate(places) if p in wrong} if wrong else {}
    try:
        if family == "text" and _is_text(kind):
            return _texts(array), {}
        if family == "list" and types.is_list(kind) and _is_text(kind.value_type):
            return [v and ([t for t in v if t is not None] or None) for v in _lists(array, _texts(array.values))], {}
        if family == "map" and types.is_map(kind) and _is_text(kind.key_type) and _is_text(kind.item_type):
            return each(_lists(array, list(zip(_texts(array.keys), _texts(array.items), strict=True))), family)
        if family == "integer" and types.is_integer(kind) and not array.null_count:
            return array.to_numpy(zero_copy_only=False).tolist(), {}
    except (UnicodeDecodeError, pa.ArrowException):
        pass  # the slow way finds the cells at fault
    return each(_python(array), family)


def each(values: Cells, family: Family) -> tuple[Cells, Broken]:
    """`cell` over Python values."""
    cells: Cells = []
    broken: Broken = {}
    for index, value in enumerate(values):
        try:
            cells.append(cell(value, family) if type(value) is not CellError else _raise(value))
        except CellError as error:
            broken[index] = error
            cells.append(None)
    return cells, broken


def suits(kind: pa.DataType, family: Family) -> bool:
    """Whether a column of this Arrow type can hold such cells at all."""
    if types.is_dictionary(kind):
        return suits(kind.value_type, family)
    if types.is_null(kind) or family == "other" or _is_text(kind):
        return True
    numeric = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
    if family in ("text", "integer", "number"):
        return numeric
    if family == "list":
        return _is_list(kind) and not _nested(kind.value_type)
    if family == "map":
        if types.is_map(kind):
            return not _nested(kind.item_type)
        return types.is_struct(kind) and not any(_nested(field.type) for field in kind)
    if family == "json":
        return types.is_nested(kind) and not types.is_union(kind)
    return not _nested(kind)


def _texts(array: pa.Array) -> Cells:
    values = array.to_numpy(zero_copy_only=False).tolist()
    return [v if v and not v.isspace() else None for v in values]


def _lists(array: pa.Array, members: Cells) -> Cells:
    offsets = array.offsets.to_numpy().tolist()
    present = array.is_valid().to_numpy(zero_copy_only=False).tolist()
    return [members[a:b] if ok else None for a, b, ok in zip(offsets, offsets[1:], present, strict=False)]


def _python(array: pa.Array) -> Cells:
    """Python objects; 32-bit numbers as the shortest decimals that mean them, so that 9.99 stays 9.99."""
    kind = array.type
    if types.is_float32(kind) or types.is_float16(kind):
        return [None if v is None else _shortest(v, kind) for v in array.to_pylist()]
    if types.is_list(kind) and types.is_float32(kind.value_type):
        return [v and [None if x is None else _shortest(x, kind.value_type) for x in v] for v in array.to_pylist()]
    if types.is_struct(kind):
        names = [field.name for field in kind]
        members = [_python(member) for member in array.flatten()]
        present = array.is_valid().to_pylist()
        rows = zip(*members, strict=True) if members else ([()] * len(array))
        return [dict(zip(names, row, strict=True)) if ok else None for row, ok in zip(rows, present, strict=True)]
    try:
        return array.to_pylist()
    except (UnicodeDecodeError, ValueError, OverflowError):
        return [_scalar(value) for value in array]


def _scalar(value: pa.Scalar) -> Any:
    try:
        return value.as_py()
    except UnicodeDecodeError:
        return CellError("is not UTF-8 text", "write the file again with UTF-8 text")
    except (ValueError, OverflowError):
        return CellError("holds a date or time outside the years 1 to 9999", "write it as text")


def _shortest(value: float, kind: pa.DataType) -> float:
    return float(str(np.float32(value) if types.is_float32(kind) else np.float16(value)))


def _raise(error: CellError) -> Any:
    raise error


def _is_text(kind: pa.DataType) -> bool:
    return types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)


def _is_list(kind: pa.DataType) -> bool:
    return types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)


def _nested(kind: pa.DataType) -> bool:
    return types.is_nested(kind) or types.is_binary(kind) or types.is_large_binary(kind) or types.is_union(kind)
