"""A mixture of Gaussians, each with a width of its own along every axis."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from models.table.picking import pick


class Mixture(nn.Module):
    """A density over points of `size` numbers, trained like any other weights."""

    def __init__(self, components: int, size: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(components))
        self.means = nn.Parameter(torch.zeros(components, size))
        self.spreads = nn.Parameter(torch.zeros(components, size))

    def start(self, generator: torch.Generator) -> None:
        """Draw the initial means."""
        with torch.no_grad():
            self.means.normal_(generator=generator)

    def log_prob(self, points: Tensor) -> Tensor:
        """Log density of each of the points, rows × size."""
        precision = (-2 * self.spreads).exp()
        # the squared distances multiplied out, so that no rows × components × size has to be held
        distances = points.square() @ precision.T - 2 * points @ (precision * self.means).T
        own = (precision * self.means.square() + 2 * self.spreads + math.log(2 * math.pi)).sum(1)
        return torch.logsumexp(self.weights.log_softmax(0) - 0.5 * (distances + own), 1)

    @torch.no_grad()
    def sample(self, rows: int, generator: torch.Generator) -> Tensor:
        """Draw points, rows × size; the components have their shares as evenly as whole rows allow."""
        chosen = pick(self.weights.softmax(0).expand(rows, -1), generator)
        noise = torch.empty(rows, self.means.shape[1]).normal_(generator=generator)
        return self.means[chosen] + self.spreads[chosen].exp() * noise
