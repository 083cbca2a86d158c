"""An autoregressive network over the tokens of a row: each part is predicted from the parts before it.

One small network per part, all run at once: embeddings of the earlier parts through a block-triangular matrix, then a
residual layer of the part's own, then its logits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.table.network import LearnedNetwork
from models.table.number import Part
from models.table.picking import pick

DROPOUT = 0.2


class MaskedMLP(LearnedNetwork):
    """`nll` is the exact negative log-likelihood of rows of tokens, `sample` draws rows."""

    mask: Tensor

    def __init__(self, parts: Sequence[Part], width: int, hidden: int) -> None:
        super().__init__(parts, width, hidden)
        count = len(self.parts)
        self.first = nn.Parameter(torch.empty(count * width, count * hidden))
        self.first_bias = nn.Parameter(torch.zeros(count * hidden))
        self.second = nn.Parameter(torch.empty(count, hidden, hidden))
        self.second_bias = nn.Parameter(torch.zeros(count, 1, hidden))
        earlier = torch.ones(count, count).triu(1)
        self.register_buffer("mask", earlier.repeat_interleave(width, 0).repeat_interleave(hidden, 1), persistent=False)

    def start(self, tokens: np.ndarray, generator: torch.Generator) -> None:
        """Draw the initial weights, and set the logits to the log marginals of `tokens` (rows × parts)."""
        with torch.no_grad():
            self.embedding.normal_(std=self.width**-0.5, generator=generator)
            self.first.normal_(generator=generator)
            seen = self.mask.sum(0).clamp(min=1)
            self.first.mul_(self.mask * (2 / seen).sqrt())
            self.second.normal_(std=(2 / self.hidden) ** 0.5, generator=generator)
        self.heads.start(tokens, generator)

    def nll(self, tokens: Tensor, dropout: float = 0.0, generator: torch.Generator | None = None) -> Tensor:
        """Negative log-likelihood of each row, nats. `tokens` is int64, rows × parts.

        In training a share `dropout` of the hidden units is silenced, drawn from `generator`.
        """
        rows, count = tokens.shape
        inputs = functional.embedding(tokens + self.offsets, self.embedding).reshape(rows, -1)
        hidden = torch.addmm(self.first_bias, inputs, self.first * self.mask)
        hidden = functional.relu(hidden).view(rows, count, self.hidden).transpose(0, 1)
        hidden = _drop(hidden, dropout, generator)
        hidden = functional.relu(torch.baddbmm(self.second_bias, hidden, self.second)) + hidden
        hidden = _drop(hidden, dropout, generator)
        return self.heads.losses(hidden, tokens).sum(0)

    def loss(self, tokens: Tensor, generator: torch.Generator) -> Tensor:
        """Negative log-likelihood of each row, nats, with hidden units silenced at random."""
        return self.nll(tokens, DROPOUT, generator)

    @torch.no_grad()
    def score(self, tokens: Tensor) -> Tensor:
        """Exact negative log-likelihood of each row, nats."""
        return self.nll(tokens)

    @torch.no_grad()
    def sample(self, rows: int, generator: torch.Generator) -> np.ndarray:
        """Draw rows of tokens: int64, rows × parts. The same generator state gives the same rows.

        Each row follows the model, but the rows of one call are spread evenly over what it allows, see `picking`.
        """
        count = len(self.parts)
        tokens = torch.zeros(rows, count, dtype=torch.int64)
        inputs = torch.zeros(rows, count * self.width)
        for place, part in enumerate(self.parts):
            tokens[:, place] = pick(self.chances(place, inputs), generator)
            if part.gate is not None:
                tokens[:, place] *= tokens[:, place - 1] >= part.gate
            inputs[:, self.seen_as(place)] = self.embed(place, tokens[:, place])
        return tokens.numpy()

    @torch.no_grad()
    def chances(self, place: int, inputs: Tensor) -> Tensor:
        """Probabilities of a part's tokens, rows × size; `inputs` holds the embeddings of the parts before it."""
        known, own = place * self.width, slice(place * self.hidden, (place + 1) * self.hidden)
        hidden = torch.addmm(self.first_bias[own], inputs[:, :known], self.first[:known, own])
        hidden = functional.relu(hidden)
        hidden = functional.relu(torch.addmm(self.second_bias[place], hidden, self.second[place])) + hidden
        return self.heads.chances(place, hidden)


def _drop(hidden: Tensor, share: float, generator: torch.Generator | None) -> Tensor:
    if share == 0:
        return hidden
    kept = torch.empty_like(hidden).bernoulli_(1 - share, generator=generator)
    return hidden * kept / (1 - share)
