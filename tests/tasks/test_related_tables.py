"""Data sets that refer to one another: parents are made first, children hang on what was made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.batches import outputs, run_batch

from tasks.begin import foresee
from tasks.plan.model import stages
from tasks.preview import preview
from tasks.settings import Settings
from tasks.store import open_store
from tasks.verify import verify

SETTINGS = Settings(workers=2)
THREE = {"column": "order", "job": "orders", "key": "number"}


def write_shop(folder: Path, customers: int = 400) -> None:
    """Customers, their orders in the order of days, and the orders' lines."""
    rng = np.random.default_rng(0)
    tier = np.where(rng.random(customers) < 0.3, "gold", "basic")
    names = [f"C{n * 7919 % 100_000:05d}" for n in range(customers)]
    pq.write_table(
        pa.table({"id": names, "tier": tier, "age": rng.integers(18, 90, customers)}), folder / "who.parquet"
    )
    orders: list[dict[str, Any]] = []
    for name, kind in zip(names, tier, strict=True):
        day = int(rng.integers(19_000, 19_100))
        for _ in range(rng.poisson(5 if kind == "gold" else 1)):
            number = len(orders) + 1
            orders.append({"number": number, "customer": name, "day": day, "amount": float(rng.integers(5, 500))})
            day += int(rng.integers(1, 20))
    table = pa.Table.from_pylist(orders)
    days = table["day"].cast(pa.int32()).cast(pa.date32())
    pq.write_table(table.set_column(2, "day", days), folder / "orders.parquet")
    lines = [
        {
            "order": int(rng.choice(table["number"])),
            "article": str(rng.choice(["mug", "lamp", "chair"])),
            "count": int(n),
        }
        for n in rng.integers(1, 9, 2 * len(orders))
    ]
    pq.write_table(pa.Table.from_pylist(lines), folder / "lines.parquet")


def write_specs(folder: Path, *changes: dict[str, Any]) -> list[str]:
    """Three jobs, children before their parents; `changes` go into the jobs of the same ids."""
    jobs: list[dict[str, Any]] = [
        {"job_id": "lines", "kind": "records", "source": "lines.parquet", "parent": "order->orders.number"},
        {
            "job_id": "orders",
            "kind": "records",
            "source": "orders.parquet",
            "primary_key": "number",
            "parent": json.dumps({"column": "customer", "job": "who", "key": "id", "order": "day"}),
        },
        {"job_id": "who", "kind": "records", "source": "who.parquet", "primary_key": "id", "rows": 300},
    ]
    for change in changes:
        found = next((job for job in jobs if job["job_id"] == change["job_id"]), None)
        jobs.append(change) if found is None else found.update(change)
    path = folder / "specs.parquet"
    names = dict.fromkeys(name for job in jobs for name in job)
    pq.write_table(pa.table({name: [job.get(name) for job in jobs] for name in names}), path)
    return [str(path)]


def made(to: Path, run: str, job: str, variant: int = 0) -> pd.DataFrame:
    return pd.read_parquet(to / run / "records" / job / str(variant))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    write_shop(folder)
    return folder


@pytest.fixture(scope="module")
def ran(shop: Path) -> dict[str, Any]:
    specs = write_specs(shop, {"job_id": "who", "variants": 2}, {"job_id": "orders", "variants": 2})
    manifest, _ = run_batch(specs, str(shop / "out"), SETTINGS, run_id="first", workers=2)
    return manifest


def test_every_reference_names_a_record_of_the_parent(shop: Path, ran: dict[str, Any]) -> None:
    assert ran["status"] == "complete", ran
    assert ran["items"]["accepted"] == 5
    for variant in (0, 1):
        who, orders = made(shop / "out", "first", "who", variant), made(shop / "out", "first", "orders", variant)
        assert len(who) == 300
        assert set(orders["customer"]) < set(who["id"])
        assert not set(who["id"]) & set(pd.read_parquet(shop / "who.parquet")["id"])
        assert orders["number"].is_unique
        gaps = orders.groupby("customer", sort=False)["day"].apply(lambda days: list(days) == sorted(days))
        assert gaps.all()
        per_tier = (
            orders.merge(who, left_on="customer", right_on="id").groupby("tier").size() / who["tier"].value_counts()
        )
        assert per_tier["gold"] > 1.5 * per_tier["basic"]
    lines = made(shop / "out", "first", "lines")
    assert 0.7 < (len(lines) / len(made(shop / "out", "first", "orders"))) / 2 < 1.4
    assert set(lines["order"]) <= set(made(shop / "out", "first", "orders")["number"])
    assert list(lines.dtypes) == list(pd.read_parquet(shop / "lines.parquet").dtypes)


