"""Rows held out of a source show whether a data set gives away which rows it was learned from."""

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
from tasks.kinds.records import quality, rules
from tasks.kinds.records.job import RecordsJob
from tasks.kinds.records.privacy import held_out
from tasks.kinds.records.privacy.held_out import leakage
from tasks.settings import Settings
from tasks.specs import Quarantined, read

ROWS = 1_500
GATES = {"max": {"membership": 0.6, "inference": 0.1, "nearness": 0.6}}


def people(seed: int, rows: int = ROWS) -> pa.Table:
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 90, rows)
    return pa.table(
        {
            "age": age,
            "city": rng.choice(["Bergen", "Lyon", "Oslo", "Porto"], rows, p=[0.4, 0.3, 0.2, 0.1]),
            "income": np.round(age * 300 + rng.gamma(2, 9_000, rows), 2),
            "job": np.where(rng.random(rows) < age / 110, "manager", rng.choice(["clerk", "cook"], rows)),
            "weight": np.round(rng.normal(70, 12, rows), 1),
        }
    )


def retold(table: pa.Table) -> pa.Table:
    """Rows of the table drawn with replacement, each told with another cent and ounce: no row is equal to any."""
    rng = np.random.default_rng(4)
    drawn = table.take(pa.array(rng.integers(table.num_rows, size=table.num_rows)))
    for name, step in (("income", 0.07), ("weight", 0.1)):
        moved = np.round(drawn[name].to_numpy() + step * rng.choice([-1, 1], drawn.num_rows), 2)
        drawn = drawn.set_column(drawn.schema.get_field_index(name), name, pa.array(moved))
    return drawn


def filed(folder: Path, **tables: pa.Table) -> dict[str, Path]:
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet")
    return {name: folder / f"{name}.parquet" for name in tables}


def job_of(paths: dict[str, Path], **more: Any) -> RecordsJob:
    asked = {"source": str(paths["real"]), "holdout": str(paths["apart"]), "gates": json.dumps(GATES), **more}
    return RecordsJob.model_validate({"job_id": "people", "kind": "records", **asked})


def test_a_retold_source_passes_as_no_copy_but_not_the_gates_of_the_attacks(tmp_path: Path) -> None:
    paths = filed(tmp_path, real=people(1), apart=people(2), made=retold(people(1)))
    job = job_of(paths)
    figures = quality.figures(paths["real"], paths["made"], seed=3)
    assert figures["copy_rate"] == 0
    found = leakage(paths["real"], paths["apart"], paths["made"], seed=3)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found == leakage(paths["real"], paths["apart"], paths["made"], seed=3)
    assert found["membership"] > 0.7
    assert found["nearness"] > 0.9
    assert found["inference"] > 0.3
    assert {"table.membership.auc", "table.inference.risk", "table.nearness.share"} <= set(found["attacks"]["leaks"])
    (check,) = rules.judge_figures(job, figures | found)
    assert check.verdict == "retry"
    for name in GATES["max"]:
        assert f"{name} is {found[name]:.4g}, at most" in check.reason


def test_further_rows_of_the_same_table_pass(tmp_path: Path) -> None:
    paths = filed(tmp_path, real=people(1), apart=people(2), made=people(3))
    found = leakage(paths["real"], paths["apart"], paths["made"], seed=3)
    assert found["attacks"]["leaks"] == {}
    assert found["membership"] == pytest.approx(0.5, abs=0.04)
    assert found["nearness"] == pytest.approx(0.5, abs=0.06)
    assert 0 <= found["inference"] < 0.04
    assert [check.verdict for check in rules.judge_figures(job_of(paths), found)] == ["accept"]


def test_references_are_left_out_and_types_are_the_sources(tmp_path: Path) -> None:
    owner = pa.array(np.arange(ROWS) % 70)
    real, apart, made = (people(seed).append_column("owner", owner) for seed in (1, 2, 3))
    apart = apart.set_column(0, "age", apart["age"].cast(pa.float64()))
    paths = filed(tmp_path, real=real, apart=apart, made=made)
    found = leakage(paths["real"], paths["apart"], paths["made"], 3, without=["owner"])
    assert "owner" not in {guess["secret"] for guess in found["attacks"]["table"]["inference"]["secrets"]}
    assert found["attacks"]["leaks"] == {}


def refusal(job: RecordsJob) -> str:
    """The column and the reason why a job is refused, empty where it is not."""
    with open_desk(Settings(threads=1)) as desk:
        try:
            kind("records").prepare(job, desk)
        except Refused as refused:
            return f"{refused.column}: {refused}"
    return ""


