"""An engine that hangs is killed after its time-out and its work made again; the run ends well."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.batches import outputs, run_batch, tiny_settings

from tasks.store import open_store
from tasks.verify import verify


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    rows = [
        {"job_id": f"mug-{n}", "kind": "copy", "channel": "social", "product_name": name}
        for n, name in enumerate(["Harbour Mug", "HANG Mug", "Alder Bowl", "Dune Vase", "Ember Tray"])
    ]
    path = tmp_path / "specs.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def settings(engine: str, **options: object):
    return tiny_settings(
        engines={"copy": f"tests.support.engines:{engine}"}, engine_options={"copy": options}, engine_timeout=2.0
    )


@pytest.mark.parametrize("engine", ["sleepy", "dies"])
def test_an_engine_that_fails_once_leaves_no_trace(engine: str, specs: Path, tmp_path: Path) -> None:
    marker = tmp_path / "misbehaved"
    text = {"sleepy": "HANG", "dies": "HANG"}[engine]
    manifest, _ = run_batch(
        [str(specs)], str(tmp_path / "once"), settings(engine, marker=text, once=str(marker)), run_id="run"
    )
    assert marker.exists()
    assert manifest["items"]["accepted"] == 5
    assert manifest["candidates"]["made"] == 5  # the same attempts again, not new ones
    run_batch([str(specs)], str(tmp_path / "again"), settings(engine, marker=text, once=str(marker)), run_id="run")
    once, again = (outputs(open_store(str(tmp_path / name)), "run") for name in ("once", "again"))
    assert once == again


def test_a_request_that_always_hangs_costs_only_itself(specs: Path, tmp_path: Path) -> None:
    manifest, _ = run_batch([str(specs)], str(tmp_path / "out"), settings("sleepy", marker="HANG"), run_id="run")
    assert manifest["items"] | {"kinds": None} == {
        "requested": 5, "accepted": 4, "reused": 0, "shortfall": 1, "kinds": None,
    }  # fmt: skip
    refused = pq.read_table(tmp_path / "out/run/rejected").to_pylist()
    assert [(row["job_id"], row["stage"], row["rule"]) for row in refused] == [("mug-1", "generate", "engine")]
    assert "hung" in refused[0]["reason"]
    assert verify(open_store(str(tmp_path / "out")), "run").problems == []
