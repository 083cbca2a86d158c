"""Products to wear or carry: what each is made of. Every one draws its proportions from `rng`."""

from __future__ import annotations

import numpy as np

from tasks.starters.image.field import FAR, Grid, box, capsule, disc, ellipsoid, f32, join, lathe, torus, turned
from tasks.starters.image.model import Model, Part

Rng = np.random.Generator


def bag(rng: Rng, _hard: bool) -> Model:
    a, b, c = rng.uniform(0.46, 0.52), rng.uniform(0.32, 0.36), 0.17
    flap = rng.random() < 0.5
    arch = rng.uniform(0.24, 0.3)

    def body(x: Grid, y: Grid, z: Grid) -> Grid:
        py = y - f32(b)
        narrow = f32(1) + np.clip(py, -b, b) * f32(0.28)
        solid = box(x * narrow, py, z * narrow, a, b, c, 0.08) * f32(0.8)
        if flap:
            cover = box(x * narrow, py - f32(b * 0.45), z - f32(c * 0.82), a * 0.92, b * 0.5, 0.05, 0.04) * f32(0.8)
            solid = np.minimum(solid, cover)
        return solid

    def handle(x: Grid, y: Grid, z: Grid) -> Grid:
        py = (y - f32(2 * b - 0.03)) * f32(0.85)
        arcs = torus(x, np.abs(z) - f32(0.06), py, arch, 0.032)
        return np.maximum(arcs, f32(2 * b - 0.05) - y)

    def clasp(x: Grid, y: Grid, z: Grid) -> Grid:
        if flap:
            return box(x, y - f32(b * 1.0), z - f32(c * 0.98), 0.07, 0.06, 0.03, 0.02)
        return box(np.abs(x) - f32(arch), y - f32(2 * b - 0.09), z - f32(c * 0.72), 0.035, 0.055, 0.02, 0.01)

    return Model(
        parts=[Part(body), Part(handle), Part(clasp, "brass")], width=2 * a, height=2 * b + arch * 1.15, wrap="flat",
        turn=rng.choice((-1, 1)) * rng.uniform(0.15, 0.4),
    )  # fmt: skip


def shoe(rng: Rng, _hard: bool) -> Model:
    long, tall = rng.uniform(0.56, 0.6), rng.uniform(0.52, 0.58)

    def sole(x: Grid, y: Grid, z: Grid) -> Grid:
        waist = f32(1.15) - f32(0.18) * np.cos((x - f32(0.2)) * f32(4.5))
        return box(x, y - f32(0.06), z * waist, long, 0.06, 0.22, 0.055) * f32(0.8)

    def upper(x: Grid, y: Grid, z: Grid) -> Grid:
        toe = ellipsoid(x - f32(0.32), y - f32(0.15), z, 0.24, 0.15, 0.19)
        middle = ellipsoid(x - f32(0.0), y - f32(0.19), z, 0.34, 0.24, 0.17)
        heel = ellipsoid(x + f32(0.3), y - f32(tall * 0.5), z, 0.23, tall * 0.58, 0.17)
        whole = join(join(toe, middle, 0.14), heel, 0.14)
        mouth = ellipsoid(x + f32(0.29), y - f32(tall * 1.1), z, 0.18, 0.2, 0.12)
        return np.maximum(whole, -mouth)

    def laces(x: Grid, y: Grid, z: Grid) -> Grid:
        nearest = np.full_like(x, FAR)
        for k in range(4):
            px, py = 0.22 - 0.1 * k, 0.31 + 0.035 * k
            one = capsule(x, y, z, (px, py - 0.02, -0.12), (px + 0.03, py + 0.028, 0.0), 0.018)
            two = capsule(x, y, z, (px, py - 0.02, 0.12), (px + 0.03, py + 0.028, 0.0), 0.018)
            one = np.minimum(one, two)
            nearest = np.minimum(nearest, one)
        return nearest

    return Model(
        parts=[Part(upper), Part(sole, "rubber"), Part(laces, "lace")], width=2 * long, height=0.66, wrap="flat",
        turn=rng.uniform(-0.5, -0.25),
    )  # fmt: skip


