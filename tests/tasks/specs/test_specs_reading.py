"""Spec files to jobs: formats, values, paths, and what can be wrong with a file."""

from __future__ import annotations

import csv
import datetime as dt
import decimal
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from support.specs import ROW, job, lines, one, parquet, rows_parquet

from tasks.kinds.copy.job import CopyJob
from tasks.kinds.image.job import ImageJob
from tasks.kinds.records.job import RecordsJob
from tasks.specs import Quarantined, SpecError, numbered, read

# What a row may hold


@pytest.mark.parametrize(
    "features",
    [
        pa.array([["soft", "warm"]], pa.list_(pa.string())),
        pa.array([["soft", None, " ", "warm"]], pa.large_list(pa.large_string())),
        pa.array(['["soft", "warm"]'], pa.large_string()),
        pa.array([["soft", "warm"]], pa.list_(pa.dictionary(pa.int8(), pa.string()))),
        pa.array([["soft", "warm"]], pa.list_(pa.string(), 2)),
        pa.array(['["soft", "warm"]']).dictionary_encode(),
    ],
)
def test_lists_may_be_arrow_lists_or_json(tmp_path: Path, features: pa.Array) -> None:
    table = {k: [v] for k, v in ROW.items()} | {"features": features}
    assert job(parquet(tmp_path / "s.parquet", table), tmp_path).features == ["soft", "warm"]


@pytest.mark.parametrize(
    "facts",
    [
        pa.array([[("price", "50"), ("size", "L")]], pa.map_(pa.string(), pa.string())),
        pa.array([[("price", 50.0)]], pa.map_(pa.string(), pa.float64())),
        pa.array([{"price": 50.0, "size": "L", "color": None}]),
        pa.array([{"price": 50, "size": "L", "weight": float("nan")}]),
        pa.array(['{"price": 50.0, "size": "L", "color": null}']),
    ],
)
def test_maps_may_be_arrow_maps_structs_or_json(tmp_path: Path, facts: pa.Array) -> None:
    table = {k: [v] for k, v in ROW.items()} | {"facts": facts}
    got = job(parquet(tmp_path / "s.parquet", table), tmp_path).facts
    assert got["price"] == "50"
    assert got.keys() <= {"price", "size"}


def test_facts_read_as_people_write_them(tmp_path: Path) -> None:
    facts = {
        "price": np.float32(9.99),
        "sold": decimal.Decimal("50.00"),
        "waterproof": True,
        "since": dt.date(2024, 5, 1),
        "at": dt.datetime(2024, 5, 1),
        "n": 12,
    }
    struct = pa.StructArray.from_arrays(
        [pa.array([v], pa.float32() if k == "price" else None) for k, v in facts.items()], list(facts)
    )
    table = {k: [v] for k, v in ROW.items()} | {"facts": struct}
    assert job(parquet(tmp_path / "s.parquet", table), tmp_path).facts == {
        "price": "9.99",
        "sold": "50.00",
        "waterproof": "yes",
        "since": "2024-05-01",
        "at": "2024-05-01",
        "n": "12",
    }


def test_pandas_floats_nan_and_categories(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "job_id": ["a", "b"],
            "kind": pd.Categorical(["copy", "copy"]),
            "channel": pd.Categorical(["sms", "email"]),
            "product_name": ["Mug", "Lamp"],
            "variants": [2.0, np.nan],
            "temperature": [np.nan, 1],
            "audience": [None, "cooks"],
            "tone": ["", "  "],
            "meta_when": pd.to_datetime(["2024-05-01T10:00", None]),
            "meta_n": [1.5, np.nan],
        }
    )
    frame.to_parquet(tmp_path / "s.parquet")
    first, second = read([str(tmp_path / "s.parquet")], scratch=tmp_path)
    assert isinstance(first, CopyJob)
    assert isinstance(second, CopyJob)
    assert (first.variants, second.variants) == (2, 1)
    assert (first.temperature, second.temperature) == (0.8, 1.0)
    assert (first.audience, second.audience, first.tone, second.tone) == (None, "cooks", None, None)
    assert first.meta == {"when": "2024-05-01T10:00:00", "n": 1.5}
    assert second.meta == {}


def test_numbers_serve_as_text(tmp_path: Path) -> None:
    got = job(rows_parquet(tmp_path / "s.parquet", {"job_id": 17, "product_name": 501.0}), tmp_path)
    assert (got.job_id, got.product_name) == ("17", "501")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "s.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow(
            ["job_id", "kind", "channel", "product_name", "variants", "features", "facts", "meta_b", "tone"]
        )
        writer.writerow(["a", "copy", "sms", 'Mug, "big"\nblue', "2.0", '["x, y"]', '{"price": 9.5}', "true", ""])
    got = job(str(path), tmp_path)
    assert (got.product_name, got.variants, got.features) == ('Mug, "big"\nblue', 2, ["x, y"])
    assert (got.facts, got.meta, got.tone) == ({"price": "9.5"}, {"b": "true"}, None)