def test_rows_of_the_source_may_stand_among_those_held_out_as_often_as_they_repeat(tmp_path: Path) -> None:
    few = [people(seed, 20 * ROWS).select(["age", "city", "job"]) for seed in (1, 2)]
    assert not refusal(job_of(filed(tmp_path, real=few[0], apart=few[1])))
    half = [with_account(people(seed, 2 * ROWS).select(["age", "city", "job", "weight"]), seed) for seed in (1, 2)]
    paths = filed(tmp_path, real=half[0], apart=half[1])
    assert not refusal(job_of(paths, primary_key="account"))
    # the same rows under other numbers
    whole = with_account(pa.concat_tables([half[0], half[1]]).drop_columns(["account"]), 5)
    paths = filed(tmp_path, real=half[0], apart=whole)
    assert "of its rows occur in a half of the source" in refusal(job_of(paths, primary_key="account"))


def test_what_planning_read_of_the_rows_held_out_is_what_judging_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_out, "MOST_ROWS", 200)
    paths = filed(tmp_path, real=people(1), apart=people(2).append_column("row", pa.array(range(ROWS))), made=people(3))
    read = held_out.held_out(paths["apart"], pq.read_schema(paths["apart"]))["row"].to_numpy()
    age = people(2)["age"].to_numpy() + 0.5  # which is no whole number
    age[read] -= 0.5
    filed(tmp_path, apart=people(2).set_column(0, "age", pa.array(age)))
    assert not refusal(job_of(paths))
    for seed in range(3):
        assert leakage(paths["real"], paths["apart"], paths["made"], seed)["attacks"]["others"] == 200


def test_jobs_whose_tables_cannot_be_attacked_are_refused_before_any_work(tmp_path: Path) -> None:
    def named(first: int, rows: int = 200) -> pa.Table:
        texts = [f"{'AEIOU'[n % 5]}va {first + n}" for n in range(rows)]
        return pa.table({"count": np.arange(rows), "name": texts, "void": pa.nulls(rows, pa.int64())})

    paths = filed(tmp_path, real=people(1), apart=people(2))
    assert "rows: 1 row cannot be attacked" in refusal(job_of(paths, rows=1))
    assert not refusal(job_of(paths, rows=2))
    for tables, words in (
        ({"real": people(1, 1)}, "the source has a single row"),
        ({"real": named(0), "apart": named(900)}, "no column of the source can be compared"),
    ):
        assert f"holdout: {words}" in refusal(job_of(filed(tmp_path, **({"apart": people(2)} | tables))))


def test_children_may_be_too_few_to_be_attacked(tmp_path: Path) -> None:
    paths = filed(tmp_path, real=people(1), apart=people(2), made=people(3, 1))
    found = leakage(paths["real"], paths["apart"], paths["made"], seed=3)
    assert found == {"membership": None, "inference": None, "nearness": None}
    (check,) = rules.judge_figures(job_of(paths), found)
    assert "membership cannot be measured" in check.reason


def with_account(table: pa.Table, first: int) -> pa.Table:
    """The table with a key that no name tells of and that does not count the rows."""
    numbers = first + 7 * np.random.default_rng(first).permutation(table.num_rows)
    return table.append_column("account", pa.array(numbers))


def test_a_key_that_only_its_job_tells_of_does_not_hide_what_leaks(tmp_path: Path) -> None:
    real, apart = with_account(people(1), 10**6), with_account(people(2), 2 * 10**6)
    for made, copied in ((people(1), True), (people(3), False)):
        paths = filed(tmp_path, real=real, apart=apart, made=with_account(made, 3 * 10**6))
        _, roles = rules.judge(job_of(paths, primary_key="account"), paths["real"], paths["made"])
        figures = quality.figures(paths["real"], paths["made"], seed=3, roles=roles)
        found = leakage(paths["real"], paths["apart"], paths["made"], seed=3, roles=roles)
        assert figures["c2st"] > 0.9
        assert figures["copy_rate"] == (0.5 if copied else 0)
        assert (found["membership"] > 0.95) is copied
        assert found["membership"] > 0.45


def test_a_key_that_only_all_rows_show_is_none_in_a_sample_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = [people(seed).append_column("entry", pa.array(first + np.arange(ROWS)))
               for seed, first in ((1, 0), (2, ROWS), (1, 3 * ROWS))]  # fmt: skip
    paths = filed(tmp_path, real=running[0], apart=running[1], made=running[2])
    monkeypatch.setattr(quality, "MOST_ROWS", ROWS - 100)
    monkeypatch.setattr(held_out, "MOST_ROWS", ROWS - 100)
    _, roles = rules.judge(job_of(paths), paths["real"], paths["made"])
    assert roles["entry"] == "key"
    assert quality.figures(paths["real"], paths["made"], seed=3, roles=roles)["c2st"] > 0.9
    assert leakage(paths["real"], paths["apart"], paths["made"], seed=3, roles=roles)["membership"] > 0.9


