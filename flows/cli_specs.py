"""The commands about specs and plans: nothing here makes or stores anything that lasts."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from flows.cli_support import (
    BAD_INPUT,
    SHORTFALL,
    Json,
    Profile,
    Sets,
    Specs,
    To,
    counted,
    guarded,
    settings_of,
    show_table,
)
from flows.tally import duration

if TYPE_CHECKING:  # `--help` should not wait for Arrow
    from tasks.plan.model import Plan

Kind = Annotated[str, typer.Argument(help="copy, image or records.")]
specs_app = typer.Typer(no_args_is_help=True, help="The columns of job specs, examples, and imports.")


def add_to(app: typer.Typer) -> None:
    """Register these commands."""
    app.command()(check)
    app.command()(plan)
    app.command()(preview)
    app.add_typer(specs_app, name="specs")


@guarded
def check(specs: Specs, json: Json = False) -> int:
    """Every problem of a spec file, with row, column and a suggestion."""
    from tasks.specs import check as check_specs

    problems = 0
    file_error = False
    with tempfile.TemporaryDirectory(prefix="pressrun-") as scratch:
        for problem in check_specs(specs, scratch=Path(scratch)):
            problems += 1
            file_error |= problem.row == 0
            typer.echo(orjson.dumps(problem).decode() if json else str(problem))
    if not json:
        typer.echo(counted(problems, "problem") if problems else "no problems found")
    return BAD_INPUT if file_error else SHORTFALL if problems else 0


@guarded
def plan(
    specs: Specs,
    to: To,
    profile: Profile = "starter",
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the whole run.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many jobs.")] = None,
    json: Json = False,
    sets: Sets = None,
) -> int:
    """What a run would do: items, shards, reused, forecast."""
    return show_plan(specs, to, profile, sets, seed=seed, limit=limit, json=json)


def show_plan(
    specs: list[str],
    to: str,
    profile: str,
    sets: list[str] | None,
    *,
    seed: int | None,
    limit: int | None,
    json: bool,
) -> int:
    """Print what a run would do; store nothing."""
    from tasks.begin import foresee
    from tasks.forecast import forecast
    from tasks.store import open_store

    chosen = settings_of(profile, [*(sets or []), *([] if seed is None else [f"seed={seed}"])])
    store = open_store(to)
    planned, draft = foresee(specs, store, chosen, limit=limit)
    expected = forecast(store, planned)
    if json:
        totals = planned.totals()
        typer.echo(
            orjson.dumps({"run_id": planned.run_id, **totals, "aside": draft.aside, "forecast": expected}).decode()
        )
    else:
        if planned.items:
            show_table(("kind", "items", "made before", "to make", "forecast"), list(_forecasts(planned, expected)))
        typer.echo(f"{counted(len(planned.shards), 'shard')}, run {planned.run_id}")
        for reason in draft.aside:
            typer.echo(f"set aside: {reason}")
        if (more := draft.quarantined - len(draft.aside)) > 0:
            typer.echo(f"and {more:,} more")
    return SHORTFALL if draft.quarantined else 0


def _forecasts(planned: Plan, expected: dict[str, float | None]) -> Iterator[tuple[str, ...]]:
    for kind, counts in planned.items.items():
        new, seconds = counts.requested - counts.reused, expected.get(kind)
        told = "nothing to make" if not new else "no earlier run to go by" if seconds is None else ""
        work = told or f"about {duration(seconds or 0.0)} of work"
        yield kind, f"{counts.requested:,}", f"{counts.reused:,}", f"{new:,}", work


@guarded
def preview(
    specs: Specs,
    number: Annotated[int, typer.Option("-n", min=1, max=100, help="How many jobs.")] = 3,
    keep: Annotated[Path | None, typer.Option(help="Folder for the pictures and data sets.")] = None,
    profile: Profile = "starter",
    sets: Sets = None,
) -> int:
    """A few items, made and shown at once, nothing stored."""
    from tasks.preview import preview as make_preview

    target = keep or Path(tempfile.mkdtemp(prefix="pressrun-preview-"))
    for row in make_preview(specs, settings_of(profile, sets), jobs=number, keep=target):
        _show_row(row)
    if target.exists() and any(target.iterdir()):
        typer.echo(f"Files: {target}")
    elif keep is None:
        target.rmdir()
    return 0


def _show_row(row: dict[str, Any]) -> None:
    if "aside" in row:
        typer.echo(f"set aside: {row['aside']}")
        return
    title = f"{row['job_id']} · {row['variant']}"
    if "rule" in row:
        typer.echo(f"{title} · refused by {row['rule']}: {row['reason']}")
        return
    typer.secho(title, bold=True)
    for name in ("fields", "uri", "files"):
        for value in [row[name]] if isinstance(row.get(name), str) else row.get(name) or []:
            text = f"{value['name']}: {value['text']}" if isinstance(value, dict) else value
            typer.echo(f"  {text}")


@specs_app.command("schema")
@guarded
def schema(kind: Kind) -> int:
    """The spec columns of a kind as JSON schema."""
    from tasks.specs import schema as schema_of

    typer.echo(orjson.dumps(schema_of(kind), option=orjson.OPT_INDENT_2).decode())
    return 0


@specs_app.command("template")
@guarded
def template(
    kind: Kind, output: Annotated[Path, typer.Option("-o", help="Where to write.")] = Path("specs.parquet")
) -> int:
    """An example Parquet of a kind."""
    from tasks.specs import template as write_template

    if output.exists():
        raise ValueError(f"{output} stands already. Name another file with -o")
    write_template(kind, output)
    typer.echo(f"Wrote {output}")
    return 0


@specs_app.command("import")
@guarded
def import_(
    file: Annotated[str, typer.Argument(help="The catalogue's export: a path or s3:// URI.")],
    form: Annotated[str, typer.Option("--as", help="shopify or google-merchant")],
    output: Annotated[Path, typer.Option("-o", help="Where to write.")],
    channels: Annotated[str, typer.Option(help="Comma-separated channels.")] = "product_page,social",
    variants: Annotated[int, typer.Option(min=1, max=1000, help="Texts per product and channel.")] = 3,
    currency: Annotated[str, typer.Option(help="Goes before Shopify's prices, which have none.")] = "$",
) -> int:
    """A product catalogue as copy and image jobs."""
    from tasks.specs import import_catalogue

    wanted = tuple(channel.strip() for channel in channels.split(",") if channel.strip())
    typer.echo(import_catalogue(file, form, output, channels=wanted, variants=variants, currency=currency))
    return 0
