"""Draw tokens row by row: what a row gets depends on its scores and its own uniforms alone."""

from __future__ import annotations

import numpy as np
import torch

# The likeliest tokens that a nucleus nearly always lies within; a row where it does not is sorted whole.
_HEAD = 256


def uniforms(seed: int, count: int, draft: int = 0) -> np.ndarray:
    """`count` numbers in [0, 1) that are a function of seed and draft alone, on any machine (Philox, float64)."""
    key = np.array([seed & (2**64 - 1), draft], np.uint64)
    return np.random.Generator(np.random.Philox(key=key)).random(count)


def choose(
    scores: torch.Tensor,
    temperature: torch.Tensor,
    top_p: torch.Tensor,
    draws: torch.Tensor,
    min_p: torch.Tensor | None = None,
) -> torch.Tensor:
    """The next token of every row.

    Args:
        scores: rows × vocabulary, the model's logits in float32.
        temperature: rows; 0 takes the likeliest token.
        top_p: rows; the share of probability that the nucleus holds.
        draws: rows, float64 in [0, 1).
        min_p: rows; a token has to be at least so likely, as a share of the likeliest (Nguyen et al. 2024,
            https://arxiv.org/abs/2407.01082).
    """
    least = torch.zeros_like(top_p) if min_p is None else min_p
    greedy = temperature <= 0
    probabilities = torch.softmax(scores / torch.where(greedy, 1.0, temperature).unsqueeze(1), dim=-1)
    head = min(_HEAD, scores.shape[1])
    likeliest, tokens = torch.topk(probabilities, head, dim=-1, sorted=True)
    chosen, covered = _invert(likeliest, tokens, top_p, draws, least)
    if head < scores.shape[1]:
        for row in torch.nonzero(~covered & ~greedy).flatten().tolist():
            one = slice(row, row + 1)
            ordered, order = torch.sort(probabilities[one], dim=-1, descending=True, stable=True)
            chosen[one], _ = _invert(ordered, order, top_p[one], draws[one], least[one])
    return torch.where(greedy, tokens[:, 0], chosen)


def _invert(
    ordered: torch.Tensor, tokens: torch.Tensor, top_p: torch.Tensor, draws: torch.Tensor, min_p: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Inverse of each row's distribution cut to its nucleus, and whether `ordered` held the whole nucleus."""
    below = torch.cumsum(ordered.double(), dim=-1)
    wanted = top_p.double().unsqueeze(1)
    # The nucleus is the shortest head whose mass reaches top_p: tokens before which less than that lies.
    size = (below - ordered.double() < wanted).sum(dim=-1).clamp(min=1)
    likely = (ordered >= min_p.unsqueeze(1) * ordered[:, :1]).sum(dim=-1)
    size = torch.minimum(size, likely)
    mass = below.gather(1, (size - 1).unsqueeze(1))
    at = torch.searchsorted(below, draws.unsqueeze(1) * mass, right=True).squeeze(1)
    at = torch.minimum(at, size - 1)
    whole = (below[:, -1] >= wanted.squeeze(1)) | (likely < ordered.shape[1])
    return tokens.gather(1, at.unsqueeze(1)).squeeze(1), whole
