"""The columns of a copy job."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from tasks.kinds import columns
from tasks.kinds.base import Job
from tasks.kinds.columns import Entry, Name, Term, one_of, wrong
from tasks.kinds.copy.channels import CHANNELS

LATER: dict[str, str] = {**columns.LATER}

Channel = Annotated[str | None, AfterValidator(one_of(CHANNELS))]


class CopyJob(Job):
    """Text for a product on a channel, or for a free prompt."""

    kind: Literal["copy"]
    channel: Annotated[
        Channel, Field(description="Where the text will stand.", json_schema_extra={"enum": [*CHANNELS]})
    ] = None
    product_name: Annotated[str | None, Field(min_length=1, max_length=200, description="Appears in the text.")] = None
    brand_name: Annotated[str | None, Field(max_length=100, description="Who sells it.")] = None
    category: Annotated[str | None, Field(max_length=200, description="What the product is.")] = None
    features: Annotated[list[Entry], Field(max_length=50, description="What may be said of it.")] = []
    facts: Annotated[
        dict[Name, Entry], Field(max_length=50, description="Material, size, price …: the numbers the text may use.")
    ] = {}
    audience: Annotated[str | None, Field(max_length=200, description="Whom it speaks to.")] = None
    tone: Annotated[str | None, Field(max_length=100, description="How it speaks.")] = None
    must_include: Annotated[list[Term], Field(max_length=20, description="Terms every text contains.")] = []
    must_avoid: Annotated[list[Term], Field(max_length=200, description="Terms no text contains.")] = []
    max_chars: Annotated[int | None, Field(ge=10, le=20_000, description="Limit of the whole text, graphemes.")] = None
    prompt: Annotated[
        str | None, Field(min_length=1, max_length=20_000, description="A free prompt instead of a channel.")
    ] = None
    system: Annotated[str | None, Field(max_length=20_000, description="The system message of a free prompt.")] = None
    temperature: Annotated[float, Field(ge=0, le=2, description="0 is greedy.")] = 0.8
    top_p: Annotated[float, Field(gt=0, le=1, description="Nucleus sampling.")] = 0.95
    max_tokens: Annotated[int | None, Field(ge=1, le=4096, description="Limit of the completion, tokens.")] = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.prompt is None:
            if self.channel is None:
                raise wrong("channel", "the row has neither a channel nor a free prompt", "fill in channel or prompt")
            if self.product_name is None:
                raise wrong("product_name", "is empty, and a channel needs a product", "fill in product_name")
            if self.system is not None:
                raise wrong("system", "goes with a free prompt, and the row has none", "add prompt or leave it empty")
        elif self.channel is not None:
            raise wrong("prompt", "stands beside a channel; a row has one or the other", "leave one of the two empty")
        return self


# Rows for the template.
EXAMPLES: list[dict[str, Any]] = [
    {
        "job_id": "mug-page",
        "variants": 2,
        "channel": "product_page",
        "product_name": "Harbor Mug",
        "brand_name": "Tidewell",
        "category": "drinkware",
        "features": ["hand-glazed stoneware", "keeps coffee warm", "dishwasher safe"],
        "facts": {"material": "stoneware", "capacity": "350 ml", "price": "$18"},
        "audience": "people who work from home",
        "tone": "warm",
        "must_include": ["stoneware"],
        "must_avoid": ["cheap"],
        "max_chars": 700,
        "meta_campaign": "autumn",
    },
    {
        "job_id": "mug-line",
        "prompt": "Write one line for a poster about a stoneware mug.",
        "system": "You write short, plain advertising copy.",
        "temperature": 0.7,
        "top_p": 0.9,
        "max_tokens": 60,
        "seed": 7,
    },
]
