"""What the stages of a training share: where it runs, its learning rate, what it says and the checkpoints it writes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

CHECKPOINT_SECONDS = 120
SAY_SECONDS = 15
Log = Callable[[str], Any]


def device() -> torch.device:
    """The graphics card where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def half_precision(where: torch.device) -> torch.autocast:
    """bfloat16 on a graphics card, and on a CPU that multiplies it itself: twice as fast there, slower elsewhere."""
    return torch.autocast(
        where.type, torch.bfloat16, enabled=where.type == "cuda" or torch.cpu._is_avx512_bf16_supported()
    )


def rate(step: int, steps: int, peak: float, fall: float = 0.4) -> float:
    """Learning rate: a short rise, a plateau, and a linear fall over the last share `fall`."""
    rise = min(1.0, (step + 1) / min(200, max(1, steps // 10)))
    return peak * rise * max(min(1.0, (steps - step) / (fall * steps)), 0.01)


def set_rate(optimizer: torch.optim.Optimizer, value: float) -> None:
    """Set the learning rate of all groups."""
    for group in optimizer.param_groups:
        group["lr"] = value


def save(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint whole or not at all."""
    scratch = path.with_suffix(".new")
    torch.save(state, scratch)
    scratch.replace(path)


class Progress:
    """Says how a stage goes and when to write its checkpoint."""

    def __init__(self, name: str, steps: int, first: int, log: Log):
        self.name, self.steps, self.first, self.log = name, steps, first, log
        self.started = self.saved = self.said = time.monotonic()
        self._losses: list[torch.Tensor] = []
        self.loss = 0.0

    def step(self, step: int, loss: torch.Tensor, checkpoint: Callable[[], None]) -> None:
        """Note a finished step. Losses are read rarely, so that a graphics card need not be waited for."""
        self._losses.append(loss.detach())
        last = step + 1 == self.steps
        now = time.monotonic()
        if now - self.said > SAY_SECONDS or last:
            self.loss = torch.stack(self._losses).mean().item()
            self._losses.clear()
            pace = (now - self.started) / (step + 1 - self.first)
            left = pace * (self.steps - step - 1) / 60
            self.log(f"{self.name}: step {step + 1}/{self.steps}, loss {self.loss:.4f}, {left:.0f} min left")
            self.said = now
        if now - self.saved > CHECKPOINT_SECONDS or last:
            checkpoint()
            self.saved = now
