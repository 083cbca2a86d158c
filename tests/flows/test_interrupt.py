"""Ctrl-C in a terminal, where every process of the foreground group gets the signal, the embedded server included; and
SIGKILL, after which the run itself can end nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest
from support.cli import ROOT, command, copy_jobs, environment, files_below

from tasks.store import open_store
from tasks.verify import verify

STARTUP_SECONDS = 240.0
END_SECONDS = 45.0


@pytest.mark.timeout(600)
def test_ctrl_c_keeps_what_is_committed_and_the_same_command_goes_on(tmp_path: Path) -> None:
    to, run = tmp_path / "out", tmp_path / "out/night"
    line, env = slow_run(tmp_path, to)
    process = subprocess.Popen(
        line, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        wait_for_commits(run, 2, process)
        os.killpg(process.pid, signal.SIGINT)
        stdout, stderr = process.communicate(timeout=END_SECONDS)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 130, stdout + stderr
    assert stderr.strip() == "Interrupted. What was committed stays; the same command goes on from there."
    assert "Planned run night: 40 items" in stdout
    assert not (run / "manifest.json").exists()
    committed = files_below(run / "_commits")
    assert 2 <= len(committed) < 10
    assert not verify(open_store(str(to)), "night").problems
    assert no_process_of(process.pid)

    done = subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True, timeout=STARTUP_SECONDS + 60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Going on with run night" in done.stdout
    assert "night: 40 of 40 items accepted" in done.stdout
    after = files_below(run / "_commits")
    assert {name: after[name] for name in committed} == committed
    assert len(after) == 10
    assert not verify(open_store(str(to)), "night").problems


@pytest.mark.timeout(400)
def test_a_killed_run_leaves_no_process_behind(tmp_path: Path) -> None:
    to = tmp_path / "out"
    line, env = slow_run(tmp_path, to)
    process = subprocess.Popen(
        line, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    )
    try:
        wait_for_commits(to / "night", 1, process)
        process.kill()
        process.wait()
        assert no_process_of(process.pid)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def slow_run(folder: Path, to: Path) -> tuple[list[str], dict[str, str]]:
    """The command of a run `night` of forty slow items in ten shards with an embedded server, and its environment."""
    line = command(
        "run", copy_jobs(folder / "specs.jsonl", 40), "--to", to, "--run-id", "night", "--set", "shard_items=4",
        "--set", "engines.copy=tests.support.engines:slow", "--set", "engine_options.copy.seconds=0.25",
    )  # fmt: skip
    env = environment(folder / "prefect")
    env.pop("PREFECT_API_URL", None)
    return line, env


def wait_for_commits(run: Path, number: int, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + STARTUP_SECONDS
    while len(list(run.glob("_commits/*.json"))) < number:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "no shard was committed in time"
        time.sleep(0.1)


def no_process_of(group: int) -> bool:
    """Whether nothing of a process group is left: no engine, no server."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.2)
    return False
