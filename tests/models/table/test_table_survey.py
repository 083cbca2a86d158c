"""Large files: samples that are even and repeat, facts of all rows, and memory that does not grow with the file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.table.facts import marks_of
from models.table.model import fit_table
from models.table.reading import pieces
from models.table.sampling import sample_rows
from models.table.survey import most_studied, survey
from models.table.text import digests

ROWS = 5_000


def people(rows: int = ROWS) -> pa.Table:
    """Only the whole tells that `again_id` repeats, `count` counts and `when` holds no date; `town` has rare values."""
    rng = np.random.default_rng(0)
    numbers = rng.permutation(rows)
    return pa.table(
        {
            "place": pa.array(np.arange(rows)),
            "count": pa.array(numbers),
            "again_id": pa.array(np.where(numbers == 7, 8, numbers) + 100_000_000),
            "name": pa.array([f"{'AEIOU'[n % 5]}{'lmnr'[n % 4]}o {n}" for n in range(rows)]),
            "town": pa.array([f"Town {int(n)}" for n in rng.exponential(120, rows)]),
            "when": pa.array([f"2024-01-{1 + n % 28:02}" for n in range(rows - 1)] + ["soon"]),
            "age": pa.array(rng.integers(18, 90, rows)),
        }
    )


def written(folder: Path, table: pa.Table, row_group: int = 700) -> Path:
    path = folder / f"people-{row_group}.parquet"
    pq.write_table(table, path, row_group_size=row_group)
    return path


def test_the_same_rows_are_sampled_whatever_the_row_groups_and_pieces(tmp_path: Path) -> None:
    table = people()
    found = [
        sample_rows(written(tmp_path, table, row_group), 1_000, np.random.default_rng(3), piece=piece)
        for row_group in (13, 700, ROWS)
        for piece in (97, 4_096, None)
    ]
    assert all(sample.equals(found[0]) for sample in found)
    assert found[0].num_rows == 1_000
    places = found[0]["place"].to_numpy()
    assert (np.diff(places) > 0).all()
    assert found[0].equals(table.take(places))


def test_every_row_is_as_likely_as_any_other(tmp_path: Path) -> None:
    path, drawn = written(tmp_path, people(200), 7), np.zeros(200)
    for seed in range(300):
        drawn[sample_rows(path, 20, np.random.default_rng(seed))["place"].to_numpy()] += 1
    expected = 300 * 20 / 200
    chi_square = ((drawn - expected) ** 2 / expected).sum() / 0.9  # without replacement: a tenth less spread
    assert 140 < chi_square < 270  # 199 ± 20


def test_a_small_file_is_taken_whole_and_a_csv_always(tmp_path: Path) -> None:
    table = people(300)
    path, rng = written(tmp_path, table), np.random.default_rng(1)
    assert sample_rows(path, 300, rng).equals(table)
    assert rng.random() == np.random.default_rng(1).random()
    looked_at = survey(path, 0, most=300)
    assert looked_at.table.equals(table)
    assert (looked_at.rows, looked_at.facts) == (300, None)
    text = tmp_path / "t.csv"
    text.write_text("a,b\n1,x\n2,y\n3,z\n")
    assert survey(text, 0, most=2).table.num_rows == 3


def test_pieces_come_in_order_with_the_named_columns(tmp_path: Path) -> None:
    table = pa.table({"a": range(10), "a.b": range(10, 20), "c": range(20, 30)})
    found = list(pieces(written(tmp_path, table, 4), ["c", "a"], 3))
    assert pa.concat_tables(found).equals(table.select(["c", "a"]))
    assert max(piece.num_rows for piece in found) <= 3


def test_a_model_of_a_sample_knows_the_texts_and_keys_of_all_rows(tmp_path: Path) -> None:
    table = people()
    looked_at = survey(written(tmp_path, table), 5, most=1_200)
    assert looked_at.table.num_rows == 1_200
    assert looked_at.rows == ROWS
    model, _ = fit_table(looked_at.table, seed=1, steps=2, facts=looked_at.facts)
    columns = dict(zip(table.schema.names, model.codec.columns, strict=True))
    roles = {name: column.role for name, column in columns.items()}
    assert roles == {
        "place": "key", "count": "key", "again_id": "number", "name": "text",
        "town": "category", "when": "category", "age": "number",
    }  # fmt: skip
    assert columns["count"].start == ROWS
    assert columns["name"].unique
    assert np.array_equal(columns["name"].manner.known, np.unique(digests(table["name"].to_pylist())))
    town = columns["town"]
    drawable = set(town.values)
    assert set(town.manner.known) == set(digests(sorted(set(table["town"].to_pylist()) - drawable)))
    drawn = pa.Table.from_batches(model.sample(2_000, 1))
    assert not set(drawn["name"].to_pylist()) & set(table["name"].to_pylist())
    assert not (set(drawn["town"].to_pylist()) - drawable) & set(table["town"].to_pylist())


def test_the_bound_leaves_wide_tables_enough_rows() -> None:
    assert [most_studied(columns) for columns in (2, 15, 32, 100, 5_000)] == [
        1_000_000, 1_000_000, 1_000_000, 320_000, 200_000
    ]  # fmt: skip


@pytest.mark.parametrize(
    "values",
    [
        pa.array([0.0, -0.0, np.nan, None, 1.5], pa.float32()),
        pa.array(["", "a", "ä", None, "a"], pa.large_string()),
        pa.array([True, None, False, True]),
        pa.array([3, None, -3, 3], pa.int16()),
        pa.nulls(3),
    ],
)
def test_marks_are_equal_where_values_are(values: pa.Array) -> None:
    marks, plain = marks_of(values), values.to_pylist()
    assert len(marks) == len(values)
    for one, a in zip(marks, plain, strict=True):
        for other, b in zip(marks, plain, strict=True):
            assert (one == other) == (a == b or (a != a and b != b))


PROGRAM = """
import sys
from pathlib import Path
import tasks
from models.table import reading
from models.table.survey import survey
from tasks.kinds.records import pairs, rules
from tasks.kinds.records.job import RecordsJob

reading.PIECE_CELLS, pairs.LOOKED_AT = 100_000, 10_000
source, made = Path(sys.argv[1]), Path(sys.argv[2])
survey(source, 1, most=10_000)
rules.judge(RecordsJob.model_validate({"job_id": "j", "kind": "records", "source": source.name}), source, made)
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(status["VmHWM"].split()[0])
"""
COLUMNS = 30


def peak_of(folder: Path, rows: int) -> int:
    """Peak kilobytes of a process that surveys and judges files of so many rows, written a row group at a time."""
    path, made = folder / f"{rows}.parquet", folder / f"{rows}-made.parquet"
    for seed, file in enumerate((path, made)):
        rng = np.random.default_rng(seed)
        schema = pa.schema([(f"c{n}", pa.float64()) for n in range(COLUMNS)])
        with pq.ParquetWriter(file, schema, use_dictionary=False, compression="none") as writer:
            for _ in range(0, rows, 10_000):
                writer.write_table(pa.table({f"c{n}": rng.random(10_000) for n in range(COLUMNS)}))
    command = [sys.executable, "-c", PROGRAM, str(path), str(made)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stdout)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="tells no peak of resident memory")
def test_memory_grows_by_far_less_than_the_file(tmp_path: Path) -> None:
    small, large = peak_of(tmp_path, 100_000), peak_of(tmp_path, 400_000)
    added = 2 * 300_000 * COLUMNS * 8 / 1_024  # kilobytes of both tables
    assert large - small < added / 2