def hat(rng: Rng, _hard: bool) -> Model:
    r, h, brim = rng.uniform(0.31, 0.35), rng.uniform(0.34, 0.4), rng.uniform(0.58, 0.64)
    crown = lathe([(0.0, r), (h * 0.55, r * 0.95), (h * 0.85, r * 0.8), (h, r * 0.35)])

    def whole(x: Grid, y: Grid, z: Grid) -> Grid:
        far = x * x + z * z
        dip = np.where(np.abs(z) < 2, far * f32(0.22), 0) - f32(0.02)
        rim = disc(x, y - np.minimum(dip, 0.1) - f32(0.01), z, brim, 0.022, 0.02) * f32(0.85)
        pinch = ellipsoid(x, y - f32(h + 0.04), z, 0.2, 0.09, 0.06)
        return np.maximum(join(crown(x, y, z), rim, 0.06), -pinch)

    band = lathe([(0.05, r * 1.035), (0.15, r * 1.02)])
    return Model(parts=[Part(whole), Part(band, "ribbon")], width=2 * brim, height=0.5, wrap="round")


def _garment(x: Grid, y: Grid, half: float, tall: float, sleeve: float, drop: float) -> Grid:
    """The outline of a garment spread out: a trunk with two sleeves, in the plane of x and y."""
    ax = np.abs(x)
    py = y - f32(tall / 2)
    waist = f32(half) * (f32(1) - f32(0.06) * np.cos(py * f32(np.pi / tall)))
    trunk = np.maximum(ax - waist, np.abs(py) - f32(tall / 2))
    px, qy = ax - f32(half - 0.02), y - f32(tall - 0.13)
    along, across = turned(px, qy, -drop)
    limb = np.maximum(
        np.abs(along - f32(sleeve / 2)) - f32(sleeve / 2), np.abs(across) - (f32(0.15) - along * f32(0.05))
    )
    slope = (y - f32(tall - 0.02)) * f32(0.95) + (ax - f32(0.14)) * f32(0.3)
    return np.maximum(np.minimum(trunk, limb), slope)


def shirt(rng: Rng, _hard: bool) -> Model:
    half, tall = rng.uniform(0.36, 0.4), rng.uniform(1.0, 1.08)
    sleeve = rng.uniform(0.34, 0.4)

    def whole(x: Grid, y: Grid, z: Grid) -> Grid:
        flat = _garment(x, y, half, tall, sleeve, 0.75) * f32(0.9)
        neck = np.sqrt(x * x + (y - f32(tall + 0.03)) ** 2) - f32(0.15)
        flat = np.maximum(flat, -neck)
        body = f32(0.13) - np.minimum(np.abs(x) * np.abs(x) * f32(0.35), 0.1)
        folds = f32(0.014) * np.sin(x * f32(21) + y * f32(6)) * np.clip(f32(1.0) - y, 0, 1)
        deep = np.abs(z) - body - folds
        flat, deep = flat + f32(0.05), deep + f32(0.05)
        inside = np.minimum(np.maximum(flat, deep), 0)
        return (np.sqrt(np.maximum(flat, 0) ** 2 + np.maximum(deep, 0) ** 2) + inside - f32(0.05)) * f32(0.85)

    return Model(parts=[Part(whole)], width=1.2, height=tall, wrap="flat")


def jacket(rng: Rng, _hard: bool) -> Model:
    half, tall = rng.uniform(0.38, 0.42), rng.uniform(1.0, 1.08)

    def shell(x: Grid, y: Grid, z: Grid, extra: float) -> Grid:
        flat = _garment(x, y, half, tall, 0.72, 1.22) * f32(0.9)
        body = f32(0.17 + extra) - np.minimum(x * x * f32(0.35), 0.11)
        folds = f32(0.01) * np.sin(y * f32(30) + np.abs(x) * f32(9)) * (np.abs(x) > half)
        deep = np.abs(z) - body - folds
        flat, deep = flat + f32(0.06), deep + f32(0.06)
        inside = np.minimum(np.maximum(flat, deep), 0)
        return (np.sqrt(np.maximum(flat, 0) ** 2 + np.maximum(deep, 0) ** 2) + inside - f32(0.06)) * f32(0.85)

    def whole(x: Grid, y: Grid, z: Grid) -> Grid:
        ax = np.abs(x)
        # The open front: a gap that widens to the collar, through which the lining shows.
        gap = np.maximum(ax - f32(0.02) - np.maximum(y - f32(tall * 0.55), 0) * f32(0.28), -z)
        lapel = box(ax - f32(0.13), y - f32(tall * 0.86), z - f32(0.17), 0.07, 0.16, 0.03, 0.03)
        pocket = box(ax - f32(half * 0.55), y - f32(tall * 0.3), z - f32(0.14), 0.11, 0.03, 0.035, 0.02)
        return np.minimum(np.minimum(np.maximum(shell(x, y, z, 0), -gap), lapel), pocket)

    def lining(x: Grid, y: Grid, z: Grid) -> Grid:
        return shell(x, y, z, -0.06) + f32(0.03)

    def buttons(x: Grid, y: Grid, z: Grid) -> Grid:
        py = y - f32(tall * 0.5)
        py -= f32(0.17) * np.clip(np.round(py * f32(1 / 0.17)), -2, 0)
        return ellipsoid(x - f32(0.065), py, z - f32(0.175), 0.026, 0.026, 0.02)

    return Model(
        parts=[Part(whole), Part(lining, "lining"), Part(buttons, "brass")], width=1.16, height=tall, wrap="flat"
    )


