"""The engine fits and samples by request, and answers bad requests instead of failing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

from models.engine import FitRequest, SampleRequest, TableResult
from models.table import engine as table_engine


def source(folder: Path, suffix: str = ".parquet") -> Path:
    rng = np.random.default_rng(0)
    table = pa.table(
        {
            "n": pa.array(rng.integers(0, 500, 400)),
            "when": pa.array(rng.integers(0, 9_000, 400).astype("int32")).cast(pa.date32()),
            "who": pa.array(rng.choice(["a", "b", None], 400)),
        }
    )
    path = folder / f"source{suffix}"
    if suffix == ".csv":
        csv.write_csv(table, path)
    else:
        pq.write_table(table, path)
    return path


def serve(*requests: FitRequest | SampleRequest) -> list[TableResult]:
    engine = table_engine.open("", "cpu", "float32", threads=1)
    engine.submit(requests)
    answered = list(engine.results())
    engine.close()
    return answered


def fit(path: Path, out: Path, **options: object) -> FitRequest:
    return FitRequest(id="fit", source=str(path), out=str(out), seed=2, steps=10, **options)  # type: ignore[arg-type]


def test_fit_then_sample_leaves_the_sources_columns_and_nothing_else(tmp_path: Path) -> None:
    path = source(tmp_path)
    out = tmp_path / "deep" / "made.parquet"
    sample = SampleRequest(id="s", model=str(tmp_path / "model"), out=str(out), rows=70_000, seed=4)
    fitted, made = serve(fit(path, tmp_path / "model"), sample)
    assert fitted.error is None
    assert 1 <= fitted.info["steps"] <= 10
    assert fitted.rows == 400
    assert made.error is None
    assert sorted(p.name for p in (tmp_path / "model").iterdir()) == ["model.json", "model.safetensors"]
    file = pq.ParquetFile(out)
    assert file.schema_arrow.equals(pq.read_schema(path))
    assert file.metadata.num_rows == made.rows == 70_000
    assert file.metadata.num_row_groups == 2
    assert [p.name for p in out.parent.iterdir()] == ["made.parquet"]


def test_the_same_requests_leave_the_same_bytes(tmp_path: Path) -> None:
    path = source(tmp_path)
    for name in "ab":
        sample = SampleRequest(
            id="s", model=str(tmp_path / name), out=str(tmp_path / f"{name}.parquet"), rows=300, seed=9
        )
        serve(fit(path, tmp_path / name), sample)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    for file in ("model.json", "model.safetensors"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_csv_source_is_typed_and_fitted(tmp_path: Path) -> None:
    path = source(tmp_path, ".csv")
    sample = SampleRequest(id="s", model=str(tmp_path / "m"), out=str(tmp_path / "o.parquet"), rows=50, seed=1)
    fitted, made = serve(fit(path, tmp_path / "m"), sample)
    assert fitted.error is made.error is None
    assert pq.read_schema(tmp_path / "o.parquet").types == [pa.int64(), pa.date32(), pa.string()]


def test_faults_of_a_request_are_answered_and_the_next_one_served(tmp_path: Path) -> None:
    path = source(tmp_path)
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(path.read_bytes()[:-50])
    binary = tmp_path / "binary.parquet"
    pq.write_table(pa.table({"a": [1, 2], "blob": [b"x", b"y"]}), binary)
    missing = SampleRequest(id="s", model=str(tmp_path / "none"), out=str(tmp_path / "o.parquet"), rows=5, seed=1)
    answers = serve(
        fit(tmp_path / "absent.parquet", tmp_path / "m"),
        fit(cut, tmp_path / "m"),
        fit(binary, tmp_path / "m"),
        fit(path, tmp_path / "m", family="flow"),
        missing,
        fit(path, tmp_path / "m"),
    )
    wanted = [
        "absent.parquet does not exist",
        "cut.parquet is truncated",
        "column 'blob' is binary",
        "'flow'",
        "no record",
    ]
    for answer, reason in zip(answers, wanted, strict=False):
        assert reason in (answer.error or "")
    assert answers[-1].error is None


def test_requests_submitted_while_results_run_are_served(tmp_path: Path) -> None:
    engine = table_engine.open()
    engine.submit([fit(source(tmp_path), tmp_path / "m")])
    seen = []
    for answer in engine.results():
        seen.append(answer.id)
        if len(seen) == 1:
            sample = SampleRequest(
                id="late", model=str(tmp_path / "m"), out=str(tmp_path / "o.parquet"), rows=9, seed=1
            )
            engine.submit([sample])
    assert seen == ["fit", "late"]
    assert list(engine.results()) == []


@pytest.mark.parametrize("rows", [1, 8_192, 8_193])
def test_any_number_of_rows_is_drawn(tmp_path: Path, rows: int) -> None:
    sample = SampleRequest(id="s", model=str(tmp_path / "m"), out=str(tmp_path / "o.parquet"), rows=rows, seed=1)
    _, made = serve(fit(source(tmp_path), tmp_path / "m"), sample)
    assert made.rows == pq.read_metadata(tmp_path / "o.parquet").num_rows == rows
