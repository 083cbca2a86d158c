"""A run killed anywhere, resumed: the same bytes as an uninterrupted one, nothing lost, nothing twice."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.batches import outputs, run_batch, spawn, tiny_settings, write_specs
from support.faults import FaultProxy, seeded

from tasks.store import Transient, open_store
from tasks.verify import verify

pytestmark = pytest.mark.timeout(900)
RUN = "crash"


@pytest.fixture(scope="module")
def specs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_specs(tmp_path_factory.mktemp("specs"))


@pytest.fixture(scope="module")
def small_specs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_specs(tmp_path_factory.mktemp("small"), copies=2, images=1)


def reference(specs: Path, to: str) -> dict[str, str]:
    """What an uninterrupted run leaves."""
    manifest, _ = run_batch([str(specs)], to, tiny_settings(), run_id=RUN)
    assert manifest["specs"]["quarantined"] == 0
    assert all(counts["accepted"] for counts in manifest["items"]["kinds"].values())
    assert set(manifest["items"]["kinds"]) == {"copy", "image", "records"}
    return outputs(open_store(to), RUN)


def finish_and_compare(specs: Path, to: str, expected: dict[str, str], where: str) -> None:
    """Resume in a new process; then everything stands as if nothing had happened."""
    process = spawn(str(specs), to, {"run_id": RUN})
    process.join(120)
    assert process.exitcode == 0, f"resuming after {where} failed"
    store = open_store(to)
    assert outputs(store, RUN) == expected, where
    findings = verify(store, RUN)
    assert findings.finished
    assert findings.problems == [], where


def kill_at_random(specs: Path, places: Iterator[str], kills: int, seed: int) -> int:
    """Kill runs after random times until `kills` died in the middle; resume and compare each. Gives the tries."""
    expected = reference(specs, next(places))
    started = time.monotonic()
    spawn(str(specs), next(places), {"run_id": RUN}).join(120)
    whole = time.monotonic() - started
    draw = random.Random(seed)
    died = tries = 0
    while died < kills:
        to = next(places)
        tries += 1
        assert tries < 5 * kills + 20, "runs end before they can be killed"
        for _ in range(draw.randint(1, 3)):  # a resumed run may be killed again
            process = spawn(str(specs), to, {"run_id": RUN, "workers": draw.choice([1, 2])})
            process.join(draw.uniform(0.2, 1.0) * whole)
            if process.is_alive():
                assert process.pid is not None
                os.kill(process.pid, signal.SIGKILL)
                died += 1
            process.join(10)
        finish_and_compare(specs, to, expected, f"random kill, try {tries}")
    return tries


def kill_around_store_calls(specs: Path, places: Iterator[str], counter: Path, stride: int) -> None:
    """Kill a run after one store call, resume and compare; again for every `stride`-th call there is."""
    expected = reference(specs, next(places))
    process = spawn(str(specs), next(places), {"run_id": RUN}, CRASH_COUNT_TO=str(counter))
    process.join(120)
    calls = len(counter.read_bytes())
    assert calls > 30
    for number in range(1, calls + 1, stride):
        for when in ("before", "after"):  # not the same: a shard's files travel in several threads
            to = next(places)
            process = spawn(str(specs), to, {"run_id": RUN}, CRASH_AT=f"{number}:{when}")
            process.join(120)
            assert process.exitcode == -signal.SIGKILL, f"call {number} of {calls} was not reached"
            finish_and_compare(specs, to, expected, f"a kill {when} store call {number}")


class Crashes:
    """What holds on every store. `stride`: kills are placed around each so many-th store call."""

    stride = 1

    def test_killed_around_store_calls(self, places: Iterator[str], small_specs: Path, tmp_path: Path) -> None:
        kill_around_store_calls(small_specs, places, tmp_path / "calls", self.stride)

    def test_killed_at_random_moments(self, places: Iterator[str], specs: Path) -> None:
        kill_at_random(specs, places, kills=6, seed=1)

    def test_two_workers_on_one_run(self, places: Iterator[str], specs: Path) -> None:
        expected = reference(specs, next(places))
        to = next(places)
        if not open_store(to).probe().atomic_create:
            pytest.skip("this S3 server has no atomic create, and then a second writer is refused")
        workers = [spawn(str(specs), to, {"run_id": RUN, "workers": 2}) for _ in range(2)]
        for worker in workers:
            worker.join(120)
        assert [worker.exitcode for worker in workers] == [0, 0]
        store = open_store(to)
        assert outputs(store, RUN) == expected
        assert verify(store, RUN).problems == []

    @pytest.mark.slow
    @pytest.mark.timeout(7200)
    def test_soak(self, places: Iterator[str], specs: Path) -> None:
        kill_at_random(specs, places, kills=200, seed=int(os.environ.get("SOAK_SEED", "2")))


class TestOnDisk(Crashes):
    @pytest.fixture
    def places(self, tmp_path: Path) -> Iterator[str]:
        """New, empty destinations, one after the other."""
        return (str(tmp_path / f"store-{number}") for number in range(10_000))


class TestOnS3(Crashes):
    stride = 3  # the stores share all the code above them; `make slow` has every call

    @pytest.fixture
    def places(self, s3) -> Iterator[str]:
        """New, empty destinations, one after the other."""
        bucket = s3.bucket()
        return (f"{bucket}/store-{number}" for number in range(10_000))

    @pytest.mark.slow
    @pytest.mark.timeout(3600)
    def test_killed_around_every_store_call(self, places: Iterator[str], small_specs: Path, tmp_path: Path) -> None:
        kill_around_store_calls(small_specs, places, tmp_path / "calls", stride=1)


def test_s3_that_fails_now_and_then(s3, specs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = s3.bucket()
    expected = reference(specs, f"{bucket}/quiet")
    with FaultProxy(s3.endpoint, seeded(11, 0.12)) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        for attempt in range(8):  # the flow retries a task that met a transient failure
            try:
                run_batch([str(specs)], f"{bucket}/stormy", tiny_settings(), run_id=RUN)
                break
            except Transient:
                assert attempt < 7
        faults = dict(proxy.injected)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.endpoint)
    assert {"slow_down", "reset_before", "reset_after", "delay", "cut"} <= set(faults)
    store = open_store(f"{bucket}/stormy")
    assert outputs(store, RUN) == expected
    assert verify(store, RUN).problems == []
