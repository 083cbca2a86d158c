"""Spec files to jobs: formats, values, and everything that can be wrong with a file or a row."""

from __future__ import annotations

import csv
import datetime as dt
import decimal
import json
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.kinds.copy.job import CopyJob
from tasks.kinds.image.job import ImageJob
from tasks.kinds.records.job import RecordsJob
from tasks.specs import Quarantined, SpecError, numbered, read

ROW = {"job_id": "a", "kind": "copy", "channel": "sms", "product_name": "Mug"}


def parquet(path: Path, columns: dict[str, Any], schema: pa.Schema | None = None) -> str:
    pq.write_table(pa.table(columns, schema=schema), path)
    return str(path)


def rows_parquet(path: Path, *rows: dict[str, Any]) -> str:
    names = dict.fromkeys(name for row in (ROW, *rows) for name in row)
    pq.write_table(pa.table({n: [{**ROW, **row}.get(n) for row in rows] for n in names}), path)
    return str(path)


def lines(path: Path, *rows: dict[str, Any]) -> str:
    path.write_text("".join(json.dumps({**ROW, **row}) + "\n" for row in rows), "utf-8")
    return str(path)


def one(name: str, scratch: Path) -> Any:
    (outcome,) = read([name], scratch=scratch)
    return outcome


def job(name: str, scratch: Path) -> CopyJob:
    outcome = one(name, scratch)
    assert isinstance(outcome, CopyJob), outcome
    return outcome


def aside(name: str, scratch: Path) -> Quarantined:
    outcome = one(name, scratch)
    assert isinstance(outcome, Quarantined), outcome
    return outcome


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


# What is wrong with a row


@pytest.mark.parametrize(
    ("row", "column", "reason", "suggestion"),
    [
        ({"variants": 10**9}, "variants", "is 1,000,000,000; at most 1,000", "from 1 to 1,000"),
        ({"variants": -2}, "variants", "is -2; at least 1", "from 1 to 1,000"),
        ({"variants": 0}, "variants", "at least 1", ""),
        ({"variants": 1.5}, "variants", "not a whole number", ""),
        ({"variants": "two"}, "variants", "“two”, not a whole number", "digits"),
        ({"variants": "1" * 5_000}, "variants", "not a whole number", ""),
        ({"variants": True}, "variants", "not a whole number", ""),
        ({"variants": 1e30}, "variants", "", ""),
        ({"seed": 2.0**60}, "seed", "cannot hold so many digits", "64-bit"),
        ({"seed": -1}, "seed", "at least 0", ""),
        ({"temperature": "0,8"}, "temperature", "not a number", "0.8"),
        ({"temperature": 3}, "temperature", "at most 2", "from 0 to 2"),
        ({"top_p": 0}, "top_p", "more than 0", "above 0 and up to 1"),
        ({"channel": "serch_ad"}, "channel", "not one of", "did you mean search_ad?"),
        ({"channel": "fax"}, "channel", "not one of", "write product_page,"),
        ({"channel": None}, "channel", "neither a channel nor", ""),
        ({"product_name": None}, "product_name", "is empty", ""),
        ({"prompt": "x"}, "prompt", "beside a channel", ""),
        ({"system": "x"}, "system", "goes with a free prompt", ""),
        ({"product_name": "x" * 201}, "product_name", "201 characters long; at most 200", "shorten"),
        ({"locale": "en_US"}, "locale", "not a language tag", "write en-US"),
        ({"locale": "../x"}, "locale", "not a language tag", ""),
        ({"features": "soft, warm"}, "features", "not a JSON list", '["soft", "warm"]'),
        ({"features": '{"a": 1}'}, "features", "not a JSON list", ""),
        ({"features": [["x"]]}, "features", "entry 1 holds a list", ""),
        ({"features": ["x"] * 51}, "features", "51 entries; at most 50", ""),
        ({"features": ["x" * 1_001]}, "features", "an entry is 1,001 characters", ""),
        ({"facts": {"size": ["S", "L"]}}, "facts", "“size” holds a list", "one text"),
        ({"facts": "[1]"}, "facts", "not a JSON object", ""),
        ({"facts": ["x"]}, "facts", "holds a list, not a map", ""),
        ({"meta_x": {"a": 1}}, "meta_x", "single values", ""),
        ({"meta_x": "x" * 10_001}, "meta_x", "at most 10,000", ""),
        ({"kind": "copi"}, "kind", "not one of copy, image, records", "did you mean copy?"),
        ({"kind": None}, "kind", "is empty", ""),
        ({"kind": 5}, "kind", "not one of", ""),
        ({"brand": "acme@1"}, "brand", "not supported yet", "empty"),
        ({"job_id": None}, "job_id", "is empty", ""),
        ({"job_id": "  "}, "job_id", "is empty", ""),
        ({"job_id": ["a"]}, "job_id", "holds a list", ""),
        ({"kind": "records", "channel": None, "product_name": None}, "source", "is empty", "fill in source"),
        (
            {"kind": "records", "channel": None, "product_name": None, "source": "s3://b/k", "rows": -5},
            "rows",
            "at least 1",
            "",
        ),
        (
            {"kind": "records", "channel": None, "product_name": None, "source": "s3://b/k", "family": "gan"},
            "family",
            "the family gan are not supported yet",
            "auto",
        ),
        (
            {"kind": "records", "channel": None, "product_name": None, "source": "s3://b/k", "privacy": {"x": 1}},
            "privacy",
            "not supported yet",
            "",
        ),
        ({"kind": "image", "channel": None, "width": 65, "height": 64}, "width", "not a multiple of 8", "64 would do"),
        ({"kind": "image", "channel": None, "width": 64}, "height", "go together", ""),
        ({"kind": "image", "channel": None, "preset": "sqare"}, "preset", "not one of", "did you mean square?"),
        ({"kind": "image", "channel": None, "format": "gif"}, "format", "not one of png, webp, jpeg", ""),
        ({"kind": "image", "channel": None, "palette": ["#fff"]}, "palette", "not supported yet", ""),
        ({"kind": "image", "channel": None, "mask_image": "x.png"}, "mask_image", "not supported yet", ""),
        ({"kind": "image", "channel": None, "init_image": "x.png"}, "init_image", "there is no file “x.png”", ""),
    ],
)
def test_bad_values_quarantine_their_row(
    tmp_path: Path, row: dict[str, Any], column: str, reason: str, suggestion: str
) -> None:
    path = lines(tmp_path / "s.jsonl", {"job_id": "good"}, row, {"job_id": "better"})
    good, bad, better = read([path], scratch=tmp_path)
    assert isinstance(good, CopyJob)
    assert isinstance(better, CopyJob)
    assert isinstance(bad, Quarantined)
    assert (bad.file, bad.row, bad.column) == (path, 2, column)
    assert reason in bad.reason
    assert suggestion in bad.suggestion
    assert len(str(bad)) < 700 + len(path)
    assert str(bad).isprintable()


