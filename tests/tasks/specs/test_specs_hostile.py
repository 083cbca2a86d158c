"""Whatever a spec file holds, reading it gives jobs, quarantined rows that are safe to print, or a `SpecError`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.kinds.base import Job
from tasks.specs import Quarantined, SpecError, check, kinds, read
from tasks.specs.columns import families

CALM = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(st.characters(codec="utf-8"), max_size=30)
    | st.sampled_from(["copy", "sms", "[1]", '{"a": [1]}', "{", "../x", "x" * 20_000, "1e999", "nan", "\x00"])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
rows = st.dictionaries(st.sampled_from([*families(), "meta_x"]), values, max_size=8).flatmap(
    lambda row: st.fixed_dictionaries(
        {
            "job_id": st.sampled_from(["a", "b-1", "..", "ä"]) | values,
            "kind": st.sampled_from([*kinds(), *kinds(), "x"]) | values,
        }
    ).map(lambda identity: {**row, **identity})
)


def outcomes(path: Path) -> list[Any]:
    """What reading gives, checked for its promises; [] when the file is refused."""
    found: list[Any] = []
    refusal = ""
    try:
        found = list(read([str(path)], scratch=path.parent))
    except SpecError as error:
        refusal = str(error)
    assert refusal.isprintable()
    assert not refusal or refusal.startswith(str(path))
    for outcome in found:
        assert isinstance(outcome, Job | Quarantined)
        if isinstance(outcome, Quarantined):
            assert outcome.reason
            assert str(outcome).isprintable()
            assert len(str(outcome)) < 2_000
    problems = list(check([str(path)], path.parent))
    assert all(str(problem).isprintable() for problem in problems)
    refused = {problem.row for problem in problems if problem.row and "rows; it must be unique" not in problem.reason}
    assert refused >= {outcome.row for outcome in found if isinstance(outcome, Quarantined)}
    return found


@CALM
@given(st.lists(rows, min_size=1, max_size=5))
def test_any_json_values(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text("".join(json.dumps(row, allow_nan=False, default=str) + "\n" for row in finite(rows)), "utf-8")
    outcomes(path)


@CALM
@given(st.lists(rows, min_size=1, max_size=5))
def test_any_texts_in_csv(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    path = tmp_path / "s.csv"
    names = ["job_id", "kind", "channel", "variants", "features", "facts", "width", "meta_x"]
    lines = [",".join('"' + str(row.get(n, "")).replace('"', '""') + '"' for n in names) for row in rows]
    path.write_text("\n".join([",".join(names), *lines]), "utf-8")
    outcomes(path)


@CALM
@given(st.lists(rows, min_size=1, max_size=4))
def test_any_arrow_types(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {}
    for name in names:
        try:
            columns[name] = pa.array([row.get(name) for row in rows])
        except (pa.ArrowException, OverflowError, UnicodeEncodeError):
            columns[name] = pa.array([str(row.get(name)) for row in rows])
    path = tmp_path / "s.parquet"
    try:
        pq.write_table(pa.table(columns), path)
    except pa.ArrowException:  # an empty struct cannot be written
        return
    outcomes(path)


@CALM
@given(st.binary(min_size=0, max_size=400), st.sampled_from([".parquet", ".csv", ".jsonl"]))
def test_any_bytes(tmp_path: Path, data: bytes, suffix: str) -> None:
    path = tmp_path / f"s{suffix}"
    path.write_bytes(data)
    outcomes(path)
    path.write_bytes(b"job_id,kind\n" + data)
    outcomes(path)
    path.write_bytes(b'{"job_id": "a", "kind": "copy"}\n' + data)
    outcomes(path)


@CALM
@given(st.integers(4, 10_000), st.binary(min_size=1, max_size=8))
def test_damaged_parquet(tmp_path: Path, at: int, noise: bytes) -> None:
    path = tmp_path / "s.parquet"
    row = {"kind": "copy", "channel": "sms", "product_name": "Mug", "features": ["soft"]}
    pq.write_table(
        pa.Table.from_pylist([{"job_id": f"j{i}", **row} for i in range(200)]), path, write_page_checksum=True
    )
    data = bytearray(path.read_bytes())
    # The footer's own bytes are left alone: Arrow trusts them.
    at %= int.from_bytes(data[-8:-4], "little") and len(data) - int.from_bytes(data[-8:-4], "little") - 20
    data[4 + at : 4 + at + len(noise)] = noise
    path.write_bytes(data)
    outcomes(path)


def test_a_deep_json_cell_is_no_way_in(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text(json.dumps({"job_id": "a", "kind": "copy", "features": "[" * 100_000}) + "\n", "utf-8")
    (bad,) = outcomes(path)
    assert bad.column == "features"
    path.write_text('{"job_id": "a", "kind": "copy", "features": ' + "[" * 100_000 + "]" * 100_000 + "}\n", "utf-8")
    (bad,) = outcomes(path)
    assert isinstance(bad, Quarantined)


@pytest.mark.parametrize("name", ["a\nb.csv", "a\x1b[31m.csv"])
def test_file_names_may_be_odd(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("job_id,kind,channel,product_name\na,copy,sms,Mug\n", "utf-8")
    (job,) = read([str(tmp_path / name)], scratch=tmp_path)
    assert isinstance(job, Job)


def finite(value: Any) -> Any:
    """The value with what JSON cannot hold as text."""
    if isinstance(value, dict):
        return {str(k): finite(v) for k, v in value.items()}
    if isinstance(value, list):
        return [finite(v) for v in value]
    return str(value) if isinstance(value, float) and value - value != 0 else value


def test_a_reason_that_quotes_the_row_prints(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    row = {"job_id": "a", "kind": "records", "source": "t.parquet", "constraints": '[{"\U00016aee": 1}]'}
    path.write_text(json.dumps(row) + "\n", "utf-8")
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    (outcome,) = outcomes(path)
    assert "\\U00016aee" in str(outcome)
