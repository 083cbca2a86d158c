"""What the commands share: their common options, errors as exit codes, who watches a run."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console

from tasks.settings import Settings, SettingsError, load, parse_overrides

OK, FAILURE, BAD_INPUT, SHORTFALL, INTERRUPTED = 0, 1, 2, 3, 130

Specs = Annotated[list[str], typer.Argument(help="Spec files: Parquet, CSV or JSON lines; paths or s3:// URIs.")]
To = Annotated[str, typer.Option("--to", help="Where outputs go: a folder or s3://bucket/prefix.")]
Profile = Annotated[str, typer.Option(help="Named set of settings: starter, gpu.")]
Sets = Annotated[list[str] | None, typer.Option("--set", help="One setting, KEY=VALUE; may be repeated.")]

_errors = Console(stderr=True)


def settings_of(profile: str, sets: list[str] | None) -> Settings:
    """The settings of a profile with `--set` on top."""
    return load(profile, parse_overrides(sets or []))


def guarded(command: Callable[..., int]) -> Callable[..., int]:
    """Turn what went wrong into a message and an exit code."""

    @functools.wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> int:
        try:
            return command(*args, **kwargs)
        except KeyboardInterrupt:
            _say("Interrupted. What was committed stays; the same command goes on from there.")
            return INTERRUPTED
        except Exception as error:
            code = _exit_code(error)
            if code == FAILURE and os.environ.get("PRESSRUN_TRACEBACK"):
                raise
            _say(f"{error}" if code == BAD_INPUT else f"{type(error).__name__}: {error}")
            return code

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
        ValueError,
    )  # fmt: skip
    if isinstance(error, Transient):
        return FAILURE
    return BAD_INPUT if isinstance(error, bad_input) or type(error) is StoreError else FAILURE


def _say(message: str) -> None:
    _errors.print(message, highlight=False, markup=False, soft_wrap=True)


def split_run(uri: str) -> tuple[str, str]:
    """`DEST/RUN` as store and run id."""
    dest, _, run = uri.rstrip("/").rpartition("/")
    if not run or dest.endswith(":/"):
        raise ValueError(f"{uri!r}: expected DEST/RUN, as in out/nightly-2026-11-21 or s3://bucket/prefix/RUN")
    return dest or ".", run


def quiet_prefect() -> None:
    """Leave the terminal to our own progress, unless the user asked Prefect to talk."""
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "ERROR")
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")


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

    console = Console(stderr=not sys.stdout.isatty())
    bar = progress.Bar(console) if not json and sys.stdout.isatty() else None
    memory = _Remembering()
    listeners = [memory, bar or (progress.JsonLines() if json else progress.Plain(Console()))]
    for listener in listeners:
        progress.attach(listener)
    try:
        yield memory
    finally:
        for listener in listeners:
            progress.detach(listener)
        if bar is not None:
            bar.stop()
