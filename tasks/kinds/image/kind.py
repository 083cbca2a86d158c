"""Image jobs as the pipeline sees them: pictures from a diffusion pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from models.engine import EngineSpec, ImageRequest, ImageResult
from tasks.kinds.base import CHECKS, Attempt, Check, Desk, File, Output, Prepared, Refused
from tasks.kinds.image import picture, prompt, rules
from tasks.kinds.image.job import ImageJob

_NOT_INPUTS = {"job_id", "kind", "variants", "seed", "model", "meta", "init_image"}


class ImageKind:
    """The plug for `image`."""

    name = "image"
    job = ImageJob
    folder = "images"
    schema = pa.schema(
        [
            pa.field("job_id", pa.string()),
            pa.field("variant", pa.int32()),
            pa.field("uri", pa.string()),
            pa.field("width", pa.int32()),
            pa.field("height", pa.int32()),
            pa.field("format", pa.string()),
            pa.field("sha256", pa.string()),
            pa.field("phash", pa.string()),
            pa.field("prompt", pa.string()),
            pa.field("seed", pa.int64()),
            pa.field("attempts", pa.int32()),
            pa.field("model", pa.string()),
            pa.field("content_key", pa.string()),
            pa.field("checks", CHECKS),
        ]
    )
    rules_digest = rules.rules_digest()

    def engine(self, group: Sequence[str], desk: Desk) -> EngineSpec:
        """A diffusers pipeline in padded batches of one shape."""
        return desk.engine_spec(
            self.name, "models.image.engine:open", group[0], {"batch_size": desk.settings.image_batch}
        )

    def prepare(self, job: ImageJob, desk: Desk) -> Prepared:
        """Jobs share a shard when they share model, size, steps and guidance: that is one batch shape."""
        model = job.model or desk.settings.image_model
        width, height = _size(job, desk)
        steps, guidance = _sampling(job, desk)
        sources = {}
        if job.init_image:
            sources[job.init_image] = desk.source_digest("init_image", job.init_image)
            _check_start(job, steps, desk)
        inputs = {
            "seeds": [desk.settings.seed, job.seed],
            "columns": job.model_dump(mode="json", exclude=_NOT_INPUTS, exclude_defaults=True),
            "init_image": sources[job.init_image] if job.init_image else None,
            "template": prompt.TEMPLATE_VERSION,
            "model": desk.model_digest(self.name, model),
            "sampling": [width, height, steps, guidance, job.strength],
            "shape": [desk.settings.image_batch, desk.settings.dtype],
            "rules": self.rules_digest,
        }
        group = (model, f"{width}x{height}", f"{steps} steps", f"guidance {guidance:g}")
        return Prepared(inputs=inputs, group=group, sources=sources)

    def request(self, job: ImageJob, attempt: Attempt, desk: Desk) -> ImageRequest:
        """One picture; hints do not help a diffusion model, the new seed does."""
        width, height = _size(job, desk)
        steps, guidance = _sampling(job, desk)
        return ImageRequest(
            id=attempt.id,
            prompt=prompt.prompt(job),
            negative_prompt=job.negative_prompt,
            width=width,
            height=height,
            steps=steps,
            guidance=guidance,
            seed=attempt.seed,
            init_image=desk.source("init_image", job.init_image).read_bytes() if job.init_image else None,
            strength=job.strength,
        )

    def judge(
        self,
        job: ImageJob,
        attempt: Attempt,
        result: ImageResult,
        desk: Desk,
    ) -> tuple[rules.Picture, list[Check]]:
        """The picture and what the rules say of it."""
        pixels = np.frombuffer(result.pixels, np.uint8).reshape(result.height, result.width, 3)
        value = rules.Picture(
            pixels=pixels, flags=result.flags, phash=picture.phash(result.pixels, result.width, result.height)
        )
        return value, rules.judge_alone(job, value)

    def judge_among(self, job: ImageJob, value: rules.Picture, accepted: Sequence[dict[str, Any]]) -> list[Check]:
        """Variants of a job must differ to the eye."""
        return rules.judge_among(job, value, [row["phash"] for row in accepted])

    def output(
        self,
        job: ImageJob,
        attempt: Attempt,
        value: rules.Picture,
        checks: Sequence[Check],
        desk: Desk,
    ) -> Output:
        """A row, and the encoded picture with its marking."""
        height, width, _ = value.pixels.shape
        marking = {"job_id": job.job_id, "variant": str(attempt.variant)}
        # On disk until the shard is done: a thousand large pictures do not fit in memory.
        data = desk.scratch / f"{attempt.id}.{job.format}"
        data.write_bytes(picture.encode(value.pixels.tobytes(), width, height, job.format, marking))
        file = File.named(f"files/{job.job_id}/{attempt.variant}", f".{job.format}", data)
        row = {
            "uri": file.key,
            "width": width,
            "height": height,
            "format": job.format,
            "sha256": file.sha256,
            "phash": value.phash,
            "prompt": prompt.prompt(job),
            "model": job.model or desk.settings.image_model,
        }
        return Output(row=row, files=[file])

    def rejected_text(self, result: ImageResult) -> str | None:
        """Refused pictures are not kept."""
        return None

    def tokens(self, result: ImageResult) -> int:
        """Pictures are not counted in tokens."""
        return 0


def _size(job: ImageJob, desk: Desk) -> tuple[int, int]:
    return prompt.size(job, (desk.settings.image_size, desk.settings.image_size))


def _check_start(job: ImageJob, steps: int, desk: Desk) -> None:
    """Raises `Refused` for a start picture that cannot be read, or that no step would change."""
    try:
        picture.check_readable(desk.source("init_image", job.init_image or ""))
    except ValueError as error:
        raise Refused("init_image", str(error)) from error
    if int(steps * job.strength) < 1:
        raise Refused("strength", f"{job.strength:g} of {steps} steps is less than one; raise strength or the steps")


def _sampling(job: ImageJob, desk: Desk) -> tuple[int, float]:
    steps = desk.settings.image_steps if job.num_inference_steps is None else job.num_inference_steps
    guidance = desk.settings.image_guidance if job.guidance_scale is None else job.guidance_scale
    return steps, guidance


KIND = ImageKind()
