"""Fitting a record model ahead of the runs that sample from it."""

from __future__ import annotations

from pathlib import Path

from support.batches import tiny_settings, write_specs

from tasks.commit import Commit, commit
from tasks.fitting import fit
from tasks.store import open_store
from tasks.verify import verify


def test_an_equal_fit_is_not_made_again(tmp_path: Path) -> None:
    write_specs(tmp_path, records=1)
    store = open_store(str(tmp_path / "store"))
    first = fit(str(tmp_path / "table.parquet"), store, tiny_settings())
    assert first.fitted is not None
    assert fit(str(tmp_path / "table.parquet"), store, tiny_settings()) == first
    assert verify(store, first.run_id).problems == []


def test_a_fit_that_failed_is_tried_again_under_another_name(tmp_path: Path) -> None:
    write_specs(tmp_path, records=1)
    elsewhere = fit(str(tmp_path / "table.parquet"), open_store(str(tmp_path / "other")), tiny_settings())
    store = open_store(str(tmp_path / "store"))
    commit(store, Commit(run_id=elsewhere.shard, shard=elsewhere.shard, kind="records"))  # what a failed fit leaves
    again = fit(str(tmp_path / "table.parquet"), store, tiny_settings())
    assert again.run_id == f"{elsewhere.shard}-retry1"
    assert again.fitted == elsewhere.fitted
    assert fit(str(tmp_path / "table.parquet"), store, tiny_settings()) == again
