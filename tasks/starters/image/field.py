"""Signed distances: how far points are from the surface of a solid, negative inside. Solids stand on the plane y = 0.

Points are three float32 arrays of one length, x to the right, y up, z towards the viewer. The formulas are those of
Inigo Quilez (https://iquilezles.org/articles/distfunctions/); those marked as bounds may understate a distance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Grid = NDArray[Any]
Distance = Callable[[Grid, Grid, Grid], Grid]

FAR = np.float32(9)


def f32(value: float) -> Any:
    """A scalar that does not widen float32 arrays."""
    return np.float32(value)


def sphere(x: Grid, y: Grid, z: Grid, radius: float) -> Grid:
    """A ball about the origin."""
    return np.sqrt(x * x + y * y + z * z) - f32(radius)


def ellipsoid(x: Grid, y: Grid, z: Grid, a: float, b: float, c: float) -> Grid:
    """An ellipsoid with half axes a, b, c (a close estimate)."""
    px, py, pz = x * f32(1 / a), y * f32(1 / b), z * f32(1 / c)
    near = np.sqrt(px * px + py * py + pz * pz)
    px *= f32(1 / a)
    py *= f32(1 / b)
    pz *= f32(1 / c)
    return near * (near - f32(1)) / (np.sqrt(px * px + py * py + pz * pz) + f32(1e-6))


def box(x: Grid, y: Grid, z: Grid, a: float, b: float, c: float, soft: float = 0.0) -> Grid:
    """A box with half sides a, b, c, its edges rounded by `soft`."""
    px, py, pz = np.abs(x) - f32(a - soft), np.abs(y) - f32(b - soft), np.abs(z) - f32(c - soft)
    inside = np.minimum(np.maximum(np.maximum(px, py), pz), 0)
    np.maximum(px, 0, out=px)
    np.maximum(py, 0, out=py)
    np.maximum(pz, 0, out=pz)
    return np.sqrt(px * px + py * py + pz * pz) + inside - f32(soft)


def _plate(one: Grid, two: Grid, soft: float) -> Grid:
    """Both distances at once, with a rounded edge: the meeting of two orthogonal solids."""
    one, two = one + f32(soft), two + f32(soft)
    inside = np.minimum(np.maximum(one, two), 0)
    np.maximum(one, 0, out=one)
    np.maximum(two, 0, out=two)
    return np.sqrt(one * one + two * two) + inside - f32(soft)


def disc(x: Grid, y: Grid, z: Grid, radius: float, half: float, soft: float = 0.0) -> Grid:
    """An upright cylinder of half height `half`."""
    return _plate(np.sqrt(x * x + z * z) - f32(radius), np.abs(y) - f32(half), soft)


def torus(x: Grid, y: Grid, z: Grid, radius: float, thick: float) -> Grid:
    """A lying ring."""
    ring = np.sqrt(x * x + z * z) - f32(radius)
    return np.sqrt(ring * ring + y * y) - f32(thick)


def capsule(x: Grid, y: Grid, z: Grid, start: Sequence[float], end: Sequence[float], thick: float) -> Grid:
    """A rod with round ends."""
    ax, ay, az = (f32(v) for v in start)
    bx, by, bz = (f32(two - one) for one, two in zip(start, end, strict=True))
    px, py, pz = x - ax, y - ay, z - az
    along = np.clip((px * bx + py * by + pz * bz) * (f32(1) / (bx * bx + by * by + bz * bz)), 0, 1)
    px -= bx * along
    py -= by * along
    pz -= bz * along
    return np.sqrt(px * px + py * py + pz * pz) - f32(thick)


def turned(one: Grid, two: Grid, angle: float) -> tuple[Grid, Grid]:
    """Coordinates of points in a frame turned by `angle` in the plane of the two axes."""
    c, s = f32(np.cos(angle)), f32(np.sin(angle))
    return one * c + two * s, two * c - one * s


def join(one: Grid, two: Grid, soft: float) -> Grid:
    """The union of two solids, blended over `soft`."""
    between = np.maximum(f32(soft) - np.abs(one - two), 0) * f32(1 / soft)
    return np.minimum(one, two) - between * between * f32(soft / 4)


def around(x: Grid, z: Grid, count: int, offset: float = 0.0) -> tuple[Grid, Grid]:
    """Fold the plane into one of `count` equal sectors about the y axis: x points outwards, z across."""
    sector = f32(2 * np.pi / count)
    angle = np.arctan2(z, x) + f32(offset)
    angle -= sector * np.round(angle / sector)
    radius = np.sqrt(x * x + z * z)
    return radius * np.cos(angle), radius * np.sin(angle)


_STEPS = 512


def lathe(outline: Sequence[tuple[float, float]], wall: float = 0.0, floor: float = 0.04) -> Distance:
    """A turned solid from (height, radius) points, heights rising; with `wall`, an open vessel so thick (a bound)."""
    heights = np.array([h for h, _ in outline])
    radii = np.array([r for _, r in outline])
    low, high = float(heights[0]), float(heights[-1])
    fine = np.linspace(low, high, _STEPS + 1)
    table = np.interp(fine, heights, radii)
    reach = max(3, int(_STEPS * 0.04))
    padded = np.pad(table, reach, mode="edge")
    table = np.convolve(padded, np.full(2 * reach + 1, 1 / (2 * reach + 1)), "valid").astype(np.float32)
    rise = np.append(np.diff(table), 0).astype(np.float32)
    slope = np.abs(rise).max() / ((high - low) / _STEPS)
    shrink = f32(1 / np.sqrt(1 + min(slope, 1.6) ** 2))
    scale, middle, half = f32(_STEPS / (high - low)), f32((low + high) / 2), f32((high - low) / 2)
    soft = 0.012

    def distance(x: Grid, y: Grid, z: Grid) -> Grid:
        place = np.clip((y - f32(low)) * scale, 0, _STEPS)
        index = place.astype(np.int32)
        radius = table[index] + rise[index] * (place - index)
        side = (np.sqrt(x * x + z * z) - radius) * shrink
        solid = _plate(side, np.abs(y - middle) - half, soft)
        if not wall:
            return solid
        hollow = np.maximum(side + f32(wall) * shrink, f32(low + floor) - y)
        return np.maximum(solid, -hollow)

    return distance


def _cloth(seed: int, side: int = 512) -> Grid:
    """A tile of cloudy noise about 0 with standard deviation 1; four octaves from 8 cells a side."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side) * side, np.fft.fftfreq(side) * side))
    spectrum = np.fft.fft2(rng.standard_normal((side, side)))
    spectrum *= np.where((frequency > 6) & (frequency < 80), 1 / np.maximum(frequency, 1), 0)
    tile = np.fft.ifft2(spectrum).real
    return (tile / tile.std()).astype(np.float32)


