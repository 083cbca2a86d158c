"""Drawing with distances: shapes are signed distances with normals, materials decide how light leaves them.

Everything is evaluated per pixel on float32 grids of shape (rows, columns); `y` points up, lengths are in the units of
the product, whose base stands at y = 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Grid = NDArray[Any]
Normals = tuple[Grid, Grid, Grid]
Rgb = tuple[float, float, float] | NDArray[np.floating]

TILT = 0.2  # how far the camera looks down: circles become ellipses of this ratio


@dataclass(frozen=True, slots=True)
class Light:
    """Where light comes from (a unit vector), its colour, and how much of it comes from everywhere."""

    towards: tuple[float, float, float]
    colour: tuple[float, float, float]
    ambient: float


@dataclass(frozen=True, slots=True)
class Finish:
    """How a material answers light: share of mirrored light, its sharpness, and the strength of its texture."""

    gloss: float
    sharpness: float
    texture: float = 0.0


FINISHES = {
    "ceramic": Finish(0.55, 40),
    "glass": Finish(0.9, 60),
    "metal": Finish(0.7, 30),
    "wood": Finish(0.10, 10, 0.30),
    "leather": Finish(0.34, 9, 0.08),
    "fabric": Finish(0.0, 1, 0.07),
    "wool": Finish(0.0, 1, 0.38),
    "plastic": Finish(0.32, 14),
}


def _noise_bank() -> Grid:
    """Smooth noise, 0 ± 1, 512 × 512, from which textures are cut."""
    rng = np.random.default_rng(7)
    field: Grid = np.zeros((512, 512), np.float32)
    for cells in (32, 64, 128):
        grid = rng.standard_normal((cells, cells)).astype(np.float32)
        position = np.arange(512) * cells / 512
        low = position.astype(int)
        t = (position - low).astype(np.float32)
        t = t * t * (3 - 2 * t)
        high = (low + 1) % cells
        rows = grid[low] * (1 - t[:, None]) + grid[high] * t[:, None]
        field += (rows[:, low] * (1 - t) + rows[:, high] * t) * (32 / cells) ** 0.7
    return field / field.std()


NOISE = _noise_bank()


class Stage:
    """A picture being painted: its pixels, the product's coordinates, the light."""

    def __init__(self, pixels: Grid, x: Grid, y: Grid, px: float, light: Light, rng: np.random.Generator):
        self.pixels, self.x, self.y, self.px, self.light, self.rng = pixels, x, y, px, light, rng
        self.noise_at = (int(rng.integers(512)), int(rng.integers(512)))
        lx, ly, lz = light.towards
        half = np.array([lx, ly, lz + 1.0])
        self.half = half / np.linalg.norm(half)

    def noise(self, stretch: tuple[int, int] = (1, 1)) -> Grid:
        """A cut of smooth noise, one cell being about 16, 8 and 4 pixels wide; stretched by whole factors."""
        rows, columns = self.x.shape
        r = (self.noise_at[0] + np.arange(rows) // stretch[1]) % 512
        c = (self.noise_at[1] + np.arange(columns) // stretch[0]) % 512
        return NOISE[r[:, None], c[None, :]]

    def cover(self, distance: Grid) -> Grid:
        """How much of each pixel lies inside, 0 to 1."""
        return np.clip(0.5 - distance / self.px, 0, 1)

    def paint(self, distance: Grid, rgb: Rgb, opacity: float | Grid = 1.0) -> None:
        """Flat colour where `distance` is negative."""
        alpha = (self.cover(distance) * opacity)[..., None]
        self.pixels += alpha * (np.asarray(rgb, np.float32) - self.pixels)

    def shade(self, rgb: Rgb, normals: Normals) -> Grid:
        """Matte shading of a colour."""
        nx, ny, nz = normals
        lx, ly, lz = self.light.towards
        lit = np.maximum(nx * lx + ny * ly + nz * lz, 0)
        power = self.light.ambient * (0.8 + 0.2 * ny) + (1.15 - self.light.ambient) * lit
        return np.asarray(rgb, np.float32) * power[..., None] * np.asarray(self.light.colour, np.float32)

    def solid(self, distance: Grid, normals: Normals, rgb: Rgb, material: str) -> None:
        """A body of a material, shaded."""
        finish = FINISHES[material]
        nx, ny, nz = normals
        base: Grid = np.broadcast_to(np.asarray(rgb, np.float32), (*self.x.shape, 3))
        if finish.texture:
            base = base * (1 + finish.texture * self._texture(material))[..., None]
        colour = self.shade(base, normals)
        hx, hy, hz = self.half
        mirrored = np.maximum(nx * hx + ny * hy + nz * hz, 0) ** finish.sharpness
        if material == "metal":
            side = 1.0 if self.light.towards[0] > 0 else -1.0
            bands = (
                0.25
                + 1.0 * np.exp(-(((nx - 0.45 * side) / 0.22) ** 2))
                + 0.6 * np.exp(-(((nx + 0.7 * side) / 0.14) ** 2))
            )
            bands = bands + 0.25 * ny
            colour = 0.35 * colour + 0.65 * base * np.clip(bands, 0.12, 1.4)[..., None] + 0.10
        colour = colour + (finish.gloss * mirrored * (0.4 + 0.6 * (1 - self.light.ambient)))[..., None]
        if material == "glass":
            edge = 1 - nz
            opacity = np.clip(0.42 + 0.55 * edge + mirrored, 0, 0.97)
            colour = colour * (1.1 - 0.35 * edge)[..., None] + 0.06
            self.paint(distance, colour, opacity)
        else:
            self.paint(distance, colour)

    def _texture(self, material: str) -> Grid:
        if material == "wood":
            return np.sin(self.y * 34 + 1.6 * self.noise((6, 2)) + 3 * np.sin(self.x * 2.1)) * 0.6 + 0.4 * self.noise(
                (8, 1)
            )
        if material == "wool":
            return np.sin(self.x * 52) * 0.6 * np.sin(self.y * 40 + 2 * np.sin(self.x * 26)) + 0.25 * np.sin(
                self.x * 52
            )
        if material == "fabric":
            return 0.6 * np.sin(self.x * 90) * np.sin(self.y * 90) + 0.4 * self.noise()
        return np.clip(self.noise(), -1.5, 1.5)


# Shapes: each returns a signed distance, negative inside.


def box(x: Grid, y: Grid, cx: float, cy: float, w: float, h: float, r: float = 0.0) -> Grid:
    """A rectangle of half sizes `w`, `h` with corners of radius `r`."""
    qx, qy = np.abs(x - cx) - w + r, np.abs(y - cy) - h + r
    return np.hypot(np.maximum(qx, 0), np.maximum(qy, 0)) + np.minimum(np.maximum(qx, qy), 0) - r


def ellipse(x: Grid, y: Grid, cx: float, cy: float, rx: float, ry: float, turn: float = 0.0) -> Grid:
    """An ellipse, turned by `turn` radians. The distance is first-order, good near the edge."""
    dx, dy = x - cx, y - cy
    if turn:
        c, s = np.cos(turn), np.sin(turn)
        dx, dy = c * dx + s * dy, c * dy - s * dx
    k = np.hypot(dx / rx, dy / ry)
    slope = np.hypot(dx / rx**2, dy / ry**2)
    return np.where(k > 1e-3, k * (k - 1) / np.maximum(slope, 1e-6), -min(rx, ry)).astype(np.float32)


def stroke(x: Grid, y: Grid, ax: float, ay: float, bx: float, by: float, r: float) -> Grid:
    """A line from a to b, `r` thick to either side, with round ends."""
    dx, dy = bx - ax, by - ay
    t = np.clip(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy + 1e-9), 0, 1)
    return np.hypot(x - ax - t * dx, y - ay - t * dy) - r


def ring(x: Grid, y: Grid, cx: float, cy: float, rx: float, ry: float, r: float) -> Grid:
    """The outline of an ellipse, `r` thick to either side."""
    return np.abs(ellipse(x, y, cx, cy, rx, ry)) - r


def polygon(x: Grid, y: Grid, points: list[tuple[float, float]], r: float = 0.0) -> Grid:
    """A polygon with edges pushed out by `r`, which rounds its corners."""
    nearest = np.full(x.shape, np.inf, np.float32)
    inside = np.zeros(x.shape, bool)
    for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1], strict=True):
        np.minimum(nearest, stroke(x, y, ax, ay, bx, by, 0.0), out=nearest)
        if ay != by:
            crosses = (ay > y) != (by > y)
            inside ^= crosses & (x < (bx - ax) * (y - ay) / (by - ay) + ax)
    return np.where(inside, -nearest, nearest) - r


