"""The columns of a kind for people and programs: JSON schema, an example file, a table for the docs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.specs.columns import META, Family, KindColumns, by_kind
from tasks.specs.problems import SpecError, listed, nearest

_ARROW: dict[Family, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "list": pa.list_(pa.string()),
    "map": pa.map_(pa.string(), pa.string()),
    "json": pa.string(),
    "meta": pa.string(),
}

_INTRO = """# Columns of job specs

One row is one job. Specs are Parquet, CSV or JSON lines files; this page is made from the job models by
`python -m tasks.specs`. Lists and maps may be Arrow lists, maps, structs (null members are absent) or JSON text. Empty
text, null and NaN mean that a value is absent. Whole numbers may be stored as decimals, as pandas does.

`meta_*` columns hold single values and pass through to the outputs. An unknown column, or a value in a column that the
row's kind does not have, is an error of the file; a bad value sets its row aside. Rows that share a `job_id` are all
set aside. A relative path in a row is looked for beside the spec file, then in the working directory.
"""


def kinds() -> list[str]:
    """The kinds of jobs there are."""
    return list(by_kind())


def schema(kind: str) -> dict[str, Any]:
    """The spec columns of a kind as a JSON schema of one row. Raises `SpecError` for an unknown kind."""
    columns = _columns(kind)
    full = columns.model.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"One row of a spec: a job of the kind {kind}",
        "description": full.get("description", ""),
        "type": "object",
        "properties": {name: _plain(entry) for name, entry in columns.schema.items()},
        "patternProperties": {f"^{META}.+": {"type": ["string", "number", "boolean", "null"]}},
        "required": full["required"],
        "additionalProperties": False,
    }


def template(kind: str, path: Path) -> Path:
    """Write an example Parquet of a kind with all its columns, typed, that `check` passes. Raises `SpecError`."""
    columns = _columns(kind)
    rows = [{"kind": kind, **row} for row in columns.examples]
    meta = dict.fromkeys(name for row in rows for name in row if name.startswith(META))
    fields = [(name, _ARROW[family]) for name, family in columns.families.items()]
    types = pa.schema([*fields, *((name, pa.string()) for name in meta)])
    try:
        pq.write_table(pa.Table.from_pylist([_row(row) for row in rows], schema=types), path)
    except OSError as error:
        raise SpecError(
            f"{path}: cannot be written: {error.strerror or error}. Name a file in a folder that exists"
        ) from error
    return path


def markdown() -> str:
    """The page docs/spec-columns.md."""
    parts = [_INTRO]
    for kind, columns in by_kind().items():
        about = (columns.model.__doc__ or "").strip()
        parts.append(f"\n## {kind}\n\n{about}\n\n| column | type | default | what it is |\n|---|---|---|---|")
        required = set(columns.model.model_json_schema()["required"])
        for name, entry in columns.schema.items():
            default = "required" if name in required else _default(entry.get("default"))
            parts.append(f"| `{name}` | {_type(columns, name)} | {default} | {_about(entry)} |")
        parts.append(
            "\nNot supported yet, and refused with a reason: " + ", ".join(f"`{c}`" for c in columns.later) + "."
        )
    return "\n".join(parts) + "\n"


def _columns(kind: str) -> KindColumns:
    if kind not in by_kind():
        near = nearest(kind, by_kind())
        advice = f"Did you mean {near}?" if near else f"Use {listed(by_kind())}"
        raise SpecError(f"there is no kind “{kind}”. {advice}")
    return by_kind()[kind]


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value.items()) if isinstance(value, dict) else value for name, value in row.items()}


def _plain(entry: dict[str, Any]) -> dict[str, Any]:
    """A column's schema without what pydantic adds for itself; an absent value is null."""
    plain = {key: value for key, value in entry.items() if key != "title"}
    if "enum" in plain and "anyOf" in plain:
        plain["enum"] = [*plain["enum"], None]
    return plain


def _bounds(entry: dict[str, Any]) -> dict[str, Any]:
    return next((s for s in entry.get("anyOf", [entry]) if s.get("type") != "null"), entry)


def _type(columns: KindColumns, name: str) -> str:
    words: dict[Family, str] = {
        "text": "text",
        "integer": "whole number",
        "number": "number",
        "list": "list of texts",
        "map": "map of texts",
        "json": "JSON text",
    }
    return words[columns.families[name]]


def _about(entry: dict[str, Any]) -> str:
    bounds = _bounds(entry)
    notes = [entry["description"]] if "description" in entry else [f"`{entry['const']}`."]
    if names := entry.get("enum"):
        notes.append(f"One of {', '.join(f'`{n}`' for n in names)}.")
    low, over, high = bounds.get("minimum"), bounds.get("exclusiveMinimum"), bounds.get("maximum")
    if high is not None and (low is not None or over is not None):
        notes.append(f"{low:,} to {high:,}." if low is not None else f"Above {over}, up to {high:,}.")
    if most := bounds.get("maxLength"):
        notes.append(f"At most {most:,} characters.")
    if most := bounds.get("maxItems") or bounds.get("maxProperties"):
        notes.append(f"At most {most} entries.")
    return " ".join(notes).replace("|", "\\|")


def _default(value: Any) -> str:
    return "" if value in (None, "", [], {}) else f"`{value}`"
