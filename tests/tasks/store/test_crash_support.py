"""The tool of the crash tests: does it kill where it says?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.crash import CrashingStore

from tasks.store import open_store

CHILD = """
import sys
from support import crash
from tasks.store import open_store
crash.install()
store = open_store(sys.argv[1])
store.put("a", b"1")
store.head("a")
store.put("b", b"2")
"""


def run_child(root: Path, **env: str) -> int:
    tests = Path(__file__).parents[2]
    path = os.pathsep.join([str(tests.parent), str(tests)])
    done = subprocess.run([sys.executable, "-c", CHILD, str(root)], env={**os.environ, "PYTHONPATH": path, **env})
    return done.returncode


@pytest.mark.parametrize(
    ("at", "left"),
    [
        ("1:before", []),
        ("1:after", ["a"]),
        ("2:after", ["a"]),
        ("3:before", ["a"]),
        ("3:after", ["a", "b"]),
    ],
)
def test_a_child_dies_at_the_call(tmp_path: Path, at: str, left: list[str]) -> None:
    assert run_child(tmp_path, CRASH_AT=at) == -signal.SIGKILL
    assert [e.key for e in open_store(str(tmp_path)).list()] == left


def test_calls_are_counted(tmp_path: Path) -> None:
    assert run_child(tmp_path / "store", CRASH_COUNT_TO=str(tmp_path / "calls")) == 0
    assert len((tmp_path / "calls").read_text()) == 3


def test_a_fuse_of_its_own_passes_calls_through(tmp_path: Path) -> None:
    store = CrashingStore(open_store(str(tmp_path)), at=0, when="before")
    store.put("a", b"1")
    assert store.get("a") == b"1"
    assert store.fuse.calls == 2
