"""The columns of an image job."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tasks.kinds.base import Job

# name → width, height in pixels
PRESETS = {
    "thumbnail": (64, 64),
    "square": (1024, 1024),
    "portrait": (832, 1216),
    "landscape": (1216, 832),
    "story": (768, 1344),
    "banner": (1344, 768),
}


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
    features: Annotated[list[str], Field(max_length=50, description="What can be seen of it.")] = []
    facts: Annotated[dict[str, str], Field(max_length=50, description="Colour and material enter the prompt.")] = {}
    width: Annotated[int | None, Field(ge=16, le=4096, multiple_of=8, description="Pixels, a multiple of 8.")] = None
    height: Annotated[int | None, Field(ge=16, le=4096, multiple_of=8, description="Pixels, a multiple of 8.")] = None
    preset: Annotated[str | None, Field(description="A named size.", examples=sorted(PRESETS))] = None
    num_inference_steps: Annotated[int | None, Field(ge=1, le=200, description="Denoising steps.")] = None
    guidance_scale: Annotated[float | None, Field(ge=0, le=30, description="How hard the prompt pulls.")] = None
    format: Annotated[Literal["png", "webp", "jpeg"], Field(description="File format.")] = "png"
    init_image: Annotated[str | None, Field(description="Start from this picture: a path or URI.")] = None
    strength: Annotated[float, Field(gt=0, le=1, description="How far from init_image to go.")] = 0.6

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.prompt is None and self.product_name is None:
            raise ValueError("an image job needs a prompt or a product_name")
        if self.preset is not None:
            if self.preset not in PRESETS:
                raise ValueError(f"preset {self.preset!r} is not one of {', '.join(PRESETS)}")
            if self.width is not None or self.height is not None:
                raise ValueError("give either a preset or width and height, not both")
        elif (self.width is None) != (self.height is None):
            raise ValueError("width and height go together")
        return self
