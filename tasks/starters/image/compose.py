"""Putting a picture together: floor and wall, the shadow and the mirror image on the floor, focus, and layers."""

from __future__ import annotations

import numpy as np

from tasks.starters.image.field import FAR, Distance, Grid, f32, smooth
from tasks.starters.image.light import Light
from tasks.starters.image.model import Model
from tasks.starters.image.tracer import Camera, march, occlusion, shadow
from tasks.starters.image.worlds import World

SHADOW_EVERY = 2


def _floor_points(camera: Camera, rows: int, columns: int) -> tuple[Grid, Grid, Grid]:
    """Where each pixel's ray meets the floor: x, z and how far, as grids; far away above the horizon."""
    dx, dy, dz = camera.rays(rows, columns)
    ox, oy, oz = (f32(v) for v in camera.origin)
    far = np.where(dy < f32(-1e-3), oy / np.maximum(-dy, f32(1e-3)), f32(1e3))
    return ox + far * dx, oz + far * dz, far


def backdrop(camera: Camera, world: World, light: Light, rows: int, columns: int) -> Grid:
    """Floor and wall in their light: rows × columns × 3."""
    unit = f32(1 / camera.span)
    x, z, _ = _floor_points(camera, rows, columns)
    x, z = x * unit, z * unit
    key, ambient = np.asarray(light.key, np.float32), np.asarray(light.ambient, np.float32)
    on_floor = z > f32(-world.wall_at)
    picture = np.empty((rows, columns, 3), np.float32)
    lamp = key * f32(light.towards[1] * 0.95) + ambient * f32(0.85)
    # The main light falls off a little across the floor, most in dramatic light.
    pool = f32(1.0) - f32(0.10 + 0.028 * (light.sharp > 10)) * np.sqrt(x * x + z * z) * f32(1.1)
    here = on_floor
    picture[here] = world.floor(x[here], z[here]) * lamp * np.clip(pool[here], 0.3, 1)[:, None]
    dx, dy, dz = camera.rays(rows, columns)
    ox, oy, oz = (f32(v) for v in camera.origin)
    t = (oz + f32(world.wall_at * camera.span)) / np.maximum(-dz, f32(1e-3))
    wx, wy = (ox + t * dx) * unit, np.broadcast_to((oy + t * dy) * unit, x.shape)
    above = ~here
    mood = np.asarray(light.mood, np.float32)
    side = f32(0.28 * np.sign(light.towards[0]) * (light.sharp > 10))
    slant = np.clip(f32(1) + side * wx, 0.4, 1.5)
    picture[above] = world.wall(wx[above], wy[above]) * mood * slant[above][:, None]
    if world.seamless:
        # The bend of the paper: floor and wall meet in a wide gradient.
        near = smooth(-world.wall_at, -world.wall_at * 0.25, z) * on_floor
        wall = world.wall(wx.ravel(), np.maximum(wy, 0).ravel()).reshape(picture.shape) * mood * slant[..., None]
        picture = wall + (picture - wall) * near[..., None]
    return picture


def floor_shadow(
    camera: Camera, distance: Distance, model: Model, light: Light, world: World, rows: int, columns: int
) -> Grid:
    """What the product takes from the floor's light: a factor, rows × columns × 3."""
    few_rows, few_columns = rows // SHADOW_EVERY, columns // SHADOW_EVERY
    x, z, _ = _floor_points(camera, few_rows, few_columns)
    size = max(model.width, model.height)
    near = (x * x + z * z < f32((1.7 * size) ** 2)) & (z > f32(-world.wall_at * camera.span))
    factor = np.ones((few_rows, few_columns, 3), np.float32)
    at = np.nonzero(near)
    if len(at[0]):
        px, pz = x[at], z[at]
        py = np.full_like(px, 0.004)
        zero, one = np.zeros_like(px), np.ones_like(px)
        lit = shadow(distance, (px, py, pz), light.towards, size * 1.3, light.sharp)
        free = occlusion(distance, (px, py, pz), (zero, one, zero), 0.28 * size)
        free = np.clip((free - f32(0.08)) * f32(1.1), 0.05, 1)
        key = np.asarray(light.key, np.float32) * f32(light.towards[1] * 0.95)
        ambient = np.asarray(light.ambient, np.float32) * f32(0.85)
        factor[at] = (lit[:, None] * key + free[:, None] * ambient) / (key + ambient)
    return _enlarge(factor, rows, columns)


