"""What the commands share: their common options, errors as exit codes, who watches a run."""

from __future__ import annotations

import functools
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from tasks.settings import Settings, SettingsError, load, parse_overrides

FAILURE, BAD_INPUT, SHORTFALL, INTERRUPTED = 1, 2, 3, 130

Specs = Annotated[list[str], typer.Argument(help="Spec files: Parquet, CSV or JSON lines; paths or s3:// URIs.")]
To = Annotated[str, typer.Option("--to", help="Where outputs go: a folder or s3://bucket/prefix.")]
Dest = Annotated[str, typer.Argument(help="A store: a folder or s3://bucket/prefix.")]
RunUri = Annotated[str, typer.Argument(metavar="DEST/RUN", help="A run in its store, such as out/nightly-2026-11-21.")]
Profile = Annotated[str, typer.Option(help="Named set of settings: starter, gpu.")]
Sets = Annotated[list[str] | None, typer.Option("--set", help="One setting, KEY=VALUE; may be repeated.")]
Json = Annotated[bool, typer.Option("--json", help="JSON lines on standard output.")]


def settings_of(profile: str, sets: list[str] | None) -> Settings:
    """The settings of a profile with `--set` on top."""
    return load(profile, parse_overrides(sets or []))


def guarded(command: Callable[..., int]) -> Callable[..., None]:
    """A command whose result is its exit code, and whose errors are a message and an exit code."""

    @functools.wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        try:
            code = command(*args, **kwargs)
        except KeyboardInterrupt:
            _complain("Interrupted. What was committed stays; the same command goes on from there.")
            code = INTERRUPTED
        except BrokenPipeError:
            # Whoever read our output has seen enough, as `head` does; what is still buffered has nowhere to go.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = FAILURE
        except Exception as error:
            code = _exit_code(error)
            if code == FAILURE and os.environ.get("PRESSRUN_TRACEBACK"):
                raise
            _complain(f"{error}" if code == BAD_INPUT or _ours(error) else _unforeseen(error))
        raise typer.Exit(code)

    return wrapper


def _exit_code(error: Exception) -> int:
    from models.folder import ModelError
    from models.host import CannotOpen
    from tasks.kinds.base import Refused
    from tasks.plan.freeze import PlanConflict
    from tasks.specs import SpecError
    from tasks.store import AccessDenied, NoSuchBucket, NotFound, StoreError, Transient

    bad_input = (
        SpecError, SettingsError, PlanConflict, Refused, ModelError, CannotOpen, AccessDenied, NoSuchBucket, NotFound,
    )  # fmt: skip
    if isinstance(error, Transient):
        return FAILURE
    if isinstance(error, bad_input) or type(error) is StoreError:
        return BAD_INPUT
    return BAD_INPUT if isinstance(error, ValueError) and _raised_here(error) else FAILURE


def _ours(error: Exception) -> bool:
    """Whether the error was made here, and so is a sentence for people."""
    return _is_own(type(error).__module__)


def _raised_here(error: Exception) -> bool:
    """Whether our own code raised the error. What a library chokes on is a failure, not somebody's bad input."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return last is not None and _is_own(last.tb_frame.f_globals.get("__name__", ""))


def _is_own(module: str) -> bool:
    return module.partition(".")[0] in ("flows", "tasks", "models")


def _unforeseen(error: Exception) -> str:
    return f"{type(error).__name__}: {error} (PRESSRUN_TRACEBACK=1 shows where)"


def _complain(message: str) -> None:
    typer.echo(message, err=True)


def counted(number: int, thing: str) -> str:
    """`1 problem`, `2 problems`."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


def show_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns under their names, as wide as they need to be: nothing is cut or wrapped where output is piped."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def split_run(uri: str) -> tuple[str, str]:
    """`DEST/RUN` as store and run id."""
    dest, _, run = uri.rstrip("/").rpartition("/")
    if not run or dest.endswith(":/"):
        raise ValueError(f"{uri!r}: expected DEST/RUN, as in out/nightly-2026-11-21 or s3://bucket/prefix/RUN")
    return dest or ".", run


def look_ahead(specs: Sequence[str], to: str, *, run_id: str | None, name: str | None) -> None:
    """Raise for what can be seen to be wrong at a glance: names, spec files and their headers, a store out of reach.

    Prefect takes seconds to start; a typing error should not.
    """
    from tasks.begin import check_run_id
    from tasks.manifest import batch_name
    from tasks.specs.reading import open_all
    from tasks.store import NotFound, is_s3, open_store
    from tasks.store.source import exists

    if run_id is not None:
        check_run_id(run_id.replace("{date}", "2000-01-01"))
    if name is not None:
        batch_name(name)
    store = open_store(to)
    if local := [spec for spec in specs if not is_s3(spec)]:
        with tempfile.TemporaryDirectory(prefix="pressrun-") as scratch:
            open_all(local, Path(scratch))
    for spec in specs:
        if is_s3(spec) and not exists(spec):
            raise NotFound(f"{spec}: there is no such object. Check the URI")
    next(iter(store.list("latest/")), None)


class _Remembering:
    """Keeps what the last event said of the report."""

    report: str | None = None

    def hear(self, event: str, details: dict[str, Any]) -> None:
        """Note where the report is."""
        if event == "finished":
            self.report = details["report"]


@contextmanager
def watching(json: bool) -> Iterator[_Remembering]:
    """Show a run's progress in the form that suits who is watching."""
    from flows import progress

    memory = _Remembering()
    people = progress.Bar if sys.stdout.isatty() else progress.Plain
    shown: progress.Listener = progress.JsonLines() if json else people(Console())
    listeners: list[progress.Listener] = [memory, shown]
    for listener in listeners:
        progress.attach(listener)
    try:
        yield memory
    finally:
        for listener in listeners:
            progress.detach(listener)
        if isinstance(shown, progress.Bar):
            shown.stop()
