"""What a product is made of: solids, each with the kind of surface that it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.starters.image.field import FAR, Distance, Grid

MAIN = "main"  # the part that has the scene's material and colour; other names are fixed surfaces


@dataclass(frozen=True, slots=True)
class Part:
    """A solid and its surface: MAIN or a name that `surfaces.FIXED` knows."""

    distance: Distance
    surface: str = MAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Parts on the plane y = 0 about the y axis. `width` and `height` say how much of the picture it wants; `wrap` how
    patterns lie on it: `round` about the y axis, or `flat` on its sides. `turn` is how far it stands turned (radians).
    """

    parts: Sequence[Part]
    width: float
    height: float
    wrap: str = "round"
    turn: float = 0.0

    @property
    def reach(self) -> float:
        """Radius of a ball about (0, height / 2, 0) that holds all parts."""
        return float(np.hypot(self.width, self.height)) / 2 * 1.12 + 0.03

    def distance(self, x: Grid, y: Grid, z: Grid, only: Sequence[int]) -> Grid:
        """Distance to the nearest of the parts whose numbers are in `only`."""
        nearest = None
        for number in only:
            one = self.parts[number].distance(x, y, z)
            nearest = one if nearest is None else np.minimum(nearest, one)
        return np.full_like(x, FAR) if nearest is None else nearest

    def owner(self, x: Grid, y: Grid, z: Grid, only: Sequence[int]) -> Grid:
        """The number of the nearest part."""
        if not only:
            return np.zeros(x.shape, int)
        every = np.stack([self.parts[number].distance(x, y, z) for number in only])
        return np.asarray(only)[every.argmin(0)]
