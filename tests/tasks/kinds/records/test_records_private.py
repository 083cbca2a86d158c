"""Records jobs under differential privacy: what reaches a data set, what is refused, and one fit for many jobs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest
from support.batches import run_batch
from support.cli import pressrun

from models.table.conditions import Conditions
from models.table.constraints import parse_constraints
from models.table.private.fit import fit_private
from models.table.private.settings import parse_privacy
from tasks.desk import open_desk
from tasks.identity import sha256
from tasks.kinds import kind
from tasks.kinds.base import Refused
from tasks.kinds.records.job import RecordsJob
from tasks.settings import Settings
from tasks.specs import Quarantined, read

PUBLIC: dict[str, Any] = {
    "id": {"key": True},
    "age": {"min": 18, "max": 90},
    "city": {"values": ["Bonn", "Köln", "Trier"]},
    "rich": {"values": ["no", "yes"]},
}
JOB: dict[str, Any] = {
    "job_id": "people",
    "kind": "records",
    "source": "people.parquet",
    "rows": 500,
    "primary_key": "id",
    "privacy": {"epsilon": 3, "target": "rich", "public": PUBLIC},
}


def people(folder: Path, rows: int = 600) -> Path:
    rng = np.random.default_rng(0)
    age = rng.integers(18, 90, rows)
    table = {
        "id": np.arange(rows) + 9_000,
        "age": age,
        "city": rng.choice(["Bonn", "Köln"], rows),
        "rich": np.where(age > 50, "yes", "no"),
    }
    pq.write_table(pa.table(table), folder / "people.parquet")
    return folder / "people.parquet"


def specs(folder: Path, *rows: dict[str, Any]) -> str:
    (folder / "specs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(folder / "specs.jsonl")


def with_privacy(**more: Any) -> dict[str, Any]:
    return {**JOB, "privacy": {**JOB["privacy"], **more}}


def test_a_private_data_set_says_what_was_promised_and_nothing_of_its_source(tmp_path: Path) -> None:
    source = people(tmp_path)
    compared = {**with_privacy(compare=True), "job_id": "compared", "seed": 5, "rows": 100}
    half = {**JOB, "job_id": "half", "rows": 200, "conditions": {"rich": {"shares": {"yes": 0.5}}},
            "constraints": [{"column": "age", "max": 80}, {"column": "city", "not_null": True}]}  # fmt: skip
    spec = specs(tmp_path, JOB, compared, half)
    manifest, _ = run_batch([spec], str(tmp_path / "out"), Settings(threads=1), run_id="r")
    assert manifest["items"]["accepted"] == 3
    run = tmp_path / "out" / "r"
    assert len(list((run / "_models").iterdir())) == 1, "the budget is spent once, not by every job"

    (file,) = run.glob("records/people/0/*.parquet")
    table = pq.read_table(file)
    assert table.num_rows == 500
    assert table["id"].to_pylist() == list(range(1, 501))
    lineage = json.loads(table.schema.metadata[b"pressrun"])
    assert lineage["privacy"] == {"epsilon": 3.0, "delta": 1e-6, "relation": "add or remove one row"}
    digest = sha256(source.read_bytes())
    shown = file.read_bytes() + b"".join(f.read_bytes() for f in run.glob("_models/*/*"))
    assert digest.encode() not in shown

    told = json.loads(next(run.glob("quality/people-0-*.json")).read_text("utf-8"))
    assert told["figures"] is None
    assert told["privacy"]["epsilon_spent"] <= 3
    assert told["privacy"]["public"]["from_source"] == []
    assert {check["rule"] for check in told["checks"]} == {"records.schema", "records.rows", "records.key"}
    told = json.loads(next(run.glob("quality/compared-0-*.json")).read_text("utf-8"))
    assert 0 < told["figures"]["shape"] <= 1
    assert [pair["target"] for pair in told["figures"]["utility"]] == ["rich"]
    assert "not the figures" in told["privacy"]["covers"]
    made = pq.read_table(next(run.glob("records/half/0/*.parquet")))
    assert made["rich"].to_pylist().count("yes") == 100
    assert max(made["age"].to_pylist()) <= 80
    page = (run / "report" / "index.html").read_text("utf-8")
    assert page.count("ε = 3, δ = 1e-06, for one row more or less. Nothing is compared") == 2
    assert page.count("not covered by it") == 1

    # what was made is reused; another seed draws other rows from the same fit
    again, _ = run_batch([specs(tmp_path, JOB, {**JOB, "job_id": "more", "seed": 1})], str(tmp_path / "out"),
                         Settings(threads=1), run_id="s")  # fmt: skip
    assert again["items"]["reused"] == 1
    key = next((run / "_models").iterdir()).name
    other = tmp_path / "out" / "s" / "_models" / key
    assert [f.name for f in sorted(other.iterdir())] == [f.name for f in sorted((run / "_models" / key).iterdir())]


def test_what_is_declared_as_made_anew_is_not_compared(tmp_path: Path) -> None:
    table = pq.read_table(people(tmp_path))
    account = pa.array(10**6 + 7 * np.random.default_rng(1).permutation(table.num_rows))
    table = table.append_column("account", account)
    pq.write_table(table.append_column("desk", pa.array(["A", "B"] * 300)), tmp_path / "people.parquet")
    public = {**PUBLIC, "account": {"key": True}, "desk": {"template": "D{row}"}}
    spec = specs(tmp_path, with_privacy(public=public, compare=True))
    run_batch([spec], str(tmp_path / "out"), Settings(threads=1), run_id="r")
    figures = json.loads(next((tmp_path / "out" / "r").glob("quality/*.json")).read_text("utf-8"))["figures"]
    kinds = {column["name"]: column["kind"] for column in figures["columns"]}
    assert kinds == {"id": "key", "age": "number", "city": "category", "rich": "category", "account": "key",
                     "desk": "text"}  # fmt: skip
    assert {one["name"] for one in figures["betrayal"]} == {"age", "city", "rich"}


def test_other_figures_are_made_again_but_no_other_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    people(tmp_path)

    def planned(**more: Any) -> Any:
        job = {
            **JOB,
            "source": str(tmp_path / "people.parquet"),
            "privacy": json.dumps(with_privacy(**more)["privacy"]),
        }
        with open_desk(Settings(threads=1)) as desk:
            return kind("records").prepare(RecordsJob.model_validate(job), desk)

    alone, compared = planned(), planned(compare=True)
    monkeypatch.setattr("tasks.kinds.records.quality.VERSION", 0)
    assert planned().inputs == alone.inputs
    assert planned(compare=True).inputs != compared.inputs
    assert planned(compare=True).fit == compared.fit == alone.fit


def test_the_seed_of_a_sample_does_not_come_from_the_source(tmp_path: Path) -> None:
    seeds = []
    for rows in (600, 601):
        folder = tmp_path / str(rows)
        folder.mkdir()
        people(folder, rows)
        run_batch([specs(folder, JOB)], str(folder / "out"), Settings(threads=1), run_id="r")
        (file,) = folder.glob("out/r/records/people/0/*.parquet")
        seeds.append(json.loads(pq.read_schema(file).metadata[b"pressrun"])["seed"])
    assert seeds[0] == seeds[1]


@pytest.mark.parametrize(
    ("job", "column", "reason"),
    [
        ({**JOB, "rows": None}, "rows", "does not give away how many"),
        ({**JOB, "family": "transformer"}, "family", "write auto"),
        ({**JOB, "gates": {"min": {"shape": 0.9}}}, "gates", "may decide nothing"),
        ({**JOB, "parent": "id->other.id"}, "parent", "one record may have many children"),
        ({**JOB, "preset": "fast"}, "preset", "one way to fit"),
        ({**JOB, "target": "rich"}, "target", "stands in privacy itself"),
        (with_privacy(epsilon=-1), "privacy", "epsilon is -1"),
        ({**JOB, "source": None, "schema": {"columns": []}}, "privacy", "goes with a source"),
    ],
)
def test_specs_that_privacy_does_not_go_with_are_set_aside(
    tmp_path: Path, job: dict[str, Any], column: str, reason: str
) -> None:
    people(tmp_path)
    (found,) = read([specs(tmp_path, {k: v for k, v in job.items() if v is not None})], scratch=tmp_path)
    assert isinstance(found, Quarantined)
    if "schema" not in job:
        assert found.column == column
        assert reason in found.reason + found.suggestion


@pytest.mark.parametrize(
    ("job", "column", "reason"),
    [
        (with_privacy(public={**PUBLIC, "age": {"values": ["x"]}}), "privacy", "for texts"),
        (with_privacy(public={k: v for k, v in PUBLIC.items() if k != "city"}), "privacy", "public of 'city'"),
        (with_privacy(target="wealth"), "privacy", "'wealth', which is no column"),
        (with_privacy(public={**PUBLIC, "id": {"min": 0, "max": 9}}), "privacy", "primary key 'id'"),
        ({**JOB, "conditions": {"age": {"min": 30}}}, "conditions", "with the target alone, not with 'age'"),
        ({**JOB, "constraints": [{"together": ["city", "rich"]}]}, "constraints", "under privacy there is no rule"),
        ({**JOB, "source": "people.csv"}, "source", "convert it to Parquet"),
        ({**JOB, "source": "names.parquet", "privacy": {"epsilon": 1, "public": "source"}}, "privacy", "free text"),
    ],
)
def test_jobs_that_cannot_be_private_are_refused_before_any_work(
    tmp_path: Path, job: dict[str, Any], column: str, reason: str
) -> None:
    table = pq.read_table(people(tmp_path))
    csv.write_csv(table, tmp_path / "people.csv")
    names = pa.array([f"{'AEIOU'[n % 5]}va {n}" for n in range(table.num_rows)])
    pq.write_table(table.append_column("name", names), tmp_path / "names.parquet")
    wanted = {**job, "source": str(tmp_path / job["source"])}
    for name in ("privacy", "conditions", "constraints"):
        if name in wanted:
            wanted[name] = json.dumps(wanted[name])
    with open_desk(Settings(threads=1)) as desk, pytest.raises(Refused, match=reason) as refused:
        kind("records").prepare(RecordsJob.model_validate(wanted), desk)
    assert refused.value.column == column


def test_a_private_job_cannot_be_a_parent(tmp_path: Path) -> None:
    people(tmp_path)
    child = {"job_id": "child", "kind": "records", "source": "people.parquet", "parent": "id->people.id"}
    manifest, _ = run_batch([specs(tmp_path, JOB, child)], str(tmp_path / "out"), Settings(threads=1), run_id="r")
    assert manifest["specs"]["quarantined"] == 1


def test_fitting_ahead_is_the_fit_of_later_jobs(tmp_path: Path) -> None:
    source = people(tmp_path)
    (tmp_path / "privacy.json").write_text(json.dumps(JOB["privacy"]), encoding="utf-8")
    done = pressrun("fit", source, "--to", tmp_path / "out", "--privacy", tmp_path / "privacy.json")
    assert done.exit_code == 0, done.output
    assert "ε = 3, δ = 1e-06, add or remove one row" in done.stdout
    job = {name: value for name, value in JOB.items() if name != "primary_key"}
    run_batch([specs(tmp_path, job)], str(tmp_path / "out"), Settings(threads=1), run_id="r")
    models = {path.name for path in tmp_path.glob("out/*/_models/*/*")}
    assert len(models) == 2, "the run's model is not the one fitted before"


@pytest.mark.parametrize(
    ("privacy", "options", "said"),
    [
        ('{"epsilon": 0, "public": "source"}', [], "epsilon is 0"),
        ("missing.json", [], "missing.json is no JSON object, and as a file it cannot be read"),
        ('{"epsilon": 1, "public": "source"}', ["--fast"], "preset: is fast"),
    ],
)
def test_a_fit_that_cannot_be_private_says_why(tmp_path: Path, privacy: str, options: list[str], said: str) -> None:
    table = people(tmp_path)
    ended = pressrun("fit", str(table), "--to", str(tmp_path / "out"), "--privacy", privacy, *options)
    assert ended.exit_code == 2
    assert said in ended.output


def test_made_up_texts_count_rows_under_rules_too(tmp_path: Path) -> None:
    table = pa.table({"id": [f"x{n}" for n in range(300)], "age": np.arange(300) % 60 + 18})
    public = {"id": {"template": "P{row}"}, "age": {"min": 18, "max": 90}}
    model = fit_private(table, parse_privacy(json.dumps({"epsilon": 5, "public": public})), noise_seed=1)
    rules = model.constrained(parse_constraints('[{"column": "age", "min": 30}]'), Conditions())
    made = pa.Table.from_batches(model.sample(9_000, 3, rules))
    assert made["id"].to_pylist() == [f"P{n}" for n in range(1, 9_001)]
