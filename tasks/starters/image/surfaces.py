"""How surfaces look: colour, pattern, gloss and bumps of each material, and of the fixed parts that products have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from tasks.starters.image.field import Grid, f32, noise, noise_slope, smooth
from tasks.starters.image.light import Light, Rgb, Surroundings, linear, mirrored


@dataclass(slots=True)
class Spots:
    """Points of one surface. `u`, `v` run over it in units of the product's size, `height` is y in the same unit."""

    u: Grid
    v: Grid
    height: Grid
    normal: tuple[Grid, Grid, Grid]
    view: tuple[Grid, Grid, Grid]  # from the camera to the point
    open: Grid  # occlusion
    lit: Grid  # shadow


@dataclass(slots=True)
class Finish:
    """What light does at each spot: `colour` n × 3 (linear), and constants. `bump` tilts the normal along u and v."""

    colour: Grid
    gloss: float = 0.0  # strength of reflections seen head on
    blur: float = 0.5  # of the reflections
    metal: float = 0.0
    wrap: float = 0.0  # light that creeps around: translucent things
    fuzz: float = 0.0  # brightening towards the outline
    bump: tuple[Grid, Grid] | None = None
    cavity: Grid | None = field(default=None)  # darkening in a pattern's grooves


def _even(s: Spots, rgb: Grid) -> Grid:
    return np.broadcast_to(np.asarray(rgb, np.float32), (len(s.u), 3))


def ceramic(s: Spots, rgb: Grid) -> Finish:
    """Glaze over clay: sharp highlights, a bare foot, specks of iron."""
    bare = smooth(0.078, 0.066, s.height + f32(0.006) * noise(s.u * f32(0.8), s.v * f32(0.1)))[:, None]
    specks = smooth(1.9, 2.3, noise(s.u * f32(2.3), s.v * f32(2.3)))[:, None]
    clay = linear((0.80, 0.68, 0.55))
    colour = np.asarray(rgb) * (f32(1) - f32(0.45) * specks)
    return Finish(colour + bare * (clay - colour), gloss=0.11, blur=0.02)


def plastic(s: Spots, rgb: Grid) -> Finish:
    """Even, saturated, with a broad soft highlight and light within."""
    return Finish(_even(s, np.asarray(rgb) * f32(1.02)), gloss=0.075, blur=0.42, wrap=0.35)


def metal(s: Spots, rgb: Grid) -> Finish:
    """A tinted mirror, brushed along u."""
    brushed = noise(s.u * f32(0.12), s.v * f32(1.6))
    tint = np.asarray(rgb) * f32(0.86) + f32(0.07)
    return Finish(_even(s, tint) * (f32(1) + f32(0.06) * brushed)[:, None], metal=1.0, blur=0.06)


def wood(s: Spots, rgb: Grid) -> Finish:
    """Stained wood: long grain in v, dark pores and a few wide rings."""
    rings = np.sin(s.u * f32(2 * np.pi / 0.10) + f32(0.9) * noise(s.u * f32(0.2), s.v * f32(0.05)))
    fine = noise(s.u * f32(0.9), s.v * f32(0.045))
    tone = np.clip(f32(0.88) + f32(0.34) * rings + f32(0.2) * fine, 0.2, 1.5)[:, None]
    base = np.asarray(rgb) * f32(0.94) + linear((0.55, 0.36, 0.2)) * f32(0.09)
    deep = np.asarray(rgb) * np.array((0.42, 0.3, 0.22), np.float32)
    return Finish(deep + (base - deep) * tone, gloss=0.03, blur=0.5)


