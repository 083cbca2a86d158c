"""`pressrun run` and `fit` on a Prefect server, with tiny engines."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.testing.utilities import prefect_test_harness
from support.batches import write_specs
from support.cli import COPY, ROOT, TINY, command, copy_jobs, environment, files_below, pressrun, write_jobs

from tasks.store import open_store
from tasks.verify import verify

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module", autouse=True)
def prefect() -> Iterator[None]:
    """One server for all tests of this file."""
    with prefect_test_harness(server_startup_timeout=240):
        yield


def run(specs: object, to: Path, *flags: object) -> Any:
    return pressrun("run", specs, "--to", to, *TINY, "--set", "shard_items=4", *flags)


def events(done: Any) -> list[dict[str, Any]]:
    """The JSON lines of a run; anything else on stdout fails here."""
    return [json.loads(line) for line in done.stdout.splitlines()]


def artifact_keys() -> set[str]:
    """Keys of the artifacts on the server."""
    with get_client(sync_client=True) as client:
        return {artifact.key for artifact in client.read_artifacts()}


def manifest_of(to: Path) -> dict[str, Any]:
    (path,) = to.glob("*/manifest.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_the_second_run_of_a_command_makes_nothing(tmp_path: Path) -> None:
    specs, to = write_specs(tmp_path, records=1), tmp_path / "out"
    first = run(specs, to, "--name", "autumn")
    assert first.exit_code == 0, first.output
    manifest = manifest_of(to)
    assert f"{manifest['run_id']}: 12 of 12 items accepted." in first.stdout
    assert f"Report: {to}/{manifest['run_id']}/report/index.html" in first.stdout
    assert json.loads((to / "latest/autumn.json").read_text())["run_id"] == manifest["run_id"]

    before = files_below(to / manifest["run_id"])
    second = run(specs, to, "--json")
    assert second.exit_code == 0, second.output
    told = events(second)
    assert [e["event"] for e in told if e["event"] in ("making", "shard")] == []
    assert told[-1]["event"] == "finished"
    assert told[-1]["manifest"] == manifest
    after = files_below(to / manifest["run_id"])
    assert {k: v for k, v in after.items() if k != "report/index.html"} == {
        k: v for k, v in before.items() if k != "report/index.html"
    }


def test_a_run_inside_an_event_loop_gives_its_manifest_and_artifacts(tmp_path: Path) -> None:
    async def inside() -> Any:
        return run(copy_jobs(tmp_path / "a.jsonl", 2), tmp_path / "out", "--run-id", "looped")

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        done = asyncio.run(inside())
    else:  # tests with a browser, earlier in this process, have left a loop running
        done = run(copy_jobs(tmp_path / "a.jsonl", 2), tmp_path / "out", "--run-id", "looped")
    assert done.exit_code == 0, done.output
    assert {f"{part}-looped" for part in ("items", "summary", "report")} <= artifact_keys()


def test_json_lines_tell_of_plan_and_shards_and_bad_rows(tmp_path: Path) -> None:
    specs = write_jobs(tmp_path / "s.jsonl", {**COPY, "job_id": "mug"}, {**COPY, "job_id": "../x"})
    done = run(specs, tmp_path / "out", "--json")
    assert done.exit_code == 3, done.output
    told = {e["event"]: e for e in events(done)}
    assert told["plan"]["items"] == 1
    assert "../x" in told["plan"]["aside"][0]
    assert told["shard"]["accepted"] == 1
    assert told["finished"]["manifest"]["specs"] == {"rows": 2, "valid": 1, "quarantined": 1}
    (rejected,) = pq.read_table(tmp_path / "out" / told["plan"]["run_id"] / "rejected").to_pylist()
    assert rejected["rule"] == "job_id"
    assert "row 2" in rejected["reason"]


def test_strict_stops_at_a_bad_row_and_says_so_once(tmp_path: Path) -> None:
    specs = write_jobs(tmp_path / "s.jsonl", {**COPY, "job_id": "mug"}, {**COPY, "job_id": "../x"})
    # In a process of its own, where nothing has set Prefect's logging up before.
    done = subprocess.run(
        command("run", specs, "--to", tmp_path / "out", *TINY, "--strict"),
        cwd=ROOT, env=environment(tmp_path / "home", PREFECT_API_URL=PREFECT_API_URL.value()),
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert "row 2, job ../x, column job_id" in line
    assert done.stdout == ""
    assert not list((tmp_path / "out").glob("*/manifest.json"))


def test_a_server_that_does_not_answer_is_named(tmp_path: Path) -> None:
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        done = run(copy_jobs(tmp_path / "s.jsonl", 1), tmp_path / "out")
    assert done.exit_code == 2, done.output
    assert "No Prefect server answers at http://127.0.0.1:9/api" in done.stderr


def test_a_run_id_with_another_plan_is_refused(tmp_path: Path) -> None:
    to = tmp_path / "out"
    assert run(copy_jobs(tmp_path / "a.jsonl", 2), to, "--run-id", "night").exit_code == 0
    done = run(copy_jobs(tmp_path / "b.jsonl", 3), to, "--run-id", "night")
    assert done.exit_code == 2, done.output
    assert "'night'" in done.stderr
    assert "--run-id" in done.stderr


def test_limit_takes_only_the_first_jobs(tmp_path: Path) -> None:
    done = run(copy_jobs(tmp_path / "s.jsonl", 9), tmp_path / "out", "--limit", 3)
    assert done.exit_code == 0, done.output
    assert manifest_of(tmp_path / "out")["items"]["requested"] == 3


def test_a_token_cap_stops_without_a_manifest_and_a_higher_one_goes_on(tmp_path: Path) -> None:
    specs, to = copy_jobs(tmp_path / "s.jsonl", 24), tmp_path / "out"
    stopped = run(specs, to, "--max-tokens", 300, "--set", "workers=1")
    assert stopped.exit_code == 1, stopped.output
    assert "of 300 tokens" in stopped.stderr
    assert not list(to.glob("*/manifest.json"))
    commits = files_below(next(iter(to.glob("run-*"))) / "_commits")
    assert 1 <= len(commits) < 6
    done = run(specs, to, "--max-tokens", 10**9)
    assert done.exit_code == 0, done.output
    assert "Going on with run" in done.stdout
    after = files_below(next(iter(to.glob("run-*"))) / "_commits")
    assert {name: after[name] for name in commits} == commits
    assert not verify(open_store(str(to)), manifest_of(to)["run_id"]).problems


def test_retry_shortfall_makes_a_new_run_of_what_was_given_up(tmp_path: Path) -> None:
    hopeless = {**COPY, "job_id": "hopeless", "max_chars": 10, "product_name": "Mug"}
    specs, to = write_jobs(tmp_path / "s.jsonl", hopeless, {**COPY, "job_id": "fine"}), tmp_path / "out"
    first = run(specs, to, "--run-id", "first")
    assert first.exit_code == 3, first.output
    assert "1 given up" in first.stdout
    assert f"Reasons: {to}/first/rejected" in first.stdout
    again = run(specs, to, "--run-id", "first", "--retry-shortfall")
    assert again.exit_code == 3, again.output
    manifest = json.loads((to / "first-retry1/manifest.json").read_text())
    assert (manifest["retry_of"], manifest["items"]["reused"]) == ("first", 1)


def test_a_fit_made_ahead_is_reused_by_a_run(tmp_path: Path) -> None:
    write_specs(tmp_path)
    to = tmp_path / "out"
    fitted = pressrun("fit", tmp_path / "table.parquet", "--to", to, *TINY)
    assert fitted.exit_code == 0, fitted.output
    assert "Fitted as fit-" in fitted.stdout
    row = {"kind": "records", "job_id": "people", "source": "table.parquet", "rows": 60}
    done = run(write_jobs(tmp_path / "s.jsonl", row), to, "--run-id", "sampled")
    assert done.exit_code == 0, done.output
    (record,) = [json.loads(p.read_text()) for p in (to / "sampled/_commits").glob("fit-*.json")]
    assert record["made"] == 0
    assert record["numerics"] or record["fitted"]
    table = pq.read_table(to / "sampled/records/people/0")
    assert table.num_rows == 60
    assert table.schema.names == ["age", "spend", "city"]
