"""Kinds are plugs: reading and planning with all of them loads no engine's libraries."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("torch", "transformers", "diffusers", "xgboost")


def test_planning_with_every_kind_loads_no_engine_library() -> None:
    """They cost seconds and a quarter of a gigabyte; only engines need them, in processes of their own."""
    code = (
        "import sys, tasks.begin, tasks.preview, tasks.specs, tasks.kinds as kinds; "
        "[kinds.kind(name) for name in kinds.NAMES]; "
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
