"""Finding surfaces along rays: sphere tracing of a model's distance field, its normals, shadows and occlusion.

All on flat float32 arrays, one entry a ray, so that one scene is a few hundred calls of numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.starters.image.field import FAR, Distance, Grid, f32

FIELD_OF_VIEW = np.radians(28)
_LIMIT = 44
_TOUCH = 0.0016


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera before the scene, `elevation` above the floor, that sees `span` from edge to edge of the shorter side at
    the height `aim` over the origin; `shift` moves the picture sideways."""

    elevation: float
    span: float
    aim: float
    shift: float = 0.0

    @property
    def origin(self) -> tuple[float, float, float]:
        far = self.span / 2 / np.tan(FIELD_OF_VIEW / 2)
        return self.shift, self.aim + far * np.sin(self.elevation), far * np.cos(self.elevation)

    def rays(self, rows: int, columns: int) -> tuple[Grid, Grid, Grid]:
        """Unit directions through the middles of rows × columns pixels, as grids."""
        half = np.tan(FIELD_OF_VIEW / 2) * 2 / min(rows, columns)
        right = ((np.arange(columns) + 0.5 - columns / 2) * half).astype(np.float32)[None, :]
        up = ((rows / 2 - np.arange(rows) - 0.5) * half).astype(np.float32)[:, None]
        c, s = f32(np.cos(self.elevation)), f32(np.sin(self.elevation))
        scale = f32(1) / np.sqrt(f32(1) + right * right + up * up)
        return right * scale, (up * c - s) * scale, (-up * s - c) * scale


def march_grid(
    distance: Distance,
    origin: Sequence[float],
    rays: Sequence[Grid],
    shape: tuple[int, int],
    centre: float,
    reach: float,
) -> Grid:
    """`march` for all pixels of rows × columns (even numbers): first by cones of four rays, then ray by ray."""
    rows, columns = shape
    few = tuple(np.ascontiguousarray(axis.reshape(shape)[::2, ::2]).ravel() for axis in rays)
    # From one of the four rays to the farthest of the others, at distance 1.
    cone = float(np.tan(FIELD_OF_VIEW / 2) * 2 / min(rows, columns)) * 2**0.5 * 1.05
    near = march(distance, origin, few, centre, reach, cone=cone).reshape(rows // 2, columns // 2)
    first = np.repeat(np.repeat(near, 2, 0), 2, 1).ravel()
    return march(distance, origin, rays, centre, reach, first=first)


def march(
    distance: Distance,
    origin: Sequence[float],
    rays: Sequence[Grid],
    centre: float,
    reach: float,
    *,
    first: Grid | None = None,
    cone: float = 0.0,
) -> Grid:
    """How far along each ray (flat arrays) the surface is; FAR where it meets none.

    The solid lies in a ball of radius `reach` about (0, `centre`, 0). Rays start at the ball, or at `first` where that
    is known (FAR: nowhere). With `cone`, each ray is a cone that wide at distance 1, and the answer is where it first
    may touch the surface.
    """
    ox, oy, oz = (f32(v) for v in origin)
    dx, dy, dz = rays
    cy = oy - f32(centre)
    along = -(ox * dx + cy * dy + oz * dz)
    inside = along * along - (ox * ox + cy * cy + oz * oz) + f32(reach * reach)
    result = np.full(dx.shape, FAR, np.float32)
    active = np.flatnonzero(inside > 0 if first is None else (inside > 0) & (first < FAR))
    half = np.sqrt(inside[active])
    t, end = along[active] - half, along[active] + half
    if first is not None:
        t = np.maximum(t, first[active])
    dx, dy, dz = dx[active], dy[active], dz[active]
    for _ in range(_LIMIT):
        step = distance(ox + t * dx, oy + t * dy, oz + t * dz)
        touched = step < (t * f32(cone) if cone else f32(_TOUCH))
        t = t + (np.where(touched, 0, step * f32(0.95)) if cone else step * f32(0.95))
        result[active[touched]] = t[touched]
        going = ~touched & (t < end)
        count = np.count_nonzero(going)
        if not count:
            break
        if count < len(t):
            t, end, active = t[going], end[going], active[going]
            dx, dy, dz = dx[going], dy[going], dz[going]
    else:
        # Grazing rays that ran out of steps are as good as there when they are close.
        close = step[going] < f32(0.012)
        result[active[close]] = t[close]
    return result


def normals(distance: Distance, x: Grid, y: Grid, z: Grid, eps: float = 0.004) -> tuple[Grid, Grid, Grid]:
    """Unit normals of the surface at points on it."""
    n = len(x)
    e = f32(eps)
    # Four corners of a tetrahedron, in one call.
    signs = np.array([[1, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]], np.float32)
    found = distance(
        *(np.concatenate([axis + e * sign for sign in signs[:, k]]) for k, axis in enumerate((x, y, z)))
    ).reshape(4, n)
    nx, ny, nz = (np.tensordot(signs[:, k], found, 1) for k in range(3))
    scale = f32(1) / (np.sqrt(nx * nx + ny * ny + nz * nz) + f32(1e-9))
    return nx * scale, ny * scale, nz * scale


def occlusion(distance: Distance, points: Sequence[Grid], normal: Sequence[Grid], size: float) -> Grid:
    """How open the surroundings are, 1 open to 0 closed; `size` is how far to look."""
    x, y, z = points
    nx, ny, nz = normal
    steps = (0.12, 0.4, 1.0)
    weights = (0.9, 0.75, 0.5)
    n = len(x)
    found = distance(
        *(
            np.concatenate([axis + along * f32(size * step) for step in steps])
            for axis, along in ((x, nx), (y, ny), (z, nz))
        )
    ).reshape(len(steps), n)
    closed = sum(
        f32(weight / size / step) * np.maximum(f32(size * step) - found[k], 0) * f32(step**0.5)
        for k, (step, weight) in enumerate(zip(steps, weights, strict=True))
    )
    return np.clip(f32(1) - closed * f32(0.62), 0.08, 1)


def shadow(distance: Distance, points: Sequence[Grid], towards: Sequence[float], reach: float, sharp: float) -> Grid:
    """How much of a light of direction `towards` arrives, 1 to 0; `sharp` is large for small lights."""
    x, y, z = points
    lx, ly, lz = (f32(v) for v in towards)
    light = np.ones_like(x)
    t = np.full_like(x, 0.03)
    steps = 14
    for _ in range(steps):
        found = distance(x + lx * t, y + ly * t, z + lz * t)
        np.minimum(light, f32(sharp) * found / t, out=light)
        t += np.clip(found, reach / steps / 3, reach / 4)
    np.clip(light, 0, 1, out=light)
    return light * light * (f32(3) - f32(2) * light)
