"""Bad input: a clear message and exit code 2 before anything starts, or a row in rejected/ with its reason."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.batches import tiny_settings
from support.cli import COPY, TINY, pressrun, write_jobs

from tasks.begin import begin
from tasks.store import open_store


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory. Whoever would start the flow, and Prefect with it, fails."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "flows.generate", None)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    write_jobs(tmp_path / "good.jsonl", {**COPY, "job_id": "mug"})
    return tmp_path


def parquet(path: Path, **columns: list[Any]) -> Path:
    pq.write_table(pa.table({"job_id": ["a"], "kind": ["copy"], **columns}), path)
    return path


def no_parquet(folder: Path) -> Path:
    path = folder / "specs.parquet"
    path.write_text("job_id,kind\na,copy\n")
    return path


def truncated(folder: Path) -> Path:
    path = parquet(folder / "specs.parquet", prompt=["x" * 5000])
    path.write_bytes(path.read_bytes()[:-100])
    return path


FILES: dict[str, tuple[Callable[[Path], Path], list[str]]] = {
    "missing": (lambda d: d / "specs.parquet", ["specs.parquet", "no such file"]),
    "not Parquet": (no_parquet, ["specs.parquet", "not a Parquet file"]),
    "truncated Parquet": (truncated, ["specs.parquet", "cut short", "Copy it again"]),
    "wrong type": (
        lambda d: parquet(d / "specs.parquet", variants=pa.array([[1, 2]])),
        ["specs.parquet", "variants", "whole numbers"],
    ),
    "unknown column": (lambda d: parquet(d / "specs.parquet", chanel=["email"]), ["chanel", "Did you mean channel?"]),
    "a folder": (lambda d: d, ["is a folder", "Name the files in it"]),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_is_no_spec_is_refused_before_anything_starts(case: str, here: Path) -> None:
    make, words = FILES[case]
    done = pressrun("run", make(here), "--to", here / "out")
    assert done.exit_code == 2, done.output
    assert [w for w in words if w not in done.stderr] == []
    assert done.stdout == ""
    assert not (here / "out").exists()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--profile", "fancy"], ["fancy", "starter, gpu"]),
        (["--set", "copy_batches=3"], ["copy_batches", "did you mean copy_batch?"]),
        (["--set", "copy_batch=many"], ["copy_batch", "integer"]),
        (["--set", "seed"], ["--set", "KEY=VALUE"]),
        (["--run-id", "../x"], ["../x", "use letters"]),
        (["--run-id", "latest"], ["latest", "choose another"]),
        (["--name", "a/b"], ["a/b", "use letters"]),
        (["--runner", "ray"], ["ray", "only threads"]),
        (["--limit", "0"], ["--limit"]),
        (["--nonsense"], ["--nonsense"]),
        (["--to", "good.jsonl"], ["good.jsonl", "file, not a folder"]),
        (["--to", "ftp://host/x"], ["ftp://", "s3://"]),
    ],
)
def test_a_wrong_flag_is_refused_before_anything_starts(flags: list[str], words: list[str], here: Path) -> None:
    done = pressrun("run", "good.jsonl", "--to", "out", *flags)
    assert done.exit_code == 2, done.output
    assert [w for w in words if w not in done.stderr] == []
    assert not (here / "out").exists()


def test_a_store_without_credentials_is_refused_before_anything_starts(here: Path) -> None:
    done = pressrun("run", "good.jsonl", "--to", "s3://pressrun-somewhere/out")
    assert done.exit_code == 2, done.output
    assert "s3://pressrun-somewhere/out" in done.stderr
    assert "AWS_ACCESS_KEY_ID" in done.stderr


def test_a_bucket_that_does_not_exist_is_refused_before_anything_starts(here: Path, s3: Any) -> None:
    for arguments in (
        ["run", "good.jsonl", "--to", "s3://pressrun-nowhere/out"],
        ["run", "s3://pressrun-nowhere/specs.parquet", "--to", "out"],
        ["runs", "s3://pressrun-nowhere/out"],
    ):
        done = pressrun(*arguments)
        assert done.exit_code == 2, done.output
        assert "s3://pressrun-nowhere does not exist" in done.stderr


def test_a_wrong_secret_is_refused_before_anything_starts(here: Path, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = s3.bucket()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-the-secret")
    done = pressrun("run", "good.jsonl", "--to", f"{bucket}/out")
    assert done.exit_code == 2, done.output
    assert bucket in done.stderr
    assert "not-the-secret" not in done.output


def models(folder: Path) -> dict[str, tuple[str, str]]:
    """References of models that cannot be used, and what is said of them."""
    (folder / "no-model").mkdir()
    (folder / "no-model/notes.txt").write_text("nothing")
    (folder / "pickled").mkdir()
    (folder / "pickled/config.json").write_text("{}")
    (folder / "pickled/pytorch_model.bin").write_bytes(b"\x80\x04")
    return {
        "a folder that is no model": (str(folder / "no-model"), "not a model"),
        "a pickle in it": (str(folder / "pickled"), "only safetensors are read"),
        "a hub id out of reach": ("pressrun-nobody/no-such-model", "pressrun-nobody/no-such-model"),
    }


@pytest.mark.parametrize("case", ["a folder that is no model", "a pickle in it", "a hub id out of reach"])
def test_a_model_that_cannot_be_used(case: str, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    ref, words = models(here)[case]
    rows = ({**COPY, "job_id": f"mug-{n}", "model": ref} for n in range(50))
    started = time.monotonic()
    named_by_rows = pressrun("plan", write_jobs(here / "specs.jsonl", *rows), "--to", "out")
    assert named_by_rows.exit_code == 3, named_by_rows.output
    assert "row 1, job mug-0, column model" in named_by_rows.stdout
    assert words in named_by_rows.stdout
    assert "and 45 more" in named_by_rows.stdout

    named_by_settings = pressrun("plan", "good.jsonl", "--to", "out", "--set", f"copy_model={ref}")
    assert named_by_settings.exit_code == 2, named_by_settings.output
    assert words in named_by_settings.stderr
    assert time.monotonic() - started < 30  # not a minute of retries, and not once for every row


ROWS: dict[str, tuple[dict[str, Any], str, str]] = {
    "hostile id": ({**COPY, "job_id": "../x"}, "job_id", "cannot name outputs"),
    "endless id": ({**COPY, "job_id": "x" * 10_240}, "job_id", "10,240 characters"),
    "negative count": ({**COPY, "job_id": "less", "variants": -1}, "variants", "at least 1"),
    "absurd count": ({**COPY, "job_id": "more", "variants": 10**9}, "variants", "at most 1,000"),
    "wrong value": ({**COPY, "job_id": "word", "variants": "three"}, "variants", "three"),
    "unreadable image": (
        {"kind": "image", "job_id": "noise", "prompt": "x", "init_image": "noise.png"}, "init_image", "no picture",
    ),
    "missing image": (
        {"kind": "image", "job_id": "gone", "prompt": "x", "init_image": "gone.png"}, "init_image", "no file",
    ),
    "table without rows": ({"kind": "records", "job_id": "rows", "source": "head.csv"}, "source", "no rows"),
    "table of one column": ({"kind": "records", "job_id": "column", "source": "one.csv"}, "source", "two"),
    "no table": ({"kind": "records", "job_id": "table", "source": "noise.png"}, "source", "noise.png"),
    "negative rows": ({"kind": "records", "job_id": "minus", "source": "ok.csv", "rows": -5}, "rows", "at least 1"),
    "unknown kind": ({**COPY, "job_id": "song", "kind": "song"}, "kind", "song"),
    "later feature": ({**COPY, "job_id": "brand", "brand": "acme"}, "brand", "not supported"),
}  # fmt: skip


@pytest.fixture
def bad_rows(here: Path) -> Path:
    """A spec file with every bad row, two that share an id, and one good row."""
    (here / "noise.png").write_bytes(b"\x00\x01\xff no picture")
    (here / "head.csv").write_text("a,b\n")
    (here / "one.csv").write_text("a\n1\n2\n")
    (here / "ok.csv").write_text("a,b\n1,2\n3,4\n")
    twins = [{**COPY, "job_id": "twin"}, {**COPY, "job_id": "twin", "product_name": "Bowl"}]
    return write_jobs(here / "specs.jsonl", *(row for row, _, _ in ROWS.values()), *twins, {**COPY, "job_id": "good"})


def test_bad_rows_stand_in_rejected_with_row_and_column_and_good_ones_go_on(bad_rows: Path, here: Path) -> None:
    store = open_store(str(here / "out"))
    with begin([str(bad_rows)], store, tiny_settings(), run_id="aside") as begun:
        assert begun.plan.totals()["items"] == 1
    found = pq.read_table(here / "out/aside/rejected").to_pylist()
    assert len(found) == len(ROWS) + 2
    assert {row["stage"] for row in found} == {"spec"}
    for number, (row, column, words) in enumerate(ROWS.values(), 1):
        (told,) = [f for f in found if f"row {number}:" in f["reason"]]
        assert (told["rule"], words in told["reason"]) == (column, True), told
        assert len(told["job_id"]) <= 128 or row["job_id"] not in told["job_id"]
    assert sum("job_id of 2 rows" in row["reason"] for row in found) == 2


def test_check_and_plan_tell_of_bad_rows_and_exit_3(bad_rows: Path) -> None:
    checked = pressrun("check", bad_rows)
    assert checked.exit_code == 3, checked.output
    assert "row 3, job less, column variants: is -1; at least 1." in checked.stdout
    assert "Rename or remove all rows but one" in checked.stdout
    planned = pressrun("plan", bad_rows, "--to", "out", *TINY)
    assert planned.exit_code == 3, planned.output
    assert "set aside: " in planned.stdout


def test_check_of_a_bad_file_exits_2(here: Path) -> None:
    done = pressrun("check", parquet(here / "specs.parquet", chanel=["email"]))
    assert done.exit_code == 2
    assert "Did you mean channel?" in done.output


def test_an_empty_or_missing_run_is_named(here: Path) -> None:
    for name in ("verify", "report"):
        done = pressrun(name, "out/nothing")
        assert done.exit_code == 2, done.output
        assert "nothing" in done.stderr
        assert pressrun(name, "s3://").exit_code == 2
