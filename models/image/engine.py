"""The image engine: any text-to-image pipeline of diffusers, in padded batches of one fixed size a bucket.

A bucket is what must be equal within a batch: mode, size, steps, guidance, strength. Every batch of a bucket is padded
to the same number of pictures, and each picture draws its noise from a generator of its own. So a picture depends on
its request alone, bit for bit, within one device, dtype and number of threads.

A model may name native sizes (models.image.native). It is then asked for the one whose shape is nearest to the
request's, and the picture is brought to the size that was asked for.
"""

from __future__ import annotations

import gc
import inspect
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from models.engine import ImageRequest, ImageResult
from models.image import native
from models.image.inputs import decode
from models.image.load import image_to_image_of, load_text_to_image

DEFAULT_BATCH = 8
MAX_SIDE = 4096


class Bucket(NamedTuple):
    """What the requests of one batch have in common: the size at which the model draws, and the sampling. `strength` is
    None without a start picture."""

    width: int
    height: int
    steps: int
    guidance: float
    strength: float | None


class EngineOutOfMemoryError(RuntimeError):
    """The device cannot hold a batch of this size. No request is at fault; open the engine with a smaller batch."""


def bucket_of(request: ImageRequest, sizes: Sequence[native.Size] = ()) -> Bucket:
    """The bucket that a request belongs to, for a model of these native sizes (none: it draws any size)."""
    strength = None if request.init_image is None else request.strength
    size = (request.width, request.height)
    width, height = native.nearest(sizes, *size) if sizes else size
    return Bucket(width, height, request.steps, request.guidance, strength)


def open(ref: str, device: str = "cpu", dtype: str = "float32", *, batch_size: int = DEFAULT_BATCH) -> ImageEngine:
    """Load the pipeline in the folder `ref`; every batch will hold `batch_size` pictures, padding included."""
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; it must be 1 or more")
    return ImageEngine(load_text_to_image(Path(ref), device, dtype), batch_size, native.read(Path(ref)))


