"""Train a small causal LM to answer chats: tokenizer, model and loop in one, on a CPU, in about an hour.

The loss counts the answers only. Every step draws its examples from its own number, so that training that was
interrupted goes on as if nothing had happened. Matrices learn with Muon, which needs about half the steps of AdamW at
this size (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/); embeddings and norms with AdamW.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

Pair = tuple[list[dict[str, str]], str]
Draw = Callable[[int], Sequence[Pair]]

_MATRIX_RATE = 6e-3
_OTHER_RATE = 3e-3
_WEIGHT_DECAY = 0.02
_WARM_UP = 60
_COOL_DOWN = 0.35
_AVERAGE = 0.99
_IGNORED = -100
# A model this small spreads too much probability over wrong tokens. Its scores are scaled on saving, through the last
# norm, so that it may be asked at the temperatures that larger models are asked at.
_SHARPEN = 1.25
# Twice as fast as float32 where the processor multiplies bfloat16 itself, several times slower elsewhere.
_FAST_BF16 = torch.cpu._is_avx512_bf16_supported()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Size of the model. The defaults give about 4 million parameters."""

    layers: int = 4
    width: int = 256
    heads: int = 4
    inner: int = 640
    positions: int = 1024


def train(
    draw: Draw,
    tokenizer: PreTrainedTokenizerFast,
    out: Path,
    *,
    steps: int,
    seed: int,
    shape: Shape | None = None,
    work: Path | None = None,
    checkpoint_every: int = 100,
    micro_batch: int = 16,
    log: Callable[[str], Any] = print,
) -> float:
    """Train for `steps` steps of the examples that `draw(step)` gives and save the model to `out`.

    Checkpoints go to `work` (none without it), and training goes on from the one that lies there. Weights are saved
    in float16 as safetensors, averaged over the last steps. Returns the mean loss, in nats per token, of the last
    fifty steps.
    """
    torch.manual_seed(seed)
    model = build(tokenizer, shape or Shape())
    # On a CPU the fused attention is slower than plain products of matrices: its backward pass hardly uses the cores.
    model.set_attn_implementation("eager")
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n and "lm_head" not in n]
    taken = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in taken]
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.Muon(matrices, lr=_MATRIX_RATE, weight_decay=_WEIGHT_DECAY, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=_OTHER_RATE, betas=(0.9, 0.95), weight_decay=0.0),
    ]
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
    average = {name: p.detach().clone() for name, p in model.named_parameters()}
    first = 0
    losses: list[float] = []
    checkpoint = work / "checkpoint.pt" if work else None
    if checkpoint and checkpoint.exists():
        first, losses = _resume(checkpoint, model, optimizers, average)
        log(f"going on from step {first}")
    started = time.monotonic()
    seen = 0
    for step in range(first, steps):
        rate = _rate(step, steps)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * rate
        loss, tokens = _step(model, optimizers, encode(tokenizer, draw(step)), micro_batch)
        losses = [*losses[-49:], loss]
        seen += tokens
        keep = min(_AVERAGE, (step + 1) / (step + 10))
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                average[name].lerp_(parameter, 1 - keep)
        if (step + 1) % 25 == 0 or step + 1 == steps:
            speed = seen / (time.monotonic() - started)
            log(f"step {step + 1}/{steps} loss {sum(losses) / len(losses):.3f} {speed:.0f} tokens/s")
        if checkpoint and (step + 1) % checkpoint_every == 0 and step + 1 < steps:
            _write_checkpoint(checkpoint, step + 1, losses, model, optimizers, average)
            save(model, average, tokenizer, out)
    save(model, average, tokenizer, out)
    return sum(losses) / max(1, len(losses))


def build(tokenizer: PreTrainedTokenizerFast, shape: Shape) -> LlamaForCausalLM:
    """A fresh model with tied embeddings for the tokenizer's vocabulary."""
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.width,
        intermediate_size=shape.inner,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        max_position_embeddings=shape.positions,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    return LlamaForCausalLM(config)


