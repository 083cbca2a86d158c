"""Scenes: what is in a picture, how it is drawn, and what a caption says of it. One seed gives one scene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.starters.image import household, surfaces, wearables
from tasks.starters.image import vocabulary as words
from tasks.starters.image.compose import backdrop, floor_shadow, polish, reduce, soften
from tasks.starters.image.field import FAR, Distance, Grid, f32
from tasks.starters.image.light import Light, displayed, linear, make_light
from tasks.starters.image.model import MAIN, Model
from tasks.starters.image.tracer import Camera, march_grid, normals, occlusion, shadow
from tasks.starters.image.worlds import SETTINGS, World

PRODUCTS = {
    "mug": household.mug,
    "bottle": household.bottle,
    "vase": household.vase,
    "plant pot": household.plant_pot,
    "candle": household.candle,
    "lamp": household.lamp,
    "clock": household.clock,
    "chair": household.chair,
    "sofa": household.sofa,
    "cushion": household.cushion,
    "bag": wearables.bag,
    "shoe": wearables.shoe,
    "hat": wearables.hat,
    "shirt": wearables.shirt,
    "jacket": wearables.jacket,
    "book": household.book,
    "headphones": wearables.headphones,
    "watch": wearables.watch,
}
# Width, height of the pictures that the model learns.
SIZES = ((128, 128), (192, 128), (128, 192))
SUPERSAMPLING = 2
# view → elevation in degrees, turn in degrees, share of the picture's shorter side that the product fills
VIEWS = {
    "front": (11.0, 0.0, 0.66),
    "three-quarter": (24.0, 24.0, 0.66),
    "above": (42.0, 8.0, 0.68),
    "close-up": (15.0, 12.0, 0.9),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """The attributes of a picture. `shade` is one of the colour family's names, `tint` that of a pastel backdrop,
    `view` where the camera is."""

    product: str
    colour: str
    shade: str
    material: str
    setting: str
    tint: str
    light: str
    view: str


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
        view=str(rng.choice(list(words.VIEWS))),
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
    view = pick(words.VIEWS[scene.view]) if keep(0.75) else ""
    filler = "" if full or rng.random() < 0.8 else _filler(rng)
    opening = words.OPENINGS[0] if full or rng.random() < 0.5 else str(rng.choice(words.OPENINGS))
    if full or rng.random() < 0.85:
        described = " ".join(w for w in (filler, scene.shade, material, thing) if w)
    else:
        described = " ".join(w for w in (filler, material, thing, "in", scene.shade) if w)
    article = "an" if described[0] in "aeiou" else "a"
    plural = scene.product == "headphones"
    start = f"{opening} {'' if plural else article + ' '}{described}" if opening else described
    return ", ".join(part for part in (f"{start} {setting}".strip(), light, view) if part)


def _filler(rng: np.random.Generator) -> str:
    """A word that says nothing about the picture: a common one, or an invented name."""
    if rng.random() < 0.5:
        return str(rng.choice(words.FILLERS))
    return "".join(str(rng.choice(words.SYLLABLES)) for _ in range(rng.integers(2, 4)))


class _Studio:
    """One scene set up: the model turned towards the camera, in its light and surroundings."""

    def __init__(self, scene: Scene, rng: np.random.Generator):
        hard = scene.material in words.HARD
        self.model: Model = PRODUCTS[scene.product](rng, hard)
        self.glass = scene.material == "glass"
        mains = [k for k, part in enumerate(self.model.parts) if part.surface == MAIN]
        self.all = list(range(len(self.model.parts)))
        self.solid = [k for k in self.all if not (self.glass and k in mains)]
        self.clear = mains if self.glass else []
        # A flame throws no shadow.
        self.casting = [k for k in self.all if self.model.parts[k].surface != "flame"]
        elevation, turn, share = VIEWS[scene.view]
        side = float(rng.choice((-1, 1)))
        self.angle = self.model.turn + np.radians(turn + rng.uniform(-4, 4)) * side
        self.size = max(self.model.width, self.model.height)
        self.camera = Camera(
            np.radians(elevation + rng.uniform(-1, 1)), self.size / share * rng.uniform(0.98, 1.02),
            self.model.height * 0.46, rng.uniform(-0.015, 0.015) * self.size,
        )  # fmt: skip
        self.light: Light = make_light(scene.light, float(rng.choice((-1, 1))))
        self.world: World = SETTINGS[scene.setting](rng, scene.tint)
        tone = np.asarray(words.COLOURS[scene.colour][scene.shade]) * rng.uniform(0.97, 1.03)
        self.rgb = linear(np.clip(tone, 0.02, 0.97))
        self.material = scene.material
        self._c, self._s = f32(np.cos(self.angle)), f32(np.sin(self.angle))

    def local(self, x: Grid, y: Grid, z: Grid) -> tuple[Grid, Grid, Grid]:
        """The model's own coordinates."""
        return x * self._c - z * self._s, y, x * self._s + z * self._c

    def distance_to(self, parts: list[int]) -> Distance:
        """The distance field of some of the parts, in the scene's coordinates."""
        return lambda x, y, z: self.model.distance(*self.local(x, y, z), parts)


