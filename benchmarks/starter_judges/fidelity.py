"""How near pictures are to renders as a whole: KID, precision, recall, density, coverage.

All in one feature space, here the penultimate layer of the judge. Figures of different judges cannot be compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

NEIGHBOURS = 5


@dataclass(frozen=True, slots=True)
class Fidelity:
    """`kid` is 1,000 times the squared distance; the others as in the literature."""

    kid: float
    precision: float
    recall: float
    density: float
    coverage: float

    def __str__(self) -> str:
        return (
            f"KID × 1,000 {self.kid:7.2f}   precision {self.precision:.2f}  recall {self.recall:.2f}  "
            f"density {self.density:.2f}  coverage {self.coverage:.2f}"
        )


def fidelity(real: torch.Tensor, made: torch.Tensor) -> Fidelity:
    """Compares two sets of features, count × dimensions each, after scaling each dimension by its spread in `real`."""
    spread = real.std(0)
    spread = spread.clamp_min(0.1 * float(spread.mean()))  # a dimension that is all but dead does not count double
    real, made = (real - real.mean(0)) / spread, (made - real.mean(0)) / spread
    near_real, near_made = _radii(real), _radii(made)
    apart = torch.cdist(real, made)
    within_real = apart < near_real[:, None]
    return Fidelity(
        kid=1_000 * kid(real, made),
        precision=within_real.any(0).float().mean().item(),
        recall=(apart < near_made[None, :]).any(1).float().mean().item(),
        density=within_real.float().sum(0).mean().item() / NEIGHBOURS,
        coverage=(apart.min(1).values < near_real).float().mean().item(),
    )


def kid(real: torch.Tensor, made: torch.Tensor) -> float:
    """The unbiased squared MMD with the cubic kernel (x·y / d + 1)³ (Bińkowski et al. 2018)."""

    def kernel(one: torch.Tensor, two: torch.Tensor) -> torch.Tensor:
        return (one.double() @ two.double().T / one.shape[1] + 1) ** 3

    def among(one: torch.Tensor) -> torch.Tensor:
        pairs = kernel(one, one)
        return (pairs.sum() - pairs.diagonal().sum()) / (len(one) * (len(one) - 1))

    return float(among(real) + among(made) - 2 * kernel(real, made).mean())


def _radii(points: torch.Tensor) -> torch.Tensor:
    """The distance of each point to its fifth neighbour (Kynkäänniemi et al. 2019; Naeem et al. 2020)."""
    return torch.cdist(points, points).topk(NEIGHBOURS + 1, largest=False).values[:, -1]