def test_the_figures_tell_how_children_hang_on_their_parents(shop: Path, ran: dict[str, Any]) -> None:
    (path,) = (shop / "out" / "first" / "quality").glob("orders-0-*.json")
    kinship = json.loads(path.read_text())["parent"]
    assert kinship["job"] == "who"
    assert kinship["orphans"] == kinship["out_of_order"] == 0
    assert kinship["children_per_parent"]["ks"] < 0.15


def test_the_store_is_whole_and_another_run_reuses_everything(shop: Path, ran: dict[str, Any]) -> None:
    store = open_store(str(shop / "out"))
    assert not verify(store, "first").problems
    specs = write_specs(shop, {"job_id": "who", "variants": 2}, {"job_id": "orders", "variants": 2})
    manifest, _ = run_batch(specs, str(shop / "out"), SETTINGS, run_id="second")
    assert manifest["items"]["reused"] == 5
    ours, theirs = (
        {k: v for k, v in outputs(store, run).items() if k.startswith("records/")} for run in ("first", "second")
    )
    assert ours == theirs


def test_a_child_is_reused_only_beside_the_parent_it_was_made_from(shop: Path, tmp_path: Path) -> None:
    specs = write_specs(shop)
    run_batch(specs, str(tmp_path / "out"), SETTINGS, run_id="first")
    store = open_store(str(tmp_path / "out"))

    def reused() -> int:
        plan, _ = foresee(specs, store, SETTINGS)
        return int(plan.totals()["reused"])

    assert reused() == 3
    # Only the parent in a newer run, in the same bytes: its children still stand beside them.
    (shop / "alone").mkdir(exist_ok=True)
    alone = pa.table({"job_id": ["who"], "kind": ["records"], "source": [str(shop / "who.parquet")]})
    alone = alone.append_column("primary_key", [["id"]]).append_column("rows", [[300]])
    pq.write_table(alone, shop / "alone" / "specs.parquet")
    manifest, _ = run_batch([str(shop / "alone" / "specs.parquet")], str(tmp_path / "out"), SETTINGS, run_id="second")
    assert manifest["items"]["reused"] == 1
    assert reused() == 3
    # The parent's file of the first run under another name, as if another machine had made it.
    (data,) = (tmp_path / "out" / "first" / "records" / "who" / "0").iterdir()
    data.rename(data.with_name("part-0000-00000000.parquet"))
    assert reused() == 1


def test_a_preview_makes_parents_first(shop: Path, tmp_path: Path) -> None:
    shown = list(preview(write_specs(shop), SETTINGS, jobs=3, keep=tmp_path))
    assert {row["job_id"] for row in shown} == {"who", "orders", "lines"}
    assert all("files" in row for row in shown), shown


def test_a_parent_may_be_an_object_of_json_lines(shop: Path) -> None:
    jobs = pq.read_table(write_specs(shop)[0]).to_pylist()
    jobs = [{name: value for name, value in job.items() if value is not None} for job in jobs]
    jobs[1]["parent"] = json.loads(jobs[1]["parent"])
    path = shop / "specs.jsonl"
    path.write_text("\n".join(map(json.dumps, jobs)))
    plan, draft = foresee([str(path)], open_store(str(shop / "elsewhere")), SETTINGS)
    assert not draft.aside
    assert plan.totals()["items"] == 3


def test_another_parent_makes_other_children(shop: Path, ran: dict[str, Any]) -> None:
    specs = write_specs(shop, {"job_id": "who", "seed": 7})
    plan, _ = foresee(specs, open_store(str(shop / "out")), SETTINGS)
    assert plan.totals()["items"] == 3
    assert plan.totals()["reused"] == 0


