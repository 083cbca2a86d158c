"""What travels between the parent and an engine's process: frames of a kind, a length and a body.

Requests and results are Arrow IPC streams with one fixed schema per dataclass of `models.engine`, everything else is a
small JSON object. The module knows nothing of processes: it turns lists into bytes and back, and refuses what is
malformed or too large instead of reading on.
"""

from __future__ import annotations

import json
import struct
from array import array
from collections.abc import Iterator, Sequence
from enum import IntEnum
from itertools import accumulate
from typing import IO, Any, get_type_hints

import pyarrow as pa

from models.engine import (
    FillRequest,
    FitRequest,
    ImageRequest,
    ImageResult,
    Request,
    Result,
    SampleRequest,
    TableResult,
    TextRequest,
    TextResult,
)

MAX_FRAME = 1 << 30  # bytes; a body beyond it is a fault of the sender, never read into memory
FULL_FRAME = 8 << 20  # bytes after which a list is continued in another frame
FULL_ROWS = 2048

_HEADER = struct.Struct("<4sHQ")
_MAGIC = b"PRW1"


class WireError(ValueError):
    """A frame, request or result that cannot travel, with the reason."""


class Kind(IntEnum):
    """What a frame's body is. From the parent: OPEN, REQUESTS. From the child: the others."""

    OPEN = 1
    READY = 2
    REQUESTS = 3
    RESULTS = 4
    IDLE = 5
    ERROR = 6
    LOG = 7


_MESSAGE = pa.struct([pa.field("role", pa.string(), False), pa.field("content", pa.string(), False)])
_MESSAGES = pa.list_(_MESSAGE)
_TEXT, _INT, _SEED, _FLOAT, _BYTES = pa.string(), pa.int64(), pa.uint64(), pa.float64(), pa.large_binary()
_JSON = pa.large_string()  # the one use of this Arrow type: a dict as JSON text
_TEXTS = pa.list_(_TEXT)
_NUMBERS = {_INT: "q", _SEED: "Q", _FLOAT: "d"}


_TYPES: dict[Any, pa.DataType] = {
    str: _TEXT,
    str | None: _TEXT,
    int: _INT,
    float: _FLOAT,
    bytes: _BYTES,
    bytes | None: _BYTES,
    list[str]: _TEXTS,
    list[dict[str, str]]: _MESSAGES,
    dict[str, Any]: _JSON,
}


def _schema(cls: type) -> pa.Schema:
    """The columns that carry the fields of a dataclass. Seeds may take the 64th bit."""
    kinds = get_type_hints(cls).items()
    return pa.schema([pa.field(name, _SEED if name == "seed" else _TYPES[kind]) for name, kind in kinds])


_RESULT_OF: dict[type, type] = {
    TextRequest: TextResult,
    ImageRequest: ImageResult,
    FitRequest: TableResult,
    SampleRequest: TableResult,
    FillRequest: TableResult,
}
SCHEMAS = {cls: _schema(cls) for cls in dict.fromkeys([*_RESULT_OF, *_RESULT_OF.values()])}
_BY_NAME = {cls.__name__: cls for cls in SCHEMAS}
# Frames name their dataclass, so that the reader need not guess it from the columns.
_FRAME_SCHEMAS = {cls: schema.with_metadata({b"type": cls.__name__.encode()}) for cls, schema in SCHEMAS.items()}
REQUESTS = tuple(_RESULT_OF)


def error_result(request: Request, reason: str) -> Result:
    """The result that says why `request` has none."""
    result: Result = _RESULT_OF[type(request)](id=request.id, error=reason)
    return result


def pack(items: Sequence[Request | Result]) -> Iterator[pa.Buffer]:
    """The items as bodies of REQUESTS or RESULTS frames, in order. `WireError` for what cannot be encoded."""
    start, weight = 0, 0
    for i, item in enumerate(items):
        if type(item) not in SCHEMAS:
            raise WireError(f"{type(item).__name__} is neither a request nor a result of models.engine")
        size = _weight(item)
        if i > start and (type(item) is not type(items[start]) or weight + size > FULL_FRAME or i - start >= FULL_ROWS):
            yield _pack_alike(items[start:i])
            start, weight = i, 0
        weight += size
    if len(items) > start:
        yield _pack_alike(items[start:])


def unpack(body: bytes | pa.Buffer) -> list[Any]:
    """The dataclasses in a body that `pack` made."""
    try:
        with pa.ipc.open_stream(body) as reader:
            cls = _BY_NAME[(reader.schema.metadata or {})[b"type"].decode()]
            if not reader.schema.equals(SCHEMAS[cls], check_metadata=False):
                raise WireError(f"a frame of {cls.__name__} has other columns than this version of models.wire")
            batches = list(reader)
    except (pa.ArrowException, KeyError) as e:
        raise WireError(f"a frame that is no list of requests or results: {e}") from e
    items: list[Any] = []
    for batch in batches:
        columns = [_values(batch.column(i), field.type) for i, field in enumerate(batch.schema)]
        names = batch.schema.names
        items.extend(cls(**dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True))
    return items


