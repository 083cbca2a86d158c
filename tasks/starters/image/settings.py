"""Where a product stands: backdrops that fill the picture behind it. The picture's shorter side is 2, its centre 0."""

from __future__ import annotations

import numpy as np

from tasks.starters.image.brush import Grid, Rgb, Stage
from tasks.starters.image.vocabulary import TINTS


def _blend(s: Stage, mask: Grid, rgb: Rgb) -> None:
    s.pixels += mask[..., None] * (np.asarray(rgb, np.float32) - s.pixels)


def _below(s: Stage, level: float | Grid) -> Grid:
    return np.clip((level - s.y) / s.px + 0.5, 0, 1)


def _tone(grid: Grid, rgb: Rgb) -> np.ndarray:
    return np.asarray(rgb, np.float32) * grid[..., None]


def _bokeh(s: Stage, count: int, colours: tuple, low: float, strength: float) -> None:
    wide = float(s.x.max())
    for _ in range(count):
        cx, cy, r = s.rng.uniform(-wide, wide), s.rng.uniform(low, 1), s.rng.uniform(0.07, 0.18)
        disc = np.clip((r - np.hypot(s.x - cx, s.y - cy)) / 0.06, 0, 1) * strength * s.rng.uniform(0.5, 1)
        _blend(s, disc, colours[s.rng.integers(len(colours))])


def _sweep(s: Stage, rgb: Rgb, floor: float) -> None:
    """A seamless backdrop: brighter behind the product, a soft bend where the floor begins."""
    glow = 1.04 - 0.16 * np.hypot(s.x * 0.8, s.y - 0.15)
    bend = 0.95 + 0.05 * np.tanh((s.y - floor) * 6)
    s.pixels[:] = _tone(glow * bend, rgb)


def studio(s: Stage, floor: float, _tint: str) -> None:
    level = s.rng.uniform(0.82, 0.97)
    _sweep(s, (level, level, level * s.rng.uniform(0.99, 1.02)), floor)


def pastel(s: Stage, floor: float, tint: str) -> None:
    _sweep(s, np.asarray(TINTS[tint]) * s.rng.uniform(0.94, 1.02), floor)


def table(s: Stage, floor: float, _tint: str) -> None:
    wall = np.asarray(((0.86, 0.83, 0.78), (0.72, 0.76, 0.74), (0.80, 0.80, 0.84))[s.rng.integers(3)])
    s.pixels[:] = _tone(0.96 + 0.08 * s.y + 0.02 * s.noise((4, 4)), wall)
    wood = np.asarray(((0.62, 0.42, 0.25), (0.50, 0.32, 0.18), (0.74, 0.55, 0.36))[s.rng.integers(3)])
    depth = np.clip(floor - s.y, 0.0, None)
    grain = 1 + 0.10 * np.sin(depth * 60 / (0.4 + depth) + 1.5 * s.noise((8, 1))) + 0.05 * s.noise((8, 1))
    plank = 1 - 0.35 * (np.abs(((depth / (0.35 + depth)) * 4.2) % 1 - 0.5) < 0.05)
    _blend(s, _below(s, floor), _tone(grain * plank * (0.85 + 0.25 * depth), wood))


def marble(s: Stage, floor: float, _tint: str) -> None:
    s.pixels[:] = _tone(0.95 + 0.06 * s.y, (0.80, 0.84, 0.85))
    grout = np.minimum(np.abs((s.x * 2.4 + 0.5) % 1 - 0.5), np.abs((s.y * 3.2) % 1 - 0.5)) < 0.03
    _blend(s, grout.astype(np.float32) * 0.5, (0.62, 0.66, 0.68))
    vein = np.exp(-np.abs(np.sin(s.x * 2.3 + s.y * 5 + 1.1 * s.noise((2, 2)))) * 7)
    _blend(s, _below(s, floor), _tone(0.97 - 0.42 * vein, (0.96, 0.96, 0.97)))


