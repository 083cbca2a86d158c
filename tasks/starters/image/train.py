"""Rebuilding starter-image: render captioned scenes, train on them, save the pipeline with its model card."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.image.progress import device
from models.image.train import Recipe, train
from tasks.starters.image.data import training_set

CARD = Path(__file__).with_name("card.md")


@dataclass(frozen=True, slots=True)
class Plan:
    """How many scenes of each size (square, wide, tall), and how long to train on them."""

    scenes: tuple[int, int, int]
    recipe: Recipe


# Some three hours of one core, and about half an hour of a large graphics card with sixteen cores beside it.
ON_CPU = Plan((12_000, 2_000, 2_000), Recipe(autoencoder_steps=1_500, denoiser_steps=9_000))
ON_CUDA = Plan(
    (60_000, 8_000, 8_000),
    Recipe(autoencoder_steps=6_000, autoencoder_batch=64, denoiser_steps=30_000, denoiser_batch=512),
)
SMOKE = Plan((40, 8, 8), Recipe(autoencoder_steps=10, autoencoder_batch=8, denoiser_steps=10, denoiser_batch=16))


def train_starter_image(
    out: Path,
    *,
    smoke: bool = False,
    seed: int = 0,
    log: Callable[[str], Any] = print,
    work: Path | None = None,
    start: Path | None = None,
    plan: Plan | None = None,
) -> None:
    """Write the pipeline to the folder `out`, begun from the one in `start` or from nothing: some three hours
    of one core, or with `smoke` a useless one in a minute.

    Scenes and checkpoints lie in `work` (default: beside `out`, removed at the end); call again with the same
    arguments to go on after an interruption. `plan` says how many scenes and steps; by default what the machine can do.
    """
    plan = plan or (SMOKE if smoke else ON_CUDA if device().type == "cuda" else ON_CPU)
    scratch = work or out.with_name(f"{out.name}.work{'-smoke' if smoke else ''}")
    scratch.mkdir(parents=True, exist_ok=True)
    workers = 1 if smoke else len(os.sched_getaffinity(0))
    buckets = training_set(plan.scenes, seed, scratch, log, workers)
    train(buckets, plan.recipe, out, scratch, seed, log, start)
    shutil.copyfile(CARD, out / "README.md")
    if work is None:
        shutil.rmtree(scratch)
