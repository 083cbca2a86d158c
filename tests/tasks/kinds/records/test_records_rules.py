"""Every rule passes what resembles the source and catches what was done to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tasks.kinds.base import Check
from tasks.kinds.records import rules
from tasks.kinds.records.job import RecordsJob
from tasks.kinds.records.kinship import Parent, kinship

ROWS = 2_000


def people(seed: int, first: int) -> pa.Table:
    """Two draws of the same source: rows are independent, ids and names are not shared."""
    rng = np.random.default_rng(seed)
    phone = [
        None if lost else float(n) for lost, n in zip(rng.random(ROWS) < 0.3, rng.integers(0, 90, ROWS), strict=True)
    ]
    age = np.concatenate([[18, 90], rng.integers(18, 91, ROWS - 2)])
    return pa.table(
        {
            "id": pa.array(range(first, first + ROWS)),
            "name": [f"{'AEIOU'[n % 5]}{'lmnr'[n % 4]}o {first}-{n}" for n in range(ROWS)],
            "age": pa.array(age),
            "day": pa.array(np.concatenate([[0, 9_000], rng.integers(0, 9_001, ROWS - 2)]).astype("int32")).cast(
                pa.date32()
            ),
            "city": pa.array(rng.choice(["Bonn", "Köln", "Trier"], ROWS)),
            "phone": pa.array(phone, pa.float64()),
        }
    )


REAL, MADE = people(1, 0), people(2, 50_000)


def judged(tmp_path: Path, made: pa.Table, real: pa.Table = REAL, **job: object) -> dict[str, Check]:
    for name, table in (("real", real), ("made", made)):
        pq.write_table(table, tmp_path / f"{name}.parquet")
    wanted = RecordsJob.model_validate({"job_id": "j", "kind": "records", "source": "real.parquet", **job})
    checks, _ = rules.judge(wanted, tmp_path / "real.parquet", tmp_path / "made.parquet")
    return {check.rule: check for check in checks}


def replaced(table: pa.Table, name: str, values: object) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, pa.array(values, table.schema.field(name).type))


def with_cell(table: pa.Table, name: str, value: object) -> pa.Table:
    return replaced(table, name, [value, *table[name].to_pylist()[1:]])


def test_a_fair_table_passes_every_rule(tmp_path: Path) -> None:
    checks = judged(tmp_path, MADE, primary_key="id", constraints='[{"column": "age", "max": 90}]')
    assert set(checks) == set(rules.RULES) - {"records.gates", "records.references", "records.children"}
    assert {check.verdict for check in checks.values()} == {"accept"}, checks


def test_references_name_records_of_the_parent_and_siblings_stay_in_order(tmp_path: Path) -> None:
    parent = Parent(column="who", job="people", key="id", order="year")
    own = pa.table({"who": ["a", "a", "b", "b"] * 50, "year": [1901, 1902, 1899, 1899] * 50})
    own = own.take(pc.sort_indices(own, [("who", "ascending"), ("year", "ascending")]))
    own = own.append_column("n", pa.array(np.arange(200) / 7))
    pq.write_table(pa.table({"id": ["a", "b", "c"]}), tmp_path / "parents.parquet")
    pq.write_table(own, tmp_path / "real.parquet")
    job = RecordsJob.model_validate({"job_id": "j", "kind": "records", "source": "s", "parent": parent.to_json()})
    assert job.parent_id == "people"
    years = own["year"].to_pylist()
    for made, lost, late in (
        (own, 0, 0),
        (with_cell(with_cell(own, "who", None), "who", "x"), 1, 0),
        (replaced(own, "year", [1902, *years[1:]]), 0, 1),
    ):
        pq.write_table(made, tmp_path / "made.parquet")
        above = tmp_path / "parents.parquet"
        told = kinship(tmp_path / "real.parquet", above, tmp_path / "made.parquet", above, parent)
        found, _ = rules.judge(job, tmp_path / "real.parquet", tmp_path / "made.parquet", told)
        checks = {c.rule: c for c in found}
        assert "records.rows" not in checks
        check = checks["records.references"]
        assert check.verdict == ("accept" if lost == late == 0 else "reject")
        if lost or late:
            assert f"{lost} rows refer to no record of people, {late} come before" in check.reason


def test_as_many_children_as_the_source_has(tmp_path: Path) -> None:
    parent = Parent(column="who", job="people", key="id")
    people = pa.table({"id": range(1_000)})
    pq.write_table(people, tmp_path / "parents.parquet")
    job = RecordsJob.model_validate({"job_id": "j", "kind": "records", "source": "s", "parent": parent.to_json()})
    rng = np.random.default_rng(0)

    def orders(mean: float) -> pa.Table:
        who = np.repeat(np.arange(1_000), rng.poisson(mean, 1_000))
        return pa.table({"who": who, "n": rng.integers(0, 9, len(who))})

    pq.write_table(orders(3), tmp_path / "real.parquet")
    for mean, verdict in ((3, "accept"), (4, "retry"), (0, "retry")):
        pq.write_table(orders(mean), tmp_path / "made.parquet")
        above = tmp_path / "parents.parquet"
        told = kinship(tmp_path / "real.parquet", above, tmp_path / "made.parquet", above, parent)
        found, _ = rules.judge(job, tmp_path / "real.parquet", tmp_path / "made.parquet", told)
        checks = {c.rule: c for c in found}
        assert checks["records.children"].verdict == verdict, told


CORRUPTIONS: list[tuple[str, Callable[[pa.Table], pa.Table]]] = [
    ("records.schema", lambda t: t.drop_columns(["city"])),
    ("records.schema", lambda t: t.select([*t.schema.names[1:], "id"])),
    ("records.schema", lambda t: t.set_column(2, "age", t["age"].cast(pa.float64()))),
    ("records.rows", lambda t: t.slice(1)),
    ("records.ranges", lambda t: with_cell(t, "age", 91)),
    ("records.ranges", lambda t: with_cell(t, "day", pc.add(t["day"][0].cast(pa.int32()), 20_000).as_py())),
    ("records.categories", lambda t: with_cell(t, "city", "Atlantis")),
    ("records.nulls", lambda t: replaced(t, "phone", [None] * ROWS)),
    ("records.nulls", lambda t: with_cell(t, "city", None)),
    ("records.key", lambda t: with_cell(t, "id", t["id"][5].as_py())),
    ("records.key", lambda t: with_cell(t, "id", None)),
    ("records.invented", lambda t: with_cell(t, "name", REAL["name"][7].as_py())),
    ("records.invented", lambda t: with_cell(t, "id", 3)),
    ("records.copies", lambda t: pa.concat_tables([t.slice(0, 1_900), REAL.slice(0, 100)])),
]


@pytest.mark.parametrize(
    ("rule", "corrupt"), CORRUPTIONS, ids=[f"{rule}-{n}" for n, (rule, _) in enumerate(CORRUPTIONS)]
)
def test_what_was_done_to_a_table_is_caught(tmp_path: Path, rule: str, corrupt: Callable[[pa.Table], pa.Table]) -> None:
    check = judged(tmp_path, corrupt(MADE), primary_key="id")[rule]
    assert check.verdict == rules.RULES[rule].on_fail
    assert check.reason


def test_a_broken_constraint_is_counted_and_said_in_words(tmp_path: Path) -> None:
    check = judged(tmp_path, MADE, constraints='[{"column": "age", "min": 18, "max": 60}]')["records.constraints"]
    beyond = int((MADE["age"].to_numpy() > 60).sum())
    assert check.verdict == "retry"
    assert check.reason == f"rules are broken: 18 ≤ age ≤ 60 in {beyond} rows"


def test_nulls_may_shift_where_the_job_says_so(tmp_path: Path) -> None:
    full = replaced(MADE, "phone", [0.0] * ROWS)
    assert judged(tmp_path, full)["records.nulls"].verdict == "retry"
    for job in ({"constraints": '[{"column": "phone", "not_null": true}]'}, {"conditions": '{"city": "Bonn"}'}):
        assert judged(tmp_path, full, **job)["records.nulls"].verdict == "accept"


def test_reasons_name_columns_and_no_values(tmp_path: Path) -> None:
    check = judged(tmp_path, with_cell(MADE, "name", REAL["name"][7].as_py()))["records.invented"]
    assert "name" in check.reason
    assert REAL["name"][7].as_py() not in check.reason


def test_rows_that_real_halves_share_too_are_no_copies(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    coarse = [pa.table({"a": rng.integers(0, 4, 800), "b": pa.array(rng.choice(["x", "y"], 800))}) for _ in range(2)]
    check = judged(tmp_path, coarse[1], coarse[0])["records.copies"]
    assert check.verdict == "accept"
    assert check.score == pytest.approx(1, abs=0.01)


def test_the_wanted_number_of_rows_counts(tmp_path: Path) -> None:
    assert judged(tmp_path, MADE.slice(0, 100), rows=100)["records.rows"].verdict == "accept"


def test_a_changed_rule_changes_the_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = rules.rules_digest()
    changed = tmp_path / "rules.yaml"
    changed.write_text(rules._FILE.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    monkeypatch.setattr(rules, "_FILE", changed)
    assert rules.rules_digest() != before
