"""The last layer of every record network: from a hidden vector per part to probabilities of the part's tokens.

The biases start at the log marginals, so that an untrained network draws independent columns and training only has to
add the dependence between them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.table.number import Part

NEVER = -1e9


class Heads(nn.Module):
    """One linear map per part; parts of like size share one batched product, where padding costs at most half."""

    def __init__(self, parts: Sequence[Part], hidden: int) -> None:
        super().__init__()
        self.parts = list(parts)
        sizes = [part.size for part in self.parts]
        order: dict[int, list[int]] = {}
        for place, size in enumerate(sizes):
            order.setdefault(math.ceil(math.log2(max(size, 8))), []).append(place)
        self.groups = [order[key] for key in sorted(order)]
        self.group_of = {place: (g, n) for g, group in enumerate(self.groups) for n, place in enumerate(group)}
        self.logits = nn.ParameterList()
        self.bias = nn.ParameterList()
        for number, group in enumerate(self.groups):
            widest = max(sizes[place] for place in group)
            self.logits.append(nn.Parameter(torch.empty(len(group), hidden, widest)))
            self.bias.append(nn.Parameter(torch.zeros(len(group), 1, widest)))
            allowed = torch.zeros(len(group), 1, widest)
            for n, place in enumerate(group):
                allowed[n, :, sizes[place] :] = NEVER
                if self.parts[place].gate is not None:
                    allowed[n, :, 0] = NEVER
            self.register_buffer(f"allowed_{number}", allowed, persistent=False)

    def start(self, tokens: np.ndarray, generator: torch.Generator) -> None:
        """Draw the initial weights, and set the biases to the log marginals of `tokens` (rows × parts)."""
        with torch.no_grad():
            for weight in self.logits:
                weight.normal_(std=0.01, generator=generator)
            for place, part in enumerate(self.parts):
                group, row = self.group_of[place]
                column = tokens[:, place]
                counts = np.bincount(column[column > 0] if part.gate is not None else column, minlength=part.size)
                share = torch.tensor((counts + 0.5) / (counts.sum() + 0.5 * part.size))
                self.bias[group][row, 0, : part.size] = share.log().to(self.bias[group].dtype)

    def losses(self, hidden: Tensor, tokens: Tensor) -> Tensor:
        """Negative log-likelihood of each token, nats: parts × rows; zero where a part does not apply.

        `hidden` is parts × rows × hidden, `tokens` int64, rows × parts.
        """
        found = hidden.new_zeros(len(self.parts), len(tokens))
        for number, group in enumerate(self.groups):
            bias = self.bias[number] + self.get_buffer(f"allowed_{number}")
            scores = torch.baddbmm(bias, hidden[group], self.logits[number])
            wanted = tokens[:, group].T
            loss = functional.cross_entropy(scores.flatten(0, 1), wanted.flatten(), reduction="none")
            gated = torch.tensor([self.parts[place].gate is not None for place in group])[:, None]
            applies = ~(gated & (wanted == 0))
            found[group] = torch.where(applies, loss.view(len(group), -1), 0.0)
        return found

    def chances(self, place: int, hidden: Tensor) -> Tensor:
        """Probabilities of a part's tokens, rows × size, of its hidden vectors, rows × hidden."""
        group, row = self.group_of[place]
        bias = self.bias[group][row] + self.get_buffer(f"allowed_{group}")[row]
        return torch.addmm(bias, hidden, self.logits[group][row])[:, : self.parts[place].size].softmax(1)
