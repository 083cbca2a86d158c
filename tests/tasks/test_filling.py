"""Filling a table's nulls: what is refused before any work, and what stands where afterwards."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.table.count_tree import CountTree
from models.table.diffusion import MaskedDiffusion
from models.table.families import NETWORKS
from models.table.steps import FILLING, LEARNED, filling_family
from tasks.destination import destination
from tasks.filling import fill
from tasks.kinds.base import Refused
from tasks.settings import Settings
from tasks.store import StoreError, open_store


@pytest.fixture
def torn(tmp_path: Path) -> str:
    """A table of four columns: whole, with a null, without any value, with a date missing."""
    table = pa.table(
        {
            "city": ["Oslo", "Rome"] * 20,
            "visits": pa.array([None, *range(39)]),
            "note": pa.nulls(40, pa.string()),
            "day": pa.array([*range(39), None]).cast(pa.int32()).cast(pa.date32()),
        }
    )
    pq.write_table(table, tmp_path / "torn.parquet")
    return str(tmp_path / "torn.parquet")


def test_the_families_that_fill_are_those_that_can_be_given_any_column() -> None:
    assert set(FILLING) == {name for name, one in NETWORKS.items() if issubclass(one, MaskedDiffusion | CountTree)}
    assert [filling_family("auto", rows) for rows in (LEARNED - 1, LEARNED)] == ["bayes", "diffusion"]
    assert filling_family("independent", LEARNED) == "independent"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"columns": ["visit"]}, "no column 'visit'. Did you mean 'visits'"),
        ({"columns": ["zzz"]}, "It has 'city', 'visits', 'note' or 'day'"),
        ({"columns": ["visits", "note"]}, "'note' holds no value at all"),
        ({"family": "transformer"}, "Choose auto, diffusion, bayes or independent"),
        ({"family": "bayess"}, "Did you mean bayes?"),
    ],
)
def test_what_cannot_be_filled_is_refused_and_nothing_is_left(
    torn: str, tmp_path: Path, options: dict[str, object], told: str
) -> None:
    with pytest.raises(Refused, match=re.escape(told)):
        fill(torn, str(tmp_path / "out.parquet"), Settings(), **options)  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["torn.parquet"]


def test_nothing_to_fill_is_no_error_and_the_table_is_written(torn: str, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out.parquet"
    done = fill(torn, str(out), Settings(), columns=["city"])
    assert (done.family, done.counts, done.files) == (None, {"city": 0}, [str(out)])
    assert pq.read_table(out).equals(pq.read_table(torn))


def test_files_that_stand_are_left_alone(torn: str, tmp_path: Path) -> None:
    before = Path(torn).read_bytes()
    with pytest.raises(StoreError, match="stands already"):
        fill(torn, torn, Settings())
    assert Path(torn).read_bytes() == before
    (tmp_path / "out-2.parquet").touch()
    with pytest.raises(StoreError, match=r"out-2\.parquet stands already"):
        fill(torn, str(tmp_path / "out.parquet"), Settings(), columns=["city"], draws=2)
    assert not (tmp_path / "out-1.parquet").exists()
    late = destination(str(tmp_path / "late.parquet"), 1)[0]
    late.check_free()
    (tmp_path / "late.parquet").touch()
    with pytest.raises(StoreError, match="stands already"):
        late.create(b"")


def test_a_destination_is_a_parquet_file(torn: str, tmp_path: Path) -> None:
    two = destination(str(tmp_path / "a.parquet"), 2)
    assert [one.uri for one in two] == [str(tmp_path / "a-1.parquet"), str(tmp_path / "a-2.parquet")]
    for to, told in ((tmp_path, "is a folder"), (tmp_path / "out.csv", r"ends in \.parquet")):
        with pytest.raises(StoreError, match=told):
            fill(torn, str(to), Settings())
    with pytest.raises(Refused, match=r"none\.parquet does not exist"):
        fill(str(tmp_path / "none.parquet"), str(tmp_path / "out.parquet"), Settings())


def test_tables_on_s3(torn: str, s3) -> None:  # type: ignore[no-untyped-def]
    store = open_store(s3.bucket())
    store.put("in/torn.parquet", Path(torn))
    done = fill(store.join("in/torn.parquet"), store.join("out/whole.parquet"), Settings(), columns=["city"])
    assert done.files == [store.join("out/whole.parquet")]
    assert pq.read_table(pa.BufferReader(store.get("out/whole.parquet"))).num_rows == 40
    with pytest.raises(StoreError, match="stands already"):
        fill(store.join("in/torn.parquet"), store.join("out/whole.parquet"), Settings(), columns=["city"])
