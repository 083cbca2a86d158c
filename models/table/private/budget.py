"""The privacy budget: what may be given away of a table, and what each noisy look at it takes of that.

Every look is a Gaussian mechanism: a vector of counts in which one row more or less moves no more than `sensitivity`
(Euclidean), plus noise of σ. Such looks compose exactly, also where a later one depends on what earlier ones said:
their (sensitivity/σ)² add up (Dong, Roth and Su 2022, "Gaussian differential privacy", corollary 3.3). How much noise ε
and δ ask for, and what was spent in the end, is worked out by Google's dp-accounting: the former analytically (Balle
and Wang 2018, "Improving the Gaussian mechanism"), the latter by privacy loss distributions.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any

import absl.logging
import dp_accounting
import numpy as np
from dp_accounting import pld

# The accountant logs through absl, which holds on to the stderr that it finds on import, and closes it when somebody
# configures logging anew: Prefect does. Only the process's own is safe from that.
absl.logging.get_absl_handler().python_handler.setStream(sys.__stderr__)

RELATION = "add or remove one row"
MARGIN = 1.0001  # times the noise that is due, for the accountant's own rounding is towards more ε
ROUNDING = 1e-9


@dataclass(slots=True)
class Budget:
    """`spent` lists every look so far: what it was for, its share of the budget, its σ per unit of sensitivity."""

    epsilon: float
    delta: float
    spent: list[dict[str, Any]] = field(default_factory=list)

    def noise(self, purpose: str, share: float, sensitivity: float) -> float:
        """Spend a share of the budget on one look; the σ of its noise. Raises ValueError beyond the whole."""
        if share <= 0 or sum(look["share"] for look in self.spent) + share > 1 + ROUNDING:
            raise ValueError(f"{purpose}: a share of {share:g} of the privacy budget is more than what is left")
        multiplier = self.multiplier(share)
        self.spent.append({"purpose": purpose, "share": share, "noise_multiplier": multiplier})
        return multiplier * sensitivity

    def multiplier(self, share: float) -> float:
        """The σ, per unit of sensitivity, of a look that takes a share of the budget."""
        return float(dp_accounting.get_sigma_gaussian(self.epsilon, self.delta) * MARGIN / np.sqrt(share))

    def epsilon_spent(self) -> float:
        """The ε of all looks together at the budget's δ."""
        accountant = pld.PLDAccountant(dp_accounting.NeighboringRelation.ADD_OR_REMOVE_ONE)
        for look in self.spent:
            accountant.compose(dp_accounting.GaussianDpEvent(look["noise_multiplier"]))
        return float(accountant.get_epsilon(self.delta))


def with_noise(counts: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """Counts with Gaussian noise, as whole numbers: the last bits of a floating-point sum could tell what was added to
    (Mironov 2012, "On significance of the least significant bits for differential privacy")."""
    noisy: np.ndarray = np.rint(counts + rng.normal(scale=sigma, size=counts.shape))
    return noisy
