"""Drawing the parts of rows that are not known, one after the other, given all that are."""

from __future__ import annotations

from collections.abc import Container, Iterable

import torch
from torch import Tensor

from models.table.network import Network
from models.table.picking import pick


@torch.no_grad()
def fill_in(
    network: Network,
    tokens: Tensor,
    known: Tensor,
    order: Iterable[int],
    nulls: Container[int],
    generator: torch.Generator,
) -> Tensor:
    """`tokens` with those that are not `known` drawn anew in `order`: both rows × parts, a bin before its cell.

    Of the parts in `nulls` token 0 is not drawn.
    """
    tokens = tokens * known
    inputs = torch.zeros(len(tokens), len(network.parts) * network.width)
    for place in range(len(network.parts)):
        inputs[:, network.seen_as(place)] = network.embed(place, tokens[:, place]) * known[:, place, None]
    for place in order:
        rows = torch.nonzero(~known[:, place]).flatten()
        if not len(rows):
            continue
        part = network.parts[place]
        chances = network.chances(place, inputs[rows])
        if place in nulls:
            chances[:, 0] = 0
        drawn = pick(chances, generator)
        if part.gate is not None:
            drawn *= tokens[rows, place - 1] >= part.gate
        tokens[rows, place] = drawn
        inputs[rows, network.seen_as(place)] = network.embed(place, drawn)
    return tokens