def pillow(distance: Grid, px: float, depth: float, flatness: float = 1.0) -> Normals:
    """Normals of a flat shape whose edge is rounded over `depth`."""
    gy, gx = np.gradient(distance)
    t = np.clip(1 + distance / depth, 0, 1) * flatness
    nx, ny = np.clip(gx / px, -1, 1) * t, np.clip(-gy / px, -1, 1) * t
    return nx, ny, np.sqrt(np.maximum(1 - nx * nx - ny * ny, 0.02))


def turned(x: Grid, y: Grid, profile: list[tuple[float, float]]) -> tuple[Grid, Normals]:
    """A body turned about the y axis, seen from slightly above; `profile` lists (height, radius) from the base up."""
    heights, radii = np.array(profile, np.float32).T
    w = np.interp(y, heights, radii).astype(np.float32)
    level = y + TILT * np.sqrt(np.maximum(w * w - x * x, 0))
    w = np.interp(level, heights, radii).astype(np.float32)
    slope = np.interp(level, heights[:-1] + np.diff(heights) / 2, np.diff(radii) / np.diff(heights)).astype(np.float32)
    distance = np.maximum(np.maximum(np.abs(x) - w, heights[0] - level), level - heights[-1])
    nx = np.clip(x / np.maximum(w, 1e-3), -1, 1)
    nz = np.sqrt(np.maximum(1 - nx * nx, 0.01))
    ny = -np.clip(slope, -2, 2)
    length = np.sqrt(1 + ny * ny)
    return distance, (nx / length, ny / length, nz / length)


def curve(points: list[tuple[float, float]], steps: int = 5) -> list[tuple[float, float]]:
    """A smooth profile through `points` (Catmull-Rom in the radius, straight in height)."""
    padded = [points[0], *points, points[-1]]
    smooth: list[tuple[float, float]] = []
    for (_, w0), (y1, w1), (y2, w2), (_, w3) in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        for k in range(steps):
            t = k / steps
            w = w1 + 0.5 * t * (w2 - w0 + t * (2 * w0 - 5 * w1 + 4 * w2 - w3 + t * (3 * (w1 - w2) + w3 - w0)))
            smooth.append((y1 + t * (y2 - y1), w))
    return [*smooth, points[-1]]
