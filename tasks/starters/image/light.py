"""Light: where it comes from, and what a surface sees of it when it mirrors its surroundings. Colours are linear."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.starters.image.field import Grid, f32, smooth

Rgb = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Light:
    """A main light of direction `towards` (to the light) and colour `key`, and what comes from all around: `ambient`.
    `sharp` is large for a small main light, `mood` is what the backdrop's own brightness is multiplied by."""

    towards: Rgb
    key: Rgb
    ambient: Rgb
    sharp: float
    mood: Rgb


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a mirror would show: colours overhead, level and below, and whether there are studio lamps."""

    above: Rgb
    level: Rgb
    below: Rgb
    lamps: float = 1.0


def linear(rgb: Rgb | Grid) -> Grid:
    """From display values, 0 to 1, to light."""
    return np.asarray(rgb, np.float32) ** f32(2.2)


def displayed(rgb: Grid) -> Grid:
    """From light to display values; what is brighter than paper rolls off."""
    knee = f32(0.75)
    over = np.maximum(rgb - knee, 0)
    rolled = np.minimum(rgb, knee) + (f32(1) - knee) * (f32(1) - np.exp(-over / (f32(1) - knee)))
    return np.maximum(rolled, 0) ** f32(1 / 2.2)


def make_light(name: str, side: float) -> Light:
    """One of the vocabulary's lights, from the left (`side` -1) or the right (1)."""
    towards, key, ambient, sharp, mood = {
        "soft": ((0.55, 0.80, 0.60), (0.62, 0.61, 0.60), (0.60, 0.60, 0.61), 5.0, (1.0, 1.0, 1.0)),
        "warm": ((0.95, 0.50, 0.55), (1.15, 0.84, 0.50), (0.50, 0.43, 0.36), 12.0, (1.05, 0.88, 0.68)),
        "bright": ((0.50, 0.85, 0.45), (1.05, 1.03, 0.98), (0.50, 0.53, 0.58), 22.0, (1.12, 1.12, 1.14)),
        "dramatic": ((0.95, 0.45, 0.18), (1.15, 1.10, 1.02), (0.10, 0.10, 0.12), 14.0, (0.22, 0.22, 0.25)),
    }[name]
    x, y, z = np.array(towards) / np.linalg.norm(towards)
    return Light((float(x) * side, float(y), float(z)), key, ambient, sharp, mood)


def mirrored(direction: tuple[Grid, Grid, Grid], around: Surroundings, light: Light, blur: float) -> Grid:
    """What comes from `direction`: n × 3. `blur` is 0 for a mirror, 1 for a surface that hardly has gloss."""
    x, y, z = direction
    rise = smooth(-0.04 - 0.5 * blur, 0.06 + 0.5 * blur, y)[:, None]
    high = np.clip(y, 0, 1)[:, None]
    upper = np.asarray(around.level, np.float32) * (1 - high) + np.asarray(around.above, np.float32) * high
    lower = np.asarray(around.below, np.float32) * (f32(0.55) + f32(0.45) * np.clip(-y, 0, 1)[:, None])
    seen = lower + rise * (upper - lower)
    lx, _, lz = light.towards
    flat = float(np.hypot(lx, lz))
    tx, tz = lz / flat, -lx / flat
    across = x * f32(tx) + z * f32(tz)
    ahead = x * f32(lx / flat) + z * f32(lz / flat)
    edge = 0.05 + 0.4 * blur
    # The main lamp is a tall panel, so that upright things show it too; a narrow strip stands on the other side.
    box = smooth(-edge, edge, f32(0.2) - np.abs(across)) * smooth(0.0, 0.3, ahead)
    box *= smooth(-0.7, -0.35, y) * smooth(0.97, 0.85, y)
    strip = (
        smooth(-edge, edge, f32(0.09) - np.abs(x + f32(np.sign(lx) * 0.8)))
        * smooth(-0.7, -0.3, y)
        * smooth(0.95, 0.7, y)
    )
    # Level reflections are darker to the sides: black cards shape what shines.
    seen *= (f32(0.5) + f32(0.5) * z * z + f32(0.35) * high[:, 0])[:, None]
    lamp = box * f32(2.8) + strip * f32(1.4 * around.lamps)
    power = np.asarray(light.key, np.float32) + f32(0.3) * np.asarray(light.ambient, np.float32)
    result: Grid = seen * np.asarray(light.mood, np.float32) + lamp[:, None] * power * f32(1 - 0.55 * blur)
    return result
