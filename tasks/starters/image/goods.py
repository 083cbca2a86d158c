"""How to draw what is sewn, built or worn, from chair and sofa to headphones and watch."""

from __future__ import annotations

import numpy as np

from tasks.starters.image.brush import Grid, Rgb, Stage, box, ellipse, pillow, polygon, ring, stroke, turned

STEEL = (0.72, 0.73, 0.76)
BRASS = (0.80, 0.64, 0.30)


def _body(s: Stage, distance: Grid, depth: float, rgb: Rgb, material: str, flatness: float = 1.0) -> None:
    s.solid(distance, pillow(distance, s.px, depth, flatness), rgb, material)


def _darker(rgb: Rgb, by: float = 0.65) -> Rgb:
    return np.asarray(rgb) * by


def _line(s: Stage, ax: float, ay: float, bx: float, by: float, r: float, rgb: Rgb, opacity: float = 1.0) -> None:
    s.paint(stroke(s.x, s.y, ax, ay, bx, by, r), rgb, opacity)


def chair(s: Stage, rgb: Rgb, material: str) -> None:
    seat, top = s.rng.uniform(0.6, 0.68), s.rng.uniform(1.38, 1.52)
    leg = 0.045 if material == "metal" else 0.06
    for a, b in (((-0.26, seat), (-0.30, 0.16)), ((0.44, seat), (0.46, 0.16))):
        _body(s, stroke(s.x, s.y, *a, *b, leg * 0.9), leg, _darker(rgb, 0.75), material)
    if material == "plastic":
        back = polygon(
            s.x, s.y, [(-0.28, seat + 0.12), (0.44, seat + 0.12), (0.46, top - 0.08), (-0.28, top - 0.08)], 0.07
        )
        _body(s, back, 0.12, rgb, material)
    else:
        for ax in (-0.3, 0.46):
            _body(s, stroke(s.x, s.y, ax, seat, ax * 1.02, top, leg), leg, rgb, material)
        for level in (top - 0.04, top - 0.28, top - 0.52)[: s.rng.integers(2, 4)]:
            _body(s, stroke(s.x, s.y, -0.3, level, 0.46, level, 0.07), 0.06, rgb, material)
    pad = polygon(s.x, s.y, [(-0.52, seat - 0.1), (0.34, seat - 0.1), (0.47, seat + 0.1), (-0.3, seat + 0.1)], 0.04)
    _body(s, pad, 0.05, np.minimum(np.asarray(rgb) * 1.12, 1), material)
    _body(s, stroke(s.x, s.y, -0.52, seat - 0.13, 0.34, seat - 0.13, 0.055), 0.05, _darker(rgb, 0.85), material)
    for a, b in (((-0.5, seat - 0.1), (-0.53, 0.02)), ((0.32, seat - 0.1), (0.34, 0.02))):
        _body(s, stroke(s.x, s.y, *a, *b, leg), leg, rgb, material)


def sofa(s: Stage, rgb: Rgb, material: str) -> None:
    wide, top = s.rng.uniform(0.82, 0.95), s.rng.uniform(0.82, 0.95)
    for lx in (-wide + 0.08, wide - 0.08):
        _line(s, lx, 0.12, lx, 0.02, 0.035, (0.30, 0.19, 0.11))
    _body(s, box(s.x, s.y, 0, (top + 0.2) / 2, wide - 0.08, (top - 0.2) / 2, 0.12), 0.16, rgb, material)
    _body(s, box(s.x, s.y, 0, 0.22, wide - 0.05, 0.12, 0.05), 0.08, _darker(rgb, 0.8), material)
    seats = int(s.rng.integers(2, 4))
    half = (wide - 0.2) / seats
    for k in range(seats):
        cx = -wide + 0.2 + half * (2 * k + 1)
        _body(s, box(s.x, s.y, cx, 0.62, half - 0.015, 0.23, 0.09), 0.14, rgb, material)
        _body(s, box(s.x, s.y, cx, 0.38, half - 0.012, 0.11, 0.07), 0.1, np.minimum(np.asarray(rgb) * 1.1, 1), material)
    for cx in (-wide + 0.1, wide - 0.1):
        _body(s, box(s.x, s.y, cx, 0.35, 0.12, 0.26, 0.1), 0.12, rgb, material)