def test_a_job_with_rows_held_out_is_attacked_and_the_report_says_what_was_found(tmp_path: Path) -> None:
    filed(tmp_path, real=with_account(people(1), 10**6), apart=with_account(people(2), 2 * 10**6))
    row = {"job_id": "people", "kind": "records", "source": "real.parquet", "holdout": "apart.parquet"}
    row["primary_key"] = "account"
    specs = tmp_path / "specs.jsonl"
    specs.write_text(json.dumps({**row, "family": "independent", "gates": GATES}) + "\n")
    manifest, _ = run_batch([str(specs)], str(tmp_path / "out"), Settings(threads=1), run_id="r")
    assert manifest["items"]["accepted"] == 1, manifest
    run = tmp_path / "out" / "r"
    figures = json.loads(next(run.glob("quality/*.json")).read_text("utf-8"))["figures"]
    assert figures["attacks"]["leaks"] == {}
    assert figures["attacks"]["others"] == ROWS
    assert figures["ceiling"]["membership"] == 0.5
    assert {"account", "age"} & {one["name"] for one in figures["betrayal"]} == {"age"}
    secrets = {guess["secret"] for guess in figures["attacks"]["table"]["inference"]["secrets"]}
    assert {"account", "age"} & secrets == {"age"}
    assert figures["membership"] == pytest.approx(0.5, abs=0.05)
    page = (run / "report" / "index.html").read_text("utf-8")
    assert "did no better than chance" in page
    assert "Membership" in page
    # other rows held out are another question, and so another key
    again, _ = run_batch([str(specs)], str(tmp_path / "out"), Settings(threads=1), run_id="s")
    assert again["items"]["reused"] == 1
    filed(tmp_path, apart=with_account(people(5), 2 * 10**6))
    again, _ = run_batch([str(specs)], str(tmp_path / "out"), Settings(threads=1), run_id="t")
    assert again["items"]["reused"] == 0


@pytest.mark.parametrize(
    ("apart", "reason"),
    [
        (people(1), "it is the source itself"),
        (people(2).drop_columns(["city"]), r"not the source's: missing \['city'\]"),
        (people(2).select(["city", "age", "income", "job", "weight"]), "another order"),
        (people(2, 99), "it has 99 rows, and at least 100 are needed"),
        (people(2).set_column(0, "age", people(2)["city"]), "its column 'age' is string, the source's is int64"),
        (pa.concat_tables([people(1), people(2)]), r"25.00% .* other half shares 0.00%; name rows that are not"),
        (pa.concat_tables([people(1).slice(0, ROWS // 10), people(2)]), "where the source's other half shares 0.00%"),
    ],
)
def test_rows_that_tell_nothing_are_refused_before_any_work(tmp_path: Path, apart: pa.Table, reason: str) -> None:
    paths = filed(tmp_path, real=people(1), apart=apart)
    with open_desk(Settings(threads=1)) as desk, pytest.raises(Refused, match=reason) as refused:
        kind("records").prepare(job_of(paths), desk)
    assert refused.value.column == "holdout"


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        ({"gates": {"max": {"membership": 0.6}}}, "gates", "name such rows in holdout"),
        ({"holdout": "none.parquet"}, "holdout", "none.parquet"),
        ({"holdout": "real.parquet", "rows": 9, "privacy": {"epsilon": 1, "public": "source"}}, "holdout", "no budget"),
        ({"source": None, "rows": 9, "holdout": "real.parquet", "schema": {"columns": [
            {"name": "n", "type": "integer", "distribution": {"kind": "sequence"}}]}}, "holdout", "goes with a source"),
    ],
)  # fmt: skip
def test_specs_that_ask_for_what_cannot_be_measured_are_set_aside(
    tmp_path: Path, row: dict[str, Any], column: str, words: str
) -> None:
    filed(tmp_path, real=people(1))
    whole = {"job_id": "people", "kind": "records", "source": "real.parquet", **row}
    specs = tmp_path / "specs.jsonl"
    specs.write_text(json.dumps({name: value for name, value in whole.items() if value is not None}) + "\n")
    (aside,) = read([str(specs)], scratch=tmp_path)
    assert isinstance(aside, Quarantined), aside
    assert aside.column == column
    assert words in f"{aside.reason}. {aside.suggestion}"
