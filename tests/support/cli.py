"""The `pressrun` command in this process: as a user types it, without the seconds that a new interpreter takes."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from flows.cli import app

ROOT = Path(__file__).parents[2]
TINY = tuple(
    part
    for setting in (
        *(f"engines.{kind}=tests.support.engines:mixed" for kind in ("copy", "image", "records")),
        "copy_model=table",
        "image_model=table",
    )
    for part in ("--set", setting)
)
COPY = {"kind": "copy", "channel": "social", "product_name": "Harbour Mug"}


def pressrun(*arguments: object) -> Any:
    """Run a command; its exit code, stdout and stderr."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def command(*arguments: object) -> list[str]:
    """The same as a command line for a process of its own, started in the repository's root."""
    return [sys.executable, "-c", "from flows.cli import main; main()", *map(str, arguments)]


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of such a process, with Prefect's state under `home`."""
    return {**os.environ, "PREFECT_HOME": str(home), "PYTHONPATH": str(ROOT), **more}


def write_jobs(path: Path, *jobs: dict[str, Any]) -> Path:
    """A spec file of JSON lines."""
    path.write_text("\n".join(json.dumps(job) for job in jobs), "utf-8")
    return path


def copy_jobs(path: Path, number: int) -> Path:
    """A spec file of `number` copy jobs."""
    rows = ({**COPY, "job_id": f"mug-{n}", "product_name": f"Mug {'ABCDEFGHIJ'[n % 10]}{n}"} for n in range(number))
    return write_jobs(path, *rows)


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
