"""Tables become tokens and come back with their types, formats, nulls and ranges."""

from __future__ import annotations

import datetime as dt
import decimal
import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.table.codec import TableCodec, fit_codec
from models.table.columns import role_of

ROWS = 480
DAY = dt.date(1899, 12, 30)


def pick(values: list, kind: pa.DataType, every: int = 0) -> pa.Array:
    """`values` in turn, null in every `every`-th row."""
    cells = [None if every and row % every == 3 else values[row % len(values)] for row in range(ROWS)]
    return pa.array(cells, type=kind)


def every_type() -> pa.Table:
    stamp = dt.datetime(2019, 5, 21, 13, 30, 5, 250000, tzinfo=dt.UTC)
    levels = pa.DictionaryArray.from_arrays(
        pa.array([row % 3 for row in range(ROWS)], pa.int8()), pa.array(["low", "mid", "high"]), ordered=True
    )
    return pa.table(
        {
            "bool": pick([True, False], pa.bool_(), 7),
            "int8": pick([-128, 0, 127], pa.int8()),
            "uint64": pick([0, 2**62 + 1, 5], pa.uint64(), 5),
            "wide": pick([2**53 + 1, 2**53 + 3, -(2**60) - 1], pa.int64()),
            "half": pick([0.5, 1.25], pa.float16()),
            "float": pick([0.1, 0.25, 3.75], pa.float32(), 4),
            "integral": pick([1.0, 2.0, 30.0], pa.float64(), 3),
            "special": pick([float("inf"), float("-inf"), 0.125], pa.float64(), 6),
            "money": pick([decimal.Decimal("-19.90"), decimal.Decimal("1234567.05")], pa.decimal128(20, 2), 9),
            "day": pick([DAY, DAY + dt.timedelta(40_000)], pa.date32(), 5),
            "day64": pick([DAY], pa.date64()),
            "clock": pick([dt.time(23, 59, 59), dt.time(0)], pa.time32("s")),
            "clock_ns": pick([dt.time(1, 2, 3, 4)], pa.time64("ns"), 8),
            "stamp": pick([stamp, stamp - dt.timedelta(days=60_000)], pa.timestamp("us", tz="Europe/Berlin"), 6),
            "stamp_s": pick([stamp.replace(tzinfo=None, microsecond=0)], pa.timestamp("s")),
            "length": pick([dt.timedelta(seconds=90), dt.timedelta(days=-3)], pa.duration("ms")),
            "iso": pick(["2019-05-21", "1871-01-02"], pa.string(), 4),
            "german": pick(["31.12.1999", "01.02.2003"], pa.large_string()),
            "seconds": pick(["2019-05-21 10:11:12", "2020-02-29 00:00:00"], pa.string()),
            "text": pick(["Straße", "", "a,b"], pa.string(), 11),
            "large": pick(["x", "y"], pa.large_string()),
            "coded": pa.array(["u", "v", None, "u"] * (ROWS // 4)).dictionary_encode(),
            "levels": levels,
            "nothing": pa.nulls(ROWS),
            "all_null": pa.nulls(ROWS, pa.float64()),
            "constant": pick(["only"], pa.string()),
            "number": pick([7], pa.int32()),
        }
    )


def again(codec: TableCodec, table: pa.Table, seed: int = 0) -> pa.Table:
    """Encoded, decoded, by a codec that went through JSON."""
    stored = TableCodec.from_json(json.loads(json.dumps(codec.to_json(), allow_nan=False)), codec.digests())
    tokens = codec.encode(table)
    assert np.array_equal(tokens, stored.encode(table))
    batch = stored.decode(tokens, np.random.default_rng(seed), 0, stored.nothing_taken())
    return pa.Table.from_batches([batch])


def test_values_that_repeat_come_back_exactly_in_every_type() -> None:
    table = every_type()
    result = again(fit_codec(table), table)
    assert result.schema.equals(table.schema)
    for name in table.schema.names:
        assert result[name].to_pylist() == table[name].to_pylist(), name
    assert result["levels"].chunk(0).dictionary.to_pylist() == ["low", "mid", "high"]


def test_tokens_stay_within_their_parts() -> None:
    table = every_type()
    codec = fit_codec(table)
    tokens = codec.encode(table)
    assert tokens.shape == (ROWS, len(codec.parts))
    assert (tokens < np.array([part.size for part in codec.parts])).all()


def test_nan_is_kept_apart_from_null() -> None:
    column = pa.array([1.5, None, float("nan")] * 100, from_pandas=False)
    table = pa.table({"a": column, "b": pa.array(range(300))})
    result = again(fit_codec(table), table)["a"].to_pylist()
    assert result[1] is None
    assert np.isnan(result[2])


def test_continuous_columns_keep_range_grid_and_distribution() -> None:
    rng = np.random.default_rng(0)
    price = np.round(rng.lognormal(4, 1, 20_000), 2)
    days = (rng.gamma(3, 400, 20_000)).astype("int64")
    table = pa.table(
        {
            "price": pa.array(price),
            "day": pa.array(days.astype("int32")).cast(pa.date32()),
            "midnight": pa.array(days * 86_400_000_000).cast(pa.timestamp("us")),
            "tens": pa.array(days * 10 + 3),
            "raw": pa.array(rng.normal(size=20_000)),
        }
    )
    codec = fit_codec(table)
    result = again(codec, table)
    for name in table.schema.names:
        old, new = (
            t[name].cast(pa.float64() if name in ("price", "raw") else table[name].type) for t in (table, result)
        )
        old, new = (np.sort(np.asarray(c).astype("float64")) for c in (old, new))
        assert new[0] >= old[0], name
        assert new[-1] <= old[-1], name
        below = np.searchsorted(new, old, side="right") / len(new) - np.arange(1, len(old) + 1) / len(old)
        assert np.abs(below).max() < 0.02, name
    made = np.asarray(result["price"])
    assert np.array_equal(made, np.round(made, 2))
    assert set(np.asarray(result["tens"]) % 10) == {3}
    assert set(np.asarray(result["midnight"].cast(pa.int64())) % 86_400_000_000) == {0}
    assert (codec.encode(result) == codec.encode(table)).mean() > 0.999  # cells hold what they gave
    assert np.mean(np.isin(made, price)) < 0.95  # interpolated, not looked up


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=2, max_size=60))
@settings(max_examples=60, deadline=None)
def test_any_integers_stay_between_least_and_greatest(numbers: list[int]) -> None:
    table = pa.table({"n": pa.array(numbers, pa.int64()), "m": pa.array([0] * len(numbers))})
    result = again(fit_codec(table), table)["n"].to_pylist()
    assert min(result) >= min(numbers)
    assert max(result) <= max(numbers)


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.array([b"x", b"y"]), "binary"),
        (pa.array([[1], [2]]), "list"),
        (pa.array([{"a": 1}, {"a": 2}]), "struct"),
        (pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int64())), "map"),
    ],
)
def test_types_that_cannot_be_imitated_are_refused_by_name(column: pa.Array, kind: str) -> None:
    with pytest.raises(ValueError, match=rf"'odd one' is {kind}"):
        fit_codec(pa.table({"fine": pa.array([1, 2]), "odd one": column}))


