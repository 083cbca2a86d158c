"""Scenes: what is in a picture, how it is drawn, and what a caption says of it. One seed gives one scene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.starters.image import goods, vessels
from tasks.starters.image import vocabulary as words
from tasks.starters.image.brush import Light, Stage
from tasks.starters.image.settings import SETTINGS

PAINTERS = {
    "mug": vessels.mug,
    "bottle": vessels.bottle,
    "vase": vessels.vase,
    "plant pot": vessels.plant_pot,
    "candle": vessels.candle,
    "lamp": vessels.lamp,
    "clock": vessels.clock,
    "chair": goods.chair,
    "sofa": goods.sofa,
    "cushion": goods.cushion,
    "bag": goods.bag,
    "shoe": goods.shoe,
    "hat": goods.hat,
    "shirt": goods.shirt,
    "jacket": goods.jacket,
    "book": goods.book,
    "headphones": goods.headphones,
    "watch": goods.watch,
}
SUPERSAMPLING = 2


@dataclass(frozen=True, slots=True)
class Scene:
    """The attributes of a picture. `shade` is one of the colour family's names, `tint` that of a pastel backdrop."""

    product: str
    colour: str
    shade: str
    material: str
    setting: str
    tint: str
    light: str


def draw_scene(rng: np.random.Generator, *, held_out: bool = False) -> Scene:
    """A scene at random, among the combinations that training may show, or among those held out."""
    while True:
        product = str(rng.choice(list(words.PRODUCTS)))
        colour = str(rng.choice(list(words.COLOURS)))
        material = str(rng.choice(words.PRODUCT_MATERIALS[product]))
        if words.held_out(product, colour, material) == held_out:
            break
    shades = list(words.COLOURS[colour])
    return Scene(
        product=product,
        colour=colour,
        shade=shades[0] if rng.random() < 0.6 else str(rng.choice(shades)),
        material=material,
        setting=str(rng.choice(words.settings_of(product))),
        tint=str(rng.choice(list(words.TINTS))),
        light=str(rng.choice(list(words.LIGHTS))),
    )


def caption(scene: Scene, rng: np.random.Generator, *, full: bool = False) -> str:
    """One of many ways to say what the scene shows; with `full`, the plain way that leaves nothing out."""

    def pick(options: tuple[str, ...]) -> str:
        return options[0] if full or rng.random() < 0.5 else str(rng.choice(options))

    def keep(share: float) -> bool:
        return full or rng.random() < share

    thing = pick(words.PRODUCTS[scene.product])
    material = pick(words.MATERIALS[scene.material]) if keep(0.88) else ""
    setting = pick(words.SETTINGS[scene.setting]).format(tint=scene.tint) if keep(0.9) else ""
    light = pick(words.LIGHTS[scene.light]) if keep(0.75) else ""
    filler = "" if full or rng.random() < 0.8 else _filler(rng)
    opening = words.OPENINGS[0] if full or rng.random() < 0.5 else str(rng.choice(words.OPENINGS))
    if full or rng.random() < 0.85:
        described = " ".join(w for w in (filler, scene.shade, material, thing) if w)
    else:
        described = " ".join(w for w in (filler, material, thing, "in", scene.shade) if w)
    article = "an" if described[0] in "aeiou" else "a"
    plural = scene.product == "headphones"
    start = f"{opening} {'' if plural else article + ' '}{described}" if opening else described
    return ", ".join(part for part in (f"{start} {setting}".strip(), light) if part)


def _filler(rng: np.random.Generator) -> str:
    """A word that says nothing about the picture: a common one, or an invented name."""
    if rng.random() < 0.5:
        return str(rng.choice(words.FILLERS))
    return "".join(str(rng.choice(words.SYLLABLES)) for _ in range(rng.integers(2, 4)))


