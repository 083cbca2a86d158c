"""The renderer: scenes, captions, what is held out."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from tasks.starters.image import vocabulary as words
from tasks.starters.image.data import captions_of, render_scenes
from tasks.starters.image.scene import PAINTERS, caption, draw_scene, render


def _combinations() -> list[tuple[str, str, str]]:
    return [(p, c, m) for p in words.PRODUCTS for c in words.COLOURS for m in words.PRODUCT_MATERIALS[p]]


def test_the_vocabulary_holds_together() -> None:
    assert set(PAINTERS) == set(words.PRODUCTS) == set(words.PRODUCT_MATERIALS)
    assert all(material in words.MATERIALS for some in words.PRODUCT_MATERIALS.values() for material in some)
    share = np.mean([words.held_out(*combination) for combination in _combinations()])
    assert 0.07 < share < 0.14


def test_training_never_sees_what_is_held_out() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        seen, kept = draw_scene(rng), draw_scene(rng, held_out=True)
        assert not words.held_out(seen.product, seen.colour, seen.material)
        assert words.held_out(kept.product, kept.colour, kept.material)


@pytest.mark.parametrize("size", [(64, 64), (96, 64), (64, 96)])
def test_one_seed_gives_one_picture(size: tuple[int, int]) -> None:
    width, height = size
    one, same = render_scenes(width, height, [3], 0), render_scenes(width, height, [3], 0)
    assert one.shape == (1, height, width, 3)
    assert (one == same).all()
    assert (one != render_scenes(width, height, [4], 0)).any()
    assert captions_of(width, height, 3, 0) == captions_of(width, height, 3, 0)


@pytest.mark.parametrize("product", words.PRODUCTS)
def test_a_product_shows_its_colour(product: str) -> None:
    """Among red, green and blue versions of one scene, each has most of its own channel."""
    for material in words.PRODUCT_MATERIALS[product]:
        pictures = []
        for colour in ("red", "green", "blue"):
            scene = replace(
                draw_scene(np.random.default_rng(5)),
                product=product, colour=colour, shade=colour, material=material, setting="studio", light="soft",
            )  # fmt: skip
            pictures.append(render(scene, np.random.default_rng(5)).mean((0, 1)))
        assert list(np.argmax(pictures, axis=0)) == [0, 1, 2], material


def test_settings_and_lights_look_different() -> None:
    base = replace(draw_scene(np.random.default_rng(1)), product="mug", material="ceramic", colour="red", shade="red")
    seen = []
    for setting in words.settings_of("mug"):
        for light in words.LIGHTS:
            picture = render(replace(base, setting=setting, light=light), np.random.default_rng(2))
            seen.append(picture.astype(float))
    differences = [np.abs(a - b).mean() for i, a in enumerate(seen) for b in seen[:i]]
    assert min(differences) > 2


def test_captions_say_what_is_shown() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        scene = draw_scene(rng)
        full = caption(scene, rng, full=True)
        assert scene.shade in full
        assert words.PRODUCTS[scene.product][0] in full
        assert words.MATERIALS[scene.material][0] in full
        assert full.startswith(
            ("a photo of a ", "a photo of an ", "a photo of headphones", f"a photo of {scene.shade}")
        )
        loose = caption(scene, rng)
        assert any(name in loose for name in words.PRODUCTS[scene.product])
        assert scene.shade in loose


def test_rendering_is_quick() -> None:
    started = time.process_time()
    render_scenes(64, 64, range(40), 1)
    assert (time.process_time() - started) / 40 < 0.05
