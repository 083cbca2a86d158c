"""How good is a copy model on real products? Imports Shopify catalogues and writes copy for each product.

    python benchmarks/starter_copy.py [--model FOLDER] [--texts N] CATALOGUE.csv...

Prints, by channel: items accepted by the rules within the attempts, product pages that name the product, why attempts
failed, and tokens per second. It plays the pipeline's retries without plan and store: three variants of each product on
two channels, up to four attempts with the hints of failed checks, variants compared with those before them.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from models.engine import TextRequest
from models.text import engine as text_engine
from tasks.kinds.copy.job import CopyJob
from tasks.kinds.copy.prompt import ParseError, default_max_tokens, messages, parse
from tasks.kinds.copy.rules import judge_alone, judge_among
from tasks.specs.shopify import import_shopify

CHANNELS = ("product_page", "social")
STARTER = Path(__file__).parents[1] / "models" / "starters" / "copy"


@dataclass
class Item:
    """One wanted text and what became of it."""

    job: CopyJob
    variant: int
    attempt: int = 0
    feedback: list[str] = field(default_factory=list)
    fields: dict[str, str] | None = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("catalogues", nargs="+", type=Path)
    parser.add_argument("--model", default=str(STARTER))
    parser.add_argument("--variants", type=int, default=3)
    parser.add_argument("--attempts", type=int, default=4)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--texts", type=int, default=0, help="print so many accepted texts")
    options = parser.parse_args()
    jobs = [
        CopyJob(**{k: v for k, v in row.items() if v is not None and not k.startswith("meta_")})
        for path in options.catalogues
        for row in import_shopify(path).jobs(CHANNELS, options.variants)
        if row["kind"] == "copy"
    ]
    engine = text_engine.open(options.model, "cpu", "float32", batch_size=options.batch)
    items = {f"{job.job_id}/{v}": Item(job, v) for job in jobs for v in range(options.variants)}
    failures: Counter[str] = Counter()
    tokens, started, attempts = 0, time.monotonic(), 0
    for _ in range(options.attempts):
        waiting = [name for name, item in items.items() if item.fields is None]
        engine.submit([_request(name, items[name], options.seed) for name in waiting])
        results = {result.id: result for result in engine.results()}
        for name in waiting:
            result, item = results[name], items[name]
            tokens += result.tokens
            attempts += 1
            item.attempt += 1
            failed = _judge(item, result.text, [i for i in items.values() if i.job is item.job and i is not item])
            failures.update(failed)
    seconds = time.monotonic() - started
    _report(items, failures, attempts)
    print(f"{tokens} tokens in {seconds:.1f} s: {tokens / seconds:.0f} tokens/s")
    shown = [item for item in items.values() if item.fields]
    for item in shown[:: max(1, len(shown) // max(1, options.texts))][: options.texts]:
        print(f"\n{item.job.job_id} #{item.variant} (attempt {item.attempt})")
        for name, text in (item.fields or {}).items():
            print(f"  {name}: {text}")


def _request(name: str, item: Item, seed: int) -> TextRequest:
    digest = hashlib.sha256(f"{seed}/{name}/{item.attempt}".encode()).digest()
    return TextRequest(
        id=name,
        messages=messages(item.job, item.feedback),
        seed=int.from_bytes(digest[:7]),
        max_tokens=default_max_tokens(item.job),
        temperature=item.job.temperature,
        top_p=item.job.top_p,
    )


def _judge(item: Item, text: str, others: list[Item]) -> list[str]:
    """Accept the text into the item, or return the rules that it failed."""
    try:
        fields = parse(item.job, text)
    except ParseError:
        item.feedback = []
        return ["form"]
    accepted = [other.fields for other in others if other.fields]
    checks = [*judge_alone(item.job, fields), *judge_among(item.job, fields, accepted)]
    failed = [check for check in checks if check.verdict != "accept"]
    if not failed:
        item.fields = fields
    item.feedback = [check.hint for check in failed if check.hint]
    return [check.rule for check in failed]


def _report(items: dict[str, Item], failures: Counter[str], attempts: int) -> None:
    for channel in CHANNELS:
        asked = [item for item in items.values() if item.job.channel == channel]
        made = [item for item in asked if item.fields]
        first = sum(item.attempt == 1 for item in made)
        named = sum(str(item.job.product_name) in "\n".join((item.fields or {}).values()) for item in made)
        print(
            f"{channel}: {len(made)}/{len(asked)} accepted ({len(made) / len(asked):.1%}), "
            f"{first / len(asked):.1%} at the first attempt, {named} with the name as written"
        )
    print(f"{attempts} attempts; failed by rule: {dict(failures.most_common())}")


if __name__ == "__main__":
    main()
