"""The `pressrun` command: thin words around the flow and the tasks."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from flows import cli_specs, embedded
from flows.cli_support import (
    FAILURE,
    SHORTFALL,
    Dest,
    Json,
    Profile,
    RunUri,
    Sets,
    Specs,
    To,
    counted,
    guarded,
    look_ahead,
    settings_of,
    show_table,
    split_run,
    watching,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Batch content generation: job specs in Parquet → checked copy, images and records on object storage.",
    epilog="Exit codes: 0 all accepted, 3 shortfall or quarantined rows, 2 bad input or configuration, "
    "1 failure, 130 interrupted (what was committed stays; the same command goes on).",
)
cli_specs.add_to(app)


@app.command()
@guarded
def run(
    specs: Specs,
    to: To,
    run_id: Annotated[str | None, typer.Option(help="Names the run; default: made from content and settings.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the batch: latest/NAME.json will point here.")] = None,
    profile: Profile = "starter",
    runner: Annotated[str, typer.Option(help="Where shards run: threads.")] = "threads",
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the whole run.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many jobs.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first bad row.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Plan only.")] = False,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Hard cap on tokens.")] = None,
    retry_shortfall: Annotated[bool, typer.Option("--retry-shortfall", help="Try given-up items again.")] = False,
    json: Json = False,
    sets: Sets = None,
) -> int:
    """Make what the specs ask for, check it, store it."""
    if runner != "threads":
        raise ValueError(f"--runner {runner}: only threads is supported yet")
    if dry_run:
        return cli_specs.show_plan(specs, to, profile, sets, seed=seed, limit=limit, json=json)
    chosen = settings_of(profile, sets)
    look_ahead(specs, to, run_id=run_id, name=name)
    embedded.quiet()
    from flows.generate import generate

    with watching(json) as listener:
        embedded.start()
        state = generate(
            specs=specs,
            to=to,
            run_id=run_id,
            name=name,
            profile=profile,
            seed=seed,
            limit=limit,
            strict=strict,
            retry_shortfall=retry_shortfall,
            max_tokens=max_tokens,
            settings=chosen.model_dump(mode="json", exclude_unset=True),
            return_state=True,
        )
        # Without `_sync`, Prefect gives a coroutine where an event loop runs, as in a notebook.
        manifest: dict[str, Any] = state.result(_sync=True)  # type: ignore[call-overload]
    if not json:
        _say_finished(manifest, listener.report, to)
    return 0 if manifest["status"] == "complete" else SHORTFALL


@app.command()
@guarded
def fit(
    table: Annotated[str, typer.Argument(help="The real table: Parquet or CSV, a path or s3:// URI.")],
    to: To,
    fast: Annotated[bool, typer.Option("--fast", help="In about a quarter of the time, and less faithful.")] = False,
    privacy: Annotated[
        str, typer.Option(help="Fit under differential privacy: JSON as in a spec's privacy column, or its file.")
    ] = "",
    profile: Profile = "starter",
    sets: Sets = None,
) -> int:
    """Fit a record model once, to sample from later."""
    from tasks.fitting import fit as fit_table
    from tasks.kinds.base import Refused
    from tasks.store import open_store

    if privacy and not privacy.lstrip().startswith("{"):
        try:
            privacy = Path(privacy).read_text(encoding="utf-8")
        except OSError as error:
            reason = f"{privacy} is no JSON object, and as a file it cannot be read: {error.strerror}"
            raise Refused("privacy", reason) from error
    record = fit_table(table, open_store(to), settings_of(profile, sets), "fast" if fast else "default", privacy)
    if record.fitted is None:
        typer.echo(f"The fit failed; the reason stands in {to}/{record.run_id}/{record.rejected}", err=True)
        return FAILURE
    typer.echo(f"Fitted as {record.run_id} in {to}. Runs on this table that write there will sample from it.")
    if (spent := record.fitted.info.get("privacy")) is not None:
        typer.echo(
            f"Under differential privacy: ε = {spent['epsilon']:g}, δ = {spent['delta']:g}, {spent['relation']}."
        )
    return 0


@app.command()
@guarded
def impute(
    table: Annotated[str, typer.Argument(help="The table with nulls: Parquet or CSV, a path or s3:// URI.")],
    to: Annotated[str, typer.Option("--to", metavar="FILE", help="The Parquet file to write: a path or s3:// URI.")],
    columns: Annotated[str | None, typer.Option(help="Comma-separated; default: all that have nulls.")] = None,
    family: Annotated[str, typer.Option(help="What learns the table: auto, diffusion, bayes, independent.")] = "auto",
    draws: Annotated[int, typer.Option(min=1, max=1000, help="Completed tables, FILE-1, FILE-2, …")] = 1,
    profile: Profile = "starter",
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of fit and draws.")] = None,
    sets: Sets = None,
) -> int:
    """Fill the nulls of a table with what its other values make likely."""
    from tasks.filling import fill

    chosen = settings_of(profile, [*(sets or []), *([] if seed is None else [f"seed={seed}"])])
    wanted = [name.strip() for name in (columns or "").split(",") if name.strip()]
    done = fill(table, to, chosen, columns=wanted, family=family, draws=draws)
    if done.family is None:
        typer.echo("Nothing to fill.")
    else:
        show_table(("column", "filled", "of"), [(n, f"{c:,}", f"{done.rows:,}") for n, c in done.counts.items()])
        typer.echo(f"{counted(sum(done.counts.values()), 'value')} drawn by the family {done.family}")
    if done.empty:
        typer.echo(f"Left empty, for they hold no value to learn from: {', '.join(done.empty)}")
    if done.made_up:
        typer.echo(f"Made up in the manner of the others, for these texts hardly repeat: {', '.join(done.made_up)}")
    for file in done.files:
        typer.echo(f"Wrote {file}")
    return 0


@app.command()
@guarded
def train(
    starter: Annotated[str, typer.Argument(help="starter-copy or starter-image")],
    to: Annotated[Path | None, typer.Option("--to", help="Folder; default: the model that ships.")] = None,
    start: Annotated[Path | None, typer.Option("--start", help="Begin from the model in this folder.")] = None,
    smoke: Annotated[bool, typer.Option("--smoke", help="The same steps, in about a minute.")] = False,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> int:
    """Train a starter model, from nothing or from an earlier one."""
    from tasks.desk import STARTERS

    if starter not in STARTERS:
        raise ValueError(f"there is no starter model {starter!r}; choose {' or '.join(STARTERS)}")
    target = to or STARTERS[starter]
    if starter == "starter-copy":
        from tasks.starters.copy.train import train_starter_copy

        train_starter_copy(target, smoke=smoke, seed=seed, start=start)
    else:
        from tasks.starters.image.train import train_starter_image

        train_starter_image(target, smoke=smoke, seed=seed, start=start)
    return 0


@app.command()
@guarded
def runs(dest: Dest, json: Json = False) -> int:
    """The runs in a store, finished and unfinished."""
    from dataclasses import asdict

    from tasks.runs import runs as list_runs
    from tasks.store import open_store

    rows = []
    for one in list_runs(open_store(dest)):
        if json:
            typer.echo(orjson.dumps(asdict(one)).decode())
            continue
        accepted = f"{'–' if one.accepted is None else f'{one.accepted:,}'} of {one.requested:,}"
        when = (one.finished or "").partition(".")[0].replace("T", " ")
        rows.append((one.run_id, one.status, accepted, f"{one.shards_done:,} of {one.shards:,}", when))
    if rows:
        show_table(("run", "status", "accepted", "shards", "finished (UTC)"), rows)
    elif not json:
        typer.echo(f"no runs in {dest}")
    return 0


@app.command()
@guarded
def verify(run_uri: RunUri) -> int:
    """Check a run again: every object, hash, row count."""
    from tasks.store import open_store
    from tasks.verify import verify as verify_run

    dest, run_name = split_run(run_uri)
    found = verify_run(open_store(dest), run_name)
    for problem in found.problems:
        typer.echo(problem)
    state = "finished" if found.finished else "not finished"
    verdict = counted(len(found.problems), "problem") if found.problems else "clean"
    strays = counted(len(found.strays), "object")
    typer.echo(
        f"{found.run_id} ({state}): {counted(found.objects, 'object')}, {found.bytes:,} bytes: {verdict}"
        + (f"; {strays} that nothing refers to (see pressrun gc)" if found.strays else "")
    )
    return FAILURE if found.problems else 0


@app.command()
@guarded
def report(run_uri: RunUri) -> int:
    """Write a run's HTML report (again)."""
    import tempfile

    from tasks import report as reports
    from tasks.store import open_store

    dest, run_name = split_run(run_uri)
    with tempfile.TemporaryDirectory(prefix="pressrun-") as scratch:
        typer.echo(reports.write(open_store(dest), run_name, Path(scratch)))
    return 0


@app.command()
@guarded
def gc(
    dest: Dest,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    older_than_hours: Annotated[float, typer.Option(min=0, help="Spare what is younger.")] = 24.0,
) -> int:
    """Remove what no run refers to."""
    from tasks.gc import collect
    from tasks.store import open_store

    gone = collect(open_store(dest), older_than=timedelta(hours=older_than_hours), dry_run=dry_run)
    for key in gone:
        typer.echo(key)
    typer.echo(f"{counted(len(gone), 'object')} {'would be ' if dry_run else ''}removed")
    return 0


def _say_finished(manifest: dict[str, Any], page: str | None, to: str) -> None:
    from flows.artifacts import in_a_line

    typer.echo(f"{manifest['run_id']}: {in_a_line(manifest)}.")
    if manifest["status"] == "shortfall":
        typer.echo(f"Reasons: {to.rstrip('/')}/{manifest['run_id']}/rejected")
    if page:
        typer.echo(f"Report: {page}")


def main() -> None:
    """Entry point of the `pressrun` command."""
    app()
