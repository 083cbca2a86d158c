"""What every network over the tokens of a row has and can do, whatever its family."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from models.table.heads import Heads
from models.table.number import Part

WIDTH = 16
HIDDEN = 48
COMFORTABLE = 16_000_000  # weights of the first layer; wider tables get narrower networks
MOST = 64_000_000

Looks = list[tuple[int, float]]
"""Step and area under the curve of each look at how well drawn rows can be told from real ones."""


def sizes_for(parts: int, hidden: int = HIDDEN) -> tuple[int, int]:
    """Embedding width and hidden width for a number of parts. Raises ValueError when the table is too wide."""
    width = WIDTH
    while parts * parts * width * hidden > COMFORTABLE and hidden > 32:
        hidden //= 2
    while parts * parts * width * hidden > COMFORTABLE and width > 4:
        width //= 2
    if parts * parts * width * hidden > MOST:
        raise ValueError(f"the table is too wide: its columns make {parts} tokens a row, about 800 are possible")
    return width, hidden


class Network(nn.Module):
    """Tokens are int64, rows × parts. What is known of a row stands in `inputs`, `width` numbers for every part.

    It may be several `members` that are trained side by side, each on rows of its own. A network whose rows follow from
    a hidden code has its `code` numbers behind the parts in `inputs`; nothing of its rows can be given or ruled out.
    """

    members = 1
    code = 0

    def __init__(self, parts: Sequence[Part], width: int, hidden: int) -> None:
        super().__init__()
        self.parts = list(parts)
        self.width, self.hidden = width, hidden

    @classmethod
    @abstractmethod
    def for_parts(cls, parts: Sequence[Part]) -> Self:
        """A network of a size that suits so many parts. Raises ValueError when the table is too wide."""

    @classmethod
    def restored(cls, parts: Sequence[Part], width: int, hidden: int, weights: Mapping[str, Tensor]) -> Self:
        """The network whose `state_dict` was `weights`. Raises ValueError or RuntimeError when they do not fit it."""
        network = cls(parts, width, hidden)
        network.load_state_dict(weights)
        return network

    @abstractmethod
    def start(self, tokens: np.ndarray, generator: torch.Generator) -> None:
        """Take from `tokens` (rows × parts) what can be had without training."""

    @abstractmethod
    def score(self, tokens: Tensor) -> Tensor:
        """How unlikely the network finds each row, nats: exact or a bound; the same for the same tokens."""

    @abstractmethod
    def sample(self, rows: int, generator: torch.Generator) -> np.ndarray:
        """Draw rows. The same generator state gives the same rows."""

    @abstractmethod
    def chances(self, place: int, inputs: Tensor) -> Tensor:
        """Probabilities of a part's tokens, rows × size; `inputs` holds what `embed` made of known parts, or zeros."""

    @abstractmethod
    def embed(self, place: int, tokens: Tensor) -> Tensor:
        """What stands in `inputs` for a part's tokens, rows × width."""

    @torch.no_grad()
    def after(self, place: int, tokens: Tensor) -> Tensor:
        """Probabilities of a part's tokens, rows × size, given those of the parts before it: rows × place or more."""
        inputs = torch.zeros(len(tokens), len(self.parts) * self.width)
        for at in range(place):
            inputs[:, self.seen_as(at)] = self.embed(at, tokens[:, at])
        return self.chances(place, inputs)

    def seen_as(self, place: int) -> slice:
        """Where a part stands in `inputs`."""
        return slice(place * self.width, (place + 1) * self.width)


class LearnedNetwork(Network):
    """Trained by steps. Every token has an embedding of `width`, every part a head of `hidden` units."""

    offsets: Tensor
    decay = 0.0  # of the weights, in training: a share of the rate
    tolerance = 0.0  # by what share held-out rows may get less likely again before earlier weights are preferred
    tolerance_at_end = 0.0  # the same for the last step

    def __init__(self, parts: Sequence[Part], width: int, hidden: int) -> None:
        super().__init__(parts, width, hidden)
        sizes = [part.size for part in self.parts]
        self.embedding = nn.Parameter(torch.empty(sum(sizes), width))
        self.heads = Heads(self.parts, hidden)
        self.register_buffer("offsets", torch.tensor(np.cumsum([0, *sizes])[:-1]), persistent=False)

    @classmethod
    def for_parts(cls, parts: Sequence[Part]) -> Self:
        """A network of a size that suits so many parts. Raises ValueError when the table is too wide."""
        return cls(parts, *sizes_for(len(parts)))

    @abstractmethod
    def start(self, tokens: np.ndarray, generator: torch.Generator) -> None:
        """Draw the initial weights, and set the logits to the log marginals of `tokens`."""

    def embeddings(self) -> list[nn.Parameter]:
        """The weights that embed tokens, which are trained at a rate of their own."""
        return [self.embedding]

    @abstractmethod
    def loss(self, tokens: Tensor, generator: torch.Generator) -> Tensor:
        """What training makes small, for each row; what it draws comes from `generator`.

        Where there are `members`, rows are as many times as wide: what each of them learns from, side by side.
        """

    def judge(self, tokens: Tensor) -> Tensor:
        """How unlikely held-out rows are, nats a row: a mean over the members, which each have their own beside."""
        return self.score(tokens)

    def finish(self) -> None:
        """Put away what only training needs."""

    def refine(self, learned: Tensor, judged: Tensor, steps: int, generator: torch.Generator) -> Looks:
        """Train on, after `steps` of the loss, in the family's own way; rows × parts. Most families are done by then.

        Drawn rows are to be as hard as can be to tell from those `judged`.
        """
        del learned, judged, steps, generator
        return []

    @torch.no_grad()
    def embed(self, place: int, tokens: Tensor) -> Tensor:
        """The embeddings of a part's tokens, rows × width."""
        return self.embedding[tokens + self.offsets[place]]