def cushion(s: Stage, rgb: Rgb, material: str) -> None:
    half, turn = s.rng.uniform(0.5, 0.58), s.rng.uniform(-0.15, 0.15)
    c, n = np.cos(turn), np.sin(turn)
    u, v = c * s.x + n * (s.y - 0.55), c * (s.y - 0.55) - n * s.x
    # Sides curve in, so that the corners stand out.
    reach = np.maximum(np.abs(u) + 0.05 * (1 - (v / half) ** 2), np.abs(v) + 0.05 * (1 - (u / half) ** 2))
    shape = (reach - half).astype(np.float32)
    _body(s, shape, 0.42, rgb, material, 0.85)
    if material != "wool" and s.rng.random() < 0.5:
        s.paint(np.hypot(u, v) - 0.05, _darker(rgb, 0.55))
    s.paint(np.abs(shape + 0.035) - 0.012, _darker(rgb, 0.7), 0.6)


def bag(s: Stage, rgb: Rgb, material: str) -> None:
    wide, high = s.rng.uniform(0.5, 0.62), s.rng.uniform(0.66, 0.82)
    strap = np.maximum(ring(s.x, s.y, 0, high, wide * 0.5, s.rng.uniform(0.38, 0.52), 0.04), high - 0.05 - s.y)
    _body(s, strap, 0.04, _darker(rgb, 0.8), material)
    narrow = wide * s.rng.uniform(0.72, 0.95)
    outline = [(-wide, 0.09), (wide, 0.09), (narrow, high), (-narrow, high)]
    _body(s, polygon(s.x, s.y, outline, 0.07), 0.16, rgb, material, 0.8)
    if s.rng.random() < 0.6:
        flap = polygon(
            s.x, s.y, [(-narrow, high), (narrow, high), (narrow * 0.7, high * 0.55), (-narrow * 0.7, high * 0.55)], 0.07
        )
        s.paint(flap - 0.025, _darker(rgb, 0.6), 0.7)
        _body(s, flap, 0.1, np.minimum(np.asarray(rgb) * 1.08, 1), material, 0.8)
        _body(s, box(s.x, s.y, 0, high * 0.5, 0.07, 0.06, 0.02), 0.05, BRASS, "metal")
    else:
        _line(s, -narrow, high - 0.02, narrow, high - 0.02, 0.02, _darker(rgb, 0.5))
        for lx in (-wide * 0.45, wide * 0.45):
            _body(s, ellipse(s.x, s.y, lx, high - 0.07, 0.045, 0.045), 0.04, BRASS, "metal")


def shoe(s: Stage, rgb: Rgb, material: str) -> None:
    high = s.rng.uniform(0.52, 0.80)
    upper = [
        (-0.72, 0.14),
        (-0.74, high),
        (-0.58, high + 0.04),
        (-0.28, high - 0.02),
        (0.12, 0.42),
        (0.52, 0.33),
        (0.72, 0.20),
        (0.72, 0.14),
    ]
    _body(s, polygon(s.x, s.y, upper, 0.05), 0.2, rgb, material, 0.85)
    s.paint(ellipse(s.x, s.y, -0.45, high + 0.05, 0.2, 0.055), _darker(rgb, 0.35))
    toe = polygon(s.x, s.y, [(0.42, 0.14), (0.46, 0.33), (0.62, 0.26), (0.74, 0.14)], 0.03)
    sole_rgb = (0.95, 0.94, 0.92) if np.mean(rgb) < 0.85 else (0.72, 0.55, 0.36)
    if s.rng.random() < 0.5:
        _body(s, toe, 0.1, sole_rgb, "plastic")
    if s.rng.random() < 0.5:
        stripe = polygon(s.x, s.y, [(-0.36, 0.16), (-0.26, 0.16), (-0.02, 0.42), (-0.1, 0.46)], 0.01)
        s.paint(stripe, (0.95, 0.95, 0.95) if np.mean(rgb) < 0.75 else (0.2, 0.2, 0.22))
    for k in range(4):
        lx, ly = -0.22 + 0.12 * k, high - 0.06 - (high - 0.40) * 0.3 * k
        _line(s, lx - 0.07, ly - 0.09, lx + 0.06, ly + 0.01, 0.022, (0.97, 0.97, 0.97))
    _body(s, box(s.x, s.y, 0, 0.085, 0.82, 0.085, 0.08), 0.07, sole_rgb, "plastic")
    _line(s, -0.8, 0.06, 0.8, 0.06, 0.012, (0.55, 0.55, 0.55), 0.7)


