"""Where a product stands: a floor and what is behind it, as colours of points, and what a mirror would see there.

Lengths are in units of the picture's shorter side. The floor is the plane of x and z (z towards the camera), the wall
stands on it at z = -`wall_at`, in x and y. Walls are drawn as soft as a lens would show them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tasks.starters.image.field import Grid, f32, noise, smooth
from tasks.starters.image.light import Surroundings, linear
from tasks.starters.image.vocabulary import TINTS

Rng = np.random.Generator
Paint = Callable[[Grid, Grid], Grid]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """`floor` and `wall` give linear colours, n × 3; the floor's is lit, the wall's is light already. `gloss` is how
    much the floor mirrors, `blur` how many pixels of 128 the wall is out of focus."""

    floor: Paint
    wall: Paint
    around: Surroundings
    wall_at: float = 0.85
    gloss: float = 0.0
    blur: float = 1.5
    seamless: bool = False


def _layout(rng: Rng) -> float:
    """One of a few arrangements: a small model learns these, where free ones would come out as a blur."""
    return float(rng.integers(3)) / 3 + 0.1


def _mix(base: Grid, over: Grid, share: Grid) -> Grid:
    return base + (over - base) * share[:, None]


def _even(rgb: Grid, like: Grid) -> Grid:
    return np.broadcast_to(np.asarray(rgb, np.float32), (len(like), 3))


def _sweep(rgb: Grid) -> World:
    """A seamless paper backdrop, brighter behind the product."""
    paper = linear(rgb)

    def wall(x: Grid, y: Grid) -> Grid:
        glow = f32(1.06) - f32(0.30) * np.minimum(np.sqrt(x * x + (y - f32(0.35)) ** 2), 1.2)
        return paper * glow[:, None]

    around = Surroundings((1.1, 1.1, 1.1), tuple(paper * 0.8), tuple(paper * 0.75))
    return World(floor=lambda x, _z: _even(paper, x), wall=wall, around=around, gloss=0.05, seamless=True)


def studio(rng: Rng, _tint: str) -> World:
    level = rng.uniform(0.86, 0.96)
    return _sweep(np.array((level, level, level * 1.005)))


def pastel(rng: Rng, tint: str) -> World:
    return _sweep(np.asarray(TINTS[tint]) * rng.uniform(0.97, 1.02))


def _planks(rgb: tuple[float, float, float], wide: float, offset: float) -> Paint:
    """Boards that run from left to right, with grain and dark joints."""
    light, dark = linear(rgb), linear(np.asarray(rgb) * np.array((0.62, 0.52, 0.42)))

    def floor(x: Grid, z: Grid) -> Grid:
        row = np.floor(z * f32(1 / wide) + f32(offset))
        within = z * f32(1 / wide) + f32(offset) - row
        jump = row * f32(0.37)
        grain = noise(x * f32(0.06) + jump, within * f32(0.35) + jump) * f32(0.22)
        grain += f32(0.14) * np.sin(within * f32(19) + f32(3.0) * noise(x * f32(0.05) + jump, within * f32(0.06)))
        joint = smooth(0.07, 0.0, np.minimum(within, f32(1) - within))
        tone = np.clip(f32(0.75) + grain + f32(0.1) * np.sin(row * f32(5.1)), 0, 1.1) * (f32(1) - f32(0.75) * joint)
        return dark + (light - dark) * tone[:, None]

    return floor


def table(rng: Rng, _tint: str) -> World:
    wood = ((0.78, 0.56, 0.36), (0.68, 0.45, 0.27))[rng.integers(2)]
    colours = linear(np.array(((0.80, 0.77, 0.70), (0.55, 0.62, 0.58), (0.86, 0.80, 0.72))))
    at = _layout(rng) * 0.6 - 0.3

    def wall(x: Grid, y: Grid) -> Grid:
        seen = _even(colours[0], x) * (f32(0.8) + f32(0.25) * np.clip(y, 0, 1))[:, None]
        seen = _mix(seen, colours[1], smooth(0.22, 0.1, np.abs(x - f32(at - 0.55))) * smooth(0.75, 0.6, y))
        return _mix(seen, colours[2] * f32(1.3), smooth(0.2, 0.1, np.abs(x - f32(at + 0.5))) * smooth(0.1, 0.25, y))

    around = Surroundings((0.9, 0.88, 0.84), (0.42, 0.38, 0.33), tuple(linear(wood) * 0.8))
    return World(floor=_planks(wood, 0.26, _layout(rng)), wall=wall, around=around, gloss=0.07, blur=4)


def marble(rng: Rng, _tint: str) -> World:
    shift = (_layout(rng), 0.4)
    tile = linear((0.80, 0.86, 0.87))

    def floor(x: Grid, z: Grid) -> Grid:
        bent = (
            x * f32(0.55)
            + z * f32(1.05)
            + f32(0.10) * noise(x * f32(0.05) + f32(shift[0]), z * f32(0.05) + f32(shift[1]))
        )
        vein = np.exp(-np.abs(np.sin(bent * f32(6.5) + f32(6.28 * shift[0]))) * f32(5))
        cloud = noise(x * f32(0.09) + f32(shift[1]), z * f32(0.09))
        tone = f32(0.93) + f32(0.03) * cloud - f32(0.55) * vein
        return np.clip(tone, 0.2, 1)[:, None] * np.array((0.93, 0.94, 0.96), np.float32)

    def wall(x: Grid, y: Grid) -> Grid:
        row = np.floor(y * f32(6.5))
        across = x * f32(3.4) + f32(0.5) * (row % 2)
        line = np.minimum(np.abs(across - np.round(across)) * f32(2), np.abs(y * f32(6.5) - np.round(y * f32(6.5))))
        return tile * (f32(0.98) - f32(0.3) * smooth(0.1, 0.03, line))[:, None]

    around = Surroundings((1.1, 1.1, 1.1), (0.6, 0.66, 0.68), (0.78, 0.79, 0.8))
    return World(floor=floor, wall=wall, around=around, gloss=0.3, blur=1.5)


def room(rng: Rng, _tint: str) -> World:
    colour = linear(((0.86, 0.82, 0.74), (0.70, 0.77, 0.75), (0.80, 0.78, 0.84))[rng.integers(3)])
    side = rng.choice((-1, 1))
    floor = _planks((0.74, 0.55, 0.38), 0.14, _layout(rng))

    def wall(x: Grid, y: Grid) -> Grid:
        seen = _even(colour, x) * (f32(0.9) + f32(0.15) * np.clip(y, 0, 1))[:, None]
        seen = _mix(seen, linear((0.95, 0.95, 0.93)), smooth(0.075, 0.065, y))
        wx, wy = x - f32(side * 0.42), y - f32(0.72)
        frame = np.maximum(np.abs(wx) - f32(0.27), np.abs(wy) - f32(0.36))
        seen = _mix(seen, linear((0.97, 0.97, 0.96)), smooth(0.005, -0.005, frame))
        pane = np.maximum(frame + f32(0.035), f32(0.022) - np.minimum(np.abs(wx), np.abs(wy - f32(0.05))))
        sky = np.array((0.75, 0.95, 1.25), np.float32) * (f32(1.05) + f32(0.3) * wy)[:, None]
        return _mix(seen, sky, smooth(0.005, -0.005, pane))

    around = Surroundings((0.85, 0.85, 0.85), tuple(colour * 0.7), (0.36, 0.2, 0.1))
    return World(floor=floor, wall=wall, around=around, gloss=0.08, blur=1.2, wall_at=0.7)


def garden(rng: Rng, _tint: str) -> World:
    shift = _layout(rng)

    def floor(x: Grid, z: Grid) -> Grid:
        blade = noise(x * f32(1.7) + f32(0.12) * z + f32(shift), z * f32(0.55))
        patch = noise(x * f32(0.12) + f32(shift), z * f32(0.12))
        tone = np.clip(f32(0.62) + f32(0.26) * blade + f32(0.12) * patch, 0.05, 1.3)[:, None]
        return tone * linear((0.50, 0.72, 0.28))

    def wall(x: Grid, y: Grid) -> Grid:
        leaves = noise(x * f32(0.16) + f32(shift), y * f32(0.16))
        hedge = linear((0.30, 0.52, 0.24)) * np.clip(f32(0.9) + f32(0.4) * leaves, 0.3, 2.2)[:, None]
        top = f32(0.42) + f32(0.07) * noise(x * f32(0.1) + f32(shift), np.full_like(x, shift))
        return _mix(hedge, linear((0.72, 0.88, 1.0)) * f32(1.05), smooth(-0.05, 0.05, y - top))

    around = Surroundings((0.55, 0.8, 1.15), (0.28, 0.42, 0.2), (0.14, 0.3, 0.06), 0.3)
    return World(floor=floor, wall=wall, around=around, blur=3)


def beach(rng: Rng, _tint: str) -> World:
    shift = _layout(rng)
    level = rng.uniform(0.20, 0.26)

    def floor(x: Grid, z: Grid) -> Grid:
        ripple = np.sin(z * f32(26) + f32(5) * x + f32(1.6) * noise(x * f32(0.12) + f32(shift), z * f32(0.12)))
        tone = f32(0.92) + f32(0.07) * ripple + f32(0.04) * noise(x * f32(1.5), z * f32(1.5))
        sand = tone[:, None] * linear((0.93, 0.81, 0.62))
        edge = z + f32(0.72) + f32(0.012) * noise(x * f32(0.15) + f32(shift), z * 0)
        wet = _mix(sand, linear((0.72, 0.60, 0.44)), smooth(0.14, 0.04, edge))
        wet = _mix(wet, linear((0.30, 0.66, 0.74)), smooth(0.0, -0.02, edge))
        return _mix(wet, linear((0.98, 0.99, 0.99)), smooth(0.04, 0.01, np.abs(edge)))

    def wall(x: Grid, y: Grid) -> Grid:
        wave = f32(1) + f32(0.14) * np.sin(y * f32(95) + f32(2) * noise(x * f32(0.1), y * f32(0.3)))
        sea = linear((0.16, 0.56, 0.70)) * wave[:, None]
        cloud = np.clip(noise(x * f32(0.09) + f32(shift), y * f32(0.2)) * f32(0.35) + f32(0.05), 0, 0.75)
        sky = _mix(
            _even(linear((0.56, 0.80, 0.97)), x), _even(np.full(3, 0.98), x), cloud * smooth(level, level + 0.3, y)
        )
        return _mix(sea, sky, smooth(level - 0.01, level + 0.01, y))

    around = Surroundings((0.45, 0.75, 1.15), (0.75, 0.9, 1.0), (0.7, 0.5, 0.28), 0.3)
    return World(floor=floor, wall=wall, around=around, blur=1.2)


def brick(rng: Rng, _tint: str) -> World:
    shift = 100 * _layout(rng)

    def wall(x: Grid, y: Grid) -> Grid:
        row = np.floor(y * f32(9))
        across = x * f32(3.6) + f32(0.5) * (row % 2)
        column = np.floor(across)
        tone = f32(1) + f32(0.22) * np.sin(row * f32(12.9) + column * f32(78.2) + f32(shift))
        tone += f32(0.05) * noise(x, y)
        line = np.minimum(
            np.minimum(across - column, column + 1 - across) * f32(2.4), f32(0.5) - np.abs(y * f32(9) - row - f32(0.5))
        )
        stone = tone[:, None] * linear((0.68, 0.34, 0.26))
        return _mix(stone, linear((0.78, 0.73, 0.68)), smooth(0.14, 0.07, line))

    def floor(x: Grid, z: Grid) -> Grid:
        tone = f32(0.9) + f32(0.06) * noise(x * f32(0.3), z * f32(0.3))
        return tone[:, None] * linear((0.62, 0.60, 0.58))

    around = Surroundings((0.8, 0.85, 0.95), (0.3, 0.12, 0.08), (0.3, 0.28, 0.27), 0.6)
    return World(floor=floor, wall=wall, around=around, wall_at=0.55, blur=0.8)


def _lights(rng: Rng, count: int, colours: Grid, low: float, size: tuple[float, float]) -> Paint:
    """Discs of light out of focus, in one of a few arrangements."""
    rng = np.random.default_rng(int(rng.integers(3)))
    spots = [
        (
            rng.uniform(-0.75, 0.75),
            rng.uniform(low, 0.95),
            rng.uniform(*size),
            colours[rng.integers(len(colours))],
            rng.uniform(0.5, 1),
        )
        for _ in range(count)
    ]

    def paint(x: Grid, y: Grid) -> Grid:
        seen = np.zeros((len(x), 3), np.float32)
        for cx, cy, radius, colour, strength in spots:
            far = np.sqrt((x - f32(cx)) ** 2 + (y - f32(cy)) ** 2)
            disc = smooth(radius, radius * 0.8, far) * (f32(0.55) + f32(0.45) * smooth(radius * 0.3, radius, far))
            seen += disc[:, None] * colour * f32(strength)
        return seen

    return paint


def night(rng: Rng, _tint: str) -> World:
    lights = _lights(
        rng,
        11,
        linear(np.array(((1.0, 0.75, 0.35), (1.0, 0.5, 0.4), (0.55, 0.7, 1.0), (1.0, 0.88, 0.6)))),
        0.12,
        (0.05, 0.1),
    )

    def wall(x: Grid, y: Grid) -> Grid:
        return lights(x, y) + linear((0.13, 0.14, 0.22)) * (f32(1.3) - np.clip(y, 0, 1))[:, None]

    around = Surroundings((0.1, 0.1, 0.16), (0.16, 0.14, 0.16), (0.02, 0.02, 0.03), 1.4)
    return World(
        floor=lambda x, _z: _even(linear((0.17, 0.17, 0.22)), x), wall=wall, around=around, gloss=0.35, blur=0.5
    )


def concrete(rng: Rng, _tint: str) -> World:
    shift = _layout(rng)
    grey = linear((0.66, 0.66, 0.65))

    def slab(u: Grid, v: Grid) -> Grid:
        tone = (
            f32(1)
            + f32(0.12) * noise(u * f32(0.22) + f32(shift), v * f32(0.22))
            + f32(0.04) * noise(u * f32(1.3), v * f32(1.3))
        )
        holes = smooth(2.0, 2.5, noise(u * f32(0.8) + f32(shift), v * f32(0.8)))
        return (tone * (f32(1) - f32(0.35) * holes))[:, None] * grey

    def wall(x: Grid, y: Grid) -> Grid:
        joint = np.minimum(np.abs(np.abs(x) - f32(0.42)), np.abs(y - f32(0.52)))
        return slab(x, y) * (f32(0.82) - f32(0.4) * smooth(0.012, 0.004, joint))[:, None]

    around = Surroundings((0.95, 0.95, 0.97), (0.38, 0.38, 0.38), (0.3, 0.3, 0.3))
    return World(floor=slab, wall=wall, around=around, blur=0.8, wall_at=0.6, gloss=0.03)


def autumn(rng: Rng, _tint: str) -> World:
    shift = _layout(rng)
    kinds = linear(np.array(((0.86, 0.50, 0.14), (0.76, 0.30, 0.12), (0.92, 0.70, 0.22), (0.55, 0.33, 0.16))))
    lights = _lights(rng, 8, kinds[[0, 2]] * f32(0.9), 0.15, (0.07, 0.14))

    def floor(x: Grid, z: Grid) -> Grid:
        bent, row = x + f32(0.02) * noise(x * f32(0.3), z * f32(0.3)), z + f32(0.02) * noise(z * f32(0.3), x * f32(0.3))
        bent, row = (bent + row) * f32(6.5 / 13), (row - bent) * f32(6.5 / 13)
        cell_x, cell_z = np.floor(bent * f32(13)), np.floor(row * f32(13))
        chance = np.abs(np.sin(cell_x * f32(127.1) + cell_z * f32(311.7) + f32(shift * 40)) * f32(43.7)) % f32(1)
        edge = np.maximum(np.abs(bent * f32(13) - cell_x - f32(0.5)), np.abs(row * f32(13) - cell_z - f32(0.5)))
        leaf = kinds[(chance * 3.999).astype(int)] * (f32(0.75) + f32(0.5) * ((chance * 7) % 1))[:, None]
        return _mix(leaf, linear((0.25, 0.15, 0.08)), smooth(0.40, 0.5, edge) * f32(0.8))

    def wall(x: Grid, y: Grid) -> Grid:
        trunk = smooth(0.05, 0.03, np.abs(np.abs(x - f32(shift - 0.5) * f32(0.4)) - f32(0.46)))
        ground = _mix(_even(linear((0.62, 0.47, 0.22)), x), linear((0.80, 0.62, 0.30)), smooth(0.1, 0.7, y))
        return _mix(ground, linear((0.24, 0.16, 0.11)), trunk * f32(0.85)) + lights(x, y) * f32(0.5)

    around = Surroundings((1.0, 0.85, 0.55), (0.4, 0.22, 0.08), (0.3, 0.13, 0.04), 0.3)
    return World(floor=floor, wall=wall, around=around, blur=2.5)


SETTINGS: dict[str, Callable[[Rng, str], World]] = {
    "studio": studio,
    "pastel": pastel,
    "table": table,
    "marble": marble,
    "room": room,
    "garden": garden,
    "beach": beach,
    "brick": brick,
    "night": night,
    "concrete": concrete,
    "autumn": autumn,
}
