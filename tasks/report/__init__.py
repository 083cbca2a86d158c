"""The run's report: one HTML page made from the store alone."""

from __future__ import annotations

from pathlib import Path

from tasks.report.gather import gather
from tasks.report.render import render
from tasks.store import Store


def write(store: Store, run_id: str, scratch: Path) -> str:
    """Write `RUN/report/index.html` and return its URI. May be called again, and for a run that is not finished.

    Raises `tasks.store.NotFound` when there is no such run. `scratch` is a folder for downloads, left as it was.
    """
    key = f"{run_id}/report/index.html"
    store.put(key, render(gather(store, run_id, scratch)))
    return store.join(key)