def hat(s: Stage, rgb: Rgb, material: str) -> None:
    brim, crown, high = s.rng.uniform(0.78, 0.92), s.rng.uniform(0.40, 0.46), s.rng.uniform(0.46, 0.58)
    shape = ellipse(s.x, s.y, 0, 0.24, brim, 0.24)
    _body(s, shape, 0.12, rgb, material, 0.8)
    s.paint(ellipse(s.x, s.y, 0, 0.28, crown * 1.18, 0.12), _darker(rgb, 0.6), 0.6)
    profile = [
        (0.28, crown),
        (0.28 + high * 0.7, crown * 0.9),
        (0.28 + high * 0.93, crown * 0.74),
        (0.28 + high, crown * 0.45),
    ]
    body, normals = turned(s.x, s.y, profile)
    s.solid(body, normals, rgb, material)
    top = 0.28 + high
    s.solid(
        ellipse(s.x, s.y, 0, top - 0.02, crown * 0.6, crown * 0.16),
        (0 * s.x, 0 * s.x + 0.7, 0 * s.x + 0.7),
        rgb,
        material,
    )
    band, band_normals = turned(s.x, s.y, [(0.29, crown * 1.01), (0.42, crown * 0.97)])
    s.paint(band, s.shade((0.12, 0.12, 0.13) if np.mean(rgb) > 0.3 else (0.80, 0.74, 0.62), band_normals))


def _garment(s: Stage, rgb: Rgb, material: str, sleeve: float, spread: float) -> None:
    """A torso with two sleeves of a length, laid flat, with folds."""
    for side in (-1, 1):
        ex, ey = side * (0.44 + spread * sleeve), 1.22 - sleeve
        arm = polygon(
            s.x,
            s.y,
            [
                (side * 0.30, 1.36),
                (side * 0.46, 1.30),
                (ex + side * 0.10, ey),
                (ex - side * 0.14, ey - 0.06),
                (side * 0.32, 0.92),
            ],
            0.03,
        )
        _body(s, arm, 0.12, _darker(rgb, 0.94), material, 0.8)
        s.paint(np.abs(arm) - 0.010, _darker(rgb, 0.6), 0.5)
    torso = polygon(
        s.x,
        s.y,
        [
            (-0.40, 0.06),
            (0.40, 0.06),
            (0.39, 1.05),
            (0.42, 1.30),
            (0.17, 1.42),
            (-0.17, 1.42),
            (-0.42, 1.30),
            (-0.39, 1.05),
        ],
        0.03,
    )
    _body(s, torso, 0.16, rgb, material, 0.7)
    fold = np.sin(s.x * 9 + 1.5 * s.y + s.noise_at[0]) * np.clip(1.1 - s.y, 0, 1)
    s.paint(torso, _darker(rgb, 0.6), 0.22 * np.clip(fold, 0, 1))


def shirt(s: Stage, rgb: Rgb, material: str) -> None:
    long = material == "wool" or s.rng.random() < 0.3
    _garment(s, rgb, material, s.rng.uniform(0.85, 0.98) if long else s.rng.uniform(0.34, 0.44), 0.42 if long else 0.7)
    s.paint(ellipse(s.x, s.y, 0, 1.44, 0.2, 0.11), _darker(rgb, 0.5))
    s.paint(ring(s.x, s.y, 0, 1.44, 0.2, 0.11, 0.02), _darker(rgb, 0.82))


def jacket(s: Stage, rgb: Rgb, material: str) -> None:
    _garment(s, rgb, material, s.rng.uniform(0.92, 1.05), 0.26)
    opening = polygon(s.x, s.y, [(-0.13, 1.46), (0.13, 1.46), (0.0, 1.08)], 0.01)
    s.paint(opening, (0.93, 0.92, 0.90) if np.mean(rgb) < 0.7 else (0.25, 0.26, 0.3))
    for side in (-1, 1):
        lapel = polygon(
            s.x, s.y, [(side * 0.11, 1.46), (side * 0.24, 1.40), (side * 0.21, 1.16), (side * 0.01, 1.02)], 0.01
        )
        _body(s, lapel, 0.05, np.minimum(np.asarray(rgb) * 1.1, 1), material)
        s.paint(np.abs(lapel) - 0.010, _darker(rgb, 0.5), 0.8)
        _line(s, side * 0.16, 0.42, side * 0.32, 0.47, 0.018, _darker(rgb, 0.5))
    _line(s, 0, 0.06, 0, 1.06, 0.02, STEEL if s.rng.random() < 0.6 else _darker(rgb, 0.45))


