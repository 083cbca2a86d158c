"""The columns a spec may have: gathered once from the job models of the kinds, each kind's `job.py`."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import tasks.kinds
from tasks.kinds.base import Job

# How the cells of a column are read; `other` leaves everything to the job model.
Family = Literal["text", "integer", "number", "list", "map", "json", "other", "meta"]

META = "meta_"
MAX_META = 100

_FAMILIES: dict[str, Family] = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "array": "list",
    "object": "map",
}


@dataclass(frozen=True, slots=True)
class KindColumns:
    """One kind's model and columns. `families` and `schema` are by column, `later` gives reasons for refusals."""

    model: type[Job]
    schema: dict[str, dict[str, Any]]
    families: dict[str, Family]
    later: dict[str, str]
    paths: tuple[str, ...]
    examples: list[dict[str, Any]]


@cache
def by_kind() -> dict[str, KindColumns]:
    """Every kind that has a `job` module under tasks/kinds, by name."""
    found = {}
    for entry in pkgutil.iter_modules(tasks.kinds.__path__):
        if entry.ispkg:
            name = f"{tasks.kinds.__name__}.{entry.name}.job"
            module = importlib.import_module(name)
            (model,) = (
                v for v in vars(module).values() if isinstance(v, type) and issubclass(v, Job) and v.__module__ == name
            )
            schema = {c: s for c, s in model.model_json_schema()["properties"].items() if c != "meta"}
            found[entry.name] = KindColumns(
                model=model,
                schema=schema,
                families={column: _family(entry) for column, entry in schema.items()},
                later=module.LATER,
                paths=getattr(module, "PATHS", ()),
                examples=module.EXAMPLES,
            )
    return found


@cache
def families() -> dict[str, Family]:
    """How every column of any kind is read; a later column's cells are only asked whether they are empty."""
    merged: dict[str, Family] = {}
    for kind in by_kind().values():
        merged.update(dict.fromkeys(kind.later, "other"))
    for name, kind in by_kind().items():
        for column, family in kind.families.items():
            if merged.get(column, "other") not in ("other", family):
                raise TypeError(f"kind {name} reads column {column} as {family}, another kind as {merged[column]}")
            merged[column] = family
    return merged


def _family(schema: dict[str, Any]) -> Family:
    if schema.get("contentMediaType") == "application/json":
        return "json"
    kinds = {s.get("type") for s in schema.get("anyOf", [schema])} - {"null"}
    kinds = kinds or {"string"}
    if "const" in schema or "enum" in schema:
        kinds = {"string"}
    return _FAMILIES.get(kinds.pop() or "", "other") if len(kinds) == 1 else "other"
