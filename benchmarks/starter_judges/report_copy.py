"""The copy part of `benchmarks.starters`: runs the model over held-out jobs and catalogues and prints the tables."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.starter_judges import copywriting, grammar
from benchmarks.starter_judges.copywriting import Measure
from benchmarks.starter_judges.heldout import Spec, heldout_specs
from benchmarks.starter_judges.writing import Item, plain_speed, write
from models.text import engine as text_engine
from tasks.kinds.copy.job import CopyJob
from tasks.kinds.copy.kind import CRITIC, READER
from tasks.specs.shopify import import_shopify

CHANNELS = ("product_page", "social")
HELD_OUT, TOGETHER = "held-out jobs", "catalogues together"
BATCH = 32
_SHOWN_FINDINGS = 12
_PLANTED = 150


def report_copy(args: argparse.Namespace) -> None:
    """Print every table of the copy models in `args.copy_model`, and side by side where there are several."""
    checker = grammar.harper_folder()
    if checker is None:
        print(f"no grammar checker: `npm install --prefix build/harper harper.js@{grammar.VERSION}` installs it")
    found = {folder: _report_model(folder, number, checker, args) for number, folder in enumerate(args.copy_model, 1)}
    if len(found) > 1:
        for name in found[args.copy_model[0]]:
            print(f"\n{name}, side by side: " + " | ".join(map(str, found)))
            for rows in zip(*(tables[name] for tables in found.values()), strict=True):
                print(f"  {rows[0].name:<64}" + "".join(f"{row.shown:>9}" for row in rows) + f"   {rows[0].target}")


def _report_model(
    folder: Path, number: int, checker: Path | None, args: argparse.Namespace
) -> dict[str, list[Measure]]:
    """Print one model's tables; the measures by set of jobs. All texts go to `args.out`, those best ranked first."""
    print(f"\n# starter-copy: {folder}, seed {args.seed}", flush=True)
    read = {} if args.unread else {"reader": READER, "critic": CRITIC, "drafts": args.drafts}
    engine = text_engine.open(str(folder), "cpu", "float32", batch_size=BATCH, **read)
    held_out = heldout_specs(args.specs, args.seed, args.variants)
    written = {HELD_OUT: _write(engine, HELD_OUT, held_out, args)}
    for path in args.catalogue:
        name = f"catalogue {path.stem}"
        written[name] = _write(engine, name, catalogue_specs(path, args.variants), args)
    if len(args.catalogue) > 1:
        written[TOGETHER] = [item for name, items in written.items() if name != HELD_OUT for item in items]
    tables = {}
    for name, items in written.items():
        errors = None if checker is None else grammar.check([(i.job, i.first.fields) for i in items], checker)
        tables[name] = _print_set(name, items, errors, args)
        if name in (TOGETHER, HELD_OUT) or len(args.catalogue) < 2:
            order = copywriting.ranked(items, errors)
            _print_samples(name, order, args.samples)
            with (args.out / f"texts-{number}-{name.split()[0]}.jsonl").open("w", encoding="utf-8") as file:
                file.writelines(_as_json(score, item) + "\n" for score, item in order)
    if checker is not None:
        sound = [(item.job, item.first.fields) for item in written[HELD_OUT] if item.first.accepted]
        shares = grammar.planted(sound[:_PLANTED], checker, args.seed)
        print("\nErrors planted in accepted texts that the checker finds: ", end="")
        print(", ".join(f"{kind} {share:.0%} of {count}" for kind, count, share in shares))
    print("\nCorrections of the model's own texts: obeyed, and by chance without the correction")
    for kind, cases, obeyed, chance in copywriting.takes_correction(engine, written[HELD_OUT], args.seed):
        print(f"  {kind:<20}{obeyed:>8.1%}{chance:>8.1%}  of {cases}")
    engine.close()
    _print_speed(folder, held_out, args.threads)
    return tables


def catalogue_specs(path: Path, variants: int) -> list[Spec]:
    """A Shopify export's copy jobs, as `pressrun specs import --as shopify` makes them."""
    rows = import_shopify(path).jobs(CHANNELS, variants)
    return [
        Spec(CopyJob(**{key: value for key, value in row.items() if value is not None and not key.startswith("meta_")}))
        for row in rows
        if row["kind"] == "copy"
    ]


