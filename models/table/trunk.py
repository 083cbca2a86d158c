"""A residual network over one vector a row: what the families share between their inputs and their heads."""

from __future__ import annotations

import torch
from torch import Tensor, nn

TRUNK = 384
DROPOUT = 0.05


class Trunk(nn.Module):
    """From rows × `inputs` to rows × `width`, normed. Its blocks begin as identities."""

    def __init__(self, inputs: int, blocks: int, width: int = TRUNK) -> None:
        super().__init__()
        self.inward = nn.Linear(inputs, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))
            for _ in range(blocks)
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, inputs: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """With a `generator`, as in training, units are silenced at random."""
        flow = self.inward(inputs)
        for block in self.blocks:
            flow = flow + block(flow)
            if generator is not None:
                flow = flow * torch.empty_like(flow).bernoulli_(1 - DROPOUT, generator=generator) / (1 - DROPOUT)
        normed: Tensor = self.norm(flow)
        return normed

    def start(self, generator: torch.Generator) -> None:
        """Draw the initial weights."""
        start_linear(self, generator)
        with torch.no_grad():
            for block in self.blocks:
                block[-1].weight.zero_()  # type: ignore[index]


def start_linear(module: nn.Module, generator: torch.Generator) -> None:
    """Draw the weights of every linear map in `module` for rectified units (He et al. 2015)."""
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, nn.Linear):
                part.weight.normal_(std=(2 / max(part.in_features, 1)) ** 0.5, generator=generator)
                part.bias.zero_()
