"""The model card of starter-copy, with figures measured on jobs that training did not see."""

from __future__ import annotations

import random
from importlib.resources import files
from pathlib import Path
from typing import Any

from transformers import AutoConfig

from models.engine import TextRequest
from models.text import engine as text_engine
from models.text.train import SHARPEN
from tasks.kinds.copy import reader
from tasks.kinds.copy.job import CopyJob
from tasks.kinds.copy.kind import CRITIC, READER
from tasks.kinds.copy.prompt import ParseError, default_max_tokens, features, messages, names, parse, points
from tasks.kinds.copy.rules import judge_alone
from tasks.settings import Settings
from tasks.starters.copy.corpus import sample
from tasks.starters.copy.plans import phrases
from tasks.starters.copy.words import lexicon, strings, world

DRAFTS = int(Settings.model_fields["copy_drafts"].default)


def write_card(folder: Path, *, note: str = "", evaluation: str = "", samples: str = "", **figures: Any) -> None:
    """Write README.md beside the model; `figures` fill what the model itself does not tell.

    `note` ends the recipe, `evaluation` the scores, `samples` the card.
    """
    config = AutoConfig.from_pretrained(folder)
    weights = (folder / "model.safetensors").stat().st_size
    text = files(__package__).joinpath("card.md").read_text("utf-8")
    brief = figures.pop("brief")
    filled = text.format(
        parameters=round(weights / 2 / 1e6, 1),
        layers=config.num_hidden_layers,
        width=config.hidden_size,
        vocabulary=config.vocab_size,
        positions=config.max_position_embeddings,
        scale=SHARPEN,
        trades=len(lexicon()["domains"]),
        words=len(set(strings(lexicon()))),
        plans=len(set(strings(phrases()))),
        brief=f", short ones during the first {brief}" if brief else "",
        note=f" {note}" if note else "",
        evaluation=f"\n{evaluation.strip()}\n" if evaluation else "",
        samples=f"\n{samples.strip()}\n" if samples else "",
        **figures,
    )
    (folder / "README.md").write_text(filled.rstrip() + "\n", "utf-8")


def held_out_scores(folder: Path, seed: int, count: int) -> dict[str, Any]:
    """Shares of `count` jobs of the held-out world whose first answer has the channel's form, the name, no rule against
    it; and of the features of product pages that were told.
    """
    w = world(random.Random(f"starter-copy/{seed}/held-out"), held_out=True)  # noqa: S311 (jobs, not a secret)
    jobs: list[CopyJob] = []
    while len(jobs) < count:
        job, _, fields = sample(w)
        if fields is not None:
            jobs.append(job)
    engine = text_engine.open(str(folder), "cpu", "float32", reader=READER, critic=CRITIC, drafts=DRAFTS)
    engine.submit(
        [
            TextRequest(
                id=str(number),
                messages=messages(job),
                seed=number,
                max_tokens=default_max_tokens(job),
                temperature=job.temperature,
                top_p=job.top_p,
                brief=reader.brief(job, strict=True),
                names=names(job),
                points=points(job),
                due=features(job),
            )
            for number, job in enumerate(jobs)
        ]
    )
    formed = named = accepted = told = given = 0
    for result in engine.results():
        job = jobs[int(result.id)]
        try:
            fields = parse(job, result.text)
        except ParseError:
            continue
        formed += 1
        whole = "\n".join(fields.values())
        named += str(job.product_name) in whole
        if job.channel == "product_page" and job.max_chars is None:
            given += len(job.features)
            told += sum(feature.lower().rstrip(".") in whole.lower() for feature in job.features)
        accepted += all(check.verdict == "accept" for check in judge_alone(job, fields))
    engine.close()
    shares = {"formed": formed / count, "named": named / count, "accepted": accepted / count}
    return {"jobs": count, "told": told / max(1, given), **shares}
