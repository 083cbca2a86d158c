"""The image part of `benchmarks.starters`: draws held-out prompts, has them judged, and prints the tables."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from benchmarks.starter_judges import memory
from benchmarks.starter_judges.classifier import (
    ATTRIBUTES,
    Judge,
    accuracy,
    common_scene,
    judge_for,
    read,
    render_all,
    renderer_digest,
    save_pictures,
)
from benchmarks.starter_judges.fidelity import fidelity
from benchmarks.starter_judges.pictures import Ask, Sampling, asks, draw, open_pictures, pace, reworded
from benchmarks.starter_judges.sheets import write_sheet
from tasks.starters.image.scene import Scene

FRESH_SEED, FLOOR_SEED, ASK_SEED = 7_002, 7_003, 7_004
_PER_ROW = 8
_NEIGHBOURS = 16
_TARGETS = {"seen": (90, 90, 75, 85), "never trained": (80, 85, 60, 75)}


def report_image(args: argparse.Namespace) -> None:
    """Print every table of the image models in `args.image_model`; sheets go to `args.out`."""
    torch.set_num_threads(args.threads)
    judge = judge_for(args.out, args.judge_pictures, args.judge_epochs, args.workers)
    for number, folder in enumerate(args.image_model, 1):
        sheets = args.out if len(args.image_model) == 1 else args.out / str(number)
        sheets.mkdir(parents=True, exist_ok=True)
        _report_model(folder, judge, sheets, args)


def _report_model(folder: Path, judge: Judge, sheets: Path, args: argparse.Namespace) -> None:
    print(f"\n# starter-image: {folder}, seed {args.seed}", flush=True)
    seen, held_out = args.prompts - args.prompts // 3, args.prompts // 3
    fresh, fresh_scenes = _renders(args.out, FRESH_SEED, seen, held_out, args.workers)
    again, _ = _renders(args.out, FLOOR_SEED, seen, held_out, args.workers)

    engine, side = open_pictures(folder)
    sampling = Sampling(side, args.steps, args.guidance)
    sets = {
        "seen": asks(seen, args.seed * 10 + ASK_SEED, held_out=False),
        "never trained": asks(held_out, args.seed * 10 + ASK_SEED, held_out=True),
    }
    sets["other wordings"] = reworded(sets["seen"][:held_out])
    drawn = {name: draw(engine, some, sampling, args.seed) for name, some in sets.items()}

    print(f"{side} pixels, {args.steps} steps, guidance {args.guidance:g}; accuracy by the judge, %:")
    print(f"  {'':<40}{'of':>5}" + "".join(f"{name:>10}" for name in [*ATTRIBUTES, "all four"]))
    _print_accuracy("ceiling: fresh renders, seen", judge, fresh[:seen], fresh_scenes[:seen])
    _print_accuracy("ceiling: fresh renders, never trained", judge, fresh[seen:], fresh_scenes[seen:])
    for name, some in sets.items():
        _print_accuracy(name, judge, drawn[name], [ask.scene for ask in some])
        if name in _TARGETS:
            print(f"  {'  wanted':<45}" + "".join(f"{f'≥ {bound}':>10}" for bound in _TARGETS[name]))

    made = np.concatenate([drawn["seen"], drawn["never trained"]])
    real, floor, ours = (read(judge, pictures)[0] for pictures in (fresh, again, made))
    print(f"against {len(fresh)} fresh renders, in the judge's penultimate layer ({real.shape[1]} dimensions):")
    print(f"  pictures       {fidelity(real, ours)}")
    print(f"  other renders  {fidelity(real, floor)}")
    _print_memory(sheets, args.training_scenes, drawn["seen"], [ask.scene for ask in sets["seen"]], fresh, fresh_scenes)
    _write_sheets(sheets, sets, drawn)
    wall, cpu = pace(engine, sets["seen"], sampling)
    print(
        f"speed: {wall:.2f} pictures/s, {cpu:.2f} per CPU second: {side} × {side}, batches of 8, {args.threads} threads"
    )
    engine.close()


def _renders(folder: Path, seed: int, seen: int, held_out: int, workers: int) -> tuple[NDArray[np.uint8], list[Scene]]:
    """Fresh renders and their scenes, those of held-out combinations last; kept in `folder`."""
    asked = [(seed, index, False) for index in range(seen)] + [(seed, index, True) for index in range(held_out)]
    path = folder / f"renders-{renderer_digest()}-{seed}-{seen}-{held_out}.npy"
    if not path.exists():
        save_pictures(path, render_all(common_scene, asked, workers))
    return np.load(path), [common_scene(*one)[0] for one in asked]


def _print_accuracy(name: str, judge: Judge, pictures: NDArray[np.uint8], scenes: Sequence[Scene]) -> None:
    shares = accuracy(judge, pictures, scenes)
    print(f"  {name:<40}{len(scenes):>5}" + "".join(f"{share:>10.1%}" for share in shares.values()), flush=True)


def _print_memory(
    folder: Path,
    known: int,
    pictures: NDArray[np.uint8],
    scenes: Sequence[Scene],
    fresh: NDArray[np.uint8],
    fresh_scenes: Sequence[Scene],
) -> None:
    ours, _ = memory.nearest(pictures[:_NEIGHBOURS], scenes[:_NEIGHBOURS], known)
    theirs, _ = memory.nearest(fresh[:_NEIGHBOURS], fresh_scenes[:_NEIGHBOURS], known)
    mine, other = (float(np.mean([one.distance for one in some])) for some in (ours, theirs))
    print(
        f"nearest of {known:,} training pictures, grey levels: {mine:.1f} on average "
        f"(least {min(one.distance for one in ours):.1f}); of fresh renders {other:.1f} "
        f"(least {min(one.distance for one in theirs):.1f})"
    )
    size = ours[0].picture.shape[1::-1]
    shown = [np.asarray(Image.fromarray(one).resize(size, Image.Resampling.LANCZOS)) for one in pictures[:_NEIGHBOURS]]
    rows = []
    for first in range(0, _NEIGHBOURS, _PER_ROW):
        rows.append(("drawn", shown[first : first + _PER_ROW]))
        rows.append(("nearest", [one.picture for one in ours[first : first + _PER_ROW]]))
    write_sheet(folder / "nearest.png", rows)


def _write_sheets(folder: Path, sets: dict[str, list[Ask]], drawn: dict[str, NDArray[np.uint8]]) -> None:
    """One sheet for each attribute: its values down, pictures across, the last two of combinations never trained."""

    def some(name: str, attribute: str, value: str, count: int) -> list[NDArray[np.uint8]]:
        pairs = zip(sets[name], drawn[name], strict=True)
        return [picture for ask, picture in pairs if getattr(ask.scene, attribute) == value][:count]

    for attribute, values in ATTRIBUTES.items():
        rows = [
            (value, [*some("seen", attribute, value, _PER_ROW - 2), *some("never trained", attribute, value, 2)])
            for value in values
        ]
        write_sheet(folder / f"by-{attribute}.png", [(value, pictures) for value, pictures in rows if pictures])
    print(f"sheets: {folder}/by-*.png, {folder}/nearest.png")