def leather(s: Spots, rgb: Grid) -> Finish:
    """Pebbled and creased, darker where it bends, a broken sheen."""
    pebble = noise(s.u * f32(0.9), s.v * f32(0.9))
    worn = noise(s.u * f32(0.22) + f32(0.7), s.v * f32(0.22))
    tone = np.clip(f32(0.9) + f32(0.03) * pebble + f32(0.12) * worn, 0.3, 1.4)
    # A seam every so often, and a row of pale stitches along it.
    across = s.u * f32(1 / 0.34) + f32(0.5)
    across = np.abs(across - np.round(across)) * f32(0.34)
    tone *= f32(1) - f32(0.7) * smooth(0.014, 0.006, across)
    stitch = smooth(0.012, 0.007, np.abs(across - f32(0.034))) * (np.sin(s.v * f32(2 * np.pi / 0.055)) > -0.2)
    colour = np.asarray(rgb) * tone[:, None]
    thread = linear((0.92, 0.84, 0.68))
    du, dv = noise_slope(s.u * f32(0.42), s.v * f32(0.42))
    return Finish(
        colour + f32(0.6) * stitch[:, None] * (thread - colour), gloss=0.19, blur=0.46,
        bump=(du * f32(0.022), dv * f32(0.022)),
    )  # fmt: skip


def fabric(s: Spots, rgb: Grid) -> Finish:
    """A coarse canvas weave, without any gloss."""
    step = f32(2 * np.pi / 0.082)
    over, under = np.cos(s.u * step), np.cos(s.v * step)
    weave = over * under
    thread = noise(s.u * f32(0.5), s.v * f32(3)) * (weave > 0) + noise(s.u * f32(3), s.v * f32(0.5)) * (weave <= 0)
    tone = f32(0.95) + f32(0.27) * weave + f32(0.05) * thread
    pale = np.asarray(rgb) * f32(0.93) + f32(0.035)
    return Finish(pale * tone[:, None], fuzz=0.22)


def wool(s: Spots, rgb: Grid) -> Finish:
    """Knitted ribs: columns of stitches like the letter V, deep grooves between."""
    column = s.u * f32(1 / 0.125)
    inside = np.abs(column - np.floor(column) - f32(0.5)) * f32(2)  # 0 in the middle of a rib, 1 in a groove
    stitch = np.sin((s.v * f32(1 / 0.085) + inside * f32(0.55)) * f32(2 * np.pi))
    groove = smooth(0.62, 1.0, inside)
    tone = f32(1.02) + f32(0.26) * stitch * (f32(1) - groove) - f32(0.62) * groove
    bend = (column - np.floor(column) - f32(0.5)) * f32(1.3)
    soft = np.asarray(rgb) * f32(0.95) + f32(0.02)
    return Finish(soft * np.clip(tone, 0.2, 1.4)[:, None], fuzz=0.4, bump=(-bend, np.zeros_like(bend)))


MATERIALS: dict[str, Callable[[Spots, Grid], Finish]] = {
    "ceramic": ceramic,
    "metal": metal,
    "wood": wood,
    "leather": leather,
    "fabric": fabric,
    "wool": wool,
    "plastic": plastic,
}


def _plain(rgb: Rgb, **constants: float) -> Callable[[Spots, Grid], Finish]:
    return lambda s, _rgb: Finish(_even(s, linear(rgb)), **constants)  # type: ignore[arg-type]


def _dial(s: Spots, _rgb: Grid) -> Finish:
    return Finish(_even(s, linear((0.95, 0.94, 0.9))), gloss=0.05, blur=0.1)


FIXED: dict[str, Callable[[Spots, Grid], Finish]] = {
    "coffee": _plain((0.22, 0.12, 0.07), gloss=0.06, blur=0.1),
    "cap": _plain((0.14, 0.14, 0.15), gloss=0.07, blur=0.2),
    "stem": _plain((0.42, 0.5, 0.28)),
    "flower": _plain((0.96, 0.9, 0.86), wrap=0.4),
    "soil": _plain((0.25, 0.17, 0.12)),
    "leaf": _plain((0.27, 0.55, 0.25), gloss=0.05, blur=0.35, wrap=0.25),
    "wax": _plain((0.96, 0.92, 0.82), wrap=0.6),
    "dark": _plain((0.10, 0.10, 0.11), gloss=0.05, blur=0.3),
    "flame": _plain((1.0, 0.8, 0.35)),
    "shade": _plain((0.97, 0.91, 0.78), wrap=0.6),
    "dial": _dial,
    "paper": _plain((0.95, 0.92, 0.84)),
    "gilt": _plain((0.92, 0.80, 0.48), gloss=0.3, blur=0.2),
    "brass": _plain((0.86, 0.70, 0.36), metal=1.0, blur=0.1),
    "legs": _plain((0.36, 0.22, 0.12), gloss=0.05, blur=0.3),
    "rubber": _plain((0.93, 0.93, 0.91), gloss=0.03, blur=0.4),
    "lace": _plain((0.94, 0.94, 0.94)),
    "ribbon": _plain((0.16, 0.13, 0.13)),
    "lining": _plain((0.90, 0.88, 0.84)),
}
# Light that fixed parts give themselves, as a share of their colour.
GLOW = {"flame": 2.4, "shade": 0.42, "wax": 0.10}


