"""The measures of pictures in `benchmarks.starters`."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch

from benchmarks.starter_judges import memory
from benchmarks.starter_judges.classifier import ATTRIBUTES, FEATURES, Judge, any_scene, as_pixels, labels_of
from benchmarks.starter_judges.fidelity import fidelity, kid
from benchmarks.starter_judges.pictures import asks, reworded
from tasks.starters.image import data
from tasks.starters.image import vocabulary as words
from tasks.starters.image.scene import SIZES, draw_scene


def points(count: int, seed: int, shift: float = 0.0, scale: float = 1.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((count, 16), generator=generator) * scale + shift


def test_two_draws_of_one_distribution_are_near() -> None:
    found = fidelity(points(400, 1), points(400, 2))
    assert abs(found.kid) < 60
    assert found.precision > 0.7
    assert found.recall > 0.7
    assert found.density == pytest.approx(1, abs=0.2)
    assert found.coverage > 0.9


def test_pictures_that_are_all_alike_are_precise_but_cover_little() -> None:
    found = fidelity(points(400, 1), points(400, 2, scale=0.05))
    assert found.precision > 0.95
    assert found.recall < 0.1
    assert found.coverage < 0.5


def test_pictures_of_something_else_are_neither() -> None:
    found = fidelity(points(400, 1), points(400, 2, shift=9.0))
    assert found.kid > 10_000
    assert found.precision == found.recall == found.density == found.coverage == 0


def test_the_kernel_distance_has_no_bias() -> None:
    estimates = [kid(points(60, 2 * seed), points(60, 2 * seed + 1)) for seed in range(40)]
    assert abs(float(np.mean(estimates))) < 3 * float(np.std(estimates)) / len(estimates) ** 0.5


def test_the_judge_s_world_does_not_give_an_attribute_away() -> None:
    scenes = [any_scene(3, index)[0] for index in range(4_000)]
    pairs = Counter((scene.product, scene.material) for scene in scenes)
    assert len(pairs) == len(ATTRIBUTES["product"]) * len(ATTRIBUTES["material"])
    colours = Counter(scene.colour for scene in scenes if words.held_out(scene.product, scene.colour, scene.material))
    assert {*colours} == {*ATTRIBUTES["colour"]}
    for name, wanted in labels_of(scenes).items():
        assert wanted.unique().numel() == len(ATTRIBUTES[name])


def test_the_judge_reads_pictures_of_any_size() -> None:
    pixels = as_pixels(np.zeros((2, 64, 64, 3), np.uint8))
    assert pixels.shape == (2, 3, 128, 128)
    features, scores = Judge().eval()(pixels)
    assert features.shape == (2, FEATURES)
    assert {name: score.shape[1] for name, score in scores.items()} == {k: len(v) for k, v in ATTRIBUTES.items()}


def test_prompts_are_of_combinations_seen_or_held_out_and_name_what_they_show() -> None:
    for held_out in (False, True):
        for ask in asks(40, 5, held_out=held_out):
            scene = ask.scene
            assert words.held_out(scene.product, scene.colour, scene.material) is held_out
            assert scene.shade in ask.prompt
            assert words.MATERIALS[scene.material][0] in ask.prompt
            assert words.PRODUCTS[scene.product][0] in ask.prompt
    plain = asks(8, 5, held_out=False)
    for ask, other in zip(plain, reworded(plain), strict=True):
        assert other.scene == ask.scene
        assert other.prompt != ask.prompt
        assert ask.scene.shade in other.prompt


def test_a_picture_learnt_by_heart_is_found() -> None:
    width, height = SIZES[0]
    index = 7
    scene = draw_scene(np.random.default_rng((memory.TRAINING_SEED, width, height, index)))
    (learnt,) = data.render_scenes(width, height, [index], memory.TRAINING_SEED)
    (found,), known = memory.nearest(learnt[None], [scene], 60)
    assert known[index] == scene
    assert found.distance == 0
    assert (found.picture == learnt).all()
