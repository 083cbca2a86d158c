"""The renderer: scenes, captions, what is held out."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tasks.starters.image import data
from tasks.starters.image import vocabulary as words
from tasks.starters.image.data import captions_of, render_scenes, training_set
from tasks.starters.image.scene import PRODUCTS, SIZES, VIEWS, Scene, caption, draw_scene, render
from tasks.starters.image.surfaces import FIXED, MATERIALS
from tasks.starters.image.worlds import SETTINGS


def _combinations() -> list[tuple[str, str, str]]:
    return [(p, c, m) for p in words.PRODUCTS for c in words.COLOURS for m in words.PRODUCT_MATERIALS[p]]


def _scene(seed: int = 5, **attributes: str) -> Scene:
    plain = {"setting": "studio", "light": "soft", "view": "three-quarter"}
    return replace(draw_scene(np.random.default_rng(seed)), **(plain | attributes))


def test_the_vocabulary_holds_together() -> None:
    assert set(PRODUCTS) == set(words.PRODUCTS) == set(words.PRODUCT_MATERIALS)
    assert set(SETTINGS) == set(words.SETTINGS)
    assert set(VIEWS) == set(words.VIEWS)
    assert {*MATERIALS, "glass"} == set(words.MATERIALS)
    assert all(material in words.MATERIALS for some in words.PRODUCT_MATERIALS.values() for material in some)
    share = np.mean([words.held_out(*combination) for combination in _combinations()])
    assert 0.07 < share < 0.14


def test_it_is_as_wide_as_promised() -> None:
    assert len(words.PRODUCTS) >= 16
    assert len(words.COLOURS) >= 12
    assert len(words.MATERIALS) >= 6
    assert len(words.SETTINGS) >= 10
    # Guessing the most likely material from the product must not pay.
    guess = np.mean([1 / len(some) for some in words.PRODUCT_MATERIALS.values()])
    assert guess < 0.3


def test_training_never_sees_what_is_held_out() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        seen, kept = draw_scene(rng), draw_scene(rng, held_out=True)
        assert not words.held_out(seen.product, seen.colour, seen.material)
        assert words.held_out(kept.product, kept.colour, kept.material)


@pytest.mark.parametrize("size", SIZES)
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
            scene = _scene(product=product, colour=colour, shade=colour, material=material)
            pictures.append(render(scene, np.random.default_rng(5)).mean((0, 1)))
        assert list(np.argmax(pictures, axis=0)) == [0, 1, 2], material


@pytest.mark.parametrize("product", words.PRODUCTS)
def test_materials_of_a_product_look_different(product: str) -> None:
    pictures = [
        render(_scene(product=product, colour="teal", shade="teal", material=material), np.random.default_rng(1))
        for material in words.PRODUCT_MATERIALS[product]
    ]
    for i, one in enumerate(pictures):
        for other in pictures[:i]:
            apart = np.abs(one.astype(float) - other).mean(-1).ravel()
            assert np.sort(apart)[-len(apart) // 10 :].mean() > 6  # grey levels, where they differ most


def test_settings_lights_and_views_look_different() -> None:
    base = _scene(product="mug", material="ceramic", colour="red", shade="red")
    for name, values in (("light", words.LIGHTS), ("view", words.VIEWS), ("setting", words.settings_of("mug"))):
        seen = [render(replace(base, **{name: v}), np.random.default_rng(2)).astype(float) for v in values]
        differences = [np.abs(a - b).mean() for i, a in enumerate(seen) for b in seen[:i]]
        assert min(differences) > 2, name


def test_the_product_throws_a_shadow_away_from_the_light() -> None:
    scene = _scene(product="bottle", material="ceramic", light="dramatic", view="front")
    halves = []
    for seed in range(8):
        floor = render(scene, np.random.default_rng(seed))[104:120].astype(float).mean((0, 2))
        halves.append(floor[:40].mean() - floor[88:].mean())
    assert min(halves) < -3
    assert max(halves) > 3


def test_glass_lets_the_backdrop_through() -> None:
    rng = np.random.default_rng
    clear, solid = (
        [
            render(_scene(product="vase", material=m, colour="white", shade="white", setting=setting), rng(3))[
                70:90, 56:72
            ]
            for setting in ("garden", "night")
        ]
        for m in ("glass", "ceramic")
    )
    differences = [np.abs(a.astype(float) - b).mean() for a, b in (clear, solid)]
    assert differences[0] > 2 * differences[1]


def test_captions_say_what_is_shown() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        scene = draw_scene(rng)
        full = caption(scene, rng, full=True)
        assert scene.shade in full
        assert words.PRODUCTS[scene.product][0] in full
        assert words.MATERIALS[scene.material][0] in full
        assert words.VIEWS[scene.view][0] in full
        assert full.startswith(
            ("a photo of a ", "a photo of an ", "a photo of headphones", f"a photo of {scene.shade}")
        )
        loose = caption(scene, rng)
        assert any(name in loose for name in words.PRODUCTS[scene.product])
        assert scene.shade in loose


def test_all_fixed_surfaces_are_known() -> None:
    for make in PRODUCTS.values():
        for hard in (False, True):
            for part in make(np.random.default_rng(0), hard).parts:
                assert part.surface == "main" or part.surface in FIXED


def test_workers_render_the_same_scenes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "CHUNK", 2)
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    said: list[str] = []
    alone = training_set((3, 1, 1), 4, tmp_path / "one", said.append)
    shared = training_set((3, 1, 1), 4, tmp_path / "two", said.append, workers=2)
    assert [bucket.size for bucket in shared] == list(SIZES)
    for a, b in zip(alone, shared, strict=True):
        assert (a.pixels == b.pixels).all()
        assert a.captions == b.captions
    said.clear()
    training_set((3, 1, 1), 4, tmp_path / "one", said.append)
    assert not said, "nothing is rendered twice"


def test_rendering_is_quick() -> None:
    started = time.process_time()
    render_scenes(128, 128, range(20), 1)
    assert (time.process_time() - started) / 20 < 0.12