def test_parents_are_planned_before_their_children(shop: Path) -> None:
    plan, _ = foresee(write_specs(shop), open_store(str(shop / "elsewhere")), SETTINGS)
    order = [[shard.id.partition("-")[0] for shard in stage] for stage in stages(plan.shards)]
    assert order == [["fit", "fit", "fit"], ["records"], ["records"], ["records"]]


def test_a_parent_that_fails_makes_its_children_a_shortfall(shop: Path) -> None:
    specs = write_specs(shop, {"job_id": "who", "gates": '{"min": {"shape": 1.0}}'})
    manifest, _ = run_batch(specs, str(shop / "out"), SETTINGS, run_id="short")
    assert manifest["status"] == "shortfall"
    assert manifest["items"]["shortfall"] == 3
    rejected = pd.read_parquet(shop / "out" / "short" / "rejected")
    reasons = rejected[rejected["stage"] == "parent"].set_index("job_id")["reason"]
    assert "data set of who that it refers to was not made" in reasons["orders"]
    assert "data set of orders" in reasons["lines"]


@pytest.mark.parametrize(
    ("change", "column", "reason"),
    [
        ({"job_id": "lines", "parent": "order->shop.number"}, "parent", "'shop' is none of the records jobs"),
        ({"job_id": "lines", "parent": "nothing->orders.number"}, "parent", "'nothing' is no column of lines.parquet"),
        ({"job_id": "lines", "parent": "article->orders.number"}, "parent", "they cannot match"),
        ({"job_id": "lines", "parent": "order->who.age"}, "parent", "'age' must be the primary_key of 'who'"),
        (
            {"job_id": "lines", "family": "diffusion"},
            "family",
            "cannot be drawn by the family diffusion; write auto",
        ),
        ({"job_id": "lines", "rows": 5}, "rows", "rows of a table with a parent are not supported"),
        ({"job_id": "lines", "variants": 2}, "variants", "'orders' makes 1 data sets, this job wants 2"),
        ({"job_id": "lines", "constraints": '[{"unique": ["count"]}]'}, "constraints", "not supported yet"),
        ({"job_id": "lines", "parent": "orders.number"}, "parent", "write COLUMN->JOB_ID.COLUMN"),
        ({"job_id": "lines", "parent": '{"column": "order"}'}, "parent", "lacks job, key"),
        (
            {"job_id": "lines", "parent": '{"column": "order", "job": "\\ud800", "key": "k"}'},
            "parent",
            "no job has such",
        ),
        ({"job_id": "lines", "parent": '{"a":' * 3_000}, "parent", "not JSON"),
        (
            {"job_id": "lines", "parent": json.dumps({**THREE, "\x80" * 3_000: 1})},
            "parent",
            r"has the unknown '\x80\x80",
        ),
        (
            {"job_id": "lines", "parent": '{"column": "order", "job": "orders", "key": "number", "order": "article"}'},
            "parent",
            "siblings cannot be ordered by 'article'",
        ),
        ({"job_id": "who", "parent": "id->lines.order"}, "parent", "lead back to itself"),
    ],
)
def test_a_parent_that_cannot_be_is_told(shop: Path, change: dict[str, Any], column: str, reason: str) -> None:
    _, draft = foresee(write_specs(shop, change), open_store(str(shop / "elsewhere")), SETTINGS)
    told = "\n".join(draft.aside)
    assert column in told
    assert reason in told


def test_orphans_in_the_source_are_refused_with_their_number(shop: Path, tmp_path: Path) -> None:
    lines = pd.read_parquet(shop / "lines.parquet")
    lines.loc[:2, "order"] = 999_999
    lines.to_parquet(tmp_path / "lines.parquet")
    specs = write_specs(shop, {"job_id": "lines", "source": str(tmp_path / "lines.parquet")})
    _, draft = foresee(specs, open_store(str(shop / "elsewhere")), SETTINGS)
    (told,) = draft.aside
    assert "3 rows refer by 'order' to no 'number' of orders.parquet" in told