@pytest.mark.parametrize(
    "job_id",
    [
        "../x",
        "x" * 10_240,
        ".hidden",
        "a/b",
        "a\x00b",
        "a\x1b[31m",
        "ä",
        "\u202eabc",
        "a b",
        "a\nb",
        "💣",
        "-" * 129,
        "..",
        "%2e",
    ],
)
def test_hostile_job_ids(tmp_path: Path, job_id: str) -> None:
    for path in (
        lines(tmp_path / "s.jsonl", {"job_id": job_id}),
        rows_parquet(tmp_path / "s.parquet", {"job_id": job_id}),
    ):
        bad = aside(path, tmp_path)
        assert bad.column == "job_id"
        assert bad.job_id is not None
        assert bad.job_id.isprintable()
        assert len(bad.job_id) < 400
        assert "letters, digits" in bad.suggestion
        assert str(bad).isprintable()


def test_broken_lines_are_rows_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    good = orjson.dumps(ROW)
    path.write_bytes(b"\n".join([good, b'{"job_id": ', b"[1]", b'{"a": "' + b"x" * (5 << 20) + b'"}', b"\xff{}", good]))
    outcomes = list(read([str(path)], scratch=tmp_path))
    assert [isinstance(o, Quarantined) for o in outcomes] == [False, True, True, True, True, False]
    (tmp_path / "s.csv").write_text("job_id,kind,channel,product_name\na,copy,sms,Mug\na,copy,sms,Mug,9\na\n", "utf-8")
    first, second, third = read([str(tmp_path / "s.csv")], scratch=tmp_path)
    assert isinstance(first, CopyJob)
    assert isinstance(second, Quarantined)
    assert "5 cells where the header has 4" in second.reason
    assert isinstance(third, Quarantined)


def test_text_that_is_not_utf8_in_parquet(tmp_path: Path) -> None:
    names = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(np.array([0, 3, 5], np.int32)), pa.py_buffer(b"Mug\xff\xfe")]
    )
    table = {k: [v, v] for k, v in ROW.items()} | {"product_name": names, "job_id": ["a", "b"]}
    first, second = read([parquet(tmp_path / "s.parquet", table)], scratch=tmp_path)
    assert isinstance(first, CopyJob)
    assert isinstance(second, Quarantined)
    assert "UTF-8" in second.reason


def test_a_key_named_twice(tmp_path: Path) -> None:
    facts = pa.array([[("size", "S"), ("size", "L")]], pa.map_(pa.string(), pa.string()))
    table = {k: [v] for k, v in ROW.items()} | {"facts": facts}
    assert "twice" in aside(parquet(tmp_path / "s.parquet", table), tmp_path).reason