def headphones(rng: Rng, _hard: bool) -> Model:
    arch, cup = rng.uniform(0.4, 0.44), rng.uniform(0.22, 0.25)
    high = cup + 0.18

    def band(x: Grid, y: Grid, z: Grid) -> Grid:
        py = y - f32(high)
        ring = np.sqrt(x * x + py * py) - f32(arch)
        hoop = np.sqrt(np.maximum(np.abs(ring) - f32(0.02), 0) ** 2 + np.maximum(np.abs(z) - f32(0.06), 0) ** 2) - f32(
            0.025
        )
        hoop = np.maximum(hoop, -py)
        stem = capsule(np.abs(x), y, z, (arch, high, 0), (arch + 0.02, cup * 1.1, 0), 0.035)
        shell = disc(y - f32(cup + 0.02), np.abs(x) - f32(arch + 0.06), z, cup, 0.055, 0.05)
        return np.minimum(np.minimum(hoop, stem), shell)

    def pads(x: Grid, y: Grid, z: Grid) -> Grid:
        return torus(y - f32(cup + 0.02), np.abs(x) - f32(arch - 0.04), z, cup * 0.72, 0.07)

    return Model(
        parts=[Part(band), Part(pads, "dark")], width=2 * arch + 0.24, height=high + arch + 0.04, wrap="flat",
        turn=rng.choice((-1, 1)) * rng.uniform(0.4, 0.6),
    )  # fmt: skip


def watch(rng: Rng, _hard: bool) -> Model:
    ring, wide, case = rng.uniform(0.34, 0.38), rng.uniform(0.13, 0.16), rng.uniform(0.27, 0.3)
    middle, lean = ring + 0.1, 0.45

    def place(x: Grid, y: Grid, z: Grid) -> tuple[Grid, Grid, Grid]:
        py, pz = turned(y - f32(middle), z, -lean)
        return x, py, pz - f32(ring)

    def strap(x: Grid, y: Grid, z: Grid) -> Grid:
        py, pz = (y - f32(middle)) * f32(0.8), z
        radius = np.sqrt(py * py + pz * pz) - f32(ring * 0.92)
        taper = f32(wide) * (f32(0.85) + f32(0.3) * np.clip(z, -0.5, 0.5))
        loop = np.sqrt(np.maximum(np.abs(radius), 0) ** 2 + np.maximum(np.abs(x) - taper, 0) ** 2) - f32(0.035)
        px, py, pz = place(x, y, z)
        return np.minimum(loop, disc(px, pz, py, case, 0.075, 0.035))

    def dial(x: Grid, y: Grid, z: Grid) -> Grid:
        px, py, pz = place(x, y, z)
        return disc(px, pz - f32(0.06), py, case - 0.045, 0.025)

    def hands(x: Grid, y: Grid, z: Grid) -> Grid:
        px, py, pz = place(x, y, z)
        pz = pz - f32(0.09)
        one = capsule(px, py, pz, (0, 0, 0), (-case * 0.35, case * 0.25, 0), 0.018)
        two = capsule(px, py, pz, (0, 0, 0), (case * 0.35, case * 0.45, 0), 0.015)
        crown = disc(py, px - f32(case + 0.03), pz + f32(0.09), 0.035, 0.04, 0.01)
        return np.minimum(np.minimum(one, two), crown)

    return Model(
        parts=[Part(strap), Part(dial, "dial"), Part(hands, "dark")], width=0.72, height=2 * ring + 0.12, wrap="flat",
        turn=rng.uniform(0.15, 0.35),
    )  # fmt: skip