def render(scene: Scene, rng: np.random.Generator, width: int = 128, height: int = 128) -> NDArray[np.uint8]:
    """Draw the scene as `height` × `width` × 3 RGB. Proportions, small turns and textures come from `rng`."""
    s = _Studio(scene, rng)
    back = backdrop(s.camera, s.world, s.light, height, width)
    picture = back * floor_shadow(s.camera, s.distance_to(s.casting), s.model, s.light, s.world, height, width)
    if s.world.gloss:
        picture = polish(picture, s.camera, s.distance_to(s.all), s.model, s.rgb, s.light, s.world)
    picture = soften(picture, s.camera, s.world, height, width)

    rows, columns = height * SUPERSAMPLING, width * SUPERSAMPLING
    rays = np.broadcast_arrays(*s.camera.rays(rows, columns))
    rays = tuple(np.ascontiguousarray(axis).ravel() for axis in rays)
    solid, depth, at = _layer(s, rays, (rows, columns), s.solid)
    picture = reduce(solid, at, picture, rows, columns, SUPERSAMPLING)
    if s.clear:
        clear, _, at = _layer(s, rays, (rows, columns), s.clear, behind=(picture, depth))
        picture = reduce(clear, at, picture, rows, columns, SUPERSAMPLING)
    return (displayed(picture) * 255 + 0.5).astype(np.uint8)


def _layer(
    s: _Studio,
    rays: tuple[Grid, ...],
    shape: tuple[int, int],
    parts: list[int],
    behind: tuple[Grid, Grid] | None = None,
) -> tuple[Grid, Grid, Grid]:
    """Light from some of the parts: n × 3 colours, depths of all rays, and which rays the colours belong to. With
    `behind`, a picture and its depths, the parts are of glass and stand before it."""
    origin = s.camera.origin
    depth = march_grid(s.distance_to(parts), origin, rays, shape, s.model.height / 2, s.model.reach)
    at = np.flatnonzero(depth < (FAR if behind is None else np.minimum(behind[1], FAR)))
    if not len(at):
        return np.zeros((0, 3), np.float32), depth, at
    vx, vy, vz = (axis[at] for axis in rays)
    t = depth[at]
    x, y, z = (f32(o) + t * v for o, v in zip(origin, (vx, vy, vz), strict=True))
    nx, ny, nz = normals(s.distance_to(parts), x, y, z)
    field = s.distance_to(s.casting)
    start = tuple(p + n * f32(0.01) for p, n in zip((x, y, z), (nx, ny, nz), strict=True))
    lit = shadow(field, start, s.light.towards, s.size * 0.9, s.light.sharp)
    ground = np.clip(y / f32(0.15 * s.size), 0, 1)
    open_ = occlusion(field, (x, y, z), (nx, ny, nz), 0.16 * s.size) * (f32(0.7) + f32(0.3) * ground)
    px, py, pz = s.local(x, y, z)
    qx, qy, qz = s.local(nx, ny, nz)
    u, v = _unroll((px, py, pz), (qx, qy, qz), s.model.wrap, s.size)
    spots = surfaces.Spots(u, v, y * f32(1 / s.size), (nx, ny, nz), (vx, vy, vz), open_, lit)
    around = s.world.around
    if behind is not None:
        picture, columns = behind[0], shape[1]
        row, column = at // columns // SUPERSAMPLING, at % columns // SUPERSAMPLING
        bend = f32(0.07 * min(picture.shape[:2]))
        row = np.clip(row + (ny * bend).astype(np.int32), 0, picture.shape[0] - 1)
        column = np.clip(column - (nx * bend).astype(np.int32), 0, picture.shape[1] - 1)
        return surfaces.glass(spots, s.rgb, picture[row, column], s.light, around), depth, at
    colours = np.zeros((len(at), 3), np.float32)
    owner = s.model.owner(px, py, pz, parts)
    for name in dict.fromkeys(s.model.parts[k].surface for k in parts):
        mine = np.flatnonzero(np.isin(owner, [k for k in parts if s.model.parts[k].surface == name]))
        if len(mine):
            colours[mine] = _coloured(s, _subset(spots, mine), name)
    return colours, depth, at


def _coloured(s: _Studio, spots: surfaces.Spots, name: str) -> Grid:
    paint = surfaces.MATERIALS[s.material] if name == MAIN else surfaces.FIXED[name]
    return surfaces.shade(spots, paint(spots, s.rgb), s.light, s.world.around, surfaces.GLOW.get(name, 0.0))


def _subset(spots: surfaces.Spots, some: Grid) -> surfaces.Spots:
    def of(axes: tuple[Grid, Grid, Grid]) -> tuple[Grid, Grid, Grid]:
        return axes[0][some], axes[1][some], axes[2][some]

    return surfaces.Spots(
        u=spots.u[some],
        v=spots.v[some],
        height=spots.height[some],
        normal=of(spots.normal),
        view=of(spots.view),
        open=spots.open[some],
        lit=spots.lit[some],
    )


def _unroll(point: tuple[Grid, ...], normal: tuple[Grid, ...], wrap: str, size: float) -> tuple[Grid, Grid]:
    """Where on a pattern a point lies: around the y axis, or on the side that it faces."""
    x, y, z = (axis * f32(1 / size) for axis in point)
    nx, ny, nz = (np.abs(axis) for axis in normal)
    top = ny > np.maximum(nx, nz)
    if wrap == "round":
        radius = f32(0.3)
        top = ny > f32(0.8)
        return np.where(top, x, np.arctan2(x, z) * radius), np.where(top, z, y)
    side = (nx > nz) & ~top
    return np.where(side, z, x), np.where(top, z, y)
