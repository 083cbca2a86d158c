"""The model card of starter-copy, with figures measured on jobs that training did not see."""

from __future__ import annotations

import random
from importlib.resources import files
from pathlib import Path
from typing import Any

from transformers import AutoConfig

from models.engine import TextRequest
from models.text import engine as text_engine
from tasks.kinds.copy.job import CopyJob
from tasks.kinds.copy.prompt import ParseError, default_max_tokens, messages, parse
from tasks.kinds.copy.rules import judge_alone
from tasks.starters.copy.corpus import sample
from tasks.starters.copy.words import world


def write_card(folder: Path, *, note: str = "", **figures: Any) -> None:
    """Write README.md beside the model; `figures` fill what the model itself does not tell, `note` ends the recipe."""
    config = AutoConfig.from_pretrained(folder)
    weights = (folder / "model.safetensors").stat().st_size
    text = files(__package__).joinpath("card.md").read_text("utf-8")
    filled = text.format(
        parameters=round(weights / 2 / 1e6, 1),
        layers=config.num_hidden_layers,
        width=config.hidden_size,
        vocabulary=config.vocab_size,
        positions=config.max_position_embeddings,
        note=f" {note}" if note else "",
        **figures,
    )
    (folder / "README.md").write_text(filled, "utf-8")


def held_out_scores(folder: Path, seed: int, count: int) -> dict[str, Any]:
    """Shares of `count` fresh jobs whose first answer has the channel's form, the name, no rule against it."""
    w = world(random.Random(f"starter-copy/{seed}/held-out"), held_out=True)  # noqa: S311 (jobs, not a secret)
    jobs: list[CopyJob] = []
    while len(jobs) < count:
        job, _, fields = sample(w)
        if fields is not None:
            jobs.append(job)
    engine = text_engine.open(str(folder), "cpu", "float32")
    engine.submit(
        [
            TextRequest(
                id=str(number),
                messages=messages(job),
                seed=number,
                max_tokens=default_max_tokens(job),
                temperature=job.temperature,
                top_p=job.top_p,
            )
            for number, job in enumerate(jobs)
        ]
    )
    formed = named = accepted = 0
    for result in engine.results():
        job = jobs[int(result.id)]
        try:
            fields = parse(job, result.text)
        except ParseError:
            continue
        formed += 1
        named += str(job.product_name) in "\n".join(fields.values())
        accepted += all(check.verdict == "accept" for check in judge_alone(job, fields))
    engine.close()
    return {"jobs": count, "formed": formed / count, "named": named / count, "accepted": accepted / count}