class ImageEngine:
    """Turns image requests into pixels. `submit` is safe from other threads; `results` runs on one."""

    def __init__(self, pipeline: Any, batch_size: int = DEFAULT_BATCH, sizes: Sequence[native.Size] = ()):
        self._sizes = tuple(sizes)
        self._text = pipeline
        self._image: Any = None
        self._batch_size = batch_size
        self._multiple = int(getattr(pipeline, "vae_scale_factor", 8))
        self._waiting: dict[Bucket, list[ImageRequest]] = {}
        self._refused: list[ImageResult] = []
        self._lock = threading.Lock()
        self._closed = False

    def submit(self, requests: Sequence[ImageRequest]) -> None:
        """Queue requests. One that the model cannot do is answered with an error that says why."""
        with self._lock:
            if self._closed:
                raise RuntimeError("the engine is closed")
            for request in requests:
                reason = self._impossible(request)
                if reason:
                    self._refused.append(ImageResult(id=request.id, error=reason))
                else:
                    self._waiting.setdefault(bucket_of(request, self._sizes), []).append(request)

    def results(self) -> Iterator[ImageResult]:
        """Yield each picture when its batch is done; end when nothing waits."""
        while True:
            with self._lock:
                refused, self._refused = self._refused, []
                bucket, batch = self._next_batch()
            yield from refused
            if bucket is not None:
                yield from self._run(bucket, batch)
            elif not refused:
                return

    def close(self) -> None:
        """Let go of the model and its memory."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
        self._text = self._image = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _impossible(self, request: ImageRequest) -> str | None:
        for name, length in (("width", request.width), ("height", request.height)):
            if not 0 < length <= MAX_SIDE:
                return f"{name} {length} is out of range; a picture has 1 to {MAX_SIDE} pixels a side"
            if length % self._multiple and not self._sizes:
                return f"{name} {length} is not possible for this model; use a multiple of {self._multiple}"
        if request.steps < 1:
            return f"{request.steps} steps make no picture; use 1 or more"
        if request.negative_prompt and "negative_prompt" not in _parameters(self._text):
            return "this model takes no negative_prompt; leave it empty"
        if request.init_image is not None and int(request.steps * request.strength) < 1:
            return f"strength {request.strength:g} of {request.steps} steps leaves no step to do; raise either"
        return None

    def _next_batch(self) -> tuple[Bucket | None, list[ImageRequest]]:
        """The fullest bucket's oldest requests: the fewest padded slots overall."""
        if not self._waiting:
            return None, []
        bucket = max(self._waiting, key=lambda b: len(self._waiting[b]))
        requests = self._waiting.pop(bucket)
        if len(requests) > self._batch_size:
            self._waiting[bucket] = requests[self._batch_size :]
        return bucket, requests[: self._batch_size]

    def _run(self, bucket: Bucket, requests: list[ImageRequest]) -> Iterator[ImageResult]:
        starts: list[torch.Tensor] = []
        able: list[ImageRequest] = []
        for request in requests:
            if request.init_image is not None:
                try:
                    starts.append(decode(request.init_image, bucket.width, bucket.height))
                except ValueError as error:
                    yield ImageResult(id=request.id, error=str(error))
                    continue
            able.append(request)
        if able:
            yield from self._make(bucket, able, starts)

    def _make(self, bucket: Bucket, requests: list[ImageRequest], starts: list[torch.Tensor]) -> Iterator[ImageResult]:
        try:
            made = self._batch(bucket, requests, starts)
        except (torch.OutOfMemoryError, MemoryError) as error:
            raise EngineOutOfMemoryError(
                f"out of memory for {self._batch_size} pictures of {bucket.width} × {bucket.height}; "
                "use a smaller batch size or smaller pictures"
            ) from error
        except Exception as error:
            # One request may spoil its neighbours: halve until it stands alone. The padded shape stays the same, so
            # the others come out as they would have.
            if len(requests) == 1:
                yield ImageResult(id=requests[0].id, error=f"the model failed on this request: {error}")
                return
            half = len(requests) // 2
            yield from self._make(bucket, requests[:half], starts[:half])
            yield from self._make(bucket, requests[half:], starts[half:])
        else:
            yield from made

    def _batch(self, bucket: Bucket, requests: list[ImageRequest], starts: list[torch.Tensor]) -> list[ImageResult]:
        padding = self._batch_size - len(requests)
        slots = requests + requests[-1:] * padding
        pipeline = self._text
        wanted: dict[str, Any] = {
            "prompt": [r.prompt for r in slots],
            "width": bucket.width,
            "height": bucket.height,
            "num_inference_steps": bucket.steps,
            "guidance_scale": bucket.guidance,
            "negative_prompt": [r.negative_prompt for r in slots],
            "generator": [torch.Generator("cpu").manual_seed(r.seed) for r in slots],
            "output_type": "pt",
        }
        if starts:
            if self._image is None:
                self._image = image_to_image_of(self._text)
            pipeline = self._image
            wanted |= {"image": torch.stack(starts + starts[-1:] * padding), "strength": bucket.strength}
        broken = np.zeros(len(slots), bool)

        def watch(_pipeline: Any, _step: int, _timestep: Any, tensors: dict[str, torch.Tensor]) -> dict[str, Any]:
            finite = torch.isfinite(tensors["latents"]).flatten(1).all(1)
            broken[:] |= ~finite.cpu().numpy()
            return tensors

        wanted["callback_on_step_end"] = watch
        taken = _parameters(pipeline)
        output = pipeline(**{name: value for name, value in wanted.items() if name in taken})
        pixels = output.images.float().cpu()
        broken |= ~torch.isfinite(pixels).flatten(1).all(1).numpy()
        rgb = (pixels.nan_to_num(0).clamp(0, 1) * 255 + 0.5).to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
        unsafe = getattr(output, "nsfw_content_detected", None) or [False] * len(slots)
        return [
            self._result(bucket, request, rgb[slot], bool(broken[slot]), bool(unsafe[slot]))
            for slot, request in enumerate(requests)
        ]

    @staticmethod
    def _result(bucket: Bucket, request: ImageRequest, rgb: np.ndarray, broken: bool, unsafe: bool) -> ImageResult:
        height, width = rgb.shape[:2]
        if (width, height) != (bucket.width, bucket.height):
            made, asked = f"{width} × {height}", f"{bucket.width} × {bucket.height}"
            return ImageResult(id=request.id, error=f"the model makes {made} pixels where {asked} were asked for")
        flags = [name for name, raised in (("nan", broken), ("safety", unsafe)) if raised]
        width, height = request.width, request.height
        if rgb.shape[:2] != (height, width):
            rgb = native.enlarge(rgb, width, height)
        return ImageResult(id=request.id, pixels=rgb.tobytes(), width=width, height=height, flags=flags)


def _parameters(pipeline: Any) -> frozenset[str]:
    return frozenset(inspect.signature(pipeline.__call__).parameters)
