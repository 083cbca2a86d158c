"""Products for the house: what each is made of. Every one draws its proportions from `rng`; `hard` materials hold
their shape (wood, metal …), soft ones are padded.
"""

from __future__ import annotations

import numpy as np

from tasks.starters.image.field import (
    FAR,
    Grid,
    around,
    box,
    capsule,
    disc,
    ellipsoid,
    f32,
    join,
    lathe,
    torus,
    turned,
)
from tasks.starters.image.model import Model, Part

Rng = np.random.Generator


def mug(rng: Rng, _hard: bool) -> Model:
    h, r = rng.uniform(0.76, 0.88), rng.uniform(0.35, 0.39)
    foot = r * rng.choice((0.8, 0.98))
    body = lathe([(0, foot * 0.95), (0.08, foot), (h * 0.5, r), (h, r)], wall=0.045, floor=0.06)
    size = h * 0.25

    def whole(x: Grid, y: Grid, z: Grid) -> Grid:
        px, py, pz = x - f32(r + size * 0.45), (y - f32(h * 0.52)) * f32(0.85), z
        ring = np.maximum(torus(px, pz, py, size, 0.05), f32(r * 0.9) - x)
        return join(body(x, y, z), ring, 0.04)

    drink = lathe([(h * 0.5, r - 0.05), (h * 0.84, r - 0.05)])
    return Model(parts=[Part(whole), Part(drink, "coffee")], width=2 * r + size * 1.2, height=h, turn=0.35)


def bottle(rng: Rng, _hard: bool) -> Model:
    r, h, neck = rng.uniform(0.24, 0.29), rng.uniform(0.58, 0.68), rng.uniform(0.075, 0.095)
    top = h + rng.uniform(0.3, 0.36)
    body = lathe([(0, r * 0.94), (0.05, r), (h, r), (h + 0.17, neck * 1.05), (top, neck)])
    cap = lathe([(top - 0.02, neck * 1.25), (top + 0.12, neck * 1.2)])
    return Model(parts=[Part(body), Part(cap, "cap")], width=2 * r, height=top + 0.12)


def vase(rng: Rng, _hard: bool) -> Model:
    r, neck = rng.uniform(0.36, 0.41), rng.uniform(0.12, 0.16)
    low = rng.choice((0.26, 0.44))
    belly = [(0, r * 0.55), (low * 0.5, r * 0.9), (low, r), (low + 0.16, r * 0.8)]
    body = lathe([*belly, (0.7, neck), (0.82, neck * 1.5)], wall=0.035)
    lean = rng.uniform(-0.1, 0.1)
    stems = [
        ((0.0, 0.5, 0.0), (dx + lean, 1.04 + dy, dz))
        for dx, dy, dz in ((-0.24, 0, 0), (0.03, 0.13, 0.06), (0.27, -0.04, 0))
    ]

    def stalks(x: Grid, y: Grid, z: Grid) -> Grid:
        return np.minimum.reduce([capsule(x, y, z, a, b, 0.016) for a, b in stems])

    def heads(x: Grid, y: Grid, z: Grid) -> Grid:
        return np.minimum.reduce(
            [ellipsoid(x - f32(b[0]), y - f32(b[1]), z - f32(b[2]), 0.1, 0.085, 0.1) for _, b in stems]
        )

    return Model(parts=[Part(body), Part(stalks, "stem"), Part(heads, "flower")], width=0.82, height=1.26)


def plant_pot(rng: Rng, _hard: bool) -> Model:
    r, h = rng.uniform(0.31, 0.36), rng.uniform(0.46, 0.56)
    pot = lathe([(0, r * 0.68), (h * 0.76, r * 0.94), (h * 0.79, r * 1.06), (h, r * 1.08)], wall=0.05)
    soil = lathe([(h * 0.5, r * 0.8), (h * 0.86, r * 0.98)])
    count, tall = int(rng.choice((6, 8))), rng.uniform(0.42, 0.55)

    def leaves(x: Grid, y: Grid, z: Grid) -> Grid:
        found = np.full_like(x, FAR)
        for tilt, length, offset in ((0.75, 0.8, 0.0), (0.32, 1.0, 0.4)):
            px, pz = around(x, z, count, offset)
            along, across = turned(y - f32(h * 0.85), px, tilt)
            leaf = ellipsoid(across, along - f32(tall * length * 0.55), pz, 0.035, tall * length * 0.6, 0.105) * f32(
                0.8
            )
            found = np.minimum(found, leaf)
        return found

    return Model(parts=[Part(pot), Part(soil, "soil"), Part(leaves, "leaf")], width=0.95, height=h + tall * 1.0)


