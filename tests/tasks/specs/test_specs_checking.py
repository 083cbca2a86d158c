"""`check` names every problem, of all rows and files, and ids that stand more than once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tasks.specs import Quarantined, check, duplicate

ROW = {"job_id": "a", "kind": "copy", "channel": "sms", "product_name": "Mug"}


def lines(path: Path, *rows: dict[str, Any]) -> str:
    path.write_text("".join(json.dumps({**ROW, **row}) + "\n" for row in rows), "utf-8")
    return str(path)


def test_all_problems_of_a_row(tmp_path: Path) -> None:
    bad = {"job_id": "../x", "variants": 10**9, "temperature": "hot", "channel": "sns", "features": "x", "brand": "b"}
    found = list(check([lines(tmp_path / "s.jsonl", {}, bad)], tmp_path))
    assert {p.column for p in found} == {"job_id", "variants", "temperature", "channel", "features", "brand"}
    assert {p.row for p in found} == {2}
    assert {p.job_id for p in found} == {"../x"}


def test_what_follows_from_an_unread_cell_is_not_reported(tmp_path: Path) -> None:
    found = list(check([lines(tmp_path / "s.jsonl", {"product_name": ["Mug"]})], tmp_path))
    assert [p.column for p in found] == ["product_name"]


def test_a_clean_file(tmp_path: Path) -> None:
    assert list(check([lines(tmp_path / "s.jsonl", {}, {"job_id": "b"})], tmp_path)) == []


def test_problems_of_files_are_row_0_and_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "cut.parquet").write_bytes(b"PAR1x")
    (tmp_path / "cols.csv").write_text("chanel,tone,tone\nx,y,z\n", "utf-8")
    good = lines(tmp_path / "good.jsonl", {"variants": 0})
    paths = [str(tmp_path / "none.csv"), str(tmp_path / "cut.parquet"), str(tmp_path / "cols.csv"), good]
    found = list(check(paths, tmp_path))
    assert [(Path(p.file).name, p.row, p.column) for p in found] == [
        ("none.csv", 0, ""),
        ("cut.parquet", 0, ""),
        ("cols.csv", 0, "chanel"),
        ("cols.csv", 0, "tone"),
        ("cols.csv", 0, "job_id"),
        ("cols.csv", 0, "kind"),
        ("good.jsonl", 1, "variants"),
    ]
    assert str(found[0]) == f"{tmp_path / 'none.csv'}: there is no such file. Check the path"


def test_a_column_of_another_kind_is_reported_once(tmp_path: Path) -> None:
    path = lines(tmp_path / "s.jsonl", {}, *({"job_id": f"b{i}", "width": 64} for i in range(9)))
    (problem,) = check([path], tmp_path)
    assert (problem.row, problem.column) == (0, "width")
    assert problem.reason.startswith("row 2: a copy job has no such column")


def test_duplicates_over_all_files(tmp_path: Path) -> None:
    first = lines(tmp_path / "1.jsonl", {"job_id": "x"}, {"job_id": "y"}, {"job_id": "x"})
    second = lines(tmp_path / "2.jsonl", {"job_id": "z"}, {"job_id": "x", "variants": 0}, {"job_id": "w"})
    found = [p for p in check([first, second], tmp_path) if p.column == "job_id"]
    assert [(Path(p.file).name, p.row, p.job_id) for p in found] == [
        ("1.jsonl", 1, "x"),
        ("1.jsonl", 3, "x"),
        ("2.jsonl", 2, "x"),
    ]
    assert all("the job_id of 3 rows" in p.reason for p in found)


def test_duplicate_is_safe_to_print() -> None:
    row = duplicate("s.csv", 4, "a", "copy")
    assert isinstance(row, Quarantined)
    assert str(row) == (
        "s.csv, row 4, job a, column job_id: a is the job_id of 2 rows; it must be unique over all files. "
        "Rename or remove all rows but one"
    )
