"""What people see while a run goes on: a live bar on a terminal, plain lines elsewhere, JSON lines on request."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any, Protocol

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from tasks.commit import Commit
from tasks.plan.model import Shard
from tasks.refine import Outcome

PLAIN_SECONDS = 10.0


class Listener(Protocol):
    """Somebody who watches a run."""

    def hear(self, event: str, details: dict[str, Any]) -> None:
        """Something happened."""


_listeners: list[Listener] = []
_lock = threading.Lock()


def attach(listener: Listener) -> None:
    """Let `listener` hear what happens in this process from now on."""
    _listeners.append(listener)


def detach(listener: Listener) -> None:
    """Stop telling `listener`."""
    _listeners.remove(listener)


def tell(event: str, **details: Any) -> None:
    """Tell everybody who listens."""
    with _lock:
        for listener in _listeners:
            listener.hear(event, details)


def shard_progress(shard: Shard, outcome: Outcome) -> None:
    """A shard in the making has judged one more candidate."""
    if _listeners:
        tell("items", shard=shard.id, kind=shard.kind, accepted=len(outcome.accepted) + shard.reused, made=outcome.made)


def shard_done(record: Commit) -> None:
    """A shard was committed."""
    tell(
        "shard",
        shard=record.shard,
        kind=record.kind,
        requested=record.requested,
        accepted=record.accepted,
        reused=record.reused,
        shortfall=len(record.shortfall),
        refusals=record.refusals,
        seconds=record.seconds,
        tokens=record.tokens,
    )


class JsonLines:
    """One JSON object a line on standard output."""

    def hear(self, event: str, details: dict[str, Any]) -> None:
        """Write the event, except the many about single items."""
        if event != "items":
            sys.stdout.buffer.write(orjson.dumps({"event": event, **details}, default=str) + b"\n")
            sys.stdout.buffer.flush()


class Plain:
    """A line per shard, no more often than people can read."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.last = 0.0
        self.shards: dict[str, int] = {}
        self.total = 0

    def hear(self, event: str, details: dict[str, Any]) -> None:
        """Write a line."""
        if event == "plan":
            self.total = details["items"]
            self.console.print(_plan_line(details), highlight=False, soft_wrap=True)
        elif event in ("items", "shard"):
            self.shards[details["shard"]] = details["accepted"]
            now = time.monotonic()
            if event == "shard" or now - self.last >= PLAIN_SECONDS:
                self.last = now
                self.console.print(
                    f"{sum(self.shards.values())} of {self.total} items accepted", highlight=False, soft_wrap=True
                )
        elif event.startswith("engine ") and event != "engine opened":
            self.console.print(f"{event}: {details}", highlight=False, soft_wrap=True)


class Bar:
    """A live bar for every kind."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.bar = Progress(
            TextColumn("{task.description:>8}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
        )
        self.bars: dict[str, TaskID] = {}
        self.shards: dict[str, tuple[str, int]] = {}

    def hear(self, event: str, details: dict[str, Any]) -> None:
        """Move the bars."""
        if event == "plan":
            self.console.print(_plan_line(details), highlight=False, soft_wrap=True)
            for kind, counts in details["kinds"].items():
                self.bars[kind] = self.bar.add_task(kind, total=counts["requested"])
            self.bar.start()
        elif event in ("items", "shard"):
            self.shards[details["shard"]] = details["kind"], details["accepted"]
            done = sum(n for kind, n in self.shards.values() if kind == details["kind"])
            self.bar.update(self.bars[details["kind"]], completed=done)
        elif event.startswith("engine ") and event != "engine opened":
            self.console.print(f"{event}: {details}", highlight=False, soft_wrap=True)
        elif event == "finished":
            self.bar.stop()

    def stop(self) -> None:
        """Leave the terminal as it was."""
        self.bar.stop()


def _plan_line(details: dict[str, Any]) -> str:
    verb = "Going on with" if details["resumed"] else "Planned"
    return (
        f"{verb} run {details['run_id']}: {details['items']} items in {details['shards']} shards, "
        f"{details['reused']} made before, {details['quarantined']} rows set aside"
    )
