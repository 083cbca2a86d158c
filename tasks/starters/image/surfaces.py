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
    """Glaze over clay: sharp highlights, specks of iron, and a bare foot below a wavy edge."""
    edge = f32(0.2) + f32(0.018) * noise(s.u * f32(0.35), s.v * f32(0.05))
    bare = smooth(0.012, -0.012, s.height - edge)[:, None]
    rim = np.exp(-(((s.height - edge) / f32(0.02)) ** 2))[:, None]
    specks = smooth(1.8, 2.3, noise(s.u * f32(1.3), s.v * f32(1.3)))[:, None]
    clay = linear((0.80, 0.68, 0.55))
    colour = np.asarray(rgb) * (f32(1) - f32(0.45) * specks) * (f32(1) - f32(0.3) * rim)
    return Finish(colour + bare * (clay - colour), gloss=0.13, blur=0.02)


def plastic(s: Spots, rgb: Grid) -> Finish:
    """Even, saturated, with a broad soft highlight and light within."""
    return Finish(_even(s, np.asarray(rgb) * f32(1.02)), gloss=0.075, blur=0.42, wrap=0.35)


def metal(s: Spots, rgb: Grid) -> Finish:
    """A tinted mirror, brushed along u."""
    brushed = noise(s.u * f32(0.1), s.v * f32(0.7))
    tint = np.asarray(rgb) * f32(0.9) + f32(0.06)
    return Finish(_even(s, tint) * (f32(1) + f32(0.1) * brushed)[:, None], metal=1.0, blur=0.03)


def wood(s: Spots, rgb: Grid) -> Finish:
    """Stained wood: wide wavy rings along v, and dark pores."""
    bent = f32(1.1) * noise(s.u * f32(0.16), s.v * f32(0.09))
    rings = np.sin(s.u * f32(2 * np.pi / 0.31) + bent)
    fine = noise(s.u * f32(0.7), s.v * f32(0.05))
    tone = np.clip(f32(0.72) + f32(0.5) * rings + f32(0.16) * fine, 0.0, 1.4)[:, None]
    bare = linear((0.62, 0.42, 0.24))
    base = np.asarray(rgb) * f32(0.92) + bare * f32(0.12)
    deep = np.asarray(rgb) * np.array((0.3, 0.2, 0.14), np.float32) + bare * f32(0.03)
    return Finish(deep + (base - deep) * tone, gloss=0.03, blur=0.5)


def leather(s: Spots, rgb: Grid) -> Finish:
    """Creased panels, darker where they bend, a broken sheen; a dark seam between them with pale stitches beside it."""
    worn = noise(s.u * f32(0.2) + f32(0.7), s.v * f32(0.2))
    tone = np.clip(f32(0.86) + f32(0.13) * worn, 0.4, 1.1)
    across = s.u * f32(1 / 0.4) + f32(0.5)
    across = np.abs(across - np.round(across)) * f32(0.4)
    tone *= f32(1) - f32(0.75) * smooth(0.024, 0.012, across)
    row = np.abs(across - f32(0.062))
    stitch = smooth(0.024, 0.014, row) * smooth(-0.3, 0.0, np.sin(s.v * f32(2 * np.pi / 0.12)))
    colour = np.asarray(rgb) * tone[:, None]
    thread = linear((0.94, 0.85, 0.66))
    du, dv = noise_slope(s.u * f32(0.35), s.v * f32(0.35))
    return Finish(
        colour + f32(0.85) * stitch[:, None] * (thread - colour), gloss=0.19, blur=0.46,
        bump=(du * f32(0.012), dv * f32(0.012)),
    )  # fmt: skip


def fabric(s: Spots, rgb: Grid) -> Finish:
    """Woven checks of two shades, without any gloss."""
    step = f32(2 * np.pi / 0.34)
    over, under = smooth(-0.25, 0.25, np.sin(s.u * step)), smooth(-0.25, 0.25, np.sin(s.v * step))
    thread = noise(s.u * f32(0.5), s.v * f32(2)) * f32(0.03)
    share = ((over + under) * f32(0.5) + thread)[:, None]
    # The deep shade is the colour itself; white and pale cloth has checks that are darker.
    deep = np.asarray(rgb) * f32(0.9)
    luminance = f32(np.dot(deep, (0.3, 0.6, 0.1)))
    other = deep * f32(0.5) if luminance > 0.45 else deep + (f32(0.85) - deep) * f32(0.32)
    return Finish(other + (deep - other) * share, fuzz=0.15)


def wool(s: Spots, rgb: Grid) -> Finish:
    """Thick knitting in garter stitch: round rows across, scalloped by their stitches, with deep grooves between."""
    row = s.v * f32(1 / 0.27) + f32(0.06) * np.sin(s.u * f32(2 * np.pi / 0.2))
    place = row - np.floor(row) - f32(0.5)
    inside = np.abs(place) * f32(2)  # 0 in the middle of a row, 1 in a groove
    groove = smooth(0.55, 1.0, inside)
    tone = f32(1.06) - f32(0.8) * groove
    soft = np.asarray(rgb) * f32(0.95) + f32(0.03)
    return Finish(soft * np.clip(tone, 0.12, 1.4)[:, None], fuzz=0.4, bump=(np.zeros_like(place), place * f32(1.1)))


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
