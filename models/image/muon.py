"""Muon, an optimizer for matrices: momentum steps made orthogonal, so that no direction of a layer is starved.

After Jordan et al. (2024), https://kellerjordan.github.io/posts/muon/. For convolutions of a shallow decoder it needs
about half the steps of AdamW; its work grows with the weights, not the batch, so that large models gain less.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch


class Muon(torch.optim.Optimizer):
    """Updates tensors of two dimensions or more as matrices; `lr` is the typical size of a step per weight, times 5."""

    def __init__(self, weights: Iterable[torch.Tensor], lr: float, momentum: float = 0.9):
        super().__init__(list(weights), {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """Move every weight that has a gradient."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if "average" not in state:
                    state["average"] = torch.zeros_like(weight)
                state["average"].lerp_(weight.grad, 1 - group["momentum"])
                ahead = weight.grad.lerp(state["average"], group["momentum"]).flatten(1)
                # Orthogonal matrices of other shapes have other entries; this makes steps as large as AdamW's.
                size = 0.2 * max(ahead.shape) ** 0.5 * max(1.0, ahead.shape[0] / ahead.shape[1]) ** 0.5
                weight.add_(_orthogonal(ahead).view_as(weight), alpha=-group["lr"] * size)


def _orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """The nearest orthogonal matrix, roughly, by five Newton-Schulz steps."""
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if tall else matrix) / (matrix.norm() + 1e-7)
    for _ in range(5):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x
