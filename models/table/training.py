"""Fitting the network: a fixed number of steps at most, ended early when held-out rows stop getting likelier.

Steps are counted, never timed, so that the result does not depend on how busy the machine is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch

from models.table.network import LearnedNetwork, Network
from models.table.steps import BATCH, TOO_FEW

RATE = 2e-3
EMBEDDING_RATE = 15.0  # times the rate: the embedding of a rare value is seen in few steps
WARM_UP = 50  # steps, or a fifth of a short fit
HELD_OUT = 0.1
MOST_HELD_OUT = 4_096
LOOKS = 20  # how often the held-out rows are scored
PATIENCE = 6


@dataclass(slots=True)
class Fit:
    """How a fit went. `losses` are (step, held-out nats per row); `best` is the step that was kept.

    `counted` are the nats of counts on the same rows, where they were compared.
    """

    steps: int = 0
    best: int = 0
    losses: list[tuple[int, float]] = field(default_factory=list)
    counted: float | None = None


def fit_network(network: Network, tokens: np.ndarray, steps: int, seed: int) -> Fit:
    """Fit a network to `tokens` (rows × parts). The same tokens, steps and seed give the same weights.

    A network that is not trained by steps has all it needs from its start.
    """
    generator = torch.Generator().manual_seed(seed)
    judges, rows = set_aside(tokens, generator)
    network.start(tokens, generator)
    fit = Fit()
    if not isinstance(network, LearnedNetwork) or not network.parts or len(tokens) < TOO_FEW or steps < 1:
        return fit
    others = [weight for name, weight in network.named_parameters() if name != "embedding"]
    groups = [{"params": others, "times": 1.0}, {"params": [network.embedding], "times": EMBEDDING_RATE}]
    optimizer = torch.optim.Adam(groups, lr=RATE, fused=True)
    look = max(steps // LOOKS, 1)
    lowest, kept = math.inf, network.state_dict()
    batches = _batches(rows, generator)
    while fit.steps < steps:
        progress = fit.steps / steps
        warm = min(1.0, (fit.steps + 1) / min(WARM_UP, max(steps // 5, 1)))
        for group in optimizer.param_groups:
            group["lr"] = group["times"] * RATE * warm * 0.5 * (1 + math.cos(math.pi * progress))
        loss = network.loss(next(batches), generator).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        fit.steps += 1
        if fit.steps % look == 0 or fit.steps == steps:
            score = _score(network, judges)
            fit.losses.append((fit.steps, round(score, 5)))
            if score < lowest:
                lowest, fit.best = score, fit.steps
                kept = {name: value.clone() for name, value in network.state_dict().items()}
            elif fit.steps - fit.best >= PATIENCE * look:
                break
    network.load_state_dict(kept)
    return fit


def set_aside(tokens: np.ndarray, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """The rows that judge a fit and those that it learns from, in a new order."""
    order = torch.randperm(len(tokens), generator=generator)
    held_out = min(int(len(tokens) * HELD_OUT), MOST_HELD_OUT)
    shuffled = torch.from_numpy(tokens)[order]
    return shuffled[:held_out], shuffled[held_out:]


def _batches(rows: torch.Tensor, generator: torch.Generator) -> Iterator[torch.Tensor]:
    """Endless passes over the rows, each in a new order."""
    while True:
        for chosen in torch.randperm(len(rows), generator=generator).split(BATCH):
            yield rows[chosen]


@torch.no_grad()
def _score(network: Network, rows: torch.Tensor) -> float:
    return float(torch.cat([network.score(piece) for piece in rows.split(2_048)]).mean())
