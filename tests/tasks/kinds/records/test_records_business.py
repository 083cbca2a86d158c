"""Jobs with conditions and constraints, from the spec to the quality figures, by the real record engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.batches import run_batch

from tasks.desk import open_desk
from tasks.kinds import kind
from tasks.kinds.base import Refused
from tasks.kinds.records.job import RecordsJob
from tasks.settings import Settings

ROWS = 3_000


def orders() -> pa.Table:
    rng = np.random.default_rng(0)
    ordered = rng.integers(19_000, 19_365, ROWS)
    net = np.round(rng.gamma(3, 30, ROWS), 2)
    vat = np.round(net * 0.25, 2)
    return pa.table(
        {
            "order_id": np.arange(ROWS),
            "ordered": pa.array(ordered.astype(np.int32)).cast(pa.date32()),
            "shipped": pa.array((ordered + rng.integers(-1, 9, ROWS)).astype(np.int32)).cast(pa.date32()),
            "net": net,
            "vat": vat,
            "gross": np.round(net + vat, 2),
            "fraud": rng.choice(["yes", "no"], ROWS, p=[0.01, 0.99]),
        }
    )


def made(folder: Path, **job: Any) -> tuple[dict[str, Any], pa.Table | None, dict[str, Any] | None]:
    """The manifest of a run with one records job, its table and its quality figures where it was accepted."""
    pq.write_table(orders(), folder / "orders.parquet")
    row = {"job_id": "orders", "kind": "records", "source": "orders.parquet", "rows": 1_000, **job}
    (folder / "specs.jsonl").write_text(json.dumps(row) + "\n")
    manifest, _ = run_batch([str(folder / "specs.jsonl")], str(folder / "out"), Settings(threads=1), run_id="r")
    tables, figures = list(folder.glob("out/r/records/*/*/*.parquet")), list(folder.glob("out/r/quality/*.json"))
    return (
        manifest,
        pq.read_table(tables[0]) if tables else None,
        json.loads(figures[0].read_text()) if figures else None,
    )


def test_a_job_with_rules_and_shares_gets_what_it_asks_for(tmp_path: Path) -> None:
    manifest, table, figures = made(
        tmp_path,
        conditions={"fraud": {"shares": {"yes": 0.5}}},
        constraints=[{"less": ["ordered", "shipped"], "or_equal": True}, {"sum": ["net", "vat"], "equals": "gross"}],
    )
    assert manifest["items"]["accepted"] == 1, manifest
    assert table is not None
    assert figures is not None
    assert table["fraud"].to_pylist().count("yes") == 500
    assert all(a <= b for a, b in zip(table["ordered"].to_pylist(), table["shipped"].to_pylist(), strict=True))
    assert np.allclose(table["net"].to_numpy() + table["vat"].to_numpy(), table["gross"].to_numpy(), atol=1e-9)
    assert [entry["violations"] for entry in figures["constraints"]] == [0, 0]
    assert figures["constraints"][0]["source"] == pytest.approx(0.1, abs=0.03)
    assert figures["constraints"][1]["rule"] == "net + vat = gross"
    assert 0.3 < figures["acceptance"] <= 1


@pytest.mark.parametrize(
    ("job", "words"),
    [
        ({"constraints": [{"column": "age", "min": 1}]}, "'age', which is no column of the source"),
        ({"conditions": '{"fraud": '}, "the conditions are no JSON"),
        ({"conditions": {"order_id": 7}}, "'order_id' is a running key"),
        ({"gates": {"min": {"beauty": 0.9}}}, "min has no figure 'beauty'; there is shape, trend"),
        ({"gates": {"max": {"copy_rate": 2}}}, "copy_rate is 2, not a number from 0 to 1"),
        ({"target": "nett"}, "'nett' is no column of"),
        ({"target": "order_id"}, "'order_id' is a running key; name a category or a number"),
        ({"constraints": [{"sum": ["ordered", "net"], "equals": "gross"}]}, "only numbers add up"),
    ],
)
def test_rules_that_cannot_be_are_set_aside_before_any_work(tmp_path: Path, job: dict[str, Any], words: str) -> None:
    manifest, _, _ = made(tmp_path, **job)
    assert manifest["specs"]["quarantined"] == 1
    (rejected,) = pq.read_table(tmp_path / "out/r/rejected").to_pylist()
    assert words in rejected["reason"]


def test_counts_serve_a_job_with_rules_and_shares(tmp_path: Path) -> None:
    manifest, table, figures = made(
        tmp_path,
        family="bayes",
        conditions={"fraud": {"shares": {"yes": 0.5}}},
        constraints=[{"less": ["ordered", "shipped"], "or_equal": True}],
    )
    assert manifest["items"]["accepted"] == 1, manifest
    assert table is not None
    assert figures is not None
    assert table["fraud"].to_pylist().count("yes") == 500
    assert all(a <= b for a, b in zip(table["ordered"].to_pylist(), table["shipped"].to_pylist(), strict=True))
    assert figures["figures"]["shape"] > 0.9


def test_rules_that_leave_nothing_are_a_shortfall_with_the_rule_in_words(tmp_path: Path) -> None:
    manifest, table, _ = made(tmp_path, constraints=[{"column": "net", "min": 1_000_000}])
    assert table is None
    assert manifest["items"]["shortfall"] == 1
    reasons = [row["reason"] for row in pq.read_table(tmp_path / "out/r/rejected").to_pylist()]
    assert any("1000000 ≤ net" in reason for reason in reasons), reasons


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.arange(ROWS), "'goal' is a running key; name a category or a number"),
        (np.r_[np.arange(1_000), np.random.default_rng(1).integers(0, 99, ROWS - 1_000)], ""),
        (np.r_[np.arange(50.0), np.full(ROWS - 50, np.nan)], "'goal' has 50 values, and to try what predicts them"),
        (np.full(ROWS, 7.5), "'goal' is the same number in nearly all rows"),
        (np.r_[np.arange(10), np.full(ROWS - 10, 99)], "'goal' is the same number in nearly all rows"),
        (np.full(ROWS, "yes"), "'goal' has no two values that stand in at least 10 rows each"),
        (np.r_[np.full(9, "no"), np.full(ROWS - 9, "yes")], "'goal' has no two values that stand in at least 10 rows"),
        (np.r_[np.full(30, "no"), np.full(ROWS - 30, "yes")], ""),
        ([True] * 9 + [False] * (ROWS - 9), "'goal' has no two values that stand in at least 10 rows each"),
        ([None] * ROWS, "'goal' has 0 values"),
    ],
)
def test_a_target_is_judged_by_all_rows_and_refused_where_nothing_can_be_predicted(
    tmp_path: Path, values: Any, words: str
) -> None:
    table = orders().append_column("goal", pa.array(values, from_pandas=True))
    pq.write_table(table, tmp_path / "orders.parquet")
    job = {"job_id": "orders", "kind": "records", "source": str(tmp_path / "orders.parquet"), "target": "goal"}
    refusal = ""
    with open_desk(Settings(threads=1)) as desk:
        try:
            kind("records").prepare(RecordsJob.model_validate(job), desk)
        except Refused as refused:
            refusal = f"{refused.column}: {refused}"
    assert refusal.startswith(f"target: {words}") if words else not refusal


def test_gates_let_a_good_data_set_out_and_keep_a_poor_one_in(tmp_path: Path) -> None:
    (tmp_path / "good").mkdir()
    gates = {"min": {"shape": 0.8, "c2st": 0, "tstr": 0.3}, "max": {"copy_rate": 0.01}}
    manifest, _, figures = made(tmp_path / "good", gates=gates, target="gross")
    assert manifest["items"]["accepted"] == 1
    assert figures is not None
    assert [pair["target"] for pair in figures["figures"]["utility"]] == ["gross"]
    assert [check["verdict"] for check in figures["checks"] if check["rule"] == "records.gates"] == ["accept"]
    manifest, table, _ = made(tmp_path, gates={"min": {"shape": 1, "trend": 0.2}})
    assert table is None
    assert manifest["items"]["shortfall"] == 1
    rejected = pq.read_table(tmp_path / "out/r/rejected").to_pylist()
    reasons = [row["reason"] for row in rejected if row["rule"] == "records.gates"]
    assert all(reason.startswith("shape is 0.9") and reason.endswith("at least 1 is due") for reason in reasons)
    assert len(reasons) == Settings().max_attempts
