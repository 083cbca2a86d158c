"""S3 through a proxy that answers 503, resets connections, waits, and cuts bodies in half."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.faults import ALL, FaultProxy, Plan, seeded
from support.s3_servers import S3

from tasks.store import S3Options, Store, StoreError, Transient, open_store
from tasks.store import s3_errors as s3_errors_module

FIVE_MB = 5 * 2**20


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_errors_module, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.01)


@contextmanager
def through(s3: S3, uri: str, plan: Plan, attempts: int = 3) -> Iterator[tuple[Store, FaultProxy]]:
    with FaultProxy(s3.endpoint, plan) as proxy:
        options = S3Options(endpoint_url=proxy.endpoint, part_bytes=FIVE_MB, attempts=attempts, page_size=10)
        yield open_store(uri, options=options), proxy


def first(count: int, fault: str, method: str, having: str = "") -> Plan:
    """A plan that lets `count` requests of one method suffer, and no more."""
    left = [count]

    def plan(number: int, used: str, path: str) -> str | None:
        if used != method or having not in path or not left[0]:
            return None
        left[0] -= 1
        return fault

    return plan


def or_transient(action: Callable[[], object]) -> object:
    """What `action` returns, or `Transient` if it gave up, which is the only other thing it may do."""
    try:
        return action()
    except Transient:
        return Transient


@pytest.mark.parametrize("fault", ALL)
def test_each_operation_survives_each_fault(s3: S3, fault: str, tmp_path: Path) -> None:
    uri = s3.bucket()
    data = random.Random(5).randbytes(100_000)
    big = tmp_path / "big"
    big.write_bytes(random.Random(6).randbytes(2 * FIVE_MB + 5))
    plain = open_store(uri)
    plain.put("get", data)
    plain.put("big", big)

    with through(s3, uri, lambda *_: None) as (store, proxy):

        def hit(action: Callable[[], object], method: str, having: str = "") -> object:
            """`action` with its first two requests of this method hit."""
            proxy.injected.clear()
            proxy.plan = first(2, fault, method, having)
            result = action()
            assert proxy.injected[fault] == 2 or (fault == "delay" and proxy.injected[fault] == 1)
            return result

        assert hit(lambda: store.get("get"), "GET") == data
        assert hit(lambda: store.get_range("get", 5, 50), "GET") == data[5:55]
        hit(lambda: store.download("big", tmp_path / "back"), "GET")
        assert (tmp_path / "back").read_bytes() == big.read_bytes()
        hit(lambda: store.put("put", data), "PUT")
        assert plain.get("put") == data
        assert hit(lambda: store.create("create", data), "PUT") is True
        assert hit(lambda: store.create("create", data), "HEAD") is False
        hit(lambda: store.copy("get", "copied"), "PUT")
        assert plain.get("copied") == data
        assert hit(lambda: store.head("get").size, "HEAD") == len(data)
        assert hit(lambda: [e.key for e in store.list()], "GET") == ["big", "copied", "create", "get", "put"]
        hit(lambda: store.put("large", big), "PUT", having="partNumber")
        assert plain.get("large") == big.read_bytes()
        hit(lambda: store.put("larger", big), "POST", having="uploadId")  # the completion
        assert plain.get("larger") == big.read_bytes()
        hit(lambda: store.delete(["put", "copied"]), "POST", having="delete")
        assert [e.key for e in plain.list()] == ["big", "create", "get", "large", "larger"]


@pytest.mark.parametrize("fault", ["slow_down", "reset_before", "cut"])
def test_a_fault_that_stays_ends_in_transient(s3: S3, fault: str) -> None:
    uri = s3.bucket()
    open_store(uri).put("a", b"0123456789")
    with through(s3, uri, lambda *_: fault, attempts=2) as (store, proxy):
        for use in (
            lambda: store.get("a"),
            lambda: store.put("b", b""),
            lambda: store.create("c", b""),
            lambda: store.head("a"),
            lambda: list(store.list()),
            lambda: store.delete(["nothing"]),
        ):
            with pytest.raises(Transient, match="s3://"):
                use()
        assert proxy.injected[fault] >= 12


def test_a_server_that_hangs_is_left(s3: S3) -> None:
    uri = s3.bucket()
    with FaultProxy(s3.endpoint, first(2, "hang", "PUT")) as proxy:
        store = open_store(uri, options=S3Options(endpoint_url=proxy.endpoint, read_timeout=0.5))
        assert store.create("a", b"x")
        proxy.plan = lambda *_: "hang"
        impatient = S3Options(endpoint_url=proxy.endpoint, read_timeout=0.1, attempts=1)
        with pytest.raises(Transient, match="connection broke"):
            open_store(uri, options=impatient).get("a")
        assert proxy.injected["hang"] >= 3


def test_a_lost_answer_to_a_lost_race_is_no_win(s3: S3) -> None:
    """The same bytes stand, but another call wrote them: only the mark can tell."""
    uri = s3.bucket()
    assert open_store(uri).create("a", b"same")
    with through(s3, uri, first(2, "reset_after", "PUT")) as (store, proxy):
        assert store._create("a", b"same") is False  # type: ignore[attr-defined]
        assert proxy.injected["reset_after"] == 2


def test_a_server_without_conditional_writes(s3: S3) -> None:
    """Some stores answer 501 to If-None-Match: one writer works, and the probe warns of more."""
    uri = s3.bucket()

    refused: set[str] = set()

    def plan(number: int, method: str, path: str) -> str | None:
        if method == "PUT" and path not in refused:
            refused.add(path)
            return "refuse"
        return None

    with FaultProxy(s3.endpoint, plan) as proxy:
        store = open_store(uri, options=S3Options(endpoint_url=proxy.endpoint))
        assert store.create("a", b"first")
        assert not store.create("a", b"second")
        assert store.get("a") == b"first"
        assert proxy.injected["refuse"] == 1


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 12))])
def test_a_storm_never_gives_wrong_data(s3: S3, seed: int) -> None:
    """Many threads, a third of the requests hit: every answer is right or `Transient`, and the end state is right."""
    uri = s3.bucket()
    with through(s3, uri, seeded(seed, 0.33)) as (store, proxy):

        def work(number: int) -> list[str]:
            data = random.Random(number).randbytes(1000 + number * 100)
            wrong = []
            put = or_transient(lambda: store.put(f"k/{number}", data))
            created = or_transient(lambda: store.create(f"c/{number % 10}", data))
            got = or_transient(lambda: store.get(f"k/{number}")) if put is None else Transient
            part = or_transient(lambda: store.get_range(f"k/{number}", 10, 20)) if put is None else Transient
            if got is not Transient and got != data:
                wrong.append("get")
            if part is not Transient and part != data[10:30]:
                wrong.append("range")
            return [*wrong, *(["won"] if created is True else []), *(["unsure"] if created is Transient else [])]

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(work, range(40)))
        assert proxy.injected.total() > 40
        assert set(proxy.injected) == set(ALL)
    plain = open_store(uri)
    assert not any({"get", "range"} & set(answer) for answer in answers)
    for entry in plain.list("k/"):
        number = int(entry.key[2:])
        assert plain.get(entry.key) == random.Random(number).randbytes(1000 + number * 100)
    for slot in range(10):
        group = range(slot, 40, 10)
        winners = [n for n in group if "won" in answers[n]]
        unsure = [n for n in group if "unsure" in answers[n]]
        assert len(winners) == 1 or (not winners and unsure)
        stands = plain.get(f"c/{slot}")
        assert stands in [random.Random(n).randbytes(1000 + n * 100) for n in winners or unsure]


def test_errors_name_no_internals(s3: S3) -> None:
    with (
        through(s3, s3.bucket(), lambda *_: "slow_down", attempts=1) as (store, _),
        pytest.raises(StoreError) as caught,
    ):
        store.get("a")
    assert s3.secret_key not in str(caught.value)
    assert "Try again later" in str(caught.value)
