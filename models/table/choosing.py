"""Which family suits a small table: the network that finds rows likeliest that neither was fitted on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from models.table.count_tree import CountTree
from models.table.families import new_network
from models.table.network import Network
from models.table.number import Part
from models.table.steps import AUTO
from models.table.training import Fit, fit_network, sets_aside

COUNTS = "bayes"  # what is compared with the usual family: it costs next to nothing


def fit_likelier(
    parts: Sequence[Part], tokens: np.ndarray, steps: int, seed: int, preset: str = "default"
) -> tuple[str, Network, Fit]:
    """The family that was chosen, its network, and how the usual one's fit went.

    The same rows judge both: the tenth that a member of the usual family is not trained on, for each member. Counts
    that win are counted again over all rows. The same tokens, steps and seed choose the same. Raises ValueError when
    the table is too wide.
    """
    usual = new_network(AUTO, parts, preset)
    fit = fit_network(usual, tokens, steps, seed)
    if not fit.losses:
        return AUTO, usual, fit
    generator = torch.Generator().manual_seed(seed)
    counts = CountTree.for_parts(parts)
    counted = []
    for judging, learned in sets_aside(len(tokens), usual.members, generator):
        counts.start(tokens[learned.numpy()], generator)
        counted.append(float(counts.score(torch.from_numpy(tokens[judging.numpy()])).mean()))
    fit.counted = round(float(np.mean(counted)), 5)
    if fit.counted >= min(loss for _, loss in fit.losses):
        return AUTO, usual, fit
    counts.start(tokens, generator)
    return COUNTS, counts, fit
