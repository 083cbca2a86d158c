"""Odd tables: what a source may hold that no example table does is imitated, or refused by name."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch

from models.table.model import fit_table, load_model

ROWS = 600
RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(size=ROWS)
SOME = pa.array(RNG.choice(["a", "b", "c"], ROWS))
HOURS = [dt.datetime(2020, 1, 1, tzinfo=dt.UTC) + dt.timedelta(hours=int(h)) for h in RNG.integers(0, 9_000, ROWS)]
CENTS = [Decimal(int(cents)) / 100 for cents in RNG.integers(0, 10**6, ROWS)]

ODD: dict[str, dict[str, pa.Array]] = {
    "all null": {
        name: pa.nulls(ROWS, kind) for name, kind in (("n", pa.null()), ("x", pa.float64()), ("d", pa.date32()))
    },
    "constant": {
        "number": pa.array([7] * ROWS),
        "text": pa.array(["one"] * ROWS),
        "day": pa.array([dt.date(2020, 1, 1)] * ROWS),
    },
    "one row": {"x": pa.array([1.5]), "c": pa.array(["a"]), "when": pa.array([dt.datetime(2020, 1, 1)])},
    "infinite": {"c": SOME, "x": pa.array(np.where(NUMBERS > 1, np.inf, np.where(NUMBERS < -1, -np.inf, NUMBERS)))},
    "nothing but infinite": {"c": SOME, "x": pa.array([np.inf] * ROWS)},
    "beyond 2^53": {
        "c": SOME,
        "big": pa.array(RNG.integers(2**60, 2**62, ROWS)),
        "ends": pa.array([2**63 - 1, -(2**63)] * (ROWS // 2)),
    },
    "decimals": {
        "c": SOME,
        "price": pa.array(CENTS, pa.decimal128(20, 2)),
        "wide": pa.array([Decimal(10**14)] * ROWS, pa.decimal128(38, 0)),
    },
    "time zones": {
        "c": SOME,
        "oslo": pa.array(HOURS, pa.timestamp("us", "Europe/Oslo")),
        "mixed": pa.array([f"2020-01-02T10:00:00{zone}" for zone in RNG.choice(["Z", "+02:00", "-05:00"], ROWS)]),
    },
    "times and durations": {
        "time": pa.array(RNG.integers(0, 86_400, ROWS), pa.int32()).cast(pa.time32("s")),
        "took": pa.array(RNG.integers(0, 10**9, ROWS)).cast(pa.duration("us")),
    },
    "narrow": {
        "half": pa.array(NUMBERS.astype(np.float16)),
        "single": pa.array(NUMBERS.astype(np.float32)),
        "byte": pa.array(RNG.integers(-128, 128, ROWS).astype(np.int8)),
        "flag": pa.array([None if n < -1 else bool(n > 0) for n in NUMBERS]),
    },
    "dictionary": {"x": pa.array(NUMBERS), "coded": SOME.dictionary_encode()},
    "hollow texts": {"x": pa.array(NUMBERS), "s": pa.array(RNG.choice(["", "  ", "NULL", "nan", "a"], ROWS))},
    "odd names": {"😀 x": pa.array(NUMBERS), "": SOME, "a.b/c": SOME},
}


@pytest.mark.parametrize("name", ODD)
def test_odd_tables_are_imitated(name: str, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    table = pa.table(ODD[name])
    model, _ = fit_table(table, seed=0, steps=20)
    model.save(tmp_path / "model")
    made = pa.Table.from_batches(load_model(tmp_path / "model").sample(table.num_rows, 1))
    made.validate(full=True)
    assert made.schema.equals(table.schema)
    assert made.num_rows == table.num_rows
    for column in table.schema.names:
        if table[column].null_count in (0, table.num_rows):
            assert made[column].null_count == table[column].null_count


def test_integers_beyond_2_53_keep_every_digit() -> None:
    model, _ = fit_table(pa.table(ODD["beyond 2^53"]), seed=0, steps=20)
    made = pa.Table.from_batches(model.sample(ROWS, 1))
    assert set(made["ends"].to_pylist()) == {2**63 - 1, -(2**63)}
    assert pc.min_max(made["big"]).as_py()["min"] >= 2**60


def test_a_hundred_thousand_categories(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    towns = pa.array([f"town{n}" for n in np.minimum(rng.zipf(1.2, 150_000), 100_000)])
    model, _ = fit_table(pa.table({"town": towns, "x": rng.normal(size=150_000)}), seed=0, steps=20)
    model.save(tmp_path)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 20_000_000
    made = pa.Table.from_batches(model.sample(5_000, 1))
    share = [pc.mean(pc.equal(column, "town1").cast(pa.int8())).as_py() for column in (towns, made["town"])]
    assert share[1] == pytest.approx(share[0], abs=0.1)


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (pa.array([b"x"] * ROWS), "column 'odd' is binary, which record models cannot imitate"),
        (pa.array([[1]] * ROWS), "column 'odd' is list<item: int64>, which"),
        (pa.array([{"a": 1}] * ROWS), "column 'odd' is struct<a: int64>, which"),
        (pa.array([2**64 - 1] * ROWS, pa.uint64()), "column 'odd': values beyond 64 bits"),
    ],
)
def test_what_cannot_be_imitated_is_refused_by_name(column: pa.Array, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        fit_table(pa.table({"c": SOME, "odd": column}), seed=0, steps=1)


def test_two_thousand_columns_are_refused_before_the_fit() -> None:
    wide = pa.table({f"c{n}": pa.array(NUMBERS) if n % 2 else SOME for n in range(2_000)})
    with pytest.raises(ValueError, match="too wide: its columns make 3000 tokens a row, about 800 are possible"):
        fit_table(wide, seed=0, steps=1)
