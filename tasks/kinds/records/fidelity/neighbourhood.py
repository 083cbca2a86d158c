"""Whether synthetic rows lie where real rows lie, and whether they lie everywhere: density and coverage.

Source: Naeem et al. 2020, "Reliable fidelity and diversity metrics for generative models". Each real row has a ball
that reaches to its fifth nearest real row. Density is how many balls a synthetic row lies in, over five; coverage the
share of balls that hold a synthetic row. They answer what α-precision and β-recall ask (Alaa et al. 2022, "How faithful
is your synthetic data?") without a centre of the data, which tables of categories lack. The distance is Gower's, as for
the attacks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.kinds.records.privacy.gower import count_within, nearest

NEIGHBOURS = 5  # the authors' own choice: two samples of one table then cover 97 % of each other
MOST_ROWS = 3_000
FEWEST_ROWS = 20


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """`density` is 1 when synthetic rows lie as thick about real ones as real rows do, and cut off there: more would
    speak of rows that crowd together. `coverage` is .97 for another sample of the same table."""

    density: float
    coverage: float


def neighbourhood(real: np.ndarray, made: np.ndarray) -> Neighbourhood | None:
    """Of as many rows of either side (float32, columns × rows, coded for Gower's distance); None of fewer than 20."""
    count = min(real.shape[1], made.shape[1], MOST_ROWS)
    if count < FEWEST_ROWS or not len(real):
        return None
    real, made = real[:, :count], made[:, :count]
    reach = nearest(real, real, NEIGHBOURS + 1)[0][:, NEIGHBOURS]  # a row is the nearest to itself
    inside = count_within(real, made, reach)
    return Neighbourhood(min(float(inside.sum()) / (NEIGHBOURS * count), 1.0), float((inside > 0).mean()))
