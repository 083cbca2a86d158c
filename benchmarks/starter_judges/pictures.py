"""Pictures from a text-to-image folder: what is asked of it, what it draws, and how fast."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.starter_judges.classifier import common_scene
from models.engine import ImageRequest
from models.image import engine, native
from models.image.engine import ImageEngine
from tasks.starters.image import vocabulary as words
from tasks.starters.image.scene import Scene, caption

BATCH = 8


@dataclass(frozen=True, slots=True)
class Ask:
    """A prompt and the scene that it describes."""

    scene: Scene
    prompt: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to draw: `side` in pixels, the model's own where a model is opened."""

    side: int
    steps: int
    guidance: float


def asks(count: int, seed: int, *, held_out: bool) -> list[Ask]:
    """Prompts that name every attribute, for combinations that training shows or for those it never does."""
    found = []
    for index in range(count):
        scene, rng = common_scene(seed, index, held_out)
        found.append(Ask(scene, caption(scene, rng, full=True)))
    return found


def reworded(given: Sequence[Ask]) -> list[Ask]:
    """The same scenes in sentences that the captions of the training set do not have."""
    return [Ask(ask.scene, _said_otherwise(ask.scene, at)) for at, ask in enumerate(given)]


def _said_otherwise(scene: Scene, at: int) -> str:
    thing, material = words.PRODUCTS[scene.product][0], words.MATERIALS[scene.material][0]
    where = words.SETTINGS[scene.setting][0].format(tint=scene.tint)
    light = words.LIGHTS[scene.light][0]
    noun = "wood" if material == "wooden" else material
    forms = (
        f"{thing} made of {scene.shade} {noun}, {where}, {light}, for an online shop",
        f"Our {material} {thing} comes in {scene.shade}. Show it {where}, in {light}.",
        f"{where}: the new {scene.shade} {thing}, {noun}, {light}",
        f"{scene.shade} {thing}, {noun}, {where}",
    )
    return forms[at % len(forms)]


def open_pictures(folder: Path) -> tuple[ImageEngine, int]:
    """The engine, and the side of the square that the model draws by itself, pixels."""
    sizes = native.read(folder)
    squares = [width for width, height in sizes if width == height]
    side = squares[0] if squares else _trained_side(folder)
    return engine.open(str(folder), "cpu", "float32", batch_size=BATCH), side


def _trained_side(folder: Path) -> int:
    denoiser, autoencoder = (json.loads((folder / part / "config.json").read_text()) for part in ("unet", "vae"))
    blocks = autoencoder.get("block_out_channels") or autoencoder["encoder_block_out_channels"]
    return int(denoiser["sample_size"]) * 2 ** (len(blocks) - 1)


def draw(model: Any, given: Sequence[Ask], sampling: Sampling, seed: int) -> NDArray[np.uint8]:
    """A picture for each prompt: count × side × side × 3."""
    side = sampling.side
    model.submit(
        [
            ImageRequest(
                id=str(at), prompt=ask.prompt, seed=seed * 100_003 + at, width=side, height=side,
                steps=sampling.steps, guidance=sampling.guidance,
            )
            for at, ask in enumerate(given)
        ]
    )  # fmt: skip
    answers = {int(result.id): result for result in model.results()}
    broken = [result for result in answers.values() if result.error]
    if broken:
        raise RuntimeError(f"{len(broken)} prompts failed, the first with: {broken[0].error}")
    return np.stack([np.frombuffer(answers[at].pixels, np.uint8).reshape(side, side, 3) for at in range(len(given))])


def pace(model: Any, given: Sequence[Ask], sampling: Sampling, batches: int = 4) -> tuple[float, float]:
    """Pictures a second of the clock, and of all threads' CPU time together, in full batches; a batch warms up."""
    draw(model, given[:BATCH], sampling, 0)
    wall, cpu = time.monotonic(), time.process_time()
    draw(model, given[: batches * BATCH], sampling, 0)
    count = len(given[: batches * BATCH])
    return count / (time.monotonic() - wall), count / (time.process_time() - cpu)
