"""Rebuilding starter-image: render captioned scenes, train on them, save the pipeline with its model card."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from models.image.train import Recipe, train
from tasks.starters.image.data import training_set

CARD = Path(__file__).with_name("card.md")

SCENES = (26_000, 3_000, 3_000)
RECIPE = Recipe(autoencoder_steps=2_000, denoiser_steps=4_000)
SMOKE_SCENES = (200, 20, 20)
SMOKE_RECIPE = Recipe(autoencoder_steps=20, denoiser_steps=20)


def train_starter_image(
    out: Path, *, smoke: bool = False, seed: int = 0, log: Callable[[str], Any] = print, work: Path | None = None
) -> None:
    """Write the pipeline to the folder `out`: about an hour of one core, or with `smoke` a useless one in a minute.

    Scenes and checkpoints lie in `work` (default: beside `out`, removed at the end); call again with the same
    arguments to go on after an interruption.
    """
    scratch = work or out.with_name(f"{out.name}.work{'-smoke' if smoke else ''}")
    scratch.mkdir(parents=True, exist_ok=True)
    buckets = training_set(SMOKE_SCENES if smoke else SCENES, seed, scratch, log)
    train(buckets, SMOKE_RECIPE if smoke else RECIPE, out, scratch, seed, log)
    shutil.copyfile(CARD, out / "README.md")
    if work is None:
        shutil.rmtree(scratch)