def polish(
    picture: Grid, camera: Camera, distance: Distance, model: Model, rgb: Grid, light: Light, world: World
) -> Grid:
    """Lay what a glossy floor mirrors over the picture: the wall, and the product in plain light."""
    rows, columns, _ = picture.shape
    few_rows, few_columns = rows // SHADOW_EVERY, columns // SHADOW_EVERY
    x, z, _ = _floor_points(camera, few_rows, few_columns)
    on_floor = z > f32(-world.wall_at * camera.span)
    at = np.nonzero(on_floor)
    if world.seamless or not len(at[0]):
        return picture
    rays = tuple(np.broadcast_to(axis, x.shape)[at] for axis in camera.rays(few_rows, few_columns))
    dx, dy, dz = rays[0], -rays[1], rays[2]
    ox, oy, oz = camera.origin
    unit = f32(1 / camera.span)
    t = (f32(oz) + f32(world.wall_at * camera.span)) / np.maximum(-dz, f32(1e-3))
    seen = world.wall((f32(ox) + t * dx) * unit, np.clip((f32(-oy) + t * dy) * unit, 0, 1.2)) * np.asarray(
        light.mood, np.float32
    )
    depth = march(distance, (ox, -oy, oz), (dx, dy, dz), model.height / 2, model.reach)
    hit = depth < FAR
    px, py = f32(ox) + depth * dx, f32(-oy) + depth * dy
    lit = f32(0.75) + f32(0.4 * light.towards[0]) * np.clip(px * f32(2 / model.width), -1, 1)
    plain = (np.asarray(light.key, np.float32) * f32(0.6) + np.asarray(light.ambient, np.float32)) * lit[:, None]
    seen = np.where(hit[:, None], rgb * plain, seen)
    fade = np.where(hit, np.clip(f32(1.15) - py * f32(1 / model.height), 0, 1), f32(0.6))
    strength = f32(world.gloss) * fade * (f32(0.5) + f32(1.1) * (f32(1) - dy) ** 3)
    layer = np.zeros((few_rows, few_columns, 4), np.float32)
    layer[at] = np.concatenate([seen * strength[:, None], strength[:, None]], 1)
    layer = _enlarge(layer, rows, columns)
    return picture * (1 - layer[..., 3:] * f32(0.7)) + layer[..., :3]


def _enlarge(grid: Grid, rows: int, columns: int) -> Grid:
    """Linear interpolation to twice the size or so: few × few × 3 to rows × columns × 3."""
    for axis, length in ((0, rows), (1, columns)):
        count = grid.shape[axis]
        place = np.clip((np.arange(length) + 0.5) * count / length - 0.5, 0, count - 1)
        low = np.minimum(place.astype(int), count - 2)
        share = (place - low).astype(np.float32)
        share = share[:, None, None] if axis == 0 else share[None, :, None]
        grid = np.take(grid, low, axis) * (1 - share) + np.take(grid, low + 1, axis) * share
    return grid


def _blurred(picture: Grid, radius: int) -> Grid:
    """Twice a running mean over 2 × radius + 1 pixels, along both axes."""
    width = 2 * radius + 1
    for axis in (0, 1, 0, 1):
        pad = [(0, 0)] * 3
        pad[axis] = (radius + 1, radius)
        total = np.cumsum(np.pad(picture, pad, mode="edge"), axis, dtype=np.float32)
        length = picture.shape[axis]
        ahead = np.take(total, np.arange(width, width + length), axis)
        picture = (ahead - np.take(total, np.arange(length), axis)) * f32(1 / width)
    return picture


def soften(picture: Grid, camera: Camera, world: World, rows: int, columns: int) -> Grid:
    """Depth of field: what lies behind or before the product is out of focus."""
    radius = max(1, round(world.blur * min(rows, columns) / 128))
    _, z, _ = _floor_points(camera, rows, columns)
    z = z * f32(1 / camera.span)
    share = np.maximum(smooth(-0.25, -world.wall_at, z), f32(0.8) * smooth(0.45, 0.9, z))[..., None]
    if world.blur < 0.6 or not share.any():
        return picture
    return picture + (_blurred(picture, radius) - picture) * share


def reduce(colours: Grid, at: Grid, picture: Grid, rows: int, columns: int, every: int) -> Grid:
    """Lay the fine layer (colours at the flat indices `at` of rows × columns) over the coarse picture."""
    layer = np.zeros((rows * columns, 4), np.float32)
    layer[at, :3] = np.minimum(colours, 2.5)
    layer[at, 3] = 1
    mean = layer.reshape(rows // every, every, columns // every, every, 4).mean((1, 3))
    return picture * (1 - mean[..., 3:]) + mean[..., :3]
