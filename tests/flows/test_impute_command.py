"""`pressrun impute`: a table with holes in, the same table without them out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest
from support.cli import pressrun

ROWS = 1_200
HOLES = ("size", "weight", "price")


def parcels() -> tuple[pa.Table, pa.Table]:
    """Parcels whose weight and price follow from their size, whole and with every eighth value missing."""
    rng = np.random.default_rng(0)
    size = rng.integers(0, 3, ROWS)
    weight = np.round(2.0 ** (size + 1) + rng.normal(0, 0.2, ROWS), 1)
    whole = {
        "number": pa.array(range(ROWS)),
        "size": pa.array(np.array(["S", "M", "L"])[size]).dictionary_encode(),
        "weight": pa.array(weight),
        "price": pa.array(np.round(weight * 5).astype(np.int32)),
        "sent": pa.array(rng.integers(19_000, 19_300, ROWS).astype(np.int32)).cast(pa.date32()),
        "note": pa.nulls(ROWS, pa.string()),
    }
    torn = {n: pc.if_else(pa.array(rng.random(ROWS) < 1 / 8), None, v) if n in HOLES else v for n, v in whole.items()}
    return pa.table(whole), pa.table(torn).replace_schema_metadata({"owner": "the post"})


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with the torn table and two draws of it, and what the command said."""
    folder = tmp_path_factory.mktemp("parcels")
    pq.write_table(parcels()[1], folder / "torn.parquet")
    done = pressrun(
        "impute", folder / "torn.parquet", "--to", folder / "whole.parquet", "--draws", 2, "--seed", 3,
        "--set", "threads=1",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    return folder, done.stdout


def test_only_nulls_are_touched(filled: tuple[Path, str]) -> None:
    torn = pq.read_table(filled[0] / "torn.parquet")
    for draw in (1, 2):
        made = pq.read_table(filled[0] / f"whole-{draw}.parquet")
        assert made.schema.equals(torn.schema)
        assert made.num_rows == ROWS
        for name in torn.schema.names:
            there = torn[name].is_valid()
            assert made[name].filter(there).to_pylist() == torn[name].filter(there).to_pylist()
            assert made[name].null_count == (ROWS if name == "note" else 0)
        assert made.schema.metadata[b"owner"] == b"the post"
        told = json.loads(made.schema.metadata[b"pressrun"])
        assert (told["imputed"], told["draw"]) == ({name: torn[name].null_count for name in HOLES}, draw)


def test_it_says_what_was_filled(filled: tuple[Path, str]) -> None:
    torn = pq.read_table(filled[0] / "torn.parquet")
    lines = filled[1].splitlines()
    assert [line.split() for line in lines[1:4]] == [[n, str(torn[n].null_count), "1,200"] for n in HOLES]
    assert lines[4].endswith("values drawn by the family bayes")
    assert "Left empty, for they hold no value to learn from: note" in lines
    assert [line for line in lines if line.startswith("Wrote")] == [
        f"Wrote {filled[0] / f'whole-{draw}.parquet'}" for draw in (1, 2)
    ]


def test_what_was_hidden_comes_back_better_than_from_the_column_alone(filled: tuple[Path, str]) -> None:
    whole, torn = parcels()
    made = pq.read_table(filled[0] / "whole-1.parquet")
    hidden = torn["size"].is_null()
    right = np.array(whole["size"].filter(hidden).to_pylist()) == np.array(made["size"].filter(hidden).to_pylist())
    assert right.mean() > 0.9  # by its shares alone a third
    for name in ("weight", "price"):
        hidden = torn[name].is_null()
        truth, drawn = (np.asarray(table[name].filter(hidden), dtype=float) for table in (whole, made))
        assert np.sqrt(((truth - drawn) ** 2).mean()) < 0.7 * truth.std(), (
            "the mean of the column errs by a whole spread"
        )


def test_draws_differ_and_a_seed_repeats_whatever_columns_are_named(filled: tuple[Path, str]) -> None:
    folder, _ = filled
    first, second = (pq.read_table(folder / f"whole-{draw}.parquet") for draw in (1, 2))
    assert not first["weight"].equals(second["weight"])
    again = pressrun(
        "impute", folder / "torn.parquet", "--to", folder / "again.parquet", "--columns", "weight, number",
        "--seed", 3, "--set", "threads=1",
    )  # fmt: skip
    assert again.exit_code == 0, again.output
    assert again.stdout.splitlines()[1].split() == ["number", "0", "1,200"]
    made = pq.read_table(folder / "again.parquet")
    assert made["weight"].equals(first["weight"])
    assert made["size"].equals(pq.read_table(folder / "torn.parquet")["size"])


def test_csv_without_nulls_becomes_parquet(tmp_path: Path) -> None:
    csv.write_csv(pa.table({"a": [1, 2], "b": ["x", "y"]}), tmp_path / "whole.csv")
    done = pressrun("impute", tmp_path / "whole.csv", "--to", tmp_path / "out.parquet")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == ["Nothing to fill.", f"Wrote {tmp_path / 'out.parquet'}"]
    assert pq.read_table(tmp_path / "out.parquet").to_pydict() == {"a": [1, 2], "b": ["x", "y"]}
    again = pressrun("impute", tmp_path / "whole.csv", "--to", tmp_path / "out.parquet")
    assert (again.exit_code, "stands already" in again.stderr) == (2, True)


def test_errors_are_for_people(filled: tuple[Path, str]) -> None:
    for options, told in (
        (["--columns", "wieght"], "Did you mean 'weight'?"),
        (["--columns", "note"], "holds no value at all"),
        (["--family", "transformer"], "Choose auto, diffusion, bayes or independent"),
    ):
        done = pressrun("impute", filled[0] / "torn.parquet", "--to", filled[0] / "not.parquet", *options)
        assert done.exit_code == 2
        assert told in done.stderr
        assert not (filled[0] / "not.parquet").exists()
