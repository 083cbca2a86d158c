"""The workshop: what the shards of one run share in one process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from models.host import EngineProcess
from tasks.desk import LocalDesk
from tasks.engines import EnginePool
from tasks.plan.freeze import planned_jobs
from tasks.plan.model import Plan, PlannedJob, Shard
from tasks.refine import Outcome
from tasks.store import Store, StoreError
from tasks.store.source import digest


class Clock:
    """Seconds of work on a shard: the time since it was made, less what was spent waiting for an engine."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    @contextmanager
    def waiting_for(self, opening: AbstractContextManager[EngineProcess]) -> Iterator[EngineProcess]:
        """Enter `opening`; how long that takes does not count."""
        asked = time.monotonic()
        with opening as engine:
            self._started += time.monotonic() - asked
            yield engine

    @property
    def seconds(self) -> float:
        """Seconds of work so far."""
        return round(time.monotonic() - self._started, 3)


@dataclass(slots=True)
class Workshop:
    """What shards of one run share in one process."""

    store: Store
    plan: Plan
    desk: LocalDesk
    engines: EnginePool
    on_progress: Callable[[Shard, Outcome], None] | None = None
    check_lease: Callable[[], None] | None = None
    """Raises when this process may no longer write to the run."""
    _partitions: dict[int, Path] = field(default_factory=dict)

    def jobs(self, shard: Shard) -> Iterator[PlannedJob]:
        """The planned jobs of a shard; its partition file is fetched once."""
        if shard.partition not in self._partitions:
            stored = self.plan.partitions[shard.partition]
            path = self.desk.scratch / Path(stored.key).name
            self.fetch(stored.key, stored.sha256, path)  # two threads may both do so: the file appears whole
            self._partitions[shard.partition] = path
        return planned_jobs(self._partitions[shard.partition], shard)

    def fetch(self, key: str, sha256: str, path: Path) -> None:
        """Bring an object of the run to the file `path`; what is not what was written is an error."""
        self.store.download(f"{self.plan.run_id}/{key}", path)
        if digest(path) != sha256:
            raise StoreError(
                f"{self.store.join(f'{self.plan.run_id}/{key}')} is not what the run wrote. Restore it, or start "
                "another run with a new --run-id."
            )