def candle(rng: Rng, _hard: bool) -> Model:
    r, h = rng.uniform(0.33, 0.38), rng.uniform(0.58, 0.7)
    jar = lathe([(0, r * 0.97), (h, r)], wall=0.04, floor=0.08)
    wax = lathe([(0.08, r - 0.06), (h * 0.72, r - 0.055)])

    def wick(x: Grid, y: Grid, z: Grid) -> Grid:
        return capsule(x, y, z, (0, h * 0.7, 0), (0, h * 0.72 + 0.1, 0), 0.015)

    def flame(x: Grid, y: Grid, z: Grid) -> Grid:
        rise = y - f32(h * 0.72 + 0.24)
        thin = f32(1) + np.clip(rise, -0.1, 0.2) * f32(2.6)
        return ellipsoid(x * thin, rise, z * thin, 0.075, 0.17, 0.075) * f32(0.6)

    return Model(
        parts=[Part(jar), Part(wax, "wax"), Part(wick, "dark"), Part(flame, "flame")],
        width=2 * r,
        height=h * 0.72 + 0.41,
    )


def lamp(rng: Rng, _hard: bool) -> Model:
    r = rng.uniform(0.26, 0.31)
    if rng.random() < 0.5:
        base = lathe([(0, r * 0.7), (0.1, r), (0.28, r * 0.95), (0.48, r * 0.45), (0.62, 0.05), (0.78, 0.04)])
    else:
        base = lathe([(0, r * 0.95), (0.2, r * 0.8), (0.5, r * 0.5), (0.6, 0.07), (0.78, 0.04)])
    wide = rng.uniform(0.36, 0.40)
    shade = lathe([(0.72, wide), (1.12, wide * 0.66)], wall=0.02, floor=-0.1)
    return Model(parts=[Part(base), Part(shade, "shade")], width=2 * wide, height=1.14)


def clock(rng: Rng, _hard: bool) -> Model:
    r, deep = rng.uniform(0.41, 0.46), 0.13
    centre = f32(r + 0.1)

    def body(x: Grid, y: Grid, z: Grid) -> Grid:
        drum = disc(x, z, y - centre, r, deep, 0.04)
        solid = np.maximum(drum, -disc(x, z - f32(deep), y - centre, r - 0.075, 0.04))
        bell = ellipsoid(np.abs(x) - f32(r * 0.55), y - centre - f32(r * 0.98), z, 0.15, 0.13, 0.13)
        foot = capsule(np.abs(x), y, z, (r * 0.4, 0.16, 0), (r * 0.62, 0.03, 0), 0.035)
        return np.minimum(np.minimum(solid, bell), foot)

    def face(x: Grid, y: Grid, z: Grid) -> Grid:
        return disc(x, z - f32(deep * 0.55), y - centre, r - 0.05, 0.03)

    def hands(x: Grid, y: Grid, z: Grid) -> Grid:
        py, pz = y - centre, z - f32(deep * 0.55 + 0.05)
        one = capsule(x, py, pz, (0, 0, 0), (-r * 0.3, r * 0.25, 0), 0.024)
        two = capsule(x, py, pz, (0, 0, 0), (r * 0.3, r * 0.47, 0), 0.02)
        return np.minimum(one, two)

    return Model(
        parts=[Part(body), Part(face, "dial"), Part(hands, "dark")],
        width=2 * r,
        height=2.3 * r + 0.1,
        wrap="flat",
        turn=0.2,
    )


def book(rng: Rng, _hard: bool) -> Model:
    a, b, c = rng.uniform(0.36, 0.41), rng.uniform(0.5, 0.55), rng.uniform(0.1, 0.13)

    def cover(x: Grid, y: Grid, z: Grid) -> Grid:
        py = y - f32(b)
        boards = box(x, py, np.abs(z) - f32(c), a, b, 0.022, 0.015)
        spine = box(x + f32(a), py, z, 0.025, b, c + 0.02, 0.02)
        band = box(x + f32(a), np.abs(py) - f32(b * 0.6), z, 0.045, 0.03, c + 0.03, 0.02)
        return np.minimum(np.minimum(boards, spine), band)

    def pages(x: Grid, y: Grid, z: Grid) -> Grid:
        return box(x + f32(0.02), y - f32(b), z, a - 0.04, b - 0.035, c, 0.0)

    def title(x: Grid, y: Grid, z: Grid) -> Grid:
        plate = box(x - f32(0.02), y - f32(b * 1.32), z - f32(c + 0.022), a * 0.55, 0.1, 0.006)
        line = box(x - f32(0.02), y - f32(b * 0.45), z - f32(c + 0.022), a * 0.35, 0.02, 0.006)
        return np.minimum(plate, line)

    return Model(
        parts=[Part(cover), Part(pages, "paper"), Part(title, "gilt")],
        width=2 * a + 0.15, height=2 * b, wrap="flat", turn=rng.uniform(0.45, 0.6),
    )  # fmt: skip


