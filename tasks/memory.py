"""Python's garbage collector, told what a run is like."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Allocations between looks at young objects, and looks at the younger generation between those at an older one.
THRESHOLDS = (100_000, 20, 50)

_lock = threading.Lock()
_under_way: list[tuple[int, int, int]] = []


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Look for reference cycles seldom until the end of the block.

    A run keeps hundreds of thousands of small objects for as long as a shard takes, and hardly any cycles. By Python's
    own thresholds the collector would go through them again and again, for a fifth of all the time of judging.
    Blocks may overlap in threads; after the last of them all is as before the first.
    """
    with _lock:
        _under_way.append(gc.get_threshold())
        gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        with _lock:
            before = _under_way[0]
            _under_way.pop()
            if not _under_way:
                gc.set_threshold(*before)
