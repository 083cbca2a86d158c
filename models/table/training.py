"""Fitting the network: a fixed number of steps at most, ended early when held-out rows stop getting likelier.

What is judged and kept is an exponential average of the weights over the last steps (Polyak and Juditsky 1992): a fit
that ends early, at a high rate, would else be rough. Steps are counted, never timed, so that the result does not depend
on how busy the machine is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel

from models.table.network import LearnedNetwork, Looks, Network
from models.table.steps import BATCH, TOO_FEW

RATE = 2e-3
EMBEDDING_RATE = 15.0  # times the rate: the embedding of a rare value is seen in few steps
WARM_UP = 50  # steps, or a fifth of a short fit
HELD_OUT = 0.1
MOST_HELD_OUT = 4_096  # of all members together: more rows to judge by cost time and teach nothing
LOOKS = 20  # how often the held-out rows are scored
PATIENCE = 6
AVERAGE_EVERY = 4  # steps
AVERAGED = 0.08  # of all steps: the horizon of the average
RAMP = 0.5  # of the updates so far, at most


@dataclass(slots=True)
class Fit:
    """How a fit went. `losses` are (step, held-out nats per row); `best` is the step that was kept: the last that was
    about as good as the best.

    `counted` are the nats of counts on the same rows, where they were compared; `told_apart` what came of adversaries:
    (step, how well drawn rows can be told from held-out ones, .5 where not at all), of which the lowest was kept.
    """

    steps: int = 0
    best: int = 0
    losses: list[tuple[int, float]] = field(default_factory=list)
    counted: float | None = None
    told_apart: Looks = field(default_factory=list)


def fit_network(network: Network, tokens: np.ndarray, steps: int, seed: int) -> Fit:
    """Fit a network to `tokens` (rows × parts). The same tokens, steps and seed give the same weights.

    A network that is not trained by steps has all it needs from its start.
    """
    generator = torch.Generator().manual_seed(seed)
    aside = sets_aside(len(tokens), network.members, generator)
    network.start(tokens, generator)
    fit = Fit()
    if not isinstance(network, LearnedNetwork):
        return fit
    if not network.parts or len(tokens) < TOO_FEW or steps < 1:
        network.finish()
        return fit
    rows = torch.from_numpy(tokens)
    judges = torch.cat([rows[judging] for judging, _ in aside], dim=1)
    embeddings = network.embeddings()
    others = [weight for weight in network.parameters() if all(weight is not other for other in embeddings)]
    groups = [{"params": others, "times": 1.0}, {"params": embeddings, "times": EMBEDDING_RATE}]
    optimizer = torch.optim.AdamW(groups, lr=RATE, weight_decay=network.decay, fused=True)
    look = max(steps // LOOKS, 1)
    lowest, kept = math.inf, network.state_dict()
    average = AveragedModel(network, multi_avg_fn=_follow(max(AVERAGED * steps / AVERAGE_EVERY, 1.0)))
    averaged = average.module
    assert isinstance(averaged, LearnedNetwork)
    batches = [_batches(rows, learned, generator) for _, learned in aside]
    while fit.steps < steps:
        progress = fit.steps / steps
        warm = min(1.0, (fit.steps + 1) / min(WARM_UP, max(steps // 5, 1)))
        for group in optimizer.param_groups:
            group["lr"] = group["times"] * RATE * warm * 0.5 * (1 + math.cos(math.pi * progress))
        batch = torch.cat([next(each) for each in batches], dim=1)
        loss = network.loss(batch, generator).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        fit.steps += 1
        if fit.steps % AVERAGE_EVERY == 0 or fit.steps < AVERAGE_EVERY:
            average.update_parameters(network)
        if fit.steps % look == 0 or fit.steps == steps:
            score = _score(averaged, judges)
            fit.losses.append((fit.steps, round(score, 5)))
            lowest = min(lowest, score)
            # Whole fits are forgiven more: one that ends early learns rows by heart.
            forgiven = network.tolerance_at_end if fit.steps == steps else network.tolerance
            if score <= lowest * (1 + forgiven):
                fit.best = fit.steps
                kept = {name: value.clone() for name, value in averaged.state_dict().items()}
            elif fit.steps - fit.best >= PATIENCE * look:
                break
    network.load_state_dict(kept)
    network.finish()
    judging, learned = aside[0]
    fit.told_apart = network.refine(rows[learned], rows[judging], steps, generator)
    return fit


def sets_aside(rows: int, members: int, generator: torch.Generator) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """For each member of a network the numbers of the rows that judge it and of those that it learns from, shuffled.

    No row judges two members, so that together they learn from all.
    """
    order = torch.randperm(rows, generator=generator)
    held_out = min(int(rows * HELD_OUT), MOST_HELD_OUT // members)
    turned = [order.roll(-member * held_out) for member in range(members)]
    return [(places[:held_out], places[held_out:]) for places in turned]


def _batches(rows: torch.Tensor, learned: torch.Tensor, generator: torch.Generator) -> Iterator[torch.Tensor]:
    """Endless passes over the rows that are `learned`, each in a new order."""
    while True:
        for chosen in torch.randperm(len(learned), generator=generator).split(BATCH):
            yield rows[learned[chosen]]


def _follow(horizon: float) -> Callable[..., None]:
    """The rule of an exponential average over so many updates, over fewer at the beginning."""

    @torch.no_grad()
    def follow(averaged: list[torch.Tensor], current: list[torch.Tensor], updates: torch.Tensor) -> None:
        torch._foreach_lerp_(averaged, current, max(1 / horizon, 1 / (1 + RAMP * int(updates))))

    return follow


@torch.no_grad()
def _score(network: LearnedNetwork, rows: torch.Tensor) -> float:
    return float(torch.cat([network.judge(piece) for piece in rows.split(2_048)]).mean())
