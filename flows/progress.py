"""What people see while a run goes on: a live bar on a terminal, plain lines elsewhere, JSON lines on request."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from typing import Any, Protocol

import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.status import Status

from flows.tally import Tally
from tasks.commit import Commit
from tasks.plan.model import Shard
from tasks.refine import Outcome

PLAIN_SECONDS = 10.0
BAR_SECONDS = 0.1


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
        tell(
            "items",
            shard=shard.id,
            kind=shard.kind,
            accepted=len(outcome.accepted) + shard.reused,
            reused=shard.reused,
            shortfall=len(outcome.shortfall),
            made=outcome.made,
            refusals=outcome.refusals,
        )


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
        made=record.made,
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


class _Watcher:
    """What the two forms for people share: tallies by kind, and the lines that both print."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.tallies: dict[str, Tally] = {}
        self.shown = 0.0
        self.troubles: Counter[str] = Counter()

    def hear(self, event: str, details: dict[str, Any]) -> None:
        """Count, and show what is new."""
        if event == "plan":
            self._say(_plan_line(details))
            for reason in details["aside"]:
                self._say(f"  set aside: {reason}")
            if (more := details["quarantined"] - len(details["aside"])) > 0:
                self._say(f"  and {more:,} more; all stand in {details['rejected']}")
            self.tallies = {kind: Tally(kind, counts["requested"]) for kind, counts in details["kinds"].items()}
        elif event == "shards":
            for kind, counts in details["kinds"].items():
                self.tallies[kind].committed(**counts)
            self.begin()
        elif event in ("items", "shard") and details["kind"] in self.tallies:
            tally = self.tallies[details["kind"]]
            tally.update(details)
            if warning := tally.warning():
                self._say(warning)
            self.refresh(tally)
        elif event == "trouble" or event.startswith("engine "):
            self._trouble(event, details)
        elif event == "making" and details["fit"]:
            self._say("records: fitting a model to a source; its items come after")
        elif event == "reading":
            self.reading(details["rows"])
        elif event == "finished":
            self.stop()

    def begin(self) -> None:
        """Work begins."""

    def reading(self, rows: int) -> None:
        """So many spec rows were read."""

    def refresh(self, _: Tally, /) -> None:
        """Show that a tally has changed."""

    def stop(self) -> None:
        """Leave the terminal as it was."""

    def due(self, seconds: float) -> bool:
        """Whether it is time to show again."""
        now = time.monotonic()
        if now - self.shown < seconds:
            return False
        self.shown = now
        return True

    def _trouble(self, event: str, details: dict[str, Any]) -> None:
        """What went wrong and is being mended; of each sort the first few, lest a bad night fills the screen."""
        words = {
            "trouble": "storage: {reason} Trying again.",
            "engine hung": "engine: no answer for {seconds:.0f} s; killed, starting it again",
            "engine died": "engine: died ({reason}); starting it again",
            "engine isolated": "engine: request {id} breaks it and is given up ({reason})",
            "engine failed": "engine: failed for good ({reason})",
        }
        if event in words and self.troubles[event] < 5:
            self.troubles[event] += 1
            self._say(words[event].format(**details))

    def _say(self, line: str) -> None:
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)


class Plain(_Watcher):
    """A line now and then, no more often than people can read."""

    def refresh(self, _: Tally, /) -> None:
        """A line for every kind at work, when it is time or when all is done."""
        if self.due(PLAIN_SECONDS) or all(t.settled >= t.requested for t in self.tallies.values()):
            self._say(" | ".join(t.line() for t in self.tallies.values() if t.settled))


class Bar(_Watcher):
    """A live bar for every kind."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.bar = Progress(
            TextColumn("{task.description:>8}"),
            BarColumn(bar_width=32),
            TextColumn("{task.fields[counts]}"),
            console=console,
        )
        self.bars: dict[str, TaskID] = {}
        self.status: Status | None = console.status("Starting")
        self.status.start()

    def begin(self) -> None:
        """From the spinner to the bars."""
        self._end_status()
        for kind, tally in self.tallies.items():
            self.bars[kind] = self.bar.add_task(
                kind, total=tally.requested, completed=tally.settled, counts=tally.counts()
            )
        self.bar.start()

    def reading(self, rows: int) -> None:
        """So many spec rows were read."""
        if self.status:
            self.status.update(f"Reading specs: {rows:,} rows")

    def refresh(self, tally: Tally, /) -> None:
        """Move the bar."""
        if self.due(BAR_SECONDS) or tally.settled >= tally.requested:
            self.bar.update(self.bars[tally.kind], completed=tally.settled, counts=tally.counts())

    def stop(self) -> None:
        """Leave the terminal as it was."""
        self._end_status()
        for kind, bar in self.bars.items():
            self.bar.update(bar, completed=self.tallies[kind].settled, counts=self.tallies[kind].counts())
        self.bar.stop()

    def _end_status(self) -> None:
        if self.status:
            self.status.stop()
            self.status = None


def _plan_line(details: dict[str, Any]) -> str:
    verb = "Going on with" if details["resumed"] else "Planned"
    line = f"{verb} run {details['run_id']}: {details['items']:,} items in {details['shards']:,} shards"
    if details["reused"]:
        line += f", {details['reused']:,} made before"
    if details["quarantined"]:
        line += f", {details['quarantined']:,} spec rows set aside"
    return line
