"""A variational autoencoder: every row has a code of some numbers, and a decoder draws the row from it.

Heads that are independent given the code lose much of how columns hang together. So the decoder is autoregressive: each
part is drawn from the code and the parts before it (PixelVAE, Gulrajani et al. 2017, https://arxiv.org/abs/1611.05013).
Such a decoder could do without its code, so a few nats of it are free: only what it tells beyond them is charged
(Kingma et al. 2016, https://arxiv.org/abs/1606.04934). The prior is a mixture of Gaussians, learned along with the
codes, so that codes drawn from it are like those of rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.table.masked_mlp import MaskedMLP
from models.table.mixture import Mixture
from models.table.network import sizes_for
from models.table.number import Part
from models.table.trunk import Trunk, start_linear

CODE = 16  # numbers
DROPOUT = 0.15
FREE = 5.0  # nats at most; on Adult the prior misses more of where codes lie with 10
FREE_SHARE = 0.25  # of what a row's parts hold, each for itself: a code that must tell more than that tells noise
COMPONENTS = 256
ENCODER, BLOCKS = 256, 1
BEGINNING = 0.3  # of the encoder's last weights: codes that begin farther out are found by the prior late, if at all
NARROWEST, WIDEST = -6.0, 3.0  # logs of what a code's spread can be
SCORED = 8  # codes that a row's score is drawn from
HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


class VariationalMLP(MaskedMLP):
    """A masked MLP of one member whose first layer also sees the row's code.

    In `inputs` the code stands behind the parts. Where it has to be drawn before a row is begun, nothing about the row
    can be given.
    """

    code = CODE
    tolerance_at_end = 0.003  # one network stands alone: nothing makes up for rows that it learned by heart

    def __init__(self, parts: Sequence[Part], width: int, hidden: int) -> None:
        super().__init__(parts, width, hidden)
        count = len(self.parts)
        self.encoder = Trunk(count * width, BLOCKS, ENCODER)
        self.outward = nn.Linear(ENCODER, 2 * CODE)
        self.lift = nn.Parameter(torch.empty(CODE, count * hidden))
        self.prior = Mixture(COMPONENTS, CODE)
        self.free = 0.0

    @classmethod
    def for_parts(cls, parts: Sequence[Part], members: int = 1) -> Self:
        """A network of a size that suits so many parts. Raises ValueError when the table is too wide."""
        del members
        return cls(parts, *sizes_for(len(parts)))

    @classmethod
    def restored(cls, parts: Sequence[Part], width: int, hidden: int, weights: Mapping[str, Tensor]) -> Self:
        """The network whose `state_dict` was `weights`. Raises ValueError or RuntimeError when they do not fit it."""
        network = cls(parts, width, hidden)
        network.load_state_dict(weights)
        return network

    def start(self, tokens: np.ndarray, generator: torch.Generator) -> None:
        """Draw the initial weights, and set the logits to the log marginals of `tokens` (rows × parts)."""
        super().start(tokens, generator)
        self.encoder.start(generator)
        start_linear(self.outward, generator)
        self.prior.start(generator)
        self.free = min(FREE, FREE_SHARE * _entropy(tokens))
        with torch.no_grad():
            self.outward.weight.mul_(BEGINNING)
            self.lift.normal_(std=CODE**-0.5, generator=generator)

    def codes(self, tokens: Tensor, generator: torch.Generator, *, training: bool = False) -> tuple[Tensor, Tensor]:
        """A code drawn for each row, rows × numbers, and the log density that the encoder gives it."""
        inputs = functional.embedding(tokens + self.offsets, self._embedding()).flatten(1)
        mean, spread = self.outward(self.encoder(inputs, generator if training else None)).chunk(2, 1)
        spread = spread.clamp(NARROWEST, WIDEST)
        noise = torch.empty_like(mean).normal_(generator=generator)
        density = -(spread + 0.5 * noise.square() + HALF_LOG_TAU).sum(1)
        return mean + spread.exp() * noise, density

    def loss(self, tokens: Tensor, generator: torch.Generator) -> Tensor:
        """An estimate of the bound on the negative log-likelihood, nats, of each row, with hidden units silenced.

        While codes tell no more than what is free, the prior alone learns from what they tell.
        """
        codes, density = self.codes(tokens, generator, training=True)
        told = density - self.prior.log_prob(codes)
        if float(told.detach().mean()) < self.free:
            told = -self.prior.log_prob(codes.detach())
        return self.nll(tokens, DROPOUT, generator, self._bias(codes)).sum(0) + told

    @torch.no_grad()
    def judge(self, tokens: Tensor) -> Tensor:
        """As `score`."""
        return self.score(tokens)

    @torch.no_grad()
    def score(self, tokens: Tensor) -> Tensor:
        """The bound from a few codes a row (Burda et al. 2016, https://arxiv.org/abs/1509.00519), always the same."""
        generator = torch.Generator().manual_seed(0)
        each = []
        for _ in range(SCORED):
            codes, density = self.codes(tokens, generator)
            each.append(self.nll(tokens, bias=self._bias(codes)).sum(0) + density - self.prior.log_prob(codes))
        return math.log(SCORED) - torch.logsumexp(-torch.stack(each), 0)

    @torch.no_grad()
    def sample(self, rows: int, generator: torch.Generator) -> np.ndarray:
        """Draw a code from the prior for each row, and the row from it: int64, rows × parts.

        The same generator state gives the same rows.
        """
        return self._drawn(rows, generator, self._bias(self.prior.sample(rows, generator))).numpy()

    @torch.no_grad()
    def chances(self, place: int, inputs: Tensor) -> Tensor:
        """Probabilities of a part's tokens, rows × size, given the parts before it and the code in `inputs`."""
        return self._chances(
            place, self._heard(place, inputs[None, :, : place * self.width], self._bias(inputs[:, -CODE:]))
        )

    def _bias(self, codes: Tensor) -> Tensor:
        """The first layer's bias in each row, 1 × rows × (parts · hidden)."""
        return torch.addmm(self.first_bias[0], codes, self.lift)[None]


def _entropy(tokens: np.ndarray) -> float:
    """Of the marginals of `tokens` (rows × parts), nats, all parts together."""
    shares = [np.unique(column, return_counts=True)[1] / len(tokens) for column in tokens.T]
    return float(sum(-(share * np.log(share)).sum() for share in shares))