def encode(tokenizer: PreTrainedTokenizerFast, pairs: Sequence[Pair]) -> list[tuple[list[int], int]]:
    """Token ids of prompt and answer together, and where the answer begins."""
    prompts = [tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True) for chat, _ in pairs]
    answers = [answer + str(tokenizer.eos_token) for _, answer in pairs]
    prompt_ids = tokenizer(prompts, add_special_tokens=False)["input_ids"]
    answer_ids = tokenizer(answers, add_special_tokens=False)["input_ids"]
    return [(p + a, len(p)) for p, a in zip(prompt_ids, answer_ids, strict=True)]


def save(
    model: LlamaForCausalLM, weights: dict[str, torch.Tensor], tokenizer: PreTrainedTokenizerFast, out: Path
) -> None:
    """Write `weights` as a model folder of the ordinary transformers format."""
    shipped = LlamaForCausalLM(deepcopy(model.config))
    shipped.set_attn_implementation("sdpa")
    shipped.load_state_dict(weights, strict=False)
    shipped.tie_weights()
    with torch.no_grad():
        shipped.model.norm.weight *= _SHARPEN
    shipped.half()
    shipped.generation_config = GenerationConfig(
        do_sample=True,
        temperature=0.8,
        top_p=0.95,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    out.mkdir(parents=True, exist_ok=True)
    shipped.save_pretrained(out, safe_serialization=True)
    tokenizer.save_pretrained(out)


def _step(
    model: LlamaForCausalLM,
    optimizers: Sequence[torch.optim.Optimizer],
    rows: list[tuple[list[int], int]],
    micro_batch: int,
) -> tuple[float, int]:
    """One step on `rows`, alike in length within each micro-batch. Returns the loss and the number of tokens."""
    rows = sorted(rows, key=lambda row: len(row[0]))
    counted = sum(len(ids) - start for ids, start in rows)
    total = 0.0
    for at in range(0, len(rows), micro_batch):
        part = rows[at : at + micro_batch]
        longest = max(len(ids) for ids, _ in part)
        inputs = torch.zeros(len(part), longest, dtype=torch.long)
        targets = torch.full((len(part), longest), _IGNORED)
        for index, (ids, start) in enumerate(part):
            inputs[index, : len(ids)] = torch.tensor(ids)
            targets[index, start - 1 : len(ids) - 1] = torch.tensor(ids[start:])
        # Padding stands on the right, where causal attention keeps it from being seen: no mask is needed.
        wanted = targets != _IGNORED
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=_FAST_BF16):
            hidden = model.model(input_ids=inputs, use_cache=False).last_hidden_state
            logits = model.lm_head(hidden[wanted])
        loss = functional.cross_entropy(logits.float(), targets[wanted], reduction="sum") / counted
        loss.backward()
        total += loss.item()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return total, sum(len(ids) for ids, _ in rows)


def _rate(step: int, steps: int) -> float:
    """Share of the peak rate: up within the first steps, level, and down to nothing over the last third.

    The level part lets a training be made longer after the fact, from a checkpoint before the descent.
    """
    return max(0.0, min(1.0, (step + 1) / _WARM_UP, (steps - step) / (steps * _COOL_DOWN)))


def _write_checkpoint(path: Path, step: int, losses: list[float], model: Any, optimizers: Any, average: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "step": step,
        "losses": losses,
        "model": model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        "average": average,
    }
    torch.save(state, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def _resume(path: Path, model: Any, optimizers: Any, average: Any) -> tuple[int, list[float]]:
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
        peaks = [group["peak"] for group in optimizer.param_groups]
        optimizer.load_state_dict(saved)
        for group, peak in zip(optimizer.param_groups, peaks, strict=True):
            group["peak"] = peak
    average.update(state["average"])
    return state["step"], state["losses"]