def test_doubled_names_and_numbers_beyond_64_bits_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'a' stands more than once"):
        fit_codec(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]))
    huge = pa.array([decimal.Decimal(10**25), decimal.Decimal(1)], pa.decimal128(38, 0))
    with pytest.raises(ValueError, match=r"column 'huge'.*18 digits"):
        fit_codec(pa.table({"huge": huge, "b": [1, 2]}))
    with pytest.raises(ValueError, match=r"column 'u'.*64 bits"):
        fit_codec(pa.table({"u": pa.array([2**64 - 1, 0], pa.uint64()), "b": [1, 2]}))


def test_large_categories_become_two_codes_and_rare_values_are_pooled() -> None:
    names = [f"street {n}" for n in range(900)]
    common = [names[n * 7 % 900] for n in range(9_000)]
    rare = [f"hidden lane {n}" for n in range(150)]
    table = pa.table({"street": common + rare, "b": list(range(9_150))})
    codec = fit_codec(table)
    first, second = codec.columns[0].parts
    assert first.size < 40
    assert second.size < 40
    assert second.gate is not None
    result = again(codec, table)["street"].to_pylist()
    assert result[:9_000] == common
    assert not set(result[9_000:]) & set(rare)


def test_roles() -> None:
    rows = 300
    distinct = pa.array([f"N{n}-{n * 7}" for n in range(rows)])
    assert role_of("name", distinct) == "text"
    assert role_of("city", pa.array(["Bonn", "Köln", "Bonn"] * 100)) == "category"
    assert role_of("when", pa.array(["2019-05-21"] * rows)) == "date"
    assert role_of("customer_id", pa.array(range(5_000, 5_000 + rows))) == "key"
    assert role_of("rowcount", pa.array(range(rows))) == "key"
    assert role_of("amount", pa.array([n * 13 for n in range(rows)])) == "number"
    assert role_of("year", pa.array(range(1700, 2000))) == "number"
    assert role_of("year", pa.array(range(1700, 2000)), primary_key=True) == "key"
    assert role_of("gap", pa.nulls(rows, pa.string())) == "empty"


def test_unknown_values_are_encoded_without_failing() -> None:
    table = pa.table({"c": ["a", "b"] * 50, "n": pa.array(range(100)), "d": ["2020-01-01"] * 100})
    codec = fit_codec(table)
    other = pa.table({"c": ["z", None], "n": pa.array([-5, 10**9]), "d": ["2021-01-01", "2020-01-01"]})
    tokens = codec.encode(other)
    assert (tokens < np.array([part.size for part in codec.parts])).all()


def test_a_category_of_nothing_but_rare_values_is_spelled_anew_and_not_null() -> None:
    table = pa.table({"town": [f"Town {n % 300}" for n in range(900)]})
    codec = fit_codec(table)
    assert codec.parts == []
    drawn = again(codec, table)["town"]
    assert drawn.null_count == 0
    assert not set(drawn.to_pylist()) & set(table["town"].to_pylist())
