"""The commands beside `run`: what they say, what they leave behind, how they exit."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from support.batches import run_batch, tiny_settings, write_specs
from support.cli import TINY, copy_jobs, files_below, pressrun

from flows.cli import app

SHOPIFY = """Handle,Title,Body (HTML),Vendor,Type,Published,Variant Price
harbour-mug,Harbour Mug,<p>Stoneware mug. Dishwasher safe.</p>,Tidewell,Mugs,true,18.00
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A store with a finished run of every kind, and the run's id."""
    folder = tmp_path_factory.mktemp("made")
    manifest, _ = run_batch([str(write_specs(folder, records=1))], str(folder / "out"), tiny_settings())
    return folder / "out", manifest["run_id"]


@pytest.fixture
def store(made: tuple[Path, str], tmp_path: Path) -> tuple[Path, str]:
    """A copy of it to do harm to."""
    shutil.copytree(made[0], tmp_path / "out")
    return tmp_path / "out", made[1]


def every_command() -> list[list[str]]:
    found: list[list[str]] = [[]]
    group: Any = typer.main.get_command(app)
    for name, one in group.commands.items():
        found.append([name])
        found += [[name, inner] for inner in getattr(one, "commands", {})]
    return found


@pytest.mark.parametrize("name", every_command(), ids=" ".join)
def test_every_command_has_help(name: list[str]) -> None:
    done = pressrun(*name, "--help")
    assert done.exit_code == 0
    assert "Usage:" in done.stdout


def test_the_contract_s_commands_are_there() -> None:
    names = {" ".join(name) for name in every_command()}
    assert names >= {
        "run", "check", "plan", "preview", "specs schema", "specs template", "specs import", "fit", "train", "runs",
        "verify", "report", "gc",
    }  # fmt: skip


@pytest.mark.parametrize("arguments", [["nonsense"], ["run"], ["verify"], ["gc", "--older-than-hours", "-1", "x"]])
def test_a_wrong_command_line_exits_2(arguments: list[str]) -> None:
    done = pressrun(*arguments)
    assert done.exit_code == 2
    assert "Traceback" not in done.output


def test_plan_and_dry_run_store_nothing(tmp_path: Path) -> None:
    specs, to = write_specs(tmp_path, records=1), tmp_path / "out"
    planned = pressrun("plan", specs, "--to", to, *TINY)
    assert planned.exit_code == 0, planned.output
    assert [line.split()[:2] for line in planned.stdout.splitlines()[1:4]] == [
        ["copy", "8"], ["image", "3"], ["records", "1"],
    ]  # fmt: skip
    dry = pressrun("run", specs, "--to", to, *TINY, "--dry-run", "--json")
    assert dry.exit_code == 0, dry.output
    told = json.loads(dry.stdout)
    assert told["items"] == 12
    assert told["run_id"] in planned.stdout
    assert not to.exists()


def test_plan_tells_what_was_made_before_and_what_the_rest_will_take(store: tuple[Path, str], tmp_path: Path) -> None:
    specs = write_specs(tmp_path, copies=6)
    done = pressrun("plan", specs, "--to", store[0], *TINY, "--set", "shard_items=4", "--set", "max_attempts=3")
    assert done.exit_code == 0, done.output
    copy, image = (line.split() for line in done.stdout.splitlines()[1:3])
    assert copy[:4] == ["copy", "12", "8", "4"]
    assert "about" in copy
    assert image[:4] == ["image", "3", "3", "0"]
    assert "nothing to make" in done.stdout


def test_preview_shows_items_and_leaves_only_their_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    specs = write_specs(tmp_path, copies=1, images=1)
    before = files_below(tmp_path)
    keep = tmp_path / "looks"
    for _ in range(2):  # a second look into the same folder
        done = pressrun("preview", specs, "-n", 2, "--keep", keep, *TINY)
        assert done.exit_code == 0, done.output
    assert "copy-0 · 0" in done.stdout
    assert "Harbour Mug A" in done.stdout
    assert f"Files: {keep}" in done.stdout
    left = {name for name in files_below(tmp_path) if name not in before}
    assert len(left) == 1
    assert left.pop().startswith("looks/files/image-0/0-")


def test_runs_lists_finished_and_unfinished_ones(store: tuple[Path, str]) -> None:
    to, run = store
    listed = pressrun("runs", to)
    assert listed.exit_code == 0
    assert listed.stdout.splitlines()[1].split()[:5] == [run, "complete", "12", "of", "12"]
    (to / run / "manifest.json").unlink()
    (row,) = map(json.loads, pressrun("runs", to, "--json").stdout.splitlines())
    assert (row["run_id"], row["status"], row["accepted"]) == (run, "unfinished", None)
    assert "no runs in" in pressrun("runs", to / "elsewhere").stdout


def test_verify_is_content_with_a_clean_run(store: tuple[Path, str]) -> None:
    done = pressrun("verify", f"{store[0]}/{store[1]}")
    assert done.exit_code == 0, done.output
    assert "(finished)" in done.stdout
    assert done.stdout.rstrip().endswith("clean")