def _write(engine: Any, name: str, specs: Sequence[Spec], args: argparse.Namespace) -> list[Item]:
    if args.temperature is not None:
        specs = [
            Spec(spec.job.model_copy(update={"temperature": args.temperature}), spec.feedback, spec.traits)
            for spec in specs
        ]
    items, cost = write(engine, specs, args.seed, args.attempts, strict=args.drafts > 1)
    print(
        f"\n{name}: {len(specs)} jobs × {args.variants} variants; {cost.tokens:,} tokens by the engine on one thread, "
        f"{cost.tokens / cost.wall:,.0f}/s, {cost.tokens / cost.cpu:,.0f} per CPU second",
        flush=True,
    )
    return items


def _print_set(
    name: str, items: Sequence[Item], found: Sequence[list[grammar.Finding]] | None, args: argparse.Namespace
) -> list[Measure]:
    print(f"\n{name}, first attempts")
    rows = copywriting.measures(items, found)
    for row in rows:
        print(f"  {row}")
    if args.attempts > 1:
        share = sum(item.accepted for item in items) / len(items)
        print(f"  {f'accepted within {args.attempts} attempts':<58}{share:>8.1%}  {f'of {len(items):,}':>10}")
    refused = ", ".join(f"{rule} {count}" for rule, count in copywriting.refusals(items))
    print(f"  refused by: {refused or 'none'}")
    groups = copywriting.by_group(items, lambda item: [str(item.job.channel)])
    print("  by channel: " + ", ".join(f"{group} {share:.0%}" for group, _, share in groups))
    hard = copywriting.by_group(items, lambda item: sorted(item.spec.traits))
    if hard:
        print("  hard cases: " + ", ".join(f"{group} {share:.0%} of {count}" for group, count, share in hard))
    if found is not None:
        kinds = Counter(finding.kind for one in found for finding in one)
        print("  grammar: " + (", ".join(f"{kind} {count}" for kind, count in kinds.most_common()) or "none"))
        common = Counter((finding.message, finding.passage) for one in found for finding in one)
        for (message, passage), count in common.most_common(_SHOWN_FINDINGS if args.samples else 0):
            print(f"    {count} × “{passage}”: {message}")
    return rows


def _print_samples(name: str, order: Sequence[tuple[float, Item]], count: int) -> None:
    if not count:
        return
    half = -(-count // 2)
    print(f"\n{name}: the {half} best, the {half} worst\n{(copywriting.ranked.__doc__ or '').strip()}")
    for score, item in [*order[:half], *order[-half:]]:
        job = item.job
        print(f"\n[{score:.2f}] {job.job_id} #{item.variant} {job.channel}, failed: {item.first.failed or 'nothing'}")
        print("  job: " + json.dumps(_asked(item), ensure_ascii=False))
        for field_name, text in item.first.fields.items():
            print(f"  {field_name or 'raw'}: {text}")
        for reason in item.first.reasons:
            print(f"  ! {reason}")


def _asked(item: Item) -> dict[str, object]:
    job = item.job
    asked = {
        "name": job.product_name, "brand": job.brand_name, "features": job.features, "facts": job.facts,
        "audience": job.audience, "tone": job.tone, "include": job.must_include, "avoid": job.must_avoid,
        "max": job.max_chars, "corrections": item.spec.feedback,
    }  # fmt: skip
    return {key: value for key, value in asked.items() if value}


def _as_json(score: float, item: Item) -> str:
    told = {"job": item.job.job_id, "variant": item.variant, "channel": item.job.channel, "score": round(score, 3)}
    first = {"failed": item.first.failed, "fields": item.first.fields}
    return json.dumps({**told, **first, "asked": _asked(item)}, ensure_ascii=False)


def _print_speed(folder: Path, specs: Sequence[Spec], threads: int) -> None:
    torch.set_num_threads(threads)
    cost = plain_speed(folder, specs, batch=BATCH)
    torch.set_num_threads(1)
    print(
        f"\nspeed: {cost.tokens / cost.wall:,.0f} tokens/s, {cost.tokens / cost.cpu:,.0f} per CPU second: `generate` "
        f"of transformers, batches of {BATCH}, sampling, threads: {threads}, float32 (≥ 600)",
        flush=True,
    )
