"""The columns of an image job."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from tasks.kinds import columns
from tasks.kinds.base import Job
from tasks.kinds.columns import Entry, Name, one_of, wrong

# name → width, height in pixels
PRESETS = {
    "thumbnail": (64, 64),
    "square": (1024, 1024),
    "portrait": (832, 1216),
    "landscape": (1216, 832),
    "story": (768, 1344),
    "banner": (1344, 768),
}

LATER: dict[str, str] = {
    **columns.LATER,
    "palette": "colour palettes are not supported yet",
    "mask_image": "painting inside a mask is not supported yet",
}

# Columns that hold a path or URI, relative to the spec file's folder.
PATHS = ("init_image",)

Preset = Annotated[str | None, AfterValidator(one_of(PRESETS))]


class ImageJob(Job):
    """A picture from a prompt, or of a product."""

    kind: Literal["image"]
    prompt: Annotated[str | None, Field(min_length=1, max_length=4_000, description="What the picture shows.")] = None
    negative_prompt: Annotated[str, Field(max_length=4_000, description="What it should not show.")] = ""
    product_name: Annotated[str | None, Field(min_length=1, max_length=200, description="Used without a prompt.")] = (
        None
    )
    brand_name: Annotated[str | None, Field(max_length=100, description="Who sells it.")] = None
    category: Annotated[str | None, Field(max_length=200, description="What the product is.")] = None
    features: Annotated[list[Entry], Field(max_length=50, description="What can be seen of it.")] = []
    facts: Annotated[dict[Name, Entry], Field(max_length=50, description="Colour and material enter the prompt.")] = {}
    width: Annotated[int | None, Field(ge=16, le=4096, multiple_of=8, description="Pixels, a multiple of 8.")] = None
    height: Annotated[int | None, Field(ge=16, le=4096, multiple_of=8, description="Pixels, a multiple of 8.")] = None
    preset: Annotated[Preset, Field(description="A named size.", json_schema_extra={"enum": [*PRESETS]})] = None
    num_inference_steps: Annotated[int | None, Field(ge=1, le=200, description="Denoising steps.")] = None
    guidance_scale: Annotated[float | None, Field(ge=0, le=30, description="How hard the prompt pulls.")] = None
    format: Annotated[Literal["png", "webp", "jpeg"], Field(description="File format.")] = "png"
    init_image: Annotated[
        str | None, Field(min_length=1, max_length=4_000, description="Start from this picture: a path or URI.")
    ] = None
    strength: Annotated[float, Field(gt=0, le=1, description="How far from init_image to go.")] = 0.6

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.prompt is None and self.product_name is None:
            raise wrong(
                "prompt", "the row has neither a prompt nor a product_name", "fill in prompt, or the product columns"
            )
        if self.preset is not None:
            if self.width is not None or self.height is not None:
                raise wrong("preset", "stands beside width and height", "give either a preset or width and height")
        elif (self.width is None) != (self.height is None):
            empty = "width" if self.width is None else "height"
            raise wrong(empty, "is empty, and width and height go together", "fill in both, or neither")
        return self


# Rows for the template.
EXAMPLES: list[dict[str, Any]] = [
    {
        "job_id": "mug-picture",
        "variants": 2,
        "product_name": "Harbor Mug",
        "brand_name": "Tidewell",
        "category": "mug",
        "features": ["glazed", "round handle"],
        "facts": {"material": "stoneware", "color": "blue"},
        "preset": "square",
        "meta_campaign": "autumn",
    },
    {
        "job_id": "mug-scene",
        "seed": 7,
        "prompt": "a blue stoneware mug on a wooden table, soft light",
        "negative_prompt": "text, people",
        "width": 512,
        "height": 512,
        "num_inference_steps": 20,
        "guidance_scale": 4.0,
        "format": "webp",
    },
]