def test_json_lines(tmp_path: Path) -> None:
    path = lines(tmp_path / "s.jsonl", {"features": ["x", 2], "facts": {"n": 1.0}, "meta_a": 1}, {"job_id": "b"})
    first, second = read([path], scratch=tmp_path)
    assert isinstance(first, CopyJob)
    assert (first.features, first.facts, first.meta) == (["x", "2"], {"n": "1"}, {"a": 1})
    assert isinstance(second, CopyJob)


def test_kinds_share_a_file(tmp_path: Path) -> None:
    path = rows_parquet(
        tmp_path / "s.parquet",
        {"job_id": "c"},
        {"job_id": "i", "kind": "image", "channel": None, "width": 64, "height": 64.0},
    )
    first, second = read([path], scratch=tmp_path)
    assert isinstance(first, CopyJob)
    assert isinstance(second, ImageJob)
    assert (second.width, second.height) == (64, 64)


def test_limit_counts_jobs(tmp_path: Path) -> None:
    path = rows_parquet(tmp_path / "s.parquet", {"variants": 0}, *({"job_id": f"j{i}"} for i in range(9)))
    assert len(list(read([path], scratch=tmp_path, limit=3))) == 4
    assert list(read([path], scratch=tmp_path, limit=0)) == []


def test_rows_are_numbered(tmp_path: Path) -> None:
    path = rows_parquet(tmp_path / "s.parquet", *({"job_id": f"j{i}"} for i in range(5_000)))
    assert [row for _, row, _ in numbered([path], scratch=tmp_path)] == list(range(1, 5_001))


# Paths in rows


def test_paths_resolve_beside_the_spec_file_then_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs, here = tmp_path / "specs", tmp_path / "here"
    specs.mkdir()
    here.mkdir()
    monkeypatch.chdir(here)
    for path in (specs / "both.csv", here / "both.csv", here / "only.csv"):
        path.write_text("a\n1\n", "utf-8")
    records = {"kind": "records", "channel": None, "product_name": None}
    sources = [
        "both.csv",
        "only.csv",
        "none.csv",
        "s3://b/t.parquet",
        "https://x/t.parquet",
        ".",
        str(here / "only.csv"),
    ]
    path = rows_parquet(
        specs / "s.parquet", *({**records, "job_id": f"r{i}", "source": s} for i, s in enumerate(sources))
    )
    both, only, none, remote, web, folder, absolute = read([path], scratch=tmp_path)
    assert isinstance(both, RecordsJob)
    assert both.source == str(specs / "both.csv")
    assert isinstance(only, RecordsJob)
    assert only.source == str(here / "only.csv")
    assert isinstance(none, Quarantined)
    assert (none.column, "no file" in none.reason) == ("source", True)
    assert isinstance(remote, RecordsJob)
    assert remote.source == "s3://b/t.parquet"
    assert isinstance(web, Quarantined)
    assert isinstance(folder, Quarantined)
    assert "is a folder" in folder.reason
    assert isinstance(absolute, RecordsJob)


# What is wrong with a file


def refused(name: str, scratch: Path) -> str:
    with pytest.raises(SpecError) as caught:
        list(read([name], scratch=scratch))
    message = str(caught.value)
    assert message.startswith(name)
    assert len(message) < 600
    return message


def test_missing_file_and_folder(tmp_path: Path) -> None:
    assert "no such file" in refused(str(tmp_path / "none.parquet"), tmp_path)
    assert "is a folder" in refused(str(tmp_path), tmp_path)


def test_not_parquet_truncated_and_damaged(tmp_path: Path) -> None:
    whole = Path(rows_parquet(tmp_path / "s.parquet", *({"job_id": f"j{i}"} for i in range(500)))).read_bytes()
    path = tmp_path / "bad.parquet"
    path.write_bytes(b"job_id,kind\na,copy\n")
    assert "not a Parquet file" in refused(str(path), tmp_path)
    path.write_bytes(whole[:-100])
    assert "cut short" in refused(str(path), tmp_path)
    path.write_bytes(b"")
    assert "is empty" in refused(str(path), tmp_path)
    path.write_bytes(whole[:4] + b"\xff" * (len(whole) - 600) + whole[-596:])
    assert "damaged" in refused(str(path), tmp_path)
    path.write_bytes(b"PAR1PAR1")
    assert "damaged" in refused(str(path), tmp_path)


