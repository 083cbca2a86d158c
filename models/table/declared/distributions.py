"""The distributions that a declared column may have, as they are written in JSON.

Bounds and centres are written as values of the column (dates as ISO 8601 text); what has a length (`sd`) counts days
of dates and seconds of times. `min` and `max` cut a distribution: no value falls beyond, and the rest keeps its shape.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from models.table.declared.near import advice

Value = int | float | str | bool
Positive = Annotated[float, Field(gt=0, le=1e12)]


class Strict(BaseModel):
    """A piece of a schema. A key that it does not have is refused with the nearest that it has."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _known(cls, data: Any) -> Any:
        if isinstance(data, dict):
            names = [field.alias or name for name, field in cls.model_fields.items()]
            for key in data:
                if key not in names:
                    said = {"key": repr(str(key)[:60]), "advice": advice(str(key), names)}
                    raise PydanticCustomError("unknown", "has the unknown key {key}; {advice}", said)
        return data


class Uniform(Strict):
    """All values from `min` to `max` alike, both included."""

    kind: Literal["uniform"]
    min: Value
    max: Value


class Normal(Strict):
    """The bell curve."""

    kind: Literal["normal"]
    mean: Value
    sd: Positive
    min: Value | None = None
    max: Value | None = None


class Lognormal(Strict):
    """Values whose logarithms are normal: half lie below `median`, and `sigma` is the sd of their logarithms."""

    kind: Literal["lognormal"]
    median: Positive
    sigma: Annotated[float, Field(gt=0, le=20)]
    min: Value | None = None
    max: Value | None = None


class Exponential(Strict):
    """Waiting times from 0 on."""

    kind: Literal["exponential"]
    mean: Positive
    min: Value | None = None
    max: Value | None = None


class Poisson(Strict):
    """Counts of what happens `mean` times on average."""

    kind: Literal["poisson"]
    mean: Annotated[float, Field(gt=0, le=100_000)]
    min: Value | None = None
    max: Value | None = None


class Choice(Strict):
    """One of `values`, alike or by `weights` of any sum."""

    kind: Literal["choice"]
    values: Annotated[list[Value], Field(min_length=1, max_length=10_000)]
    weights: Annotated[list[Annotated[float, Field(ge=0, le=1e12)]] | None, Field(max_length=10_000)] = None


class Constant(Strict):
    """Always the same."""

    kind: Literal["constant"]
    value: Value


class Sequence(Strict):
    """Whole numbers in the order of the rows."""

    kind: Literal["sequence"]
    start: Annotated[int, Field(ge=-(2**52), le=2**52)] = 1
    step: Annotated[int, Field(ge=-1_000_000, le=1_000_000)] = 1


Distribution = Annotated[
    Uniform | Normal | Lognormal | Exponential | Poisson | Choice | Constant | Sequence, Field(discriminator="kind")
]
