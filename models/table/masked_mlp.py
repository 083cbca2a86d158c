"""An autoregressive network over the tokens of a row: each part is predicted from the parts before it.

One small network per part, all run at once: embeddings of the earlier parts through a block-triangular matrix, then a
residual layer of the part's own, then its logits. Several members of this kind, trained side by side on different rows,
average their chances token by token: what one of them learned by accident, the others did not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.table.network import COMFORTABLE, LearnedNetwork, sizes_for
from models.table.number import Part
from models.table.ordinal import hats
from models.table.picking import pick

HIDDEN = 96  # fewer blur what amounts have to do with each other
DROPOUT = 0.04  # more draws rare pairs too even, none learns more rows by heart
FEW, DROPOUT_OF_FEW = 5_000, 0.3  # of fewer rows, dependences are learned before rows are only if much is dropped
BLOCK = 1_024  # rows at a time in drawing: what is known of them stays in the cache
OWN, SHARED = 0.3, 0.5  # how large embeddings of numbers begin: what is the token's own, and each of its hats


class MaskedMLP(LearnedNetwork):
    """`score` is the exact negative log-likelihood of rows of tokens, `sample` draws rows.

    Inside, members stand behind each other as if they were further parts; `inputs` hold for every part the embeddings
    of all members. `slopes` are the weights of the hats (see `ordinal`), which there are only in training.
    """

    mask: Tensor
    decay = 0.05
    # Late steps, at a low rate, even out the marginals, and members err apart: an average gains.
    tolerance, tolerance_at_end = 0.003, 0.01

    def __init__(self, parts: Sequence[Part], width: int, hidden: int, members: int = 1) -> None:
        super().__init__(list(parts) * members, width, hidden)
        self.parts, self.members, self.narrow = list(parts), members, width
        self.width = width * members
        count = len(self.parts)
        self.first = nn.Parameter(torch.empty(members, count * width, count * hidden))
        self.first_bias = nn.Parameter(torch.zeros(members, 1, count * hidden))
        self.second = nn.Parameter(torch.empty(members * count, hidden, hidden))
        self.second_bias = nn.Parameter(torch.zeros(members * count, 1, hidden))
        self.dropout = DROPOUT
        self.slopes: nn.Parameter | None = None
        self.hats: Tensor | None = None
        earlier = torch.ones(count, count).triu(1)
        self.register_buffer("mask", earlier.repeat_interleave(width, 0).repeat_interleave(hidden, 1), persistent=False)

    @classmethod
    def for_parts(cls, parts: Sequence[Part], members: int = 1) -> Self:
        """A network of a size that suits so many parts; of wide tables it has fewer members.

        Raises ValueError when the table is too wide.
        """
        width, hidden = sizes_for(len(parts), HIDDEN)
        possible = COMFORTABLE // max(len(parts) ** 2 * width * hidden, 1)
        return cls(parts, width, hidden, max(min(members, possible), 1))

    @classmethod
    def restored(cls, parts: Sequence[Part], width: int, hidden: int, weights: Mapping[str, Tensor]) -> Self:
        """The network whose `state_dict` was `weights`. Raises ValueError or RuntimeError when they do not fit it."""
        if weights["first"].dim() == 2:  # as written when there were no members
            weights = {**weights, **{name: weights[name][None] for name in ("first", "first_bias")}}
            weights["first_bias"] = weights["first_bias"][:, None]
        members = len(weights["first"])
        network = cls(parts, width // members, hidden, members)
        network.load_state_dict(weights)
        return network

    def start(self, tokens: np.ndarray, generator: torch.Generator) -> None:
        """Draw the initial weights, and set the logits to the log marginals of `tokens` (rows × parts)."""
        self.dropout = DROPOUT if len(tokens) >= FEW else DROPOUT_OF_FEW
        shared = torch.from_numpy(np.tile(hats(self.parts, tokens), (self.members, 1)))
        with torch.no_grad():
            self.embedding.normal_(std=self.narrow**-0.5, generator=generator)
            if shared.shape[1]:
                self.hats = shared[: len(shared) // self.members]
                self.embedding[shared.any(1)] *= OWN
                self.slopes = nn.Parameter(torch.empty(self.members, shared.shape[1], self.narrow))
                self.slopes.normal_(std=SHARED * self.narrow**-0.5, generator=generator)
            self.first.normal_(generator=generator)
            seen = self.mask.sum(0).clamp(min=1)
            self.first.mul_(self.mask * (2 / seen).sqrt())
            self.second.normal_(std=(2 / self.hidden) ** 0.5, generator=generator)
        self.heads.start(np.tile(tokens, (1, self.members)), generator)

    def finish(self) -> None:
        """Add to the embeddings what neighbours share, once for all."""
        with torch.no_grad():
            self.embedding.copy_(self._embedding())
        self.slopes = self.hats = None

    def embeddings(self) -> list[nn.Parameter]:
        """The weights that embed tokens, which are trained at a rate of their own."""
        return [self.embedding, *([] if self.slopes is None else [self.slopes])]

    def nll(
        self,
        tokens: Tensor,
        dropout: float = 0.0,
        generator: torch.Generator | None = None,
        bias: Tensor | None = None,
    ) -> Tensor:
        """Negative log-likelihood of each token by each member, nats: (members · parts) × rows.

        `tokens` is int64, rows × (members · parts): what each member looks at, side by side. In training a share
        `dropout` of the hidden units is silenced, drawn from `generator`. A `bias` of the first layer for each row,
        members × rows × (parts · hidden), stands for the one of all rows.
        """
        rows, count = len(tokens), len(self.parts)
        inputs = functional.embedding(tokens + self.offsets, self._embedding())
        inputs = inputs.view(rows, self.members, -1).transpose(0, 1)
        hidden = torch.baddbmm(self.first_bias if bias is None else bias, inputs, self.first * self.mask)
        hidden = functional.relu(hidden).view(self.members, rows, count, self.hidden).transpose(1, 2)
        hidden = _drop(hidden.reshape(self.members * count, rows, self.hidden), dropout, generator)
        hidden = functional.relu(torch.baddbmm(self.second_bias, hidden, self.second)) + hidden
        hidden = _drop(hidden, dropout, generator)
        return self.heads.losses(hidden, tokens)

    def loss(self, tokens: Tensor, generator: torch.Generator) -> Tensor:
        """Negative log-likelihood of each row, nats, with hidden units silenced at random: a sum over the members."""
        return self.nll(tokens, self.dropout, generator).sum(0)

    @torch.no_grad()
    def judge(self, tokens: Tensor) -> Tensor:
        """Negative log-likelihood of each row, nats, a mean over the members; `tokens` as in `nll`."""
        return self.nll(tokens).sum(0) / self.members

    @torch.no_grad()
    def score(self, tokens: Tensor) -> Tensor:
        """Exact negative log-likelihood of each row, nats."""
        each = self.nll(tokens.repeat(1, self.members)).view(self.members, len(self.parts), -1)
        return (np.log(self.members) - torch.logsumexp(-each, 0)).sum(0)

    @torch.no_grad()
    def sample(self, rows: int, generator: torch.Generator) -> np.ndarray:
        """Draw rows of tokens: int64, rows × parts. The same generator state gives the same rows.

        Each row follows the model, but the rows of one call are spread evenly over what it allows, see `picking`.
        """
        return self._drawn(rows, generator).numpy()

    def _drawn(self, rows: int, generator: torch.Generator, bias: Tensor | None = None) -> Tensor:
        tokens = torch.zeros(rows, len(self.parts), dtype=torch.int64)
        bias = self.first_bias if bias is None else bias
        begun, ways = torch.zeros(rows, dtype=torch.int64), 1  # how each row begins, of so many ways
        for place, part in enumerate(self.parts):
            if bias.shape[1] == 1 and 2 * ways <= rows:  # many begin alike: one of them speaks for all
                distinct, which = begun.unique(return_inverse=True)
                speakers = which.new_zeros(len(distinct)).scatter_(0, which, torch.arange(rows))
                chances = self._after(place, tokens[speakers], bias)[which]
            else:
                chances = self._after(place, tokens, bias)
            tokens[:, place] = pick(chances, generator)
            if part.gate is not None:
                tokens[:, place] *= tokens[:, place - 1] >= part.gate
            ways *= part.size
            if 2 * ways <= rows:
                begun = begun * part.size + tokens[:, place]
        return tokens

    @torch.no_grad()
    def after(self, place: int, tokens: Tensor) -> Tensor:
        """Probabilities of a part's tokens, rows × size, given those of the parts before it: rows × place or more."""
        assert not self.code
        return self._after(place, tokens, self.first_bias)

    def _after(self, place: int, tokens: Tensor, bias: Tensor) -> Tensor:
        own = slice(place * self.hidden, (place + 1) * self.hidden)
        rows, told = len(tokens), self._table(place, own, len(tokens))
        found = []
        for first in range(0, rows, BLOCK):
            block = slice(first, first + BLOCK)
            here = bias[:, block if bias.shape[1] > 1 else slice(None), own]
            found.append(self._chances(place, self._first(place, tokens[block, :place], told, here)))
        return torch.cat(found) if found else torch.zeros(0, self.parts[place].size)

    def _table(self, place: int, own: slice, rows: int) -> Tensor | None:
        """What each token of the earlier parts tells a part through the first layer, members × tokens × hidden.

        To look it up is many times faster than to multiply every row's embeddings. None where there are more such
        tokens than rows.
        """
        if not 0 < int(self.offsets[place]) <= rows:
            return None
        each = []
        for at in range(place):
            tokens = self.embed(at, torch.arange(self.parts[at].size)).view(-1, self.members, self.narrow)
            weights = self.first[:, at * self.narrow : (at + 1) * self.narrow, own]
            each.append(torch.bmm(tokens.transpose(0, 1), weights))
        return torch.cat(each, dim=1)

    def _first(self, place: int, tokens: Tensor, told: Tensor | None, bias: Tensor) -> Iterator[Tensor]:
        """The first layer of a part by each member, rows × hidden, given the earlier parts' tokens (rows × place)."""
        own = slice(place * self.hidden, (place + 1) * self.hidden)
        if told is None:
            known = [self.embed(at, tokens[:, at]).view(len(tokens), self.members, self.narrow) for at in range(place)]
        for member in range(self.members):
            if told is not None:
                found = functional.embedding_bag(tokens + self.offsets[:place], told[member], mode="sum")
                yield found.add_(bias[member])
            elif place:
                weights = self.first[member, : place * self.narrow, own]
                yield torch.addmm(bias[member], torch.cat([each[:, member] for each in known], dim=1), weights)
            else:
                yield bias[member].expand(len(tokens), self.hidden).clone()

    @torch.no_grad()
    def embed(self, place: int, tokens: Tensor) -> Tensor:
        """The embeddings of a part's tokens by all members, rows × width."""
        places = range(place, len(self.offsets), len(self.parts))
        return torch.cat([self.embedding[tokens + self.offsets[one]] for one in places], dim=1)

    @torch.no_grad()
    def chances(self, place: int, inputs: Tensor) -> Tensor:
        """Probabilities of a part's tokens, rows × size; `inputs` holds the embeddings of the parts before it."""
        known = inputs[:, : place * self.width].view(len(inputs), place, self.members, self.narrow)
        known = known.permute(2, 0, 1, 3).reshape(self.members, len(inputs), -1)
        return self._chances(place, self._heard(place, known, self.first_bias))

    def _heard(self, place: int, known: Tensor, bias: Tensor) -> Tensor:
        """The first layer of a part, members × rows × hidden; `known` are the earlier parts' embeddings, by member."""
        own = slice(place * self.hidden, (place + 1) * self.hidden)
        return torch.baddbmm(bias[:, :, own], known, self.first[:, : known.shape[2], own])

    def _chances(self, place: int, first: Iterable[Tensor]) -> Tensor:
        """Probabilities of a part's tokens, rows × size, from each member's first layer before its bend."""
        total = None
        for member, raw in enumerate(first):
            at = member * len(self.parts) + place
            hidden = functional.relu(raw)
            hidden = hidden + torch.addmm(self.second_bias[at], hidden, self.second[at]).relu_()
            chances = self.heads.chances(at, hidden)
            total = chances if total is None else total + chances
        assert total is not None
        return total / self.members

    def _embedding(self) -> Tensor:
        if self.slopes is None:
            return self.embedding
        assert self.hats is not None
        return self.embedding + (self.hats @ self.slopes).flatten(0, 1)


def _drop(hidden: Tensor, share: float, generator: torch.Generator | None) -> Tensor:
    """With a `share` of the units silenced; it counts in steps of 1/256, because a random byte is made fast."""
    steps = round(256 * share)
    if steps == 0:
        return hidden
    words = torch.empty(-(-hidden.numel() // 8), dtype=torch.int64).random_(-(2**63), None, generator=generator)
    kept = words.view(torch.int8)[: hidden.numel()].view(hidden.shape) >= steps - 128
    return hidden * kept * (256 / (256 - steps))
