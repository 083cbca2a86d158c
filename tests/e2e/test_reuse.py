"""Running again: nothing twice, changed rows alone, and no trace of order or of how many worked."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from support.batches import outputs, run_batch, tiny_settings, write_specs

from tasks.begin import begin
from tasks.manifest import load_manifest
from tasks.plan.freeze import PlanConflict
from tasks.store import open_store
from tasks.verify import verify


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    return write_specs(tmp_path)


def changed(specs: Path, job_id: str, column: str, value: object) -> Path:
    """A copy of the specs with one cell changed."""
    rows = pq.read_table(specs).to_pylist()
    next(row for row in rows if row["job_id"] == job_id)[column] = value
    path = specs.with_name("changed.parquet")
    pq.write_table(pa.Table.from_pylist(rows, schema=pq.read_schema(specs)), path)
    return path


def test_the_same_command_twice_makes_nothing_the_second_time(specs: Path, tmp_path: Path) -> None:
    to = str(tmp_path / "out")
    first, made = run_batch([str(specs)], to, tiny_settings())
    assert len(made) == len(first["commits"]) > 0
    before = outputs(open_store(to), first["run_id"])
    second, made = run_batch([str(specs)], to, tiny_settings())
    assert made == []
    assert second == first
    assert outputs(open_store(to), first["run_id"]) == before


def test_one_changed_row_makes_exactly_its_items(specs: Path, tmp_path: Path) -> None:
    to = str(tmp_path / "out")
    first, _ = run_batch([str(specs)], to, tiny_settings(), run_id="monday")
    second, made = run_batch(
        [str(changed(specs, "copy-1", "product_name", "Harbour Bowl"))], to, tiny_settings(), run_id="tuesday"
    )
    assert second["items"]["requested"] == first["items"]["requested"]
    assert second["items"]["reused"] == first["items"]["accepted"] - 2
    assert sum(record.accepted - record.reused for record in made) == 2
    assert verify(open_store(to), "tuesday").problems == []

    monday, tuesday = (
        pq.read_table(tmp_path / "out" / run / "copy").sort_by("content_key") for run in ("monday", "tuesday")
    )
    assert "Harbour Bowl" in " ".join(t for t in tuesday["text"].to_pylist())
    same = [table.filter(pc.not_equal(table["job_id"], "copy-1")) for table in (monday, tuesday)]
    assert same[0].equals(same[1])


def test_meta_columns_of_today_travel_with_reused_items(specs: Path, tmp_path: Path) -> None:
    to = str(tmp_path / "out")
    run_batch([str(specs)], to, tiny_settings(), run_id="monday")
    run_batch([str(changed(specs, "copy-0", "meta_sku", 4711))], to, tiny_settings(), run_id="tuesday")
    table = pq.read_table(tmp_path / "out/tuesday/copy").to_pandas()
    assert set(table.loc[table.job_id == "copy-0", "meta_sku"]) == {4711}


def test_shuffled_specs_other_shard_order_and_more_workers_give_the_same_outputs(specs: Path, tmp_path: Path) -> None:
    plain, _ = run_batch([str(specs)], str(tmp_path / "plain"), tiny_settings())
    table = pq.read_table(specs)
    shuffled = tmp_path / "shuffled"
    shuffled.mkdir()
    half = table.num_rows // 2
    (shuffled / "table.parquet").write_bytes((tmp_path / "table.parquet").read_bytes())
    pq.write_table(table.slice(half)[::-1], shuffled / "b.parquet")
    pq.write_table(table.slice(0, half)[::-1], shuffled / "a.parquet")
    other, _ = run_batch(
        [str(shuffled / "b.parquet"), str(shuffled / "a.parquet")],
        str(tmp_path / "other"),
        tiny_settings(),
        workers=3,
        arrange=lambda shards: shards[::-1],
    )
    assert other["run_id"] == plain["run_id"]
    run = plain["run_id"]
    left, right = (outputs(open_store(str(tmp_path / name)), run) for name in ("plain", "other"))
    # The table lies at another path, and the plan says where; everything that was made is the same.
    plans = {key for key in left.keys() | right.keys() if key.startswith("_plan/")} | {"manifest.json"}
    assert {k: v for k, v in left.items() if k not in plans} == {k: v for k, v in right.items() if k not in plans}


def test_a_run_id_cannot_stand_for_two_plans(specs: Path, tmp_path: Path) -> None:
    to = str(tmp_path / "out")
    run_batch([str(specs)], to, tiny_settings(), run_id="nightly")
    with pytest.raises(PlanConflict, match="nightly"):
        run_batch([str(changed(specs, "copy-0", "product_name", "Cup"))], to, tiny_settings(), run_id="nightly")
    with pytest.raises(PlanConflict):
        run_batch([str(specs)], to, tiny_settings(seed=5), run_id="nightly")


def test_settings_that_do_not_affect_output_do_not_change_the_run(specs: Path, tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "out"))
    ids = set()
    for settings in (tiny_settings(), tiny_settings(workers=7, engine_timeout=5.0), tiny_settings(seed=1)):
        with begin([str(specs)], store, settings) as begun:
            ids.add(begun.plan.run_id)
    assert len(ids) == 2


def test_retry_shortfall_continues_the_attempt_numbers(tmp_path: Path) -> None:
    rows = [
        {"job_id": "hopeless", "kind": "copy", "channel": "social", "product_name": "Mug", "max_chars": 10},
        {"job_id": "fine", "kind": "copy", "channel": "social", "product_name": "Bowl"},
    ]
    specs = tmp_path / "specs.jsonl"
    specs.write_text("\n".join(map(json.dumps, rows)))
    to = str(tmp_path / "out")
    settings = tiny_settings()
    first, _ = run_batch([str(specs)], to, settings)
    assert first["items"]["shortfall"] == 1
    with begin([str(specs)], open_store(to), settings, retry_shortfall=True) as begun:
        assert begun.plan.run_id == f"{first['run_id']}-retry1"
        assert begun.plan.items["copy"].reused == 1
    second, _ = run_batch([str(specs)], to, settings, run_id=f"{first['run_id']}-retry1")
    assert second["retry_of"] == first["run_id"]
    rejected = pq.read_table(tmp_path / "out" / second["run_id"] / "rejected").to_pandas()
    assert set(rejected.attempt) == {3, 4, 5}
    assert load_manifest(open_store(to), second["run_id"]) == second
