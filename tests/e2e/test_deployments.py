"""The shipped deployments, for real: a Prefect server, a worker, S3; scheduled, run to the end, cancelled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from support.prefect_servers import PrefectServer, start_server

from tasks.commit import commit_key, done_shards
from tasks.manifest import load_manifest
from tasks.store import open_store
from tasks.verify import verify

ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
SLOW = {"engines": {"copy": "tests.support.engines:slow"}, "engine_options": {"copy": {"seconds": 0.25}}}

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def prefect(tmp_path_factory: pytest.TempPathFactory, s3_server) -> Iterator[PrefectServer]:
    """A server with the shipped deployments on a work pool, and a worker."""
    server = start_server(tmp_path_factory.mktemp("prefect"), s3_server.env)
    try:
        server.run("work-pool", "create", "pressrun", "--type", "process")
        server.run("deploy", "--prefect-file", "deployments/prefect.yaml", "--all")
        server.spawn("worker.log", "worker", "start", "--pool", "pressrun")
        yield server
    finally:
        server.stop()


@pytest.fixture
def bucket(s3) -> str:
    return s3.bucket()


def upload_specs(bucket: str, folder: Path, jobs: int) -> str:
    """A small campaign in the bucket; its URI."""
    rows = [
        {"job_id": f"mug-{n}", "kind": "copy", "channel": "social", "product_name": f"Mug {'ABCDEFGHIJ'[n % 10]}{n}"}
        for n in range(jobs)
    ]
    path = folder / "campaign.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    open_store(bucket).put("specs/campaign.parquet", path)
    return f"{bucket}/specs/campaign.parquet"


def deploy_with(prefect: PrefectServer, folder: Path, specs: str, to: str, **settings: object) -> None:
    """Deploy the shipped nightly batch, schedule and all, with parameters of one's own."""
    shipped = yaml.safe_load(Path("deployments/prefect.yaml").read_text("utf-8"))
    nightly = next(d for d in shipped["deployments"] if d["name"] == "nightly-marketing")
    nightly["parameters"] |= {"specs": [specs], "to": to, "settings": settings}
    path = folder / "prefect.yaml"
    path.write_text(yaml.safe_dump(shipped), "utf-8")
    prefect.run("deploy", "--prefect-file", str(path), "-n", "nightly-marketing")


def parameters(specs: str, to: str, **settings: object) -> list[str]:
    given = {"specs": [specs], "to": to, "settings": settings}
    return [part for name, value in given.items() for part in ("--param", f"{name}={json.dumps(value)}")]


def test_both_deployments_are_typed_and_scheduled(prefect: PrefectServer) -> None:
    found = {d["name"]: d for d in prefect.ask("/deployments/filter", {})}
    assert set(found) >= {"nightly-marketing", "weekly-synthetic"}
    for name, cron in (("nightly-marketing", "0 2 * * *"), ("weekly-synthetic", "0 4 * * 1")):
        deployment = found[name]
        assert [s["schedule"]["cron"] for s in deployment["schedules"]] == [cron]
        columns = deployment["parameter_openapi_schema"]["properties"]
        assert columns["specs"]["type"] == "array"
        assert columns["specs"]["items"] == {"type": "string"}
        assert "folder" in columns["to"]["description"]


def test_a_scheduled_deployment_runs_to_the_end_on_s3(prefect: PrefectServer, bucket: str, tmp_path: Path) -> None:
    specs = upload_specs(bucket, tmp_path, jobs=12)
    deploy_with(
        prefect, tmp_path, specs, f"{bucket}/out", engines={"copy": "tests.support.engines:echo"}, shard_items=4
    )
    # The schedule has made runs for the nights to come; let one of them be due, as the clock would.
    run = prefect.wait(lambda: run_to(prefect, bucket, auto_scheduled=True), 60, "scheduling")
    due = {"type": "SCHEDULED", "name": "Scheduled", "state_details": {"scheduled_time": datetime.now(UTC).isoformat()}}
    prefect.ask(f"/flow_runs/{run}/set_state", {"state": due, "force": True})
    ended = prefect.wait(
        lambda: (found := prefect.ask(f"/flow_runs/{run}"))["state_type"] in ENDED and found,
        240, "the end of the run",
    )  # fmt: skip
    assert (ended["state_type"], ended["state_name"]) in (("COMPLETED", "Completed"), ("COMPLETED", "Shortfall"))

    store = open_store(f"{bucket}/out")
    pointer = json.loads(store.get("latest/nightly-marketing.json"))
    assert pointer["run_id"].startswith("nightly-20")
    manifest = load_manifest(store, pointer["run_id"])
    assert manifest is not None
    assert manifest["items"]["requested"] == 12
    assert manifest["items"]["accepted"] >= 11
    findings = verify(store, pointer["run_id"])
    assert not findings.problems
    assert store.head(f"{pointer['run_id']}/report/index.html") is not None

    names = {r["name"] for r in prefect.ask("/task_runs/filter", {"flow_runs": {"id": {"any_": [run]}}})}
    assert len(names) == 3
    keys = {a["key"] for a in prefect.ask("/artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [run]}}})}
    assert {key.split("-")[0] for key in keys} == {"items", "summary", "report"}


def test_cancelling_keeps_what_is_committed(prefect: PrefectServer, bucket: str, tmp_path: Path) -> None:
    specs = upload_specs(bucket, tmp_path, jobs=120)
    command = (
        "deployment", "run", "generate/nightly-marketing", "--param", 'run_id="cancelled"',
        *parameters(specs, f"{bucket}/out", shard_items=8, **SLOW),
    )  # fmt: skip
    prefect.run(*command)
    run = prefect.wait(lambda: run_to(prefect, bucket, auto_scheduled=False), 60, "the run's start")
    store = open_store(f"{bucket}/out")
    prefect.wait(lambda: len(done_shards(store, "cancelled")) >= 2, 240, "two committed shards")
    prefect.ask(f"/flow_runs/{run}/set_state", {"state": {"type": "CANCELLING", "name": "Cancelling"}})
    prefect.wait(lambda: prefect.ask(f"/flow_runs/{run}")["state_type"] == "CANCELLED", 120, "the cancellation")

    kept = {shard: store.get(commit_key("cancelled", shard)) for shard in done_shards(store, "cancelled")}
    assert 2 <= len(kept) < 15
    assert load_manifest(store, "cancelled") is None
    assert not verify(store, "cancelled").problems

    prefect.run(*command)
    manifest = prefect.wait(lambda: load_manifest(store, "cancelled"), 240, "the end of the resumed run")
    assert manifest["items"]["requested"] == 120
    assert {shard: store.get(commit_key("cancelled", shard)) for shard in kept} == kept
    assert not verify(store, "cancelled").problems


def run_to(prefect: PrefectServer, bucket: str, *, auto_scheduled: bool) -> str | None:
    """The first flow run that writes to `bucket`."""
    for run in prefect.flow_runs():
        if run["parameters"].get("to") == f"{bucket}/out" and run["auto_scheduled"] == auto_scheduled:
            return str(run["id"])
    return None