def shade(s: Spots, finish: Finish, light: Light, around: Surroundings, glow: float = 0.0) -> Grid:
    """Light from the spots to the camera: n × 3."""
    nx, ny, nz = s.normal
    vx, vy, vz = s.view
    if finish.bump is not None:
        # Across and down the surface, near enough for small tilts: the camera looks along -z.
        du, dv = finish.bump
        nx, ny, nz = nx + du * nz, ny + dv, nz - du * nx
        scale = f32(1) / np.sqrt(nx * nx + ny * ny + nz * nz)
        nx, ny, nz = nx * scale, ny * scale, nz * scale
    lx, ly, lz = (f32(v) for v in light.towards)
    facing = np.clip(-(nx * vx + ny * vy + nz * vz), 0, 1)
    falling = nx * lx + ny * ly + nz * lz
    wrap = f32(finish.wrap)
    diffuse = np.clip((falling + wrap) / (f32(1) + wrap), 0, 1) * (s.lit + (f32(1) - s.lit) * wrap * f32(0.5))
    key, ambient = np.asarray(light.key, np.float32), np.asarray(light.ambient, np.float32)
    below = np.asarray(around.below, np.float32)
    up = (f32(0.62) + f32(0.38) * ny) * s.open
    bounce = (f32(0.5) - f32(0.5) * ny) * s.open * f32(0.4)
    arriving = diffuse[:, None] * key * f32(1.25) + up[:, None] * ambient
    arriving += bounce[:, None] * (below * (key * f32(0.5) + ambient))
    fresnel = (f32(1) - facing) ** 5
    result: Grid = finish.colour * arriving * f32(1 - finish.metal)
    if finish.gloss or finish.metal:
        twice = f32(2) * (nx * vx + ny * vy + nz * vz)
        seen = mirrored((vx - twice * nx, vy - twice * ny, vz - twice * nz), around, light, finish.blur)
        dim = (f32(0.35) + f32(0.65) * s.lit) * s.open
        if finish.metal:
            result += seen * finish.colour * (f32(0.35) + f32(0.65) * s.open)[:, None]
        strength = f32(finish.gloss) + f32((1 - finish.blur) * 0.5 * (finish.gloss > 0)) * fresnel
        result += seen * (strength * dim)[:, None]
    if finish.fuzz:
        rim = (f32(1) - facing) ** 3 * f32(finish.fuzz) * s.open
        result += rim[:, None] * (finish.colour * f32(0.7) + f32(0.1)) * (ambient + key * f32(0.5))
    if glow:
        result += finish.colour * f32(glow)
    return result


def glass(s: Spots, rgb: Grid, behind: Grid, light: Light, around: Surroundings) -> Grid:
    """Tinted glass before `behind` (n × 3): clear head on, deep at the rims, sharp highlights."""
    nx, ny, nz = s.normal
    vx, vy, vz = s.view
    along = nx * vx + ny * vy + nz * vz
    rim = f32(1) - np.clip(-along, 0, 1)
    tint = np.asarray(rgb, np.float32) * f32(1.02) + f32(0.012)
    depth = (f32(0.5) + f32(1.5) * rim * rim * rim)[:, None]
    through = behind * tint**depth
    # Light caught in the glass keeps a dark backdrop from swallowing its colour.
    ambient = np.asarray(light.ambient, np.float32) + f32(0.45) * np.asarray(light.key, np.float32)
    through += tint * ambient * (f32(0.22) + f32(0.25) * rim * rim)[:, None]
    fresnel = f32(0.05) + f32(0.75) * rim**4
    twice = f32(2) * along
    seen = mirrored((vx - twice * nx, vy - twice * ny, vz - twice * nz), around, light, 0.0)
    return through + seen * fresnel[:, None]
