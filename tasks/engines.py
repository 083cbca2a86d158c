"""Engines at work: child processes kept warm between shards, one user at a time, closed together."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from models.engine import EngineSpec
from models.host import EngineFailed, EngineProcess

log = logging.getLogger(__name__)


WARM = 3  # engines that stay loaded on a device: one for each kind


class EnginePool:
    """Engine processes by what they were opened with. A device serves one engine at a time and keeps `WARM` loaded."""

    def __init__(self, on_event: Callable[[str, dict[str, Any]], None] | None = None) -> None:
        self._on_event = on_event
        self._engines: dict[bytes, EngineProcess] = {}
        self._devices: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()
        self._over = False

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
            self._over = True
            engines, self._engines = self._engines, {}
        for engine in engines.values():
            engine.close()

    def kill(self) -> None:
        """End every engine process at once; whoever waits for a result gets `EngineFailed`."""
        with self._guard:
            self._over = True
            engines = list(self._engines.values())
        for engine in engines:
            engine.kill()

    def _open(self, spec: EngineSpec, timeout: float) -> EngineProcess:
        """The engine of `spec`, in the thread that holds its device. The one that was used longest ago makes room."""
        key = _key(spec)
        with self._guard:
            self._check_open()
            warm = self._engines.pop(key, None)
            if warm is not None:
                self._engines[key] = warm  # the last one is the one used last
                warm.request_timeout = timeout
                return warm
            loaded = [other for other, engine in self._engines.items() if engine.spec.device == spec.device]
            surplus = [self._engines.pop(other) for other in loaded[: max(0, len(loaded) - WARM + 1)]]
        for engine in surplus:
            engine.close()
        # Loading may take minutes, in which `kill` must not have to wait.
        engine = EngineProcess(spec, request_timeout=timeout, on_event=self._on_event)
        with self._guard:
            if not self._over:
                self._engines[key] = engine
                return engine
        engine.kill()
        self._check_open()
        return engine

    def _check_open(self) -> None:
        if self._over:
            raise EngineFailed("no engine is opened any more: the run is stopping")

    def _drop(self, spec: EngineSpec) -> None:
        with self._guard:
            engine = self._engines.pop(_key(spec), None)
        if engine is not None:
            engine.kill()


def _key(spec: EngineSpec) -> bytes:
    return orjson.dumps(
        [spec.factory, spec.ref, spec.device, spec.dtype, spec.threads, spec.options], option=orjson.OPT_SORT_KEYS
    )