def test_no_rows(tmp_path: Path) -> None:
    assert "no rows" in refused(parquet(tmp_path / "s.parquet", {k: pa.array([], pa.string()) for k in ROW}), tmp_path)
    (tmp_path / "s.csv").write_text("job_id,kind\n\n", "utf-8")
    assert "no rows" in refused(str(tmp_path / "s.csv"), tmp_path)


def test_unknown_extension(tmp_path: Path) -> None:
    (tmp_path / "s.xlsx").write_bytes(b"PK")
    assert ".xlsx" in refused(str(tmp_path / "s.xlsx"), tmp_path)


@pytest.mark.parametrize(
    ("column", "advice"),
    [
        ("chanel", "Did you mean channel?"),
        ("Job ID", "Did you mean job_id?"),
        ("wdith", "Did you mean width?"),
        ("__index_level_0__", "index=False"),
        ("zzzzzz", "meta_"),
        ("meta", "meta_"),
        ("meta_", "meta_"),
        ("x" * 10_000, "meta_"),
    ],
)
def test_unknown_column_names_the_nearest(tmp_path: Path, column: str, advice: str) -> None:
    assert advice in refused(rows_parquet(tmp_path / "s.parquet", {column: "x"}), tmp_path)
    assert advice in refused(lines(tmp_path / "s.jsonl", {}, {column: "x"}), tmp_path)
    assert advice in refused(lines(tmp_path / "s.jsonl", {column: None}), tmp_path)
    (tmp_path / "s.csv").write_text(f"job_id,kind,{column}\na,copy,x\n", "utf-8")
    assert advice in refused(str(tmp_path / "s.csv"), tmp_path)


def test_headers_of_all_files_come_first(tmp_path: Path) -> None:
    good = rows_parquet(tmp_path / "good.parquet", {})
    bad = rows_parquet(tmp_path / "bad.parquet", {"chanel": "x"})
    with pytest.raises(SpecError, match=r"bad\.parquet"):
        next(read([good, bad], scratch=tmp_path))
    with pytest.raises(SpecError, match="named twice"):
        next(read([good, good], scratch=tmp_path))
    with pytest.raises(SpecError, match="no spec file"):
        next(read([], scratch=tmp_path))


def test_missing_and_doubled_columns(tmp_path: Path) -> None:
    assert "no column job_id" in refused(parquet(tmp_path / "s.parquet", {"kind": ["copy"]}), tmp_path)
    assert "no column kind" in refused(parquet(tmp_path / "s.parquet", {"job_id": ["a"]}), tmp_path)
    (tmp_path / "s.csv").write_text("job_id,kind,tone,tone\na,copy,x,y\n", "utf-8")
    assert "twice" in refused(str(tmp_path / "s.csv"), tmp_path)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("variants", [[1]]),
        ("variants", [True]),
        ("features", [3]),
        ("features", [[["deep"]]]),
        ("facts", [["x"]]),
        ("product_name", [b"Mug"]),
        ("product_name", [{"en": "Mug"}]),
        ("product_name", [dt.date(2024, 1, 1)]),
        ("meta_x", [[1, 2]]),
        ("job_id", [["a"]]),
    ],
)
def test_columns_of_a_wrong_type(tmp_path: Path, column: str, values: list[Any]) -> None:
    message = refused(rows_parquet(tmp_path / "s.parquet", {column: values[0]}), tmp_path)
    assert f"column {column} holds" in message


def test_values_in_a_column_of_another_kind(tmp_path: Path) -> None:
    path = rows_parquet(tmp_path / "s.parquet", {"width": None}, {"job_id": "b", "width": 64})
    message = refused(path, tmp_path)
    assert "row 2" in message
    assert "belongs to image" in message
    assert "belongs to image" in refused(lines(tmp_path / "s.jsonl", {"width": "wide"}), tmp_path)
    empty = rows_parquet(tmp_path / "s.parquet", {"width": None, "source": None, "schema": None})
    assert isinstance(one(empty, tmp_path), CopyJob)


def test_csv_that_is_no_csv(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_bytes("job_id,kind\nä,copy\n".encode("latin-1"))
    assert "UTF-8" in refused(str(path), tmp_path)
    path.write_text('job_id,kind\n"a,copy\n' + "b,copy\n" * 10, "utf-8")
    assert "quotation mark" in refused(str(path), tmp_path)


def test_json_that_is_no_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text(json.dumps([ROW]), "utf-8")
    assert "JSON lines" in refused(str(path), tmp_path)
    path.write_text(json.dumps(ROW, indent=2), "utf-8")
    assert "JSON lines" in refused(str(path), tmp_path)


def test_strict_stops_at_the_first_bad_row(tmp_path: Path) -> None:
    path = rows_parquet(tmp_path / "s.parquet", {}, {"job_id": "b", "variants": 0})
    with pytest.raises(SpecError, match="row 2, job b, column variants"):
        list(read([path], scratch=tmp_path, strict=True))
