"""How to draw what is turned on a wheel or stands on a table: mug, bottle, vase, plant pot, candle, lamp, clock."""

from __future__ import annotations

import numpy as np

from tasks.starters.image.brush import TILT, Rgb, Stage, box, curve, ellipse, pillow, ring, stroke, turned

GREENS = ((0.16, 0.45, 0.18), (0.25, 0.55, 0.22), (0.12, 0.36, 0.20))
PETALS = ((0.95, 0.55, 0.62), (0.97, 0.84, 0.35), (0.96, 0.95, 0.92), (0.72, 0.45, 0.80))


def _opening(s: Stage, height: float, radius: float, rgb: Rgb, inside: Rgb, wall: float = 0.05) -> None:
    """The rim of a vessel and what is seen through it."""
    rim = np.minimum(np.asarray(rgb) * 1.12 + 0.06, 1)
    s.paint(ellipse(s.x, s.y, 0, height, radius, TILT * radius), rim)
    depth = np.clip(0.75 + 0.5 * s.x / radius, 0.45, 1.1)[..., None]
    s.paint(ellipse(s.x, s.y, 0, height, radius - wall, TILT * (radius - wall)), np.asarray(inside) * depth)


def mug(s: Stage, rgb: Rgb, material: str) -> None:
    side = s.rng.choice((-1, 1))
    height, radius = s.rng.uniform(0.85, 1.1), s.rng.uniform(0.42, 0.5)
    handle = ring(s.x, s.y, side * (radius + 0.06), height * 0.5, 0.24, height * 0.29, 0.055)
    s.solid(handle, pillow(handle, s.px, 0.055), rgb, material)
    taper = s.rng.uniform(0.78, 1.0)
    body, normals = turned(s.x, s.y, [(0, radius * taper * 0.9), (0.06, radius * taper), (height, radius)])
    s.solid(body, normals, rgb, material)
    coffee = (0.26, 0.14, 0.07) if s.rng.random() < 0.5 else np.asarray(rgb) * 0.5
    _opening(s, height, radius, rgb, coffee)


def bottle(s: Stage, rgb: Rgb, material: str) -> None:
    w, neck = s.rng.uniform(0.25, 0.32), s.rng.uniform(0.09, 0.13)
    shoulder = s.rng.uniform(0.8, 1.0)
    profile = curve([(0, w * 0.9), (0.06, w), (shoulder, w), (shoulder + 0.22, neck * 1.15), (1.34, neck)], 6)
    body, normals = turned(s.x, s.y, profile)
    s.solid(body, normals, rgb, material)
    if s.rng.random() < 0.4:
        band, band_normals = turned(s.x, s.y, [(0.3, w * 1.005), (0.66, w * 1.005)])
        s.paint(band, s.shade((0.95, 0.93, 0.88), band_normals))
        for level, half in ((0.54, 0.13), (0.46, 0.09)):
            s.paint(box(s.x, s.y + TILT * w, 0, level, half, 0.018), (0.3, 0.3, 0.3))
    cap, cap_normals = turned(s.x, s.y, [(1.32, neck + 0.035), (1.5, neck + 0.035)])
    cap_rgb = ((0.15, 0.15, 0.16), (0.75, 0.75, 0.77), (0.62, 0.44, 0.27))[s.rng.integers(3)]
    s.solid(cap, cap_normals, cap_rgb, "plastic")
    s.paint(ellipse(s.x, s.y, 0, 1.5, neck + 0.035, TILT * (neck + 0.035)), np.asarray(cap_rgb) * 1.15)


def _flowers(s: Stage, height: float) -> None:
    petal = PETALS[s.rng.integers(len(PETALS))]
    for lean in s.rng.permutation([-0.34, -0.12, 0.1, 0.33])[: s.rng.integers(2, 5)]:
        top = height + s.rng.uniform(0.3, 0.5)
        s.paint(stroke(s.x, s.y, lean * 0.2, height, lean, top, 0.016), GREENS[s.rng.integers(3)])
        bloom = ellipse(s.x, s.y, lean, top, 0.12, 0.11)
        s.paint(bloom, s.shade(petal, pillow(bloom, s.px, 0.12)))
        s.paint(ellipse(s.x, s.y, lean, top, 0.04, 0.035), (0.75, 0.5, 0.15))


def vase(s: Stage, rgb: Rgb, material: str) -> None:
    shapes = (
        [(0, 0.2), (0.25, 0.40), (0.55, 0.42), (0.85, 0.18), (1.1, 0.24)],
        [(0, 0.24), (0.4, 0.30), (0.8, 0.38), (1.05, 0.24), (1.12, 0.26)],
        [(0, 0.22), (0.3, 0.36), (0.5, 0.34), (0.75, 0.14), (1.15, 0.15)],
    )
    profile = curve(shapes[s.rng.integers(len(shapes))])
    height, radius = profile[-1]
    if s.rng.random() < 0.6:
        _flowers(s, height)
    body, normals = turned(s.x, s.y, profile)
    s.solid(body, normals, rgb, material)
    _opening(s, height, radius, rgb, np.asarray(rgb) * 0.35, 0.03)


