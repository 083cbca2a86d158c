"""Frames: what goes in comes out, and what is no frame is refused."""

import io
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import wire
from models.engine import (
    FillRequest,
    FitRequest,
    ImageRequest,
    ImageResult,
    SampleRequest,
    TableResult,
    TextRequest,
    TextResult,
)

CHAT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Grüße 👋🏽\n"}]
EVERYTHING = [
    TextRequest(id="a", messages=CHAT, seed=2**64 - 1, max_tokens=3, temperature=0.1, top_p=0.7),
    TextRequest(id="b", messages=[], seed=0),
    TextResult(id="a", text="x\x00y", prompt_tokens=3, tokens=2, finish="length"),
    TextResult(id="b", error="no"),
    ImageRequest(id="c", prompt="p", seed=1, init_image=b"\x00\xff", strength=0.25),
    ImageRequest(id="d", prompt="p", seed=1),
    ImageResult(id="c", pixels=b"\x01" * 12, width=2, height=2, flags=["nan", "safety"]),
    FitRequest(id="e", source="s", out="o", seed=5, steps=7, family="vae", order=["b", "a"], together=['["a", "b"]']),
    SampleRequest(id="f", model="m", out="o", rows=10**12, seed=5, constraints="[]", conditions="{}"),
    FillRequest(id="g", model="m", source="s", out="o", seed=2**63, columns=["a", "b"]),
    TableResult(id="e", path="o", rows=3, info={"loss": [0.5, 0.25], "nested": {"a": None}}),
    TextRequest(id="z", messages=CHAT, seed=1),
]


def there_and_back(items: list[object]) -> list[object]:
    return [item for body in wire.pack(items) for item in wire.unpack(body)]


def test_everything_comes_back_in_order():
    assert there_and_back(EVERYTHING) == EVERYTHING


def test_schemas_name_every_field():
    for cls, schema in wire.SCHEMAS.items():
        assert schema.names == [field.name for field in fields(cls)]


@given(st.lists(st.lists(st.text(max_size=20), max_size=3), max_size=5), st.floats(allow_nan=False))
@settings(max_examples=50, deadline=None)
def test_any_text_and_number_comes_back(chats, number):
    requests = [
        TextRequest(
            id=str(i), messages=[{"role": "user", "content": text} for text in chat], seed=i, temperature=number
        )
        for i, chat in enumerate(chats)
    ]
    assert there_and_back(requests) == requests


def test_numbers_of_numpy_are_taken_in_info():
    np = pytest.importorskip("numpy")
    assert there_and_back([TableResult(id="x", info={"loss": np.float32(0.5)})])[0].info == {"loss": 0.5}


def test_large_lists_are_cut_into_frames():
    requests = [ImageRequest(id=str(i), prompt="", seed=i, init_image=bytes(3 << 20)) for i in range(7)]
    bodies = list(wire.pack(requests))
    assert len(bodies) == 4
    assert all(body.size < wire.FULL_FRAME + 10_000 for body in bodies)
    assert there_and_back(requests) == requests


@pytest.mark.parametrize(
    "bad",
    [
        TextRequest(id="bad-1", messages=[{"role": "user", "content": "\ud800"}], seed=1),
        TextRequest(id="bad-1", messages=[{"role": "user"}], seed=1),
        TextRequest(id="bad-1", messages=[{"role": "user", "content": "", "name": "x"}], seed=1),
        TextRequest(id="bad-1", messages=CHAT, seed=-1),
        TextRequest(id="bad-1", messages=CHAT, seed=2**64),
        TextRequest(id="bad-1", messages=CHAT, seed=1, max_tokens="many"),  # type: ignore[arg-type]
        TableResult(id="bad-1", info={"what": object()}),
    ],
)
def test_what_cannot_travel_is_named(bad):
    with pytest.raises(wire.WireError, match=r"bad-1|role and content"):
        there_and_back([bad])


def test_only_requests_and_results_travel():
    with pytest.raises(wire.WireError, match="dict is neither"):
        there_and_back([{"id": "x"}])


def frame(kind: wire.Kind = wire.Kind.RESULTS, body: bytes = b"abc") -> bytes:
    stream = io.BytesIO()
    wire.write(stream, kind, body)
    return stream.getvalue()


def test_frames_are_read_one_by_one():
    stream = io.BytesIO(frame() + frame(wire.Kind.IDLE, b""))
    assert wire.read(stream) == (wire.Kind.RESULTS, b"abc")
    assert wire.read(stream) == (wire.Kind.IDLE, b"")
    assert wire.read(stream) is None


@pytest.mark.parametrize("length", range(1, len(frame())))
def test_cut_frames_are_refused(length):
    with pytest.raises(wire.WireError, match="ended inside"):
        wire.read(io.BytesIO(frame()[:length]))


def test_other_bytes_are_refused():
    with pytest.raises(wire.WireError, match="not a frame"):
        wire.read(io.BytesIO(b"Traceback (most recent call last)"))
    with pytest.raises(wire.WireError, match="not a frame"):
        wire.read(io.BytesIO(wire._HEADER.pack(b"PRW1", 99, 0)))
    with pytest.raises(wire.WireError, match="are allowed"):
        wire.read(io.BytesIO(wire._HEADER.pack(b"PRW1", 4, wire.MAX_FRAME + 1)))


@pytest.mark.parametrize("body", [b"", b"nothing of Arrow", bytes(100)])
def test_other_bodies_are_refused(body):
    with pytest.raises(wire.WireError):
        wire.unpack(body)
    with pytest.raises(wire.WireError):
        wire.note(body)


def test_an_error_result_fits_its_request():
    for request in (item for item in EVERYTHING if isinstance(item, wire.REQUESTS)):
        result = wire.error_result(request, "why")
        assert (result.id, result.error) == (request.id, "why")
        assert type(result).__name__[:4] in type(request).__name__ or isinstance(result, TableResult)
