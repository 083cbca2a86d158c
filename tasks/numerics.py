"""The numerics class: within one, the same plan and seeds give the same bytes."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from tasks.settings import Settings


def numerics(settings: Settings) -> dict[str, Any]:
    """What the bytes of outputs depend on beside the plan."""
    return {
        "device": settings.device.partition(":")[0],
        "dtype": settings.dtype,
        "threads": settings.threads or len(os.sched_getaffinity(0)),
        "torch": version("torch"),
        "xgboost": _version("xgboost-cpu", "xgboost"),  # its trees make the figures of records
        "machine": platform.machine(),
    }


def _version(*names: str) -> str:
    """The version of what is installed under one of these names, by platform; empty where nothing is."""
    for name in names:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return ""
