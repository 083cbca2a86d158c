"""The garbage collector's thresholds while runs are under way."""

from __future__ import annotations

import gc

from tasks.memory import THRESHOLDS, seldom_collected


def test_overlapping_blocks_leave_the_collector_as_they_found_it() -> None:
    before = gc.get_threshold()
    first, second = seldom_collected(), seldom_collected()
    first.__enter__()
    second.__enter__()
    assert gc.get_threshold() == THRESHOLDS
    first.__exit__(None, None, None)
    assert gc.get_threshold() == THRESHOLDS
    second.__exit__(None, None, None)
    assert gc.get_threshold() == before