def test_verify_finds_a_flipped_byte(store: tuple[Path, str]) -> None:
    to, run = store
    picture = next((to / run / "files").rglob("*.png"))
    data = bytearray(picture.read_bytes())
    data[len(data) // 2] ^= 1
    picture.write_bytes(data)
    done = pressrun("verify", f"{to}/{run}")
    assert done.exit_code == 1
    assert f"{picture.relative_to(to)} has other content than was committed" in done.stdout
    assert "1 problem\n" in done.stdout


def test_verify_finds_a_missing_object(store: tuple[Path, str]) -> None:
    to, run = store
    part = next((to / run / "copy").glob("*.parquet"))
    part.unlink()
    done = pressrun("verify", f"{to}/{run}")
    assert done.exit_code == 1
    assert f"{part.relative_to(to)} is missing" in done.stdout


def test_verify_finds_a_wrong_row_count(store: tuple[Path, str]) -> None:
    """A part that lost a row and a commit that was made to fit it: only the counts can tell."""
    import hashlib

    to, run = store
    commit = next((to / run / "_commits").glob("copy-*.json"))
    record = json.loads(commit.read_text())
    part = to / run / record["part"]
    table = pq.read_table(part)
    pq.write_table(table.slice(0, table.num_rows - 1), part)
    data = part.read_bytes()
    (entry,) = [o for o in record["objects"] if o["key"] == record["part"]]
    entry |= {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    commit.write_text(json.dumps(record))
    done = pressrun("verify", f"{to}/{run}")
    assert done.exit_code == 1
    assert f"rows instead of {table.num_rows}" in done.stdout
    assert "is not the commit the manifest names" in done.stdout


def test_gc_removes_old_orphans_and_nothing_else(store: tuple[Path, str]) -> None:
    to, run = store
    before = files_below(to)
    orphan = to / run / "copy" / "part-orphan-00000000.parquet"
    pq.write_table(pa.table({"a": [1]}), orphan)
    foreign = [to / run / "notes.txt", to / "somebody.parquet", to / "other" / "copy" / "part.parquet"]
    for path in foreign:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("not ours")
    assert "0 objects removed" in pressrun("gc", to).stdout  # it is younger than a day
    time.sleep(0.05)
    tried = pressrun("gc", to, "--older-than-hours", 0, "--dry-run")
    assert "1 object would be removed" in tried.stdout
    assert orphan.exists()
    done = pressrun("gc", to, "--older-than-hours", 0)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [str(orphan.relative_to(to)), "1 object removed"]
    after = files_below(to)
    assert {name: after[name] for name in before} == before
    assert all(path.exists() for path in foreign)
    assert pressrun("verify", f"{to}/{run}").exit_code == 0


def test_report_is_written_again(store: tuple[Path, str]) -> None:
    to, run = store
    page = to / run / "report/index.html"
    page.unlink()
    done = pressrun("report", f"{to}/{run}")
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(page)
    assert page.read_text().startswith("<!")


@pytest.mark.parametrize("kind", ["copy", "image", "records"])
def test_schema_and_template_of_a_kind(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    schema = json.loads(pressrun("specs", "schema", kind).stdout)
    assert {"job_id", "kind"} <= set(schema["required"])
    done = pressrun("specs", "template", kind)
    assert done.exit_code == 0, done.output
    assert set(pq.read_schema("specs.parquet").names) >= {"job_id", "kind"}
    again = pressrun("specs", "template", kind)
    assert again.exit_code == 2
    assert "stands already" in again.stderr


def test_an_unknown_kind_is_named() -> None:
    done = pressrun("specs", "schema", "images")
    assert done.exit_code == 2
    assert "Did you mean image?" in done.stderr


def test_a_catalogue_is_imported_and_checked(tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text(SHOPIFY)
    out = tmp_path / "specs.parquet"
    done = pressrun(
        "specs", "import", tmp_path / "shop.csv", "--as", "shopify", "-o", out,
        "--channels", "product_page, email", "--variants", 2, "--currency", "€",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "3 jobs for 1 product " in done.stdout
    rows = pq.read_table(out).to_pylist()
    assert {row["channel"] for row in rows} == {"product_page", "email", None}
    assert dict(rows[0]["facts"])["price"] == "€18"
    assert pressrun("check", out).exit_code == 0


def test_an_import_names_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text(SHOPIFY)
    wrong = pressrun("specs", "import", tmp_path / "shop.csv", "--as", "shopware", "-o", tmp_path / "s.parquet")
    assert (wrong.exit_code, "shopware" in wrong.stderr) == (2, True)
    gone = pressrun("specs", "import", "s3://", "--as", "shopify", "-o", tmp_path / "s.parquet")
    assert (gone.exit_code, "s3://" in gone.stderr) == (2, True)


def test_a_catalogue_comes_from_s3(tmp_path: Path, s3: Any) -> None:
    from tasks.store import open_store

    bucket = s3.bucket()
    open_store(bucket).put("shop.csv", SHOPIFY.encode())
    done = pressrun("specs", "import", f"{bucket}/shop.csv", "--as", "shopify", "-o", tmp_path / "s.parquet")
    assert done.exit_code == 0, done.output


def test_check_tells_json_lines(tmp_path: Path) -> None:
    assert pressrun("check", copy_jobs(tmp_path / "s.jsonl", 3)).stdout == "no problems found\n"
    (tmp_path / "bad.jsonl").write_text('{"job_id": "../x", "kind": "copy", "channel": "sms", "product_name": "Mug"}')
    done = pressrun("check", tmp_path / "bad.jsonl", "--json")
    assert done.exit_code == 3
    (problem,) = map(json.loads, done.stdout.splitlines())
    assert (problem["row"], problem["column"]) == (1, "job_id")


def test_train_knows_only_the_starters() -> None:
    done = pressrun("train", "starter-video")
    assert done.exit_code == 2
    assert "starter-copy" in done.stderr


def test_output_into_a_closed_pipe_is_no_accident(made: tuple[Path, str]) -> None:
    import subprocess

    from support.cli import ROOT, command

    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command("runs", made[0]), cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
