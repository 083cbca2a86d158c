"""Train starter-copy from nothing: corpus, tokenizer, model, model card."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerFast

from models.text import lexicon
from models.text.tokenizer import train_tokenizer
from models.text.train import Pair, Shape, train
from tasks.kinds.copy.channels import CHANNELS
from tasks.kinds.copy.prompt import SYSTEM
from tasks.starters.copy.card import held_out_scores, write_card
from tasks.starters.copy.corpus import example, examples
from tasks.starters.copy.words import world

VOCABULARY = 5120
STEPS = 6000
ROWS = 48
# Short texts come first: a model learns to copy on them within a few hundred steps.
BRIEF_UNTIL = 500
_LABELS = (
    "Product", "Brand", "Category", "Features", "Facts", "Audience", "Tone", "Must include", "Must avoid", "Language",
    "Limit", "Corrections",
)  # fmt: skip


def train_starter_copy(
    out: Path,
    *,
    smoke: bool = False,
    seed: int = 0,
    log: Callable[[str], Any] = print,
    steps: int = STEPS,
    rows: int = ROWS,
    shape: Shape | None = None,
    start: Path | None = None,
    workers: int = 0,
) -> None:
    """Train starter-copy and save it to the folder `out`; `smoke` does the same in about a minute, to no good.

    It begins from the model in `start` with its tokenizer, or from nothing; `workers` processes draw the examples
    ahead, for a GPU that would wait for them.

    An interrupted training goes on from its last checkpoint, in `out/.work`, which a finished one removes.
    """
    rows, steps = (8, 20) if smoke else (rows, steps)
    work = out / ".work"
    begun = (work / "checkpoint.pt").exists()
    own = out if begun else start
    tokenizer = PreTrainedTokenizerFast.from_pretrained(own) if own else tokenizer_for(seed, 500 if smoke else 6000)
    loss = train(
        partial(_draw_step, seed, rows, BRIEF_UNTIL if start is None else 0),
        tokenizer,
        out,
        steps=steps,
        seed=seed,
        shape=Shape(layers=2, width=64, heads=2, inner=128) if smoke else shape or Shape(),
        work=work,
        start=start,
        workers=workers,
        log=log,
    )
    lexicon.write(out, own_words(seed, 200 if smoke else 20_000))
    scores = held_out_scores(out, seed, 16 if smoke else 256)
    write_card(out, loss=loss, steps=steps, rows=rows, brief=min(steps, BRIEF_UNTIL) if start is None else 0, **scores)
    shutil.rmtree(work, ignore_errors=True)
    log(f"saved to {out}: loss {loss:.3f}, {scores['accepted']:.0%} of fresh jobs accepted at the first attempt")


def own_words(seed: int, count: int) -> set[str]:
    """The words that the texts of `count` examples have of their own, those of a single text left out."""
    found: Counter[str] = Counter()
    for pair in islice(examples(seed), count):
        found.update(lexicon.words(pair.completion) - lexicon.words(pair.messages[-1]["content"]))
    return {word for word, texts in found.items() if texts > 1}


def _draw_step(seed: int, rows: int, brief: int, step: int) -> list[Pair]:
    return draw(seed, step, rows, brief)


def draw(seed: int, step: int, rows: int, brief: int = BRIEF_UNTIL) -> list[Pair]:
    """The examples of one training step, short ones before step `brief`."""
    w = world(random.Random(f"starter-copy/{seed}/{step}"))  # noqa: S311 (a corpus, not a secret)
    pairs: list[Pair] = []
    while len(pairs) < rows:
        found = example(w, brief=step < brief or w.chance(0.08))
        if found is not None:
            pairs.append((found.messages, found.completion))
    return pairs


def tokenizer_for(seed: int, count: int) -> PreTrainedTokenizerFast:
    """A tokenizer for the corpus, in which the fixed lines of the prompt and the frame of the answers are tokens."""
    texts = [
        text
        for pair in islice(examples(seed), count)
        for text in (pair.messages[-1]["content"].split("\n", 1)[1].rsplit("\nAnswer", 1)[0], pair.completion)
    ]
    return train_tokenizer(texts, vocab_size=VOCABULARY, phrases=_phrases())


def _phrases() -> list[str]:
    probe = next(examples(0)).messages
    assert probe[0]["content"] == SYSTEM
    phrases = [SYSTEM, *(f"\n{label}:" for label in _LABELS)]
    phrases += [" characters in all.", "Do not say", "Mention"]
    for channel in CHANNELS.values():
        phrases += [f"Write {channel.about}.", *_frame(list(channel.fields))]
    seen: dict[str, None] = {}
    for pair in islice(examples(1), 400):
        for text in pair.messages[-1]["content"].split("\n"):
            if text.startswith("Answer "):
                seen["\n" + text] = None
    return list(dict.fromkeys([*phrases, *seen]))


def _frame(fields: list[str]) -> list[str]:
    if len(fields) == 1:
        return []
    return [f'{{"{fields[0]}": "', *(f'", "{name}": "' for name in fields[1:]), '"}']
