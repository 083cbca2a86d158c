"""Masked diffusion over the tokens of a row: parts are hidden one by one, and the network learns to put them back.

Hiding parts in a random order until none is left is a discrete diffusion with an absorbing state; going back one part
at a time, its likelihood bound is the mean over all orders (Austin et al. 2021, https://arxiv.org/abs/2107.03006;
Hoogeboom et al. 2022, https://arxiv.org/abs/2110.02037). So any part can be given and the rest drawn. A cell within a
bin is hidden before its bin, so numbers come back from coarse to fine.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.table.filling import fill_in
from models.table.network import LearnedNetwork
from models.table.number import Part
from models.table.trunk import TRUNK, Trunk, start_linear

BLOCKS = 3
BLOCK_ROWS = 512  # rows that share the order in which their parts come back
SCORED = 4  # levels of noise at which a held-out row is scored


class MaskedDiffusion(LearnedNetwork):
    """A residual network from the visible parts' embeddings to logits of every part; a hidden part is all zeros."""

    def __init__(self, parts: Sequence[Part], width: int, hidden: int) -> None:
        super().__init__(parts, width, hidden)
        count = len(self.parts)
        self.trunk = Trunk(count * width, BLOCKS)
        self.outward = nn.Linear(TRUNK, count * hidden)

    def start(self, tokens: np.ndarray, generator: torch.Generator) -> None:
        """Draw the initial weights, and set the logits to the log marginals of `tokens` (rows × parts)."""
        with torch.no_grad():
            self.embedding.normal_(std=self.width**-0.5, generator=generator)
        self.trunk.start(generator)
        start_linear(self.outward, generator)
        self.heads.start(tokens, generator)

    def loss(self, tokens: Tensor, generator: torch.Generator) -> Tensor:
        """A one-sample estimate of the bound on the negative log-likelihood, nats, of each row."""
        return self._bound(tokens, generator, training=True)

    @torch.no_grad()
    def score(self, tokens: Tensor) -> Tensor:
        """The bound for each row, averaged over a few levels of noise that are the same for the same tokens."""
        generator = torch.Generator().manual_seed(0)
        return torch.stack([self._bound(tokens, generator, training=False) for _ in range(SCORED)]).mean(0)

    @torch.no_grad()
    def sample(self, rows: int, generator: torch.Generator) -> np.ndarray:
        """Draw rows of tokens: int64, rows × parts. The same generator state gives the same rows."""
        return np.concatenate(
            [self._block(min(BLOCK_ROWS, rows - first), generator) for first in range(0, rows, BLOCK_ROWS)]
        )

    @torch.no_grad()
    def fill(
        self, tokens: np.ndarray, known: np.ndarray, nulls: Container[int], generator: torch.Generator
    ) -> np.ndarray:
        """`tokens` with those that are not `known` drawn anew, given all that are: both rows × parts.

        Of the parts in `nulls` token 0 is not drawn.
        """
        return np.concatenate(
            [
                self._filled(torch.from_numpy(part), torch.from_numpy(sure), nulls, generator)
                for first in range(0, len(tokens), BLOCK_ROWS)
                for part, sure in [(tokens[first : first + BLOCK_ROWS], known[first : first + BLOCK_ROWS])]
            ]
        )

    def _block(self, rows: int, generator: torch.Generator) -> np.ndarray:
        nothing = torch.zeros(rows, len(self.parts), dtype=torch.int64)
        return self._filled(nothing, nothing.bool(), (), generator)

    def _filled(self, tokens: Tensor, known: Tensor, nulls: Container[int], generator: torch.Generator) -> np.ndarray:
        return fill_in(self, tokens, known, self._order(generator), nulls, generator).numpy()

    def _order(self, generator: torch.Generator) -> list[int]:
        """A random order of the parts in which no cell comes before its bin."""
        turns = self._turns(1, generator)[0].tolist()
        return sorted(range(len(turns)), key=turns.__getitem__)

    def _turns(self, rows: int, generator: torch.Generator) -> Tensor:
        """When each part comes back, rows × parts: at every moment any part that can be next is so with equal chance.

        Waiting times without memory do that: a cell's begins when its bin is there.
        """
        turns = torch.empty(rows, len(self.parts)).exponential_(generator=generator)
        for place, part in enumerate(self.parts):
            if part.gate is not None:
                turns[:, place] += turns[:, place - 1]
        return turns

    @torch.no_grad()
    def chances(self, place: int, inputs: Tensor) -> Tensor:
        """Probabilities of a part's tokens, rows × size; `inputs` holds embeddings of known parts, else zeros."""
        own = slice(place * self.hidden, (place + 1) * self.hidden)
        flow = functional.linear(self.trunk(inputs), self.outward.weight[own], self.outward.bias[own])
        hidden = functional.relu(flow)
        return self.heads.chances(place, hidden)

    def _bound(self, tokens: Tensor, generator: torch.Generator, *, training: bool) -> Tensor:
        rows, count = tokens.shape
        turns = self._turns(rows, generator)
        shown = torch.rand(rows, 1, generator=generator) * count
        visible = turns.argsort(1).argsort(1) < shown.floor()
        ready = ~visible
        for place, part in enumerate(self.parts):
            if part.gate is not None:
                ready[:, place] &= visible[:, place - 1]
        inputs = functional.embedding(tokens + self.offsets, self.embedding) * visible[:, :, None]
        hidden = self._hidden(inputs.reshape(rows, -1), generator if training else None)
        losses = self.heads.losses(hidden, tokens).T * ready
        return losses.sum(1) * count / ready.sum(1).clamp(min=1)

    def _hidden(self, inputs: Tensor, generator: torch.Generator | None) -> Tensor:
        hidden = functional.relu(self.outward(self.trunk(inputs, generator)))
        return hidden.view(len(inputs), len(self.parts), self.hidden).transpose(0, 1)
