"""Train a small causal LM to answer chats, on a CPU in an hour or two, or faster on a GPU.

The loss counts the answers only, and of those most what stands in the prompt: a wrong token there spoils a name or a
number, while the rest of an answer may go many ways. Every step draws its examples from its own number, so that
training that was interrupted goes on as if nothing had happened. Matrices learn with Muon, which needs about half the
steps of AdamW at this size (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/); embeddings and norms with
AdamW.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from models.text.grow import begin_from

Pair = tuple[list[dict[str, str]], str]
Draw = Callable[[int], Sequence[Pair]]
Row = tuple[list[int], int]

_MATRIX_RATE = 6e-3
_OTHER_RATE = 3e-3
_WEIGHT_DECAY = 0.02
_WARM_UP = 60
_COOL_DOWN = 0.6
_AVERAGE = 0.99
_IGNORED = -100
# What a token counts that goes on copying a run of the prompt, and one that begins such a run: it chooses what is told.
_COPIED = 5.0
_CHOSEN = 3.0
# A model this small spreads too much probability over wrong tokens. Its scores are scaled on saving, through the last
# norm, so that it may be asked at the temperatures that larger models are asked at.
SHARPEN = 1.25
# Lengths on a GPU are multiples of this, so that few shapes occur.
_STRIDE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Size of the model. The defaults give about 6 million parameters."""

    layers: int = 6
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
    start: Path | None = None,
    checkpoint_every: int = 100,
    micro_batch: int | None = None,
    workers: int = 0,
    log: Callable[[str], Any] = print,
) -> float:
    """Train for `steps` steps of the examples that `draw(step)` gives and save the model to `out`.

    Checkpoints go to `work` (none without it), and training goes on from the one that lies there. Without one it
    begins from the model in `start`, or from nothing. `workers` processes draw ahead; then `draw` must pickle. Weights
    are saved in float16 as safetensors, averaged over the last steps. Returns the mean loss, in nats per token, of the
    last fifty steps.
    """
    torch.manual_seed(seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = build(tokenizer, shape or Shape())
    checkpoint = work / "checkpoint.pt" if work else None
    resumed = checkpoint is not None and checkpoint.exists()
    if start is not None and not resumed:
        begin_from(start, model, tokenizer, sharpened=SHARPEN)
    # On a CPU the fused attention is slower than plain products of matrices: its backward pass hardly uses the cores.
    model.set_attn_implementation("eager" if device.type == "cpu" else "sdpa")
    model.to(device)  # type: ignore[arg-type]
    optimizers = _optimizers(model)
    average = {name: p.detach().clone() for name, p in model.named_parameters()}
    first = 0
    losses: list[float] = []
    if checkpoint is not None and resumed:
        first, losses = _resume(checkpoint, model, optimizers, average)
        log(f"going on from step {first}")
    micro_batch = micro_batch or (8 if device.type == "cpu" else 512)
    started = time.monotonic()
    seen = 0
    for step, rows in enumerate(_drawn(draw, tokenizer, range(first, steps), workers), first):
        rate = _rate(step, steps)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * rate
        loss, tokens = _step(model, optimizers, rows, micro_batch)
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


def _optimizers(model: LlamaForCausalLM) -> list[torch.optim.Optimizer]:
    """Muon for the matrices within the layers, AdamW for embeddings and norms; every group knows its peak rate."""
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
    return optimizers


def _drawn(draw: Draw, tokenizer: PreTrainedTokenizerFast, steps: range, workers: int) -> Iterator[list[Row]]:
    """The encoded rows of each step, drawn ahead by other processes where there are `workers`."""
    if not workers:
        yield from (encode(tokenizer, draw(step)) for step in steps)
        return
    left = iter(steps)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting: deque[Future[list[Row]]] = deque()
        for step in left:
            waiting.append(pool.submit(_draw_rows, draw, tokenizer, step))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _draw_rows(draw: Draw, tokenizer: PreTrainedTokenizerFast, step: int) -> list[Row]:
    return encode(tokenizer, draw(step))


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


def encode(tokenizer: PreTrainedTokenizerFast, pairs: Sequence[Pair]) -> list[Row]:
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
    shipped.load_state_dict({name: weight.cpu() for name, weight in weights.items()}, strict=False)
    shipped.tie_weights()
    with torch.no_grad():
        shipped.model.norm.weight *= SHARPEN
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
    model: LlamaForCausalLM, optimizers: Sequence[torch.optim.Optimizer], rows: list[Row], micro_batch: int
) -> tuple[float, int]:
    """One step on `rows`, alike in length within each micro-batch. Returns the loss and the number of tokens."""
    rows = sorted(rows, key=lambda row: len(row[0]))
    weighed = [_weights(ids, start) for ids, start in rows]
    counted, heavy = sum(map(len, weighed)), sum(map(sum, weighed))
    device = model.device
    # Twice as fast as float32 where the processor multiplies bfloat16 itself, several times slower elsewhere.
    fast = device.type != "cpu" or torch.cpu._is_avx512_bf16_supported()
    total = torch.zeros((), device=device)
    for at in range(0, len(rows), micro_batch):
        part = rows[at : at + micro_batch]
        longest = max(len(ids) for ids, _ in part)
        if device.type != "cpu":
            longest = -(-longest // _STRIDE) * _STRIDE
        inputs = torch.zeros(len(part), longest, dtype=torch.long)
        targets = torch.full((len(part), longest), _IGNORED)
        weights = torch.tensor([weight for row in weighed[at : at + micro_batch] for weight in row], device=device)
        for index, (ids, start) in enumerate(part):
            inputs[index, : len(ids)] = torch.tensor(ids)
            targets[index, start - 1 : len(ids) - 1] = torch.tensor(ids[start:])
        # Padding stands on the right, where causal attention keeps it from being seen: no mask is needed.
        places = (targets != _IGNORED).flatten().nonzero().squeeze(1).to(device)
        wanted = targets[targets != _IGNORED].to(device)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=fast):
            hidden = model.model(input_ids=inputs.to(device), use_cache=False).last_hidden_state
            logits = model.lm_head(hidden.flatten(0, 1)[places])
        losses = functional.cross_entropy(logits.float(), wanted, reduction="none")
        ((losses * weights).sum() / heavy).backward()
        total += losses.detach().sum() / counted
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return total.item(), sum(len(ids) for ids, _ in rows)


def _weights(ids: list[int], start: int) -> list[float]:
    """What each token of an answer counts: more where it and a neighbour stand together in the prompt."""
    known = set(pairwise(ids[:start]))
    copied = [pair in known for pair in pairwise(ids[start - 1 :])]
    return [
        _COPIED if goes_on else _CHOSEN if begins else 1.0
        for goes_on, begins in zip(copied, [*copied[1:], False], strict=True)
    ]


def _rate(step: int, steps: int) -> float:
    """Share of the peak rate: up within the first steps, level, and down to nothing over the rest.

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
    state = torch.load(path, map_location=model.device, weights_only=True)
    model.load_state_dict(state["model"])
    for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
        peaks = [group["peak"] for group in optimizer.param_groups]
        optimizer.load_state_dict(saved)
        for group, peak in zip(optimizer.param_groups, peaks, strict=True):
            group["peak"] = peak
    average.update(state["average"])
    return state["step"], state["losses"]
