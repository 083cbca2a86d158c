"""Plays the pipeline's attempts without plan and store: the real prompt, engine, parser and rules."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from benchmarks.starter_judges.heldout import Spec
from models.engine import TextRequest
from tasks.kinds.copy import reader
from tasks.kinds.copy.job import CopyJob
from tasks.kinds.copy.prompt import ParseError, default_max_tokens, features, messages, names, parse, points
from tasks.kinds.copy.rules import judge_alone, judge_among

UNPARSED = "form"  # stands among the failed rules where the answer is not of the channel's form


@dataclass(slots=True)
class Attempt:
    """One answer: `fields` as parsed, or the raw answer under the key `""` where it cannot be parsed."""

    fields: dict[str, str]
    failed: list[str]
    reasons: list[str]

    @property
    def accepted(self) -> bool:
        return not self.failed

    @property
    def text(self) -> str:
        return "\n".join(self.fields.values())


@dataclass(slots=True)
class Item:
    """One wanted text, the hints it goes by and what was tried; the last attempt is the accepted one, if any is."""

    spec: Spec
    variant: int
    hints: list[str]
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def job(self) -> CopyJob:
        return self.spec.job

    @property
    def first(self) -> Attempt:
        return self.attempts[0]

    @property
    def accepted(self) -> bool:
        return bool(self.attempts) and self.attempts[-1].accepted


@dataclass(frozen=True, slots=True)
class Cost:
    """What writing took: generated tokens, and seconds of the clock and of all threads together."""

    tokens: int
    wall: float
    cpu: float


def write(
    engine: Any, specs: Sequence[Spec], seed: int, attempts: int = 1, *, strict: bool = True
) -> tuple[list[Item], Cost]:
    """Write every variant of every job, with up to so many attempts each; hints of failed checks go with the next.

    A `strict` reader lets no slip stand, as where drafts are compared.
    """
    items = [Item(spec, v, list(spec.feedback)) for spec in specs for v in range(spec.job.variants)]
    siblings: dict[str, list[Item]] = {}
    for item in items:
        siblings.setdefault(item.job.job_id, []).append(item)
    tokens, wall, cpu = 0, time.monotonic(), time.process_time()
    for number in range(attempts):
        waiting = {str(at): item for at, item in enumerate(items) if not item.accepted}
        engine.submit([_request(name, item, seed, number, strict) for name, item in waiting.items()])
        results = {result.id: result for result in engine.results()}
        for name, item in waiting.items():
            tokens += results[name].tokens
            mine = siblings[item.job.job_id]
            item.attempts.append(_judge(item, results[name].text, [other for other in mine if other is not item]))
    return items, Cost(tokens, time.monotonic() - wall, time.process_time() - cpu)


def answers(engine: Any, asked: Sequence[tuple[CopyJob, list[str]]], seed: int) -> list[dict[str, str] | None]:
    """One parsed answer for each job with corrections, unjudged; None where it has not the channel's form."""
    items = [Item(Spec(job), 0, feedback) for job, feedback in asked]
    engine.submit([_request(str(at), item, seed, 0, strict=True) for at, item in enumerate(items)])
    results = {int(result.id): result.text for result in engine.results()}
    found: list[dict[str, str] | None] = []
    for at, item in enumerate(items):
        try:
            found.append(parse(item.job, results[at]))
        except ParseError:
            found.append(None)
    return found


def _request(name: str, item: Item, seed: int, number: int, strict: bool) -> TextRequest:
    digest = hashlib.sha256(f"{seed}/{item.job.job_id}/{item.variant}/{number}".encode()).digest()
    return TextRequest(
        id=name,
        messages=messages(item.job, item.hints),
        seed=int.from_bytes(digest[:7]),
        max_tokens=default_max_tokens(item.job),
        temperature=item.job.temperature,
        top_p=item.job.top_p,
        brief=reader.brief(item.job, strict=strict),
        names=names(item.job),
        points=points(item.job),
        due=features(item.job),
    )


def _judge(item: Item, text: str, others: list[Item]) -> Attempt:
    try:
        fields = parse(item.job, text)
    except ParseError as error:
        item.hints = list(item.spec.feedback)
        return Attempt({"": text.strip()}, [UNPARSED], [str(error)])
    accepted = [other.attempts[-1].fields for other in others if other.accepted]
    checks = [*judge_alone(item.job, fields), *judge_among(item.job, fields, accepted)]
    failed = [check for check in checks if check.verdict != "accept"]
    item.hints = list(dict.fromkeys([*item.spec.feedback, *(check.hint for check in failed if check.hint)]))
    return Attempt(fields, [check.rule for check in failed], [check.reason or "" for check in failed])


def plain_speed(folder: Path, specs: Sequence[Spec], *, batch: int = 32, tokens: int = 96, rounds: int = 3) -> Cost:
    """The speed of `generate` of transformers itself, sampling: full batches, every row `tokens` new ones long.

    The best of some rounds, since others may use the machine.
    """
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    chats = [messages(spec.job, spec.feedback) for spec in specs[:batch]]
    texts = [tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True) for chat in chats]
    asked = tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False)
    asked.pop("token_type_ids", None)
    best: Cost | None = None
    for number in range(rounds + 1):
        torch.manual_seed(number)
        wall, cpu = time.monotonic(), time.process_time()
        with torch.inference_mode():
            made = model.generate(
                **asked, do_sample=True, temperature=0.8, top_p=0.95, min_new_tokens=tokens, max_new_tokens=tokens,
                pad_token_id=tokenizer.pad_token_id,
            )  # fmt: skip
        count = (made.shape[1] - asked["input_ids"].shape[1]) * len(chats)
        cost = Cost(count, time.monotonic() - wall, time.process_time() - cpu)
        if number and (best is None or cost.wall < best.wall):  # the first round warms up
            best = cost
    assert best is not None
    return best
