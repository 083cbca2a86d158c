"""The columns of a copy job."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tasks.kinds.base import Job
from tasks.kinds.copy.channels import CHANNELS


class CopyJob(Job):
    """Text for a product on a channel, or for a free prompt."""

    kind: Literal["copy"]
    channel: Annotated[str | None, Field(description="Where the text will stand.", examples=sorted(CHANNELS))] = None
    product_name: Annotated[str | None, Field(min_length=1, max_length=200, description="Appears in the text.")] = None
    brand_name: Annotated[str | None, Field(max_length=100, description="Who sells it.")] = None
    category: Annotated[str | None, Field(max_length=200, description="What the product is.")] = None
    features: Annotated[list[str], Field(max_length=50, description="What may be said of it.")] = []
    facts: Annotated[
        dict[str, str], Field(max_length=50, description="Material, size, price …: the numbers the text may use.")
    ] = {}
    audience: Annotated[str | None, Field(max_length=200, description="Whom it speaks to.")] = None
    tone: Annotated[str | None, Field(max_length=100, description="How it speaks.")] = None
    must_include: Annotated[list[str], Field(max_length=20, description="Terms every text contains.")] = []
    must_avoid: Annotated[list[str], Field(max_length=200, description="Terms no text contains.")] = []
    max_chars: Annotated[int | None, Field(ge=10, le=20_000, description="Limit of the whole text, graphemes.")] = None
    prompt: Annotated[str | None, Field(max_length=20_000, description="A free prompt instead of a channel.")] = None
    system: Annotated[str | None, Field(max_length=20_000, description="The system message of a free prompt.")] = None
    temperature: Annotated[float, Field(ge=0, le=2, description="0 is greedy.")] = 0.8
    top_p: Annotated[float, Field(gt=0, le=1, description="Nucleus sampling.")] = 0.95
    max_tokens: Annotated[int | None, Field(ge=1, le=4096, description="Limit of the completion, tokens.")] = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.prompt is None:
            if self.channel is None or self.product_name is None:
                raise ValueError("a copy job needs either channel and product_name, or a free prompt")
        elif self.channel is not None:
            raise ValueError("a copy job has either a channel or a free prompt, not both")
        if self.channel is not None and self.channel not in CHANNELS:
            raise ValueError(f"channel {self.channel!r} is not one of {', '.join(CHANNELS)}")
        if self.system is not None and self.prompt is None:
            raise ValueError("system goes with a free prompt; add one or leave system empty")
        return self