def plant_pot(s: Stage, rgb: Rgb, material: str) -> None:
    height, top, base = s.rng.uniform(0.55, 0.7), s.rng.uniform(0.42, 0.5), s.rng.uniform(0.28, 0.38)
    spread = s.rng.uniform(0.5, 1.0)
    for angle in np.linspace(-spread, spread, 6) + s.rng.uniform(-0.1, 0.1, 6):
        length = s.rng.uniform(0.30, 0.42)
        cx, cy = np.sin(angle) * length, height + np.cos(angle) * length
        leaf = ellipse(s.x, s.y, cx, cy, 0.11, length, -angle)
        s.paint(leaf, s.shade(GREENS[s.rng.integers(3)], pillow(leaf, s.px, 0.11)))
    body, normals = turned(s.x, s.y, [(0, base), (height * 0.99, top * 0.93)])
    s.solid(body, normals, rgb, material)
    rim, rim_normals = turned(s.x, s.y, [(height * 0.8, top), (height, top)])
    s.solid(rim, rim_normals, rgb, material)
    back = np.where(s.y > height, 1.0, -s.px)  # the soil lies behind the front rim, the leaves before it
    s.paint(np.maximum(ellipse(s.x, s.y, 0, height, top - 0.04, TILT * (top - 0.04)), back), (0.24, 0.16, 0.10))


def candle(s: Stage, rgb: Rgb, material: str) -> None:
    radius, height = s.rng.uniform(0.36, 0.44), s.rng.uniform(0.6, 0.85)
    body, normals = turned(s.x, s.y, [(0, radius * 0.92), (0.07, radius), (height, radius)])
    s.solid(body, normals, rgb, material)
    _opening(s, height, radius, rgb, (0.97, 0.92, 0.80), 0.04)
    s.paint(stroke(s.x, s.y, 0, height, 0, height + 0.1, 0.018), (0.15, 0.1, 0.08))
    glow = np.exp(-((s.x / 0.4) ** 2) - ((s.y - height - 0.25) / 0.45) ** 2)
    s.pixels += (0.30 * glow)[..., None] * np.array([1.0, 0.75, 0.35], np.float32)
    wide = 0.085 * np.clip((height + 0.48 - s.y) / 0.28, 0, 1)
    flame = np.maximum(np.abs(s.x) - wide, np.hypot(s.x, s.y - height - 0.2) - 0.28)
    flame = np.maximum(flame, height + 0.09 - s.y)
    s.paint(flame, (1.0, 0.72, 0.22))
    s.paint(ellipse(s.x, s.y, 0, height + 0.18, 0.035, 0.08), (1.0, 0.96, 0.75))


def lamp(s: Stage, rgb: Rgb, material: str) -> None:
    if material == "ceramic":
        profile = curve([(0, 0.2), (0.1, 0.24), (0.35, 0.30), (0.6, 0.12), (0.8, 0.05)])
    elif material == "wood":
        profile = [(0, 0.3), (0.08, 0.3), (0.1, 0.09), (0.5, 0.07), (0.8, 0.05)]
    else:
        profile = [(0, 0.3), (0.05, 0.3), (0.07, 0.045), (0.8, 0.045)]
    body, normals = turned(s.x, s.y, profile)
    s.solid(body, normals, rgb, material)
    low, high = s.rng.uniform(0.45, 0.56), s.rng.uniform(0.24, 0.38)
    bottom, top = s.rng.uniform(0.70, 0.78), s.rng.uniform(1.3, 1.45)
    shade, shade_normals = turned(s.x, s.y, [(bottom, low), (top, high)])
    s.solid(shade, shade_normals, rgb, "fabric")
    warmth = np.exp(-((s.x / low) ** 2) * 2 - ((s.y - bottom - 0.12) / 0.28) ** 2) * s.cover(shade)
    s.pixels += (0.32 * warmth)[..., None] * np.array([1.0, 0.82, 0.5], np.float32)
    s.paint(ellipse(s.x, s.y, 0, top, high, TILT * high), np.asarray(rgb) * 0.7)
    s.paint(ellipse(s.x, s.y, 0, top, high * 0.8, TILT * high * 0.7), (1.0, 0.93, 0.72))


def clock(s: Stage, rgb: Rgb, material: str) -> None:
    middle, radius = 0.66, s.rng.uniform(0.54, 0.6)
    for lean in (-1, 1):
        foot = stroke(s.x, s.y, lean * 0.28, 0.25, lean * 0.4, 0.02, 0.055)
        s.solid(foot, pillow(foot, s.px, 0.05), rgb, material)
    if material == "metal" or s.rng.random() < 0.4:
        for lean in (-1, 1):
            bell = ellipse(s.x, s.y, lean * 0.36, middle + radius * 0.86, 0.2, 0.15, -lean * 0.6)
            s.solid(bell, pillow(bell, s.px, 0.15), rgb, material)
    case = ellipse(s.x, s.y, 0, middle, radius, radius)
    s.solid(case, pillow(case, s.px, 0.14), rgb, material)
    s.paint(ellipse(s.x, s.y, 0, middle, radius * 0.76, radius * 0.76), (0.97, 0.96, 0.92))
    for hour in range(12):
        a = hour * np.pi / 6
        near, far = radius * 0.6, radius * 0.69
        tick = stroke(
            s.x, s.y, near * np.sin(a), middle + near * np.cos(a), far * np.sin(a), middle + far * np.cos(a), 0.018
        )
        s.paint(tick, (0.15, 0.15, 0.16))
    for length, width in ((0.30, 0.035), (0.44, 0.024)):
        a = s.rng.uniform(0, 2 * np.pi)
        hand = stroke(
            s.x, s.y, 0, middle, radius * length / 0.6 * np.sin(a), middle + radius * length / 0.6 * np.cos(a), width
        )
        s.paint(hand, (0.1, 0.1, 0.11))
    s.paint(ellipse(s.x, s.y, 0, middle, 0.05, 0.05), (0.1, 0.1, 0.11))