def room(s: Stage, floor: float, _tint: str) -> None:
    wall = np.asarray(
        ((0.88, 0.85, 0.78), (0.70, 0.78, 0.76), (0.78, 0.80, 0.88), (0.90, 0.80, 0.74))[s.rng.integers(4)]
    )
    s.pixels[:] = _tone(0.97 + 0.05 * s.y, wall)
    wide = float(s.x.max())
    wx, wy = s.rng.choice((-1, 1)) * wide * 0.62, 0.62
    frame = (np.maximum(np.abs(s.x - wx) - 0.3, np.abs(s.y - wy) - 0.34) < 0).astype(np.float32)
    _blend(s, frame, (0.97, 0.97, 0.97))
    panes = (
        (np.maximum(np.abs(s.x - wx) - 0.26, np.abs(s.y - wy) - 0.30) < 0)
        & (np.abs(s.x - wx) > 0.02)
        & (np.abs(s.y - wy) > 0.02)
    )
    _blend(s, panes.astype(np.float32), _tone(0.9 + 0.12 * s.y, (0.72, 0.86, 0.98)))
    _blend(s, (np.abs(s.y - floor - 0.04) < 0.04).astype(np.float32), (0.95, 0.94, 0.92))
    depth = np.clip(floor - s.y, 0, None)
    boards = 1 - 0.14 * (np.abs((s.x / (0.6 + depth) * 3) % 1 - 0.5) < 0.06) + 0.04 * s.noise((1, 6))
    _blend(s, _below(s, floor), _tone(boards, (0.66, 0.48, 0.31)))


def garden(s: Stage, floor: float, _tint: str) -> None:
    s.pixels[:] = _tone(0.95 + 0.06 * s.y, (0.66, 0.83, 0.97))
    hedge = floor + 0.34 + 0.14 * s.noise((6, 6)) * 0.6
    _blend(s, np.clip((hedge - s.y) / 0.08, 0, 1), _tone(0.8 + 0.14 * s.noise((2, 2)), (0.28, 0.48, 0.24)))
    _bokeh(s, 3, ((0.85, 0.93, 0.70), (0.60, 0.78, 0.45)), 0.1, 0.5)
    blades = 0.9 + 0.16 * s.noise((1, 2)) + 0.2 * np.clip(floor - s.y, 0, 1)
    _blend(s, _below(s, floor), _tone(blades, (0.36, 0.60, 0.22)))


def beach(s: Stage, floor: float, _tint: str) -> None:
    s.pixels[:] = _tone(1.0 + 0.03 * s.y, (0.58, 0.80, 0.97))
    cloud = np.clip(s.noise((8, 3)) * 0.5 + s.y - 0.55, 0, 0.7)
    _blend(s, cloud, (0.98, 0.98, 0.99))
    horizon = floor + s.rng.uniform(0.25, 0.4)
    waves = 1 + 0.07 * np.sin(s.y * 70 + s.noise((4, 1)))
    _blend(s, _below(s, horizon), _tone(waves, (0.10, 0.46, 0.66)))
    foam = np.exp(-(((s.y - floor - 0.02 * s.noise((6, 6))) / 0.035) ** 2))
    _blend(s, _below(s, floor + 0.02 * s.noise((6, 6))), _tone(1 + 0.035 * s.noise(), (0.91, 0.80, 0.59)))
    _blend(s, foam * 0.85, (0.97, 0.98, 0.98))


def brick(s: Stage, floor: float, _tint: str) -> None:
    row = np.floor(s.y * 6)
    across = s.x * 2.6 + 0.5 * (row % 2)
    tint = 1 + 0.13 * np.sin(row * 12.9 + np.floor(across) * 78.2)
    s.pixels[:] = _tone(tint + 0.05 * s.noise(), (0.62, 0.30, 0.23))
    mortar = (np.abs((s.y * 6) % 1 - 0.5) > 0.42) | (np.abs(across % 1 - 0.5) > 0.46)
    _blend(s, mortar.astype(np.float32) * 0.85, (0.74, 0.69, 0.64))
    _blend(s, _below(s, floor), _tone(0.92 + 0.06 * s.noise() + 0.15 * np.clip(floor - s.y, 0, 1), (0.60, 0.59, 0.58)))


def night(s: Stage, floor: float, _tint: str) -> None:
    s.pixels[:] = _tone(1.1 - 0.4 * np.hypot(s.x, s.y), (0.10, 0.11, 0.16))
    _bokeh(s, 9, ((1.0, 0.72, 0.30), (1.0, 0.50, 0.35), (0.55, 0.70, 1.0), (1.0, 0.88, 0.6)), 0.0, 0.7)
    _blend(s, _below(s, floor), _tone(1 + 0.9 * np.clip(floor - s.y, 0, 1), (0.09, 0.09, 0.12)))


SETTINGS = {
    "studio": studio,
    "pastel": pastel,
    "table": table,
    "marble": marble,
    "room": room,
    "garden": garden,
    "beach": beach,
    "brick": brick,
    "night": night,
}
