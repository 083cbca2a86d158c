"""Where a store has no atomic create, one process at a time writes to a run."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tasks.begin import begin
from tasks.settings import Settings
from tasks.store import Store, open_store
from tasks.writer import LEASE, Lease, OneWriterOnly

KEY = f"nightly/{LEASE}"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


def lease(store: Store, **more: float) -> Lease:
    return Lease(store, "nightly", **{"settle": 0.0, "lasts": 30.0, **more})


def test_a_lease_names_its_holder_and_goes_when_the_work_is_done(store: Store) -> None:
    with lease(store).held() as held:
        held.check()
        assert "process" in json.loads(store.get(KEY))["owner"]
    assert store.head(KEY) is None


def test_a_second_writer_is_refused_and_told_who_when_and_what_to_do(store: Store) -> None:
    with lease(store).held() as held:
        with pytest.raises(OneWriterOnly) as refusal, lease(store).held():
            pass
        held.check()
    words = str(refusal.value)
    assert "process" in words
    assert str(datetime.now(UTC).year) in words
    assert "start the same command again" in words
    with lease(store).held():
        pass


def test_the_lease_of_a_killed_process_ends(store: Store) -> None:
    killed = lease(store)
    killed.take()
    with pytest.raises(OneWriterOnly):
        lease(store).take()
    old = json.loads(store.get(KEY)) | {"renewed": (datetime.now(UTC) - timedelta(seconds=31)).isoformat()}
    store.put(KEY, json.dumps(old).encode())
    lease(store).take()


@pytest.mark.parametrize("left", [b"", b"{", b"[]", b'{"renewed": 3}', b'{"renewed": "yesterday"}'])
def test_an_unreadable_lease_binds_nobody(store: Store, left: bytes) -> None:
    store.put(KEY, left)
    with lease(store).held() as held:
        held.check()


def test_of_two_who_start_together_one_goes_on(store: Store) -> None:
    """Both look, find nothing, and write: the one whose name was written over finds out."""
    won, refused = [], []
    barrier = threading.Barrier(2)

    def start() -> None:
        mine = lease(store, settle=0.5)
        barrier.wait()
        try:
            mine.take()
            won.append(mine)
        except OneWriterOnly:
            refused.append(mine)

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(refused)) == (1, 1)
    won[0].check()


def test_a_holder_that_was_overtaken_stops_and_leaves_the_others_lease_alone(store: Store) -> None:
    rival = {"owner": "process 1 on elsewhere", "mark": "other", "renewed": datetime.now(UTC).isoformat()}
    with lease(store, lasts=0.6).held() as held:
        store.put(KEY, json.dumps(rival).encode())
        time.sleep(0.4)
        with pytest.raises(OneWriterOnly, match="elsewhere"):
            held.check()
    assert json.loads(store.get(KEY))["mark"] == "other"


def test_a_holder_that_could_not_renew_its_lease_stops(store: Store) -> None:
    mine = lease(store, lasts=0.5)
    mine.take()
    time.sleep(0.7)
    with pytest.raises(OneWriterOnly, match="did not renew"):
        mine.check()


def test_begin_takes_the_lease_only_without_atomic_create(store: Store, tmp_path: Path) -> None:
    specs = tmp_path / "specs.jsonl"
    specs.write_text('{"job_id": "a", "kind": "copy", "prompt": "a line"}\n')
    settings = Settings(engines={"copy": "tests.support.engines:echo"})
    with begin([str(specs)], store, settings, run_id="nightly") as begun:
        assert begun.check_lease is None
        assert store.head(KEY) is None
    with begin([str(specs)], store, settings, run_id="nightly", atomic_create=False) as begun:
        assert begun.check_lease is not None
        begun.check_lease()
        with (
            pytest.raises(OneWriterOnly),
            begin([str(specs)], store, settings, run_id="nightly", atomic_create=False),
        ):
            pass
    assert store.head(KEY) is None
