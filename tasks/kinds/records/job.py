"""The columns of a records job."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from models.table.conditions import Conditions, parse_conditions
from models.table.constraints import parse_constraints
from models.table.declared.columns import parse_schema
from models.table.private.settings import parse_privacy
from models.table.steps import CODED
from tasks.kinds import columns
from tasks.kinds.base import Job
from tasks.kinds.columns import wrong
from tasks.kinds.records.gates import ATTACKS, parse_gates
from tasks.kinds.records.kinship import parse_parent

LATER: dict[str, str] = columns.LATER

# Columns that hold a path or URI, relative to the spec file's folder.
PATHS = ("source", "schema", "holdout")

JsonText = Annotated[str, Field(max_length=20_000, json_schema_extra={"contentMediaType": "application/json"})]
LongJsonText = Annotated[str, Field(max_length=200_000, json_schema_extra={"contentMediaType": "application/json"})]


def _readable(column: str, parse: Callable[[str], Any]) -> Callable[[str], str]:
    def check(value: str) -> str:
        try:
            parse(value)
            read = json.dumps(json.loads(value), ensure_ascii=False) if value.strip() else ""
            read.encode()  # half a surrogate pair, written as an escape, is JSON but no text
        except RecursionError as error:
            raise wrong(column, "nested too deeply") from error
        except ValueError as error:
            raise wrong(column, str(error)) from error
        return read

    return check


def is_inline(text: str) -> bool:
    """Whether a schema stands in the cell itself; otherwise the cell names a file."""
    return text.lstrip().startswith("{")


def _schema(value: str) -> str:
    return _readable("schema", parse_schema)(value) if is_inline(value) else value


def _parent(value: str) -> str:
    try:
        parent = parse_parent(value)
        read = "" if parent is None else parent.to_json()
        read.encode()
    except ValueError as error:
        raise wrong("parent", str(error)) from error
    return read


class RecordsJob(Job):
    """A synthetic table that stands in for a real one, or that a schema declares. One item is a whole data set."""

    model_config = ConfigDict(populate_by_name=True)

    kind: Literal["records"]
    source: Annotated[
        str, Field(min_length=1, max_length=4_000, description="The real table: a Parquet or CSV path or URI.")
    ] = ""
    declared: Annotated[
        LongJsonText,
        AfterValidator(_schema),
        Field(alias="schema", description="Instead of a source: columns as JSON, or the path or URI of a JSON file."),
    ] = ""
    rows: Annotated[
        int | None,
        Field(ge=1, le=100_000_000, description="Records wanted; default as many as source, needed with a schema."),
    ] = None
    family: Annotated[
        Literal["auto", "transformer", "diffusion", "vae", "gan", "bayes", "independent"],
        Field(description="The kind of record model."),
    ] = "auto"
    preset: Annotated[
        Literal["default", "fast"],
        Field(description="Of the families auto and transformer: most faithful, or in about a quarter of the time."),
    ] = "default"
    conditions: Annotated[
        JsonText,
        AfterValidator(_readable("conditions", parse_conditions)),
        Field(description="JSON: columns with given values, ranges, or values in given shares."),
    ] = ""
    constraints: Annotated[
        JsonText,
        AfterValidator(_readable("constraints", parse_constraints)),
        Field(description="JSON: business rules that every record keeps."),
    ] = ""
    gates: Annotated[
        JsonText,
        AfterValidator(_readable("gates", parse_gates)),
        Field(description="JSON: the least quality and the most leakage that a data set may have."),
    ] = ""
    holdout: Annotated[
        str,
        Field(
            max_length=4_000,
            description="Other rows of the source's table, a path or URI: what records give away is measured.",
        ),
    ] = ""
    privacy: Annotated[
        LongJsonText,
        AfterValidator(_readable("privacy", parse_privacy)),
        Field(description="JSON: differential privacy, its budget and what is public of each column."),
    ] = ""
    primary_key: Annotated[
        str | None, Field(min_length=1, max_length=1_000, description="A column that is unique and never null.")
    ] = None
    target: Annotated[
        str | None,
        Field(min_length=1, max_length=1_000, description="The column that the records shall predict, tried as tstr."),
    ] = None
    parent: Annotated[
        JsonText,
        AfterValidator(_parent),
        Field(description="The data sets that this one's refer to: COLUMN->JOB_ID.COLUMN, or JSON."),
    ] = ""

    @model_validator(mode="after")
    def _source_or_schema(self) -> Self:
        if not self.declared:
            if not self.source:
                raise wrong("source", "is empty", "fill in source, or schema where there is no table")
            return self._private() if self.privacy else self
        if self.source:
            raise wrong("schema", "stands beside a source", "keep one of the two")
        if self.rows is None:
            raise wrong("rows", "is empty, and a schema does not say how many records are wanted", "write a number")
        if self.family != "auto":
            raise wrong("family", f"is {self.family}, and from a schema nothing is learned", "write auto")
        if self.preset != "default":
            raise wrong("preset", f"is {self.preset}, and from a schema nothing is learned", "leave it empty")
        if self.conditions:
            raise wrong("conditions", "go with a source", "write the values and their shares into the schema")
        for column, given in (("target", self.target), ("holdout", self.holdout)):
            if given:
                raise wrong(column, "goes with a source: nothing is tried against a schema", "leave it empty")
        if self.privacy:
            raise wrong("privacy", "goes with a source, and from a schema nothing is learned", "leave it empty")
        if self.parent:
            raise wrong("parent", "goes with a source, and a schema has none yet", "leave it empty")
        return self

    def _private(self) -> Self:
        """What cannot be had with differential privacy is refused, and so is what would give away more."""
        if self.rows is None:
            raise wrong("rows", "is empty, and privacy does not give away how many the source has", "write a number")
        if self.family != "auto":
            raise wrong("family", f"is {self.family}, and under privacy nothing but noisy counts is", "write auto")
        if self.preset != "default":
            raise wrong("preset", f"is {self.preset}, and under privacy there is one way to fit", "leave it empty")
        if self.gates:
            raise wrong(
                "gates", "compare with the source's rows, which under privacy may decide nothing", "leave it empty"
            )
        if self.holdout:
            raise wrong("holdout", "compares with the source's rows, which no budget pays for", "leave it empty")
        if self.target:
            raise wrong("target", "stands in privacy itself, where the fit heeds it", "move it there")
        if self.parent:
            raise wrong("parent", "and privacy do not go together: one record may have many children", "leave one out")
        return self

    @model_validator(mode="after")
    def _attacks_need_rows(self) -> Self:
        limits = parse_gates(self.gates)["max"]
        if not self.holdout and not self.declared and (needing := [name for name in ATTACKS if name in limits]):
            reason = f"ask for {', '.join(needing)}, which are measured with rows that were held out of the source"
            raise wrong("gates", reason, "name such rows in holdout, or leave these gates out")
        return self

    @model_validator(mode="after")
    def _nothing_steers_codes(self) -> Self:
        if self.family not in CODED:
            return self
        for column, wanted in (
            ("conditions", parse_conditions(self.conditions) != Conditions()),
            ("constraints", parse_constraints(self.constraints)),
        ):
            if wanted:
                reason = f"cannot be kept by the family {self.family}, which draws whole rows from hidden codes"
                raise wrong(column, reason, "write auto as the family")
        return self

    @property
    def parent_id(self) -> str | None:
        """The job of the data sets that this one's are children of."""
        return None if (parent := parse_parent(self.parent)) is None else parent.job


# Rows for the template.
EXAMPLES: list[dict[str, Any]] = [
    {
        "job_id": "customers",
        "source": "s3://my-bucket/customers.parquet",
        "rows": 10_000,
        "family": "auto",
        "conditions": '{"country": {"shares": {"NO": 0.5}}}',
        "constraints": '[{"less": ["first_order", "last_order"], "or_equal": true}]',
        "gates": '{"min": {"shape": 0.95, "trend": 0.9}, "max": {"copy_rate": 0.01}}',
        "primary_key": "customer_id",
        "meta_owner": "analytics",
    },
    {
        "job_id": "visits",
        "schema": '{"columns": [{"name": "visit_id", "type": "integer", "distribution": {"kind": "sequence"}}, '
        '{"name": "minutes", "type": "integer", "distribution": {"kind": "exponential", "mean": 12, "min": 1}}]}',
        "rows": 1_000,
        "primary_key": "visit_id",
        "meta_owner": "analytics",
    },
]