def write(stream: IO[bytes], kind: Kind, body: bytes | pa.Buffer) -> None:
    """Write one frame and flush it."""
    stream.write(_HEADER.pack(_MAGIC, kind, len(body)))
    stream.write(body)
    stream.flush()


def write_note(stream: IO[bytes], kind: Kind, **values: Any) -> None:
    """Write a frame whose body is a JSON object."""
    write(stream, kind, json.dumps(values).encode())


def read(stream: IO[bytes]) -> tuple[Kind, bytes] | None:
    """The next frame, or None where the stream ends between two frames. `WireError` if it is cut or no frame."""
    head = stream.read(_HEADER.size)
    if not head:
        return None
    if len(head) < _HEADER.size:
        raise WireError("the stream ended inside a frame's header")
    magic, kind, length = _HEADER.unpack(head)
    if magic != _MAGIC or kind not in Kind.__members__.values():
        raise WireError(f"not a frame: it begins with {head[:6]!r}")
    if length > MAX_FRAME:
        raise WireError(f"a frame of {length} bytes; {MAX_FRAME} are allowed")
    body = stream.read(length)
    if len(body) < length:
        raise WireError(f"the stream ended inside a frame, {length - len(body)} bytes before its end")
    return Kind(kind), body


def note(body: bytes) -> dict[str, Any]:
    """The JSON object in the body of a frame that `write_note` made."""
    try:
        values = json.loads(body)
    except ValueError as e:
        raise WireError(f"a frame that is no JSON object: {e}") from e
    if not isinstance(values, dict):
        raise WireError("a frame that is no JSON object")
    return values


def _weight(item: Any) -> int:
    """About how many bytes the item adds to a frame."""
    if isinstance(item, ImageResult):
        return len(item.pixels) + 100
    if isinstance(item, ImageRequest):
        return len(item.init_image or b"") + len(item.prompt) + 100
    if isinstance(item, TextRequest):
        return sum(len(m.get("content", "")) for m in item.messages) + 100
    return len(item.text) + 100 if isinstance(item, TextResult) else 500


def _pack_alike(items: Sequence[Any]) -> pa.Buffer:
    """One Arrow IPC stream of items that share a type."""
    schema = _FRAME_SCHEMAS[type(items[0])]
    try:
        columns = [_array([getattr(item, field.name) for item in items], field.type) for field in schema]
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, schema) as writer:
            writer.write_batch(pa.record_batch(columns, schema=schema))
    except (pa.ArrowException, TypeError, ValueError, KeyError, AttributeError, OverflowError) as e:
        ids = ", ".join(str(item.id) for item in items[:3])
        raise WireError(f"{type(items[0]).__name__} {ids!r} cannot be sent to another process: {e}") from e
    body = sink.getvalue()
    if body.size > MAX_FRAME:
        raise WireError(f"{type(items[0]).__name__} {items[0].id!r} has {body.size} bytes; {MAX_FRAME} are allowed")
    return body


# Columns are built from buffers: `pa.array` imports pandas where it is installed, a third of a second in every child,
# and takes numbers less strictly.


def _array(values: list[Any], type_: pa.DataType) -> pa.Array:
    if type_ == _MESSAGES:
        flat = [message for messages in values for message in messages]
        if any(len(message) != 2 for message in flat):
            raise WireError("a message has exactly the keys role and content")
        parts = [_array([m[key] for m in flat], _TEXT) for key in ("role", "content")]
        return _lists(values, _MESSAGES, pa.StructArray.from_arrays(parts, fields=list(_MESSAGE)))
    if type_ == _TEXTS:
        return _lists(values, _TEXTS, _array([text for texts in values for text in texts], _TEXT))
    if type_ in _NUMBERS:
        return pa.Array.from_buffers(type_, len(values), [None, pa.py_buffer(array(_NUMBERS[type_], values))])
    if type_ == _JSON:
        parts = [json.dumps(value, default=_plain).encode() for value in values]
    elif type_ == _BYTES:
        parts = [value if value is None else bytes(value) for value in values]
    else:
        parts = [value if value is None else value.encode() for value in values]
    offsets = array("i" if type_ == _TEXT else "q", accumulate((len(part or b"") for part in parts), initial=0))
    data = b"".join(part for part in parts if part is not None)
    buffers = [_present(parts), pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(type_, len(values), buffers)


def _lists(values: list[Any], type_: pa.DataType, inner: pa.Array) -> pa.Array:
    offsets = array("i", accumulate(map(len, values), initial=0))
    return pa.Array.from_buffers(type_, len(values), [None, pa.py_buffer(offsets)], children=[inner])


def _present(parts: list[Any]) -> pa.Buffer | None:
    """The bitmap of the values that are not None, lowest bit first; None stands for all."""
    if None not in parts:
        return None
    bits = sum(1 << i for i, part in enumerate(parts) if part is not None)
    return pa.py_buffer(bits.to_bytes(len(parts) // 8 + 1, "little"))


def _plain(value: Any) -> Any:
    """Figures often come as numpy or torch scalars; their Python value says the same."""
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{type(value).__name__} in info is no JSON value")


def _values(column: pa.Array, type_: pa.DataType) -> list[Any]:
    values: list[Any] = column.to_pylist()
    return [json.loads(text) for text in values] if type_ == _JSON else values
