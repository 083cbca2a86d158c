"""The commands about specs and plans: nothing here makes or stores anything that lasts."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from flows.cli_support import BAD_INPUT, SHORTFALL, Profile, Sets, Specs, To, guarded, settings_of

console = Console()
specs_app = typer.Typer(no_args_is_help=True, help="The columns of job specs, examples, and imports.")


def add_to(app: typer.Typer) -> None:
    """Register these commands."""
    app.command()(check)
    app.command()(plan)
    app.command()(preview)
    app.add_typer(specs_app, name="specs")


@guarded
def check(specs: Specs, json: Annotated[bool, typer.Option("--json")] = False) -> int:
    """Every problem of a spec file, with row, column and a suggestion."""
    from tasks.specs import check as check_specs

    problems = 0
    file_error = False
    with tempfile.TemporaryDirectory(prefix="pressrun-") as scratch:
        for problem in check_specs(specs, scratch=Path(scratch)):
            problems += 1
            file_error |= problem.row == 0
            console.print(orjson.dumps(problem).decode() if json else str(problem), highlight=False, markup=False)
    if not json:
        console.print("no problems found" if not problems else f"{problems} problems")
    return BAD_INPUT if file_error else SHORTFALL if problems else 0


@guarded
def plan(
    specs: Specs,
    to: To,
    profile: Profile = "starter",
    seed: Annotated[int | None, typer.Option(min=0)] = None,
    limit: Annotated[int | None, typer.Option(min=1)] = None,
    json: Annotated[bool, typer.Option("--json")] = False,
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
        print(orjson.dumps({"run_id": planned.run_id, **planned.totals(), "forecast": expected}).decode())
    else:
        table = Table("kind", "items", "made before", "to make", "forecast", box=None, pad_edge=False)
        for kind, counts in planned.items.items():
            seconds = expected.get(kind)
            table.add_row(
                kind,
                str(counts.requested),
                str(counts.reused),
                str(counts.requested - counts.reused),
                "no earlier run to go by" if seconds is None else f"about {seconds:,.0f} s of work",
            )
        console.print(table)
        console.print(f"{len(planned.shards)} shards, run {planned.run_id}; {draft.quarantined} rows set aside")
    return SHORTFALL if draft.quarantined else 0


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
    if any(target.iterdir()):
        console.print(f"Files: {target}", highlight=False)
    elif keep is None:
        target.rmdir()
    return 0


def _show_row(row: dict[str, Any]) -> None:
    title = f"{row['job_id']} · {row['variant']}"
    if "rule" in row:
        console.print(f"{title} · refused by {row['rule']}: {row['reason']}", markup=False, highlight=False)
        return
    console.print(title, style="bold")
    for name in ("fields", "uri", "files"):
        for value in [row[name]] if isinstance(row.get(name), str) else row.get(name) or []:
            text = f"{value['name']}: {value['text']}" if isinstance(value, dict) else value
            console.print(f"  {text}", markup=False, highlight=False)


@specs_app.command("schema")
@guarded
def schema(kind: str) -> int:
    """The spec columns of a kind as JSON schema."""
    from tasks.specs import schema as schema_of

    print(orjson.dumps(schema_of(kind), option=orjson.OPT_INDENT_2).decode())
    return 0


@specs_app.command("template")
@guarded
def template(
    kind: str, output: Annotated[Path, typer.Option("-o", help="Where to write.")] = Path("specs.parquet")
) -> int:
    """An example Parquet of a kind."""
    from tasks.specs import template as write_template

    write_template(kind, output)
    console.print(f"Wrote {output}", highlight=False)
    return 0


@specs_app.command("import")
@guarded
def import_(
    file: Path,
    form: Annotated[str, typer.Option("--as", help="shopify or google-merchant")],
    output: Annotated[Path, typer.Option("-o", help="Where to write.")],
    channels: Annotated[str, typer.Option(help="Comma-separated channels.")] = "product_page,social",
    variants: Annotated[int, typer.Option(min=1, max=1000, help="Texts per product and channel.")] = 3,
) -> int:
    """A product catalogue as copy and image jobs."""
    from tasks.specs import import_catalogue

    summary = import_catalogue(file, form, output, channels=tuple(channels.split(",")), variants=variants)
    console.print(summary, highlight=False, markup=False)
    return 0
