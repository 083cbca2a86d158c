"""The race by which a store finds out whether its create is atomic."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tasks.store.base import PROBE_PREFIX, Probe, Store

RACERS = 16
ROUNDS = 4


def race(store: Store, create: Callable[[str, bytes], bool]) -> Probe:
    """Let `RACERS` threads create the same key at once, `ROUNDS` times. Each round must have one winner, and the
    winner's bytes must stand. A store may pass by luck, so the rounds stop at the first failure only."""
    keys = [f"{PROBE_PREFIX}{uuid.uuid4().hex}" for _ in range(ROUNDS)]
    try:
        with ThreadPoolExecutor(RACERS) as pool:
            for key in keys:
                barrier = threading.Barrier(RACERS)

                def enter(number: int, key: str = key, barrier: threading.Barrier = barrier) -> bool:
                    barrier.wait(timeout=60)
                    return create(key, f"racer {number}".encode())

                won = [number for number, winner in enumerate(pool.map(enter, range(RACERS))) if winner]
                if len(won) != 1:
                    return Probe(False, f"{len(won)} of {RACERS} simultaneous create-only writes were told they won")
                if create(key, b"late"):
                    return Probe(False, "a create-only write replaced an object that stood there")
                if store.get(key) != f"racer {won[0]}".encode():
                    return Probe(False, "the bytes of a create-only write that lost stand in the store")
    finally:
        store.delete(keys)
    return Probe(True, f"{ROUNDS} races of {RACERS} create-only writes had one winner each")
