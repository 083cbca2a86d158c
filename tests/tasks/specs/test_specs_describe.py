"""JSON schemas, templates and the page of columns agree with the job models."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.specs import SpecError, check, kinds, read, schema, template
from tasks.specs.columns import by_kind
from tasks.specs.describe import markdown

KINDS = ["copy", "image", "records"]


def test_kinds_are_found() -> None:
    assert kinds() == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_templates_have_every_column_and_pass(tmp_path: Path, kind: str) -> None:
    path = template(kind, tmp_path / "t.parquet")
    assert list(check([str(path)], tmp_path)) == []
    columns = pq.read_schema(path)
    assert set(by_kind()[kind].schema) <= set(columns.names)
    assert any(name.startswith("meta_") for name in columns.names)
    assert len(list(read([str(path)], scratch=tmp_path))) == len(by_kind()[kind].examples)


def test_template_types(tmp_path: Path) -> None:
    columns = pq.read_schema(template("copy", tmp_path / "t.parquet"))
    assert columns.field("features").type == pa.list_(pa.string())
    assert columns.field("facts").type == pa.map_(pa.string(), pa.string())
    assert columns.field("variants").type == pa.int64()
    assert columns.field("temperature").type == pa.float64()


def test_schema() -> None:
    copy = schema("copy")
    assert copy["required"] == ["job_id", "kind"]
    assert "meta" not in copy["properties"]
    assert copy["additionalProperties"] is False
    assert copy["properties"]["variants"]["maximum"] == 1_000
    assert {"sms", None} <= set(copy["properties"]["channel"]["enum"])
    assert schema("records")["required"] == ["job_id", "kind"]


def test_unknown_kind_and_unwritable_place(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="Did you mean image"):
        schema("imgae")
    with pytest.raises(SpecError, match="cannot be written"):
        template("copy", tmp_path / "none" / "t.parquet")


def test_the_page_is_up_to_date() -> None:
    page = Path(__file__).parents[3] / "docs" / "spec-columns.md"
    assert page.read_text("utf-8") == markdown(), "run: python -m tasks.specs"
