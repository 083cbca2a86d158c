"""Records jobs without a source: from the schema in the spec to an accepted data set, its figures and the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from support.batches import run_batch

from models.table.declared.columns import parse_schema
from models.table.declared.drawing import Drawing
from tasks.desk import open_desk
from tasks.kinds import kind
from tasks.kinds.base import Refused
from tasks.kinds.records.declared import quality, rules
from tasks.kinds.records.job import RecordsJob
from tasks.settings import Settings
from tasks.specs import Quarantined, read

SCHEMA: dict[str, Any] = {
    "columns": [
        {"name": "id", "type": "integer", "distribution": {"kind": "sequence"}},
        {"name": "age", "type": "integer", "distribution": {"kind": "normal", "mean": 44, "sd": 16, "min": 0}},
        {"name": "stay", "type": "integer", "nulls": 0.1, "distribution": {"kind": "exponential", "mean": 6, "min": 1}},
        {"name": "sex", "type": "category", "values": {"f": 0.5, "m": 0.5}},
        {
            "name": "height",
            "type": "number",
            "distribution": {"kind": "normal", "mean": 165, "sd": 7},
            "given": {"column": "sex", "values": {"m": {"mean": 178}}},
        },
        {"name": "admitted", "type": "date",
         "distribution": {"kind": "uniform", "min": "2024-01-01", "max": "2024-12-31"}},
        {"name": "left", "type": "date", "formula": "admitted + stay"},
        {"name": "mail", "type": "text", "template": "{first_name|slug}.{id}@example.org"},
    ],
    "correlations": [{"columns": ["age", "stay"], "value": 0.4}],
}  # fmt: skip
JOB: dict[str, Any] = {"job_id": "stays", "kind": "records", "schema": SCHEMA, "rows": 3_000}


def specs(folder: Path, *rows: dict[str, Any]) -> str:
    path = folder / "specs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_schemas_become_data_sets_and_figures(tmp_path: Path) -> None:
    (tmp_path / "stays.json").write_text(json.dumps(SCHEMA), encoding="utf-8")
    ruled = {
        **JOB,
        "job_id": "ruled",
        "schema": "stays.json",
        "rows": 500,
        "constraints": [{"column": "age", "min": 18}],
    }
    good = {**JOB, "primary_key": "id", "gates": {"min": {"shape": 0.95, "trend": 0.95}}}
    strict = {**JOB, "job_id": "strict", "rows": 200, "gates": {"min": {"shape": 0.9999}}}
    manifest, _ = run_batch(
        [specs(tmp_path, good, ruled, strict)], str(tmp_path / "out"), Settings(threads=1, max_attempts=2), run_id="r"
    )
    assert manifest["items"]["accepted"] == 2
    assert manifest["items"]["shortfall"] == 1
    run = tmp_path / "out" / "r"

    (file,) = run.glob("records/stays/0/*.parquet")
    table = pq.read_table(file)
    assert table.schema.remove_metadata().equals(parse_schema(json.dumps(SCHEMA)).schema)
    assert table.num_rows == 3_000
    assert table["id"].to_pylist() == list(range(1, 3_001))
    lineage = json.loads(table.schema.metadata[b"pressrun"])
    assert lineage["digital_source_type"] == "algorithmicMedia"
    assert "source_sha256" not in lineage

    told = json.loads(next(run.glob("quality/stays-0-*.json")).read_text())
    assert told["declared"] is True
    assert told["figures"]["shape"] > 0.97
    assert told["figures"]["correlations"][0]["found"] == pytest.approx(0.4, abs=0.06)
    assert {check["rule"] for check in told["checks"]} == set(rules.RULES) - {"declared.constraints"}

    kept = json.loads(next(run.glob("quality/ruled-0-*.json")).read_text())
    assert kept["constraints"] == [{"rule": "18 ≤ age", "violations": 0.0}]
    assert 0.9 < kept["acceptance"] < 1
    assert pc.min(pq.read_table(next(run.glob("records/ruled/0/*.parquet")))["age"]).as_py() == 18

    refused = pa.concat_tables([pq.read_table(path) for path in run.glob("rejected/*.parquet")]).to_pylist()
    assert {row["rule"] for row in refused} == {"declared.gates"}
    page = (run / "report" / "index.html").read_text(encoding="utf-8")
    assert "Made from a schema, without a source" in page
    assert "age and stay" in page


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        ({"schema": None, "rows": 5}, "source", "is empty"),
        ({"source": "s3://bucket/x.parquet"}, "schema", "stands beside a source"),
        ({"rows": None}, "rows", "does not say how many"),
        ({"family": "diffusion"}, "family", "from a schema nothing is learned"),
        ({"preset": "fast"}, "preset", "from a schema nothing is learned"),
        ({"conditions": {"sex": "f"}}, "conditions", "go with a source"),
        ({"parent": "id->other.id"}, "parent", "a schema has none yet"),
        ({"target": "sex"}, "target", "goes with a source"),
        ({"schema": "none.json"}, "schema", "there is no file “none.json”"),
        ({"schema": {"columns": [{"name": "x", "type": "int"}]}}, "schema", "did you mean 'integer'?"),
    ],
)
def test_jobs_that_cannot_be_are_set_aside(tmp_path: Path, row: dict[str, Any], column: str, words: str) -> None:
    job = {name: value for name, value in {**JOB, **row}.items() if value is not None}
    (aside,) = read([specs(tmp_path, job)], scratch=tmp_path)
    assert isinstance(aside, Quarantined), aside
    assert aside.column == column
    assert words in f"{aside.reason}. {aside.suggestion}"


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        ({"primary_key": "idd"}, "primary_key", "'idd' is no column of the schema"),
        ({"primary_key": "stay"}, "primary_key", "'stay' may be null"),
        ({"primary_key": "sex"}, "constraints", "sex cannot be unique"),
        ({"gates": '{"max": {"copy_rate": 0.1}}'}, "gates", "there is shape, nulls, trend"),
        ({"gates": '{"min": {"c2st": 0.1}}'}, "gates", "c2st cannot be a gate here"),
        ({"constraints": '[{"column": "age", "min": 1000}]'}, "constraints", "0.00% keep “1000 ≤ age”"),
        ({"schema": '{"columns": [{"name": "x", "type": "number", "formula": "1 / 0"}]}'}, "schema", "a division by 0"),
    ],
)
def test_what_cannot_be_made_is_refused_while_planning(row: dict[str, Any], column: str, words: str) -> None:
    job = RecordsJob.model_validate({**JOB, "schema": json.dumps(SCHEMA), **row})
    with open_desk(Settings()) as desk, pytest.raises(Refused) as refusal:
        kind("records").prepare(job, desk)
    assert refusal.value.column == column
    assert words in str(refusal.value)


def test_a_plan_keeps_the_job_as_it_was() -> None:
    job = RecordsJob.model_validate({**JOB, "schema": json.dumps(SCHEMA)})
    assert RecordsJob.model_validate(job.model_dump(mode="json", exclude_defaults=True)) == job


def test_the_schema_its_rows_and_its_seed_are_its_identity() -> None:
    def inputs(**row: Any) -> dict[str, Any]:
        job = RecordsJob.model_validate({**JOB, "schema": json.dumps(SCHEMA), **row})
        with open_desk(Settings()) as desk:
            return kind("records").prepare(job, desk).inputs

    spaced = json.dumps(SCHEMA, indent=2)
    other = json.dumps({**SCHEMA, "correlations": []})
    assert inputs() == inputs(schema=spaced)
    assert (
        len({json.dumps(inputs(**row), sort_keys=True) for row in ({}, {"rows": 9}, {"seed": 1}, {"schema": other})})
        == 4
    )


def made() -> tuple[Any, pa.Table]:
    declared = parse_schema(json.dumps(SCHEMA))
    return declared, pa.Table.from_batches(Drawing(declared).batches(3_000, 5)).combine_chunks()


def replaced(table: pa.Table, name: str, values: Any) -> pa.Table:
    field = table.schema.field(name)
    return table.set_column(table.schema.names.index(name), field, pa.chunked_array([pa.array(values, field.type)]))


def test_what_was_done_to_a_table_is_caught() -> None:
    job = RecordsJob.model_validate({**JOB, "schema": json.dumps(SCHEMA), "primary_key": "id"})
    declared, table = made()

    def failing(changed: pa.Table) -> set[str]:
        return {check.rule for check in rules.judge(job, declared, changed) if check.verdict != "accept"}

    ages = table["age"].to_pylist()
    assert failing(table) == set()
    assert failing(table.drop_columns(["age"])) == {"declared.schema"}
    assert failing(table.slice(0, 2_999)) == {"declared.rows"}
    assert failing(replaced(table, "sex", ["x", *table["sex"].to_pylist()[1:]])) == {"declared.values"}
    assert failing(replaced(table, "id", [2, *table["id"].to_pylist()[1:]])) == {"declared.key"}
    assert "declared.nulls" in failing(
        replaced(table, "stay", [3 if s is None else s for s in table["stay"].to_pylist()])
    )
    assert "declared.distributions" in failing(replaced(table, "age", [age + 8 for age in ages]))
    assert failing(replaced(table, "age", ages[1:] + ages[:1])) == {"declared.correlations"}
    # both heights are still there, but no longer by sex
    swapped = replaced(table, "sex", ["m" if sex == "f" else "f" for sex in table["sex"].to_pylist()])
    assert failing(swapped) == {"declared.distributions"}


def test_figures_tell_how_near_each_column_comes() -> None:
    declared, table = made()
    told = quality.figures(declared, table)
    shapes = {column["name"]: column["shape"] for column in told["columns"]}
    assert all(shapes[name] > 0.96 for name in ("age", "stay", "sex", "height", "admitted"))
    assert shapes["id"] is shapes["left"] is shapes["mail"] is None
    shifted = quality.figures(declared, replaced(table, "age", [age + 16 for age in table["age"].to_pylist()]))
    assert next(c["shape"] for c in shifted["columns"] if c["name"] == "age") == pytest.approx(0.62, abs=0.04)


def test_single_values_are_compared_too() -> None:
    columns = [
        {"name": "calls", "type": "integer", "distribution": {"kind": "poisson", "mean": 2}},
        {
            "name": "rate",
            "type": "decimal",
            "distribution": {"kind": "choice", "values": [0.25, 0.06], "weights": [4, 1]},
        },
        {"name": "ok", "type": "boolean", "values": {"true": 0.3, "false": 0.7}},
    ]
    declared = parse_schema(json.dumps({"columns": columns}))
    table = pa.Table.from_batches(Drawing(declared).batches(5_000, 2)).combine_chunks()
    told = {column["name"]: column for column in quality.figures(declared, table)["columns"]}
    assert all(column["shape"] > 0.97 for column in told.values())
    assert told["ok"]["labels"] == ["false", "true"]
    assert told["ok"]["source"] == [3_500, 1_500]
    flipped = replaced(table, "ok", [not ok for ok in table["ok"].to_pylist()])
    shapes = {column["name"]: column["shape"] for column in quality.figures(declared, flipped)["columns"]}
    assert shapes["ok"] == pytest.approx(0.6, abs=0.03)


def test_a_large_table_has_a_shard_of_its_own() -> None:
    def group(rows: int, job_id: str) -> tuple[str, ...]:
        row = {**JOB, "schema": json.dumps(SCHEMA), "rows": rows, "job_id": job_id}
        with open_desk(Settings()) as desk:
            return kind("records").prepare(RecordsJob.model_validate(row), desk).group

    assert group(10, "a") == group(20, "b")
    assert group(1_000_000, "a") != group(10, "a")
