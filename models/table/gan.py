"""A generator that is trained against a critic, and begins as the decoder of a variational autoencoder.

The critic learns to tell drawn rows from real ones by the pair, with its slopes held down on both (R3GAN, Huang et al.
2024, https://arxiv.org/abs/2501.05441); the generator learns to leave it no way to. Tokens are drawn, never averaged:
what the generator learns passes through them as if they were soft (straight-through Gumbel-softmax, Jang et al. 2017,
https://arxiv.org/abs/1611.01144). Adversaries do not settle, so which weights are kept is decided by trees that tell
drawn rows from rows held out: those of the autoencoder, unless others are harder to tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.table.network import Looks
from models.table.steps import BATCH
from models.table.telling import told_apart
from models.table.trunk import start_linear
from models.table.vae import VariationalMLP

SHARE = 3  # steps of the autoencoder to one of the adversaries
ALONE = 3  # one part in so many of these is the critic's alone
LOOKS = 4
RATE, CRITIC_RATE = 1e-4, 1e-3  # a critic that hardly sees anything sends the generator astray
ANCHOR = 0.1  # of the autoencoder's loss beside the critic's; alone it changes nothing any more
BETAS = (0.0, 0.99)
LAST = 0.1  # what is left of the rates at the end
SLOPES = 0.1  # how much squared slopes cost the critic
WARMTH = 0.7  # of the softmax that slopes pass through
AVERAGED = 100  # steps that the weights which are kept are averaged over
CRITIC = 256
MOST_LEARNED = 1_000_000  # tokens that trees learn from
DRAWS, DRAWN = 4, 4  # draws that they tell, and drawn rows to each row that judges
CHANCE = 0.003  # how much less may be told of other weights by chance: by so much they have to be better


class AdversarialMLP(VariationalMLP):
    """What it scores is the bound of the autoencoder's encoder, which the generator has moved away from."""

    def refine(self, learned: Tensor, judged: Tensor, steps: int, generator: torch.Generator) -> Looks:
        """Train against a critic on tokens `learned`, judge by tokens `judged`; both int64, rows × parts.

        Returns step and area under the curve of each look; the weights of the lowest are kept, or those that it began
        with where no others are clearly better.
        """
        steps //= SHARE
        shown = learned[: MOST_LEARNED // len(self.parts)]
        moving = [self.first, self.first_bias, self.second, self.second_bias, self.lift, *self.heads.parameters()]
        critic = Critic(len(self.parts) * self.width, generator)
        moves = torch.optim.Adam(moving, lr=RATE, betas=BETAS)
        criticises = torch.optim.Adam(critic.parameters(), lr=CRITIC_RATE, betas=BETAS)
        seeds = torch.randint(2**62, (DRAWS, 2), generator=generator).tolist()
        looks = [(0, self._told(shown, judged, seeds))]
        least = looks[0][1] - CHANCE
        averaged = [weight.detach().clone() for weight in moving]
        kept = [weight.clone() for weight in averaged]
        alone = steps // ALONE
        every = max((steps - alone) // LOOKS, 1)
        for step in range(1, steps + 1):
            slower = 1 - (1 - LAST) * step / steps
            real, other = (self._seen(learned, generator) for _ in range(2))
            with torch.no_grad():
                drawn = self.drawn_softly(BATCH, generator)
            _descend(criticises, critic.loss(real, drawn), CRITIC_RATE * slower)
            if step <= alone:
                continue
            margins = critic(self.drawn_softly(BATCH, generator)) - critic(other)
            again = self.loss(learned[torch.randint(len(learned), (BATCH,), generator=generator)], generator)
            _descend(moves, functional.softplus(-margins).mean() + ANCHOR * again.mean(), RATE * slower)
            for mean, weight in zip(averaged, moving, strict=True):
                mean.lerp_(weight.detach(), 1 / AVERAGED)
            if (step - alone) % every == 0:
                current = [weight.detach().clone() for weight in moving]
                _put(moving, averaged)
                looks.append((step, self._told(shown, judged, seeds)))
                if looks[-1][1] < least:
                    least, kept = looks[-1][1], [weight.clone() for weight in averaged]
                _put(moving, current)
        _put(moving, kept)
        return looks

    def drawn_softly(self, rows: int, generator: torch.Generator) -> Tensor:
        """Embeddings of drawn rows, rows × (parts · width), whose slopes are those of soft tokens."""
        bias = self._bias(self.prior.sample(rows, generator))
        seen: list[Tensor] = []
        tokens = torch.zeros(rows, dtype=torch.int64)
        for place, part in enumerate(self.parts):
            known = torch.cat([bias.new_zeros(rows, 0), *seen], dim=1)[None]
            chances = self._chances(place, self._heard(place, known, bias))
            noise = -torch.empty_like(chances).exponential_(generator=generator).log()
            scores = chances.clamp(min=1e-12).log() + noise
            before, tokens = tokens, scores.argmax(1)
            own = self.embedding[self.offsets[place] : self.offsets[place] + part.size].detach()
            soft = (scores / WARMTH).softmax(1) @ own
            found = own[tokens] + soft - soft.detach()
            if part.gate is not None:
                applies = before >= part.gate
                tokens = tokens * applies
                found = torch.where(applies[:, None], found, own[0])
            seen.append(found)
        return torch.cat(seen, dim=1)

    def _seen(self, tokens: Tensor, generator: torch.Generator) -> Tensor:
        """Embeddings of some of the rows."""
        chosen = tokens[torch.randint(len(tokens), (BATCH,), generator=generator)]
        return functional.embedding(chosen + self.offsets, self.embedding).flatten(1).detach()

    def _told(self, learned: Tensor, judged: Tensor, seeds: Sequence[Sequence[int]]) -> float:
        """How well trees tell rows drawn now, a mean over draws; every look has the same chance, so that they compare.

        Each draw has rows for the trees to learn and others to judge by, with a seed of their own.
        """
        areas = []
        for each in seeds:
            sizes = len(learned), DRAWN * len(judged)
            drawn = [self.sample(n, torch.Generator().manual_seed(seed)) for n, seed in zip(sizes, each, strict=True)]
            areas.append(told_apart(self.parts, (learned.numpy(), drawn[0]), (judged.numpy(), drawn[1])))
        return round(sum(areas) / len(areas), 5)


class Critic(nn.Module):
    """From the embeddings of rows to how real each looks."""

    def __init__(self, inputs: int, generator: torch.Generator) -> None:
        super().__init__()
        sizes = [inputs, CRITIC, CRITIC, 1]
        layers = [nn.Linear(size, following) for size, following in pairwise(sizes)]
        self.layers = nn.ModuleList(layers)
        start_linear(self, generator)

    def forward(self, rows: Tensor) -> Tensor:
        *inner, last = self.layers
        for layer in inner:
            rows = functional.leaky_relu(layer(rows), 0.2)
        found: Tensor = last(rows)[:, 0]
        return found

    def loss(self, real: Tensor, drawn: Tensor) -> Tensor:
        """How badly real rows are told from the drawn ones beside them, and what slopes cost."""
        found, cost = [], real.new_zeros(())
        for rows in (real.requires_grad_(), drawn.requires_grad_()):
            found.append(self(rows))
            (slopes,) = torch.autograd.grad(found[-1].sum(), rows, create_graph=True)
            cost = cost + slopes.square().sum(1).mean()
        return functional.softplus(found[1] - found[0]).mean() + 0.5 * SLOPES * cost


def _descend(optimizer: torch.optim.Optimizer, loss: Tensor, rate: float) -> None:
    optimizer.param_groups[0]["lr"] = rate
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


@torch.no_grad()
def _put(weights: list[nn.Parameter], values: list[Tensor]) -> None:
    for weight, value in zip(weights, values, strict=True):
        weight.copy_(value)
