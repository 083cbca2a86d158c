"""What every network over the tokens of a row can do, whatever its family."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from models.table.number import Part


class Network(Protocol):
    """A torch module over rows of tokens: int64, rows × parts."""

    parts: list[Part]
    embedding: torch.nn.Parameter

    def start(self, tokens: np.ndarray, generator: torch.Generator) -> None:
        """Draw the initial weights; `tokens` are those to be learnt."""

    def loss(self, tokens: Tensor, generator: torch.Generator) -> Tensor:
        """What training makes small, for each row; what it draws comes from `generator`."""

    def score(self, tokens: Tensor) -> Tensor:
        """How unlikely the network finds each row, nats: exact or a bound; the same for the same tokens."""

    def sample(self, rows: int, generator: torch.Generator) -> np.ndarray:
        """Draw rows. The same generator state gives the same rows."""

    def named_parameters(self) -> Iterator[tuple[str, torch.nn.Parameter]]:
        """As of torch.nn.Module."""

    def state_dict(self) -> dict[str, Any]:
        """As of torch.nn.Module."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> Any:
        """As of torch.nn.Module."""
