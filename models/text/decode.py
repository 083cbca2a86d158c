"""Run one batch of prompts to its end, at a shape that does not depend on what the batch holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from models.text.proof import Proof
from models.text.quoting import Quotes
from models.text.sampling import choose

# Room for keys and values grows by this many positions at a time.
_STRIDE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A prompt as token ids and how to go on from it.

    `draws` holds a uniform for every token, those that are taken back included; `proof` begins the proof of a text;
    `quotes` makes the phrases that it should quote right. The first token of the text and each behind one of `openers`
    are drawn at `opening` times the temperature; of the others none is less likely than `min_p` of the likeliest.
    A token that began what was taken back loses `again` of its score there, each time.
    """

    ids: list[int]
    max_tokens: int
    temperature: float
    top_p: float
    draws: np.ndarray
    proof: Callable[[], Proof] | None = None
    quotes: Callable[[], Quotes] | None = None
    openers: frozenset[int] = frozenset()
    opening: float = 1.0
    min_p: float = 0.0
    again: float = 0.0


@dataclass(frozen=True, slots=True)
class Written:
    """The tokens after a prompt, without the end mark. `sound` is False where scores were not finite."""

    ids: list[int]
    stopped: bool
    sound: bool = True


class _GrowingLayer(DynamicLayer):
    """Keys and values of a layer in a buffer that grows by strides, where the stock layer copies all at every token."""

    def update(self, key_states: Any, value_states: Any, *_args: Any, **_kwargs: Any) -> Any:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self.room: list[torch.Tensor] = []
        start = self.get_seq_length()
        end = start + key_states.shape[-2]
        if not self.room or end > self.room[0].shape[-2]:
            size = -(-end // _STRIDE) * _STRIDE
            grown = [s.new_empty((*s.shape[:2], size, s.shape[-1])) for s in (key_states, value_states)]
            if start:
                grown[0][:, :, :start], grown[1][:, :, :start] = self.keys, self.values
            self.room = grown
        self.room[0][:, :, start:end] = key_states
        self.room[1][:, :, start:end] = value_states
        self.keys, self.values = self.room[0][:, :, :end], self.room[1][:, :, :end]
        return self.keys, self.values


class _Writing:
    """One row under way: its tokens, and where each lies in the cache."""

    def __init__(self, row: Row, length: int) -> None:
        self.row = row
        self.proof = row.proof() if row.proof else None
        self.quotes = row.quotes() if row.quotes else None
        self.ids: list[int] = []
        self.stopped = False
        self.sound = True
        self.running = True
        self._slots: list[int] = []
        self._tried: dict[int, Counter[int]] = {}  # by length of the text: tokens that came next and were taken back
        self._last_of_prompt = length - 1

    @property
    def opens(self) -> bool:
        """Whether a sentence begins."""
        return not self.ids or self.ids[-1] in self.row.openers

    @property
    def heat(self) -> float:
        """The temperature that the next token is drawn at."""
        return self.row.temperature * (self.row.opening if self.opens else 1.0)

    def leanings(self) -> dict[int, float]:
        """What to add to the scores of which tokens."""
        found = self.quotes.bonuses(self.ids) if self.quotes else {}
        for token, times in self._tried.get(len(self.ids), {}).items():
            found[token] = found.get(token, 0.0) - self.row.again * times
        return found

    def take(self, token: int, good: bool, end: bool, slot: int) -> int | None:
        """Take the token that was drawn, whose place in the cache is `slot`, or go back: to how many tokens."""
        self.sound = self.sound and good
        if end or not good:
            self.stopped = True
        else:
            self.ids.append(token)
            self._slots.append(slot)
        self.running = not self.stopped and len(self.ids) < self.row.max_tokens
        if not good or self.proof is None or (not self.running and not end):
            return None
        return self.proof.keep(self.ids, end)

    def go_back(self, kept: int, slot: int, drawn: int) -> tuple[int, int, list[int]]:
        """Forget all but `kept` tokens; `drawn` was the last. Returns the token to feed again at `slot`, its position
        and the slots to hide.

        The scores behind a token are gone when they have been used: so the last token that stays goes in anew.
        """
        self._tried = {place: tokens for place, tokens in self._tried.items() if place <= kept}
        self._tried.setdefault(kept, Counter())[self.ids[kept] if kept < len(self.ids) else drawn] += 1
        hidden = [used for used in self._slots[max(0, kept - 1) :] if used != slot]
        del self.ids[kept:], self._slots[kept:]
        self.stopped, self.running = False, True
        if kept:
            self._slots[-1] = slot
        else:
            hidden.append(self._last_of_prompt)
            self._last_of_prompt = slot
        return (self.ids or self.row.ids)[-1], len(self.row.ids) + kept - 1, hidden


@torch.inference_mode()
def run_batch(
    model: Any, rows: Sequence[Row], *, slots: int, length: int, pad: int, ends: frozenset[int]
) -> list[Written]:
    """Continue every row until an end token or its `max_tokens`.

    The batch is `slots` rows of `length` prompt positions, padded on the left; dummies fill the missing rows. `length`
    must be above every prompt's: a batch without a single padded position would take another path through attention,
    and its rows would differ in the last bits from the same rows in other company. Where a row's proof takes tokens
    back, their places in the cache are masked and the row goes on behind them.
    """
    device = model.device
    ids = torch.full((slots, length), pad)
    seen = torch.zeros((slots, length), dtype=torch.long)
    seen[:, -1] = 1
    for index, row in enumerate(rows):
        ids[index, length - len(row.ids) :] = torch.tensor(row.ids)
        seen[index, length - len(row.ids) :] = 1
    steps = max(len(row.draws) for row in rows)
    temperature, top_p, min_p = torch.zeros(slots), torch.ones(slots), torch.zeros(slots)
    draws = torch.zeros((steps, slots), dtype=torch.float64)
    for index, row in enumerate(rows):
        top_p[index] = row.top_p
        draws[: len(row.draws), index] = torch.from_numpy(row.draws)
    ids, top_p, draws = ids.to(device), top_p.to(device), draws.to(device)
    mask = torch.ones((slots, length + steps), dtype=torch.long, device=device)
    mask[:, :length] = seen
    positions = (mask[:, :length].cumsum(1) - 1).clamp(min=0)
    cache = DynamicCache(config=model.config)
    cache.layers = [_GrowingLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers]

    writing = [_Writing(row, length) for row in rows]
    # Rows that are done stay where they are, so that none gets past the model's last position.
    moving = torch.zeros((slots, 1), dtype=torch.long, device=device)
    moving[: len(rows)] = 1
    for step in range(steps):
        scores = model(
            input_ids=ids,
            attention_mask=mask[:, : length + step],
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits[:, -1].float()  # fmt: skip
        for index, line in enumerate(writing):
            temperature[index], min_p[index] = line.heat, 0.0 if line.opens else line.row.min_p
            if line.running:
                for token, bonus in line.leanings().items():
                    scores[index, token] += bonus
        finite = torch.isfinite(scores.sum(dim=-1))
        scores = torch.where(finite.unsqueeze(1), scores, 0.0)
        tokens = choose(scores, temperature.to(device), top_p, draws[step], min_p.to(device))
        ids, positions = tokens.unsqueeze(1), positions[:, -1:] + moving
        slot = length + step
        for index, (line, token, good) in enumerate(zip(writing, tokens.tolist(), finite.tolist(), strict=False)):
            if not line.running:
                continue
            kept = line.take(token, good, token in ends, slot)
            if kept is not None:
                ids[index, 0], positions[index, 0], hidden = line.go_back(kept, slot, token)
                mask[index, hidden] = 0
            elif not line.running:
                moving[index] = 0
        if not any(line.running for line in writing):
            break
    return [Written(line.ids, line.stopped, line.sound) for line in writing]


def can_go_back(model: Any) -> bool:
    """Whether all of the model's memory is keys and values, from which single tokens can be masked."""
    return all(isinstance(layer, DynamicLayer) for layer in DynamicCache(config=model.config).layers)