def book(s: Stage, rgb: Rgb, material: str) -> None:
    wide, high, thick = s.rng.uniform(0.38, 0.48), s.rng.uniform(1.12, 1.3), s.rng.uniform(0.12, 0.22)
    side = s.rng.choice((-1, 1))
    pages = polygon(
        s.x,
        s.y,
        [(side * wide, 0.05), (side * (wide + thick), 0.14), (side * (wide + thick), high + 0.05), (side * wide, high)],
        0.0,
    )
    s.paint(pages, (0.93, 0.90, 0.82))
    for k in (0.25, 0.5, 0.75):
        lx = side * (wide + thick * k)
        _line(s, lx, 0.08 + 0.08 * k, lx, high + 0.04 * k, 0.008, (0.70, 0.66, 0.58))
    top = polygon(
        s.x,
        s.y,
        [
            (-side * wide, high),
            (side * wide, high),
            (side * (wide + thick), high + 0.07),
            (-side * (wide - thick), high + 0.07),
        ],
        0.01,
    )
    s.paint(top, (0.88, 0.85, 0.77))
    _body(s, box(s.x, s.y, 0, high / 2, wide, high / 2, 0.03), 0.05, rgb, material)
    _line(s, -side * (wide - 0.1), 0.03, -side * (wide - 0.1), high - 0.03, 0.014, _darker(rgb, 0.6))
    ink = (0.92, 0.86, 0.66) if np.mean(rgb) < 0.6 else (0.25, 0.22, 0.2)
    for level, half in ((0.74, 0.22), (0.64, 0.14)):
        s.paint(box(s.x, s.y, side * 0.05, high * level, half, 0.03, 0.01), ink)
    if s.rng.random() < 0.5:
        s.paint(ring(s.x, s.y, side * 0.05, high * 0.33, 0.13, 0.13, 0.018), ink)


def headphones(s: Stage, rgb: Rgb, material: str) -> None:
    wide, top = s.rng.uniform(0.5, 0.58), s.rng.uniform(0.7, 0.8)
    arch = np.maximum(ring(s.x, s.y, 0, 0.5, wide, top, 0.055), 0.45 - s.y)
    _body(s, arch, 0.055, rgb, material)
    pad = np.maximum(ring(s.x, s.y, 0, 0.47, wide - 0.06, top - 0.05, 0.03), 0.85 - s.y)
    s.paint(pad, (0.14, 0.14, 0.15))
    for side in (-1, 1):
        s.paint(box(s.x, s.y, side * (wide - 0.13), 0.38, 0.10, 0.25, 0.09), (0.13, 0.13, 0.14))
        _body(s, box(s.x, s.y, side * (wide + 0.04), 0.38, 0.14, 0.30, 0.12), 0.14, rgb, material)
        _body(s, ellipse(s.x, s.y, side * (wide + 0.06), 0.38, 0.05, 0.12), 0.05, STEEL, "metal")


def watch(s: Stage, rgb: Rgb, material: str) -> None:
    middle, radius = 0.74, s.rng.uniform(0.38, 0.44)
    for low, high in ((0.0, 0.5), (0.98, 1.48)):
        edge = 0.17
        near = 0.25
        points = (
            [(-edge, low), (edge, low), (near, high), (-near, high)]
            if low < 0.5
            else [(-near, low), (near, low), (edge, high), (-edge, high)]
        )
        _body(s, polygon(s.x, s.y, points, 0.02), 0.08, rgb, material)
        for k in range(4 if material == "metal" else 3):
            level = low + (k + 0.5) * (high - low) / 4
            if material == "metal":
                _line(s, -0.22, level, 0.22, level, 0.014, _darker(rgb, 0.45), 0.8)
            elif low < 0.5:
                s.paint(ellipse(s.x, s.y, 0, level, 0.022, 0.022), _darker(rgb, 0.4))
    case_rgb = STEEL if s.rng.random() < 0.6 else BRASS
    _body(s, box(s.x, s.y, radius + 0.04, middle, 0.05, 0.06, 0.02), 0.04, case_rgb, "metal")
    _body(s, ellipse(s.x, s.y, 0, middle, radius, radius), 0.1, case_rgb, "metal")
    s.paint(
        ellipse(s.x, s.y, 0, middle, radius * 0.8, radius * 0.8),
        (0.96, 0.95, 0.93) if np.mean(rgb) < 0.8 else (0.13, 0.14, 0.18),
    )
    ink = (0.12, 0.12, 0.14) if np.mean(rgb) < 0.8 else (0.95, 0.95, 0.95)
    for hour in range(0, 12, 3):
        a = hour * np.pi / 6
        _line(
            s,
            0.66 * radius * np.sin(a),
            middle + 0.66 * radius * np.cos(a),
            0.74 * radius * np.sin(a),
            middle + 0.74 * radius * np.cos(a),
            0.02,
            ink,
        )
    for reach, width in ((0.4, 0.03), (0.6, 0.02)):
        a = s.rng.uniform(0, 2 * np.pi)
        _line(s, 0, middle, reach * radius * np.sin(a), middle + reach * radius * np.cos(a), width, ink)
