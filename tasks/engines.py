"""Engines at work: child processes kept warm between shards, one user at a time, closed together."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from models.engine import EngineSpec
from models.host import EngineProcess

log = logging.getLogger(__name__)


class EnginePool:
    """Engine processes by what they were opened with. A device serves one engine at a time."""

    def __init__(self, on_event: Callable[[str, dict[str, Any]], None] | None = None) -> None:
        self._on_event = on_event
        self._engines: dict[bytes, EngineProcess] = {}
        self._devices: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    @contextmanager
    def use(self, spec: EngineSpec, *, timeout: float) -> Iterator[EngineProcess]:
        """An engine opened with `spec`, warm if it was used before, for this thread alone.

        `timeout` is how many seconds without a result make it a hung one.
        """
        with self._guard:
            device = self._devices.setdefault(spec.device, threading.Lock())
        with device:
            engine = self._open(spec, timeout)
            try:
                yield engine
            except BaseException:
                # Requests of a shard that failed must not answer into the next one.
                self._drop(spec)
                raise

    def close(self) -> None:
        """End every engine process."""
        with self._guard:
            engines, self._engines = self._engines, {}
        for engine in engines.values():
            engine.close()

    def kill(self) -> None:
        """End every engine process at once; whoever waits for a result gets `EngineFailed`."""
        with self._guard:
            engines = list(self._engines.values())
        for engine in engines:
            engine.kill()

    def _open(self, spec: EngineSpec, timeout: float) -> EngineProcess:
        key = _key(spec)
        with self._guard:
            if key not in self._engines:
                self._engines[key] = EngineProcess(spec, request_timeout=timeout, on_event=self._on_event)
            return self._engines[key]

    def _drop(self, spec: EngineSpec) -> None:
        with self._guard:
            engine = self._engines.pop(_key(spec), None)
        if engine is not None:
            engine.kill()


def _key(spec: EngineSpec) -> bytes:
    return orjson.dumps(
        [spec.factory, spec.ref, spec.device, spec.dtype, spec.threads, spec.options], option=orjson.OPT_SORT_KEYS
    )