def _light(name: str, rng: np.random.Generator) -> Light:
    side = float(rng.choice((-1, 1)))
    towards, colour, ambient = {
        "soft": ((0.35 * side, 0.55, 0.75), (1.0, 1.0, 1.0), 0.62),
        "warm": ((0.60 * side, 0.30, 0.70), (1.10, 0.97, 0.76), 0.50),
        "bright": ((0.40 * side, 0.65, 0.65), (1.08, 1.08, 1.06), 0.56),
        "dramatic": ((0.90 * side, 0.25, 0.35), (0.98, 0.97, 0.96), 0.20),
    }[name]
    x, y, z = np.array(towards) / np.linalg.norm(towards)
    return Light((float(x), float(y), float(z)), colour, ambient)


def render(scene: Scene, rng: np.random.Generator, width: int = 64, height: int = 64) -> NDArray[np.uint8]:
    """Draw the scene as `height` × `width` × 3 RGB. Camera, details of shape and textures come from `rng`."""
    rows, columns = height * SUPERSAMPLING, width * SUPERSAMPLING
    px = 2 / min(rows, columns)
    y = np.repeat(((rows - 1) / 2 - np.arange(rows, dtype=np.float32))[:, None] * px, columns, axis=1)
    x = np.repeat((np.arange(columns, dtype=np.float32) - (columns - 1) / 2)[None, :] * px, rows, axis=0)
    light = _light(scene.light, rng)
    pixels = np.zeros((rows, columns, 3), np.float32)
    reach_down = rows / min(rows, columns)

    base = -0.66 + rng.uniform(-0.06, 0.06) - 0.4 * (reach_down - 1)
    world = Stage(pixels, x, y, px, light, rng)
    SETTINGS[scene.setting](world, base + rng.uniform(0.16, 0.3), scene.tint)
    _set_mood(world, scene.light)

    size = rng.uniform(0.86, 1.0)
    cx = rng.uniform(-0.1, 0.1)
    _shadow(world, cx, base, size, 0.78 if scene.product in ("sofa", "shoe", "hat") else 0.55)
    rgb = np.clip(
        np.asarray(words.COLOURS[scene.colour][scene.shade]) * rng.uniform(0.94, 1.06) + rng.normal(0, 0.012, 3),
        0.03,
        0.98,
    )
    mirror = 1.0 if rng.random() < 0.5 else -1.0
    product = Stage(pixels, (x - cx) / size * mirror, (y - base) / size, px / size, light, rng)
    product.light = Light((light.towards[0] * mirror, *light.towards[1:]), light.colour, light.ambient)
    PAINTERS[scene.product](product, rgb, scene.material)

    pixels *= {"soft": 1.0, "warm": 1.0, "bright": 1.06, "dramatic": 0.98}[scene.light]
    fine = np.clip(pixels, 0, 1).reshape(height, SUPERSAMPLING, width, SUPERSAMPLING, 3).mean((1, 3))
    return (fine * 255 + 0.5).astype(np.uint8)


def _set_mood(s: Stage, light: str) -> None:
    """Let the backdrop share the light."""
    if light == "warm":
        s.pixels *= np.array([1.04, 0.93, 0.74], np.float32)
    elif light == "bright":
        s.pixels *= 1.05
    elif light == "dramatic":
        side = s.light.towards[0]
        s.pixels *= np.clip(0.46 + 0.30 * s.x * np.sign(side) - 0.10 * np.hypot(s.x, s.y), 0.12, 1)[..., None]


def _shadow(s: Stage, cx: float, base: float, size: float, half: float) -> None:
    """The soft shadow on the ground, drawn away from the light, and the dark line of contact."""
    lx = s.light.towards[0]
    strength = 0.28 + 0.45 * (1 - s.light.ambient)
    for reach, soft, dark in ((1.25, 0.5, strength), (0.95, 0.2, strength * 0.6)):
        dx = (s.x - cx + 0.22 * lx * reach * size) / (half * reach * size)
        dy = (s.y - base + 0.02) / (0.17 * reach * size)
        s.pixels *= (1 - dark * np.clip((1.05 - np.hypot(dx, dy)) / soft, 0, 1))[..., None]