def chair(rng: Rng, hard: bool) -> Model:
    seat, back, half = rng.uniform(0.5, 0.55), rng.uniform(1.12, 1.22), rng.uniform(0.29, 0.32)
    thick = 0.035 if hard else 0.075
    lean = 0.12
    slats = hard and rng.random() < 0.5

    def upper(x: Grid, y: Grid, z: Grid) -> Grid:
        cushion = box(x, y - f32(seat), z, half, thick, half, 0.03 if hard else 0.07)
        py, pz = turned(y - f32(seat), z + f32(half - 0.03), lean)
        rest = box(
            x, py - f32((back - seat) * 0.62), pz, half * 0.96, (back - seat) * 0.36, thick, 0.03 if hard else 0.07
        )
        if slats:
            gap = np.abs(np.abs(x) - f32(half * 0.45)) - f32(half * 0.16)
            rest = np.maximum(
                rest, -np.maximum(gap, np.abs(py - f32((back - seat) * 0.62)) - f32((back - seat) * 0.24))
            )
        return np.minimum(cushion, rest)

    def legs(x: Grid, y: Grid, z: Grid) -> Grid:
        ax = np.abs(x)
        front = capsule(ax, y, np.abs(z), (half * 1.0, 0.03, half * 1.0), (half * 0.85, seat, half * 0.82), 0.035)
        post = capsule(ax, y, z, (half * 0.86, seat, -half * 0.86), (half * 0.9, back * 0.93, -half - 0.06), 0.032)
        return np.minimum(front, post)

    return Model(
        parts=[Part(upper), Part(legs, "main" if hard else "legs")],
        width=0.8, height=back, wrap="flat", turn=rng.choice((-1, 1)) * rng.uniform(0.4, 0.6),
    )  # fmt: skip


def sofa(rng: Rng, _hard: bool) -> Model:
    half, deep = rng.uniform(0.72, 0.8), 0.32
    low = rng.uniform(0.26, 0.31)
    arm = rng.uniform(0.46, 0.54)

    def frame(x: Grid, y: Grid, z: Grid) -> Grid:
        ax = np.abs(x)
        base = box(x, y - f32(0.2), z, half, 0.11, deep, 0.05)
        back = box(x, y - f32(0.44), z + f32(deep - 0.07), half - 0.05, 0.32, 0.1, 0.09)
        side = box(ax - f32(half - 0.04), y - f32(arm / 2 + 0.05), z, 0.095, arm / 2 - 0.04, deep, 0.085)
        return np.minimum(np.minimum(base, side), back)

    def cushions(x: Grid, y: Grid, z: Grid) -> Grid:
        px = np.abs(x) - f32((half - 0.13) / 2)
        seat = box(px, y - f32(low + 0.06), z - f32(0.06), (half - 0.13) / 2 - 0.008, 0.085, deep - 0.05, 0.065)
        py, pz = turned(y - f32(low + 0.27), z + f32(deep - 0.2), 0.2)
        rest = box(px, py, pz, (half - 0.13) / 2 - 0.02, 0.17, 0.08, 0.075)
        return np.minimum(seat, rest)

    def feet(x: Grid, y: Grid, z: Grid) -> Grid:
        return box(np.abs(x) - f32(half - 0.1), y - f32(0.05), np.abs(z) - f32(deep - 0.06), 0.03, 0.06, 0.03)

    return Model(
        parts=[Part(frame), Part(cushions), Part(feet, "legs")], width=2 * half, height=0.8, wrap="flat",
        turn=rng.choice((-1, 1)) * rng.uniform(0.1, 0.3),
    )  # fmt: skip


def cushion(rng: Rng, _hard: bool) -> Model:
    half = rng.uniform(0.5, 0.55)
    thick, lean = rng.uniform(0.2, 0.24), rng.uniform(0.22, 0.3)

    def whole(x: Grid, y: Grid, z: Grid) -> Grid:
        py, pz = turned(y - f32(half * 0.95), z, lean)
        u, v = np.clip(x * f32(1 / half), -1, 1), np.clip(py * f32(1 / half), -1, 1)
        uu, vv = u * u, v * v
        # Sides drawn in between the corners, and a filling that is fullest in the middle.
        px, qy = x * (f32(1.12) - f32(0.12) * vv), py * (f32(1.12) - f32(0.12) * uu)
        full = f32(thick) * np.sqrt(np.maximum((f32(1) - uu) * (f32(1) - vv), 0))
        return (box(px, qy, np.maximum(np.abs(pz) - full, 0), half, half, 0.035, 0.03)) * f32(0.62)

    return Model(
        parts=[Part(whole)], width=2 * half, height=2 * half * 0.96, wrap="flat", turn=rng.choice((-1, 1)) * 0.2
    )
