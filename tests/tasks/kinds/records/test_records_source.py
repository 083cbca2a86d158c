"""A source is refused with the reason before anything is fitted."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.kinds.records import source


def parquet(folder: Path, **columns: object) -> Path:
    path = folder / "table.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def test_a_good_source_tells_its_shape(tmp_path: Path) -> None:
    path = parquet(tmp_path, a=[1, 2, 3], b=["x", None, "y"])
    assert source.inspect(path) == source.Shape(rows=3, columns=["a", "b"])
    assert source.load(path).num_rows == 3


def test_csv_is_typed(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("day,price,name\n2019-05-21,1.50,NA\n2019-05-22,,\n", encoding="utf-8")
    assert source.inspect(path) == source.Shape(rows=2, columns=["day", "price", "name"])
    table = source.load(path)
    assert table.schema.types == [pa.date32(), pa.float64(), pa.string()]
    assert table["name"].to_pylist() == ["NA", None]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"a": pa.array([], pa.int64()), "b": pa.array([], pa.int64())}, "has no rows"),
        ({"lonely": [1, 2]}, "single column 'lonely'"),
        ({}, "has no columns"),
        ({"a": [1], "raw": [b"x"]}, "column 'raw' is binary"),
        ({"a": [1], "tags": [["x"]]}, "column 'tags' is list"),
    ],
)
def test_tables_that_cannot_be_imitated(tmp_path: Path, columns: dict, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        source.inspect(parquet(tmp_path, **columns))


def test_doubled_names(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), path)
    with pytest.raises(ValueError, match="'a' stands more than once"):
        source.inspect(path)


def test_files_that_are_no_table(tmp_path: Path) -> None:
    path = parquet(tmp_path, a=[1, 2], b=[3, 4])
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    with pytest.raises(ValueError, match="truncated"):
        source.inspect(path)
    path.write_bytes(b"GIF89a")
    with pytest.raises(ValueError, match="not a Parquet file"):
        source.inspect(path)
    with pytest.raises(ValueError, match="does not exist"):
        source.inspect(tmp_path / "absent.csv")
    ragged = tmp_path / "ragged.csv"
    ragged.write_text("a,b\n1,2,3\n", encoding="utf-8")
    with pytest.raises(ValueError, match="neither Parquet nor CSV"):
        source.inspect(ragged)


def test_a_primary_key_must_be_one_in_the_source(tmp_path: Path) -> None:
    path = parquet(tmp_path, good=[1, 2, 3], twice=[1, 1, 2], gaps=[1, None, 3])
    source.check_key(path, "good")
    with pytest.raises(ValueError, match="'twice' repeats in 1"):
        source.check_key(path, "twice")
    with pytest.raises(ValueError, match="'gaps' is null in 1"):
        source.check_key(path, "gaps")