_NOISE = _cloth(3)
_SIDE = _NOISE.shape[0]
_DRIFT = (
    (np.roll(_NOISE, -1, 1) - np.roll(_NOISE, 1, 1)) * f32(6),
    (np.roll(_NOISE, -1, 0) - np.roll(_NOISE, 1, 0)) * f32(6),
)


def _cell(u: Grid, v: Grid) -> tuple[Grid, Grid]:
    return (v * f32(_SIDE)).astype(np.int32) & (_SIDE - 1), (u * f32(_SIDE)).astype(np.int32) & (_SIDE - 1)


def noise(u: Grid, v: Grid) -> Grid:
    """Cloudy noise, standard deviation 1, repeating when u or v grow by 1; features of 1/8 down to 1/80."""
    rows, columns = _cell(u, v)
    return _NOISE[rows, columns]


def noise_slope(u: Grid, v: Grid) -> tuple[Grid, Grid]:
    """How steeply the noise rises along u and v, in no particular unit."""
    rows, columns = _cell(u, v)
    return _DRIFT[0][rows, columns], _DRIFT[1][rows, columns]


def smooth(low: float, high: float, value: Grid) -> Grid:
    """0 below `low`, 1 above `high`, a smooth step between."""
    t = np.clip((value - f32(low)) * f32(1 / (high - low)), 0, 1)
    return t * t * (f32(3) - f32(2) * t)
