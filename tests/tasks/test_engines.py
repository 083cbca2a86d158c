"""The pool of engine processes: who is kept warm, how long a use waits, what a failed use leaves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from models.engine import EngineSpec, TextRequest
from models.host import EngineFailed
from tasks.engines import WARM, EnginePool


@pytest.fixture
def pool() -> Iterator[EnginePool]:
    engines = EnginePool()
    yield engines
    engines.close()


def spec(ref: str = "tiny") -> EngineSpec:
    return EngineSpec(factory="tests.support.engines:echo", ref=ref)


def asked(id_: str) -> TextRequest:
    return TextRequest(id=id_, messages=[{"role": "user", "content": "Product: Mug"}], seed=1)


def test_an_engine_stays_warm_and_waits_as_long_as_each_use_says(pool: EnginePool) -> None:
    with pool.use(spec(), timeout=900.0) as engine:
        first = engine.pid
        assert engine.request_timeout == 900.0
    with pool.use(spec(), timeout=5.0) as engine:
        assert engine.pid == first
        assert engine.request_timeout == 5.0


def test_the_engine_used_longest_ago_makes_room(pool: EnginePool) -> None:
    pids = {}
    for ref in "abc":
        with pool.use(spec(ref), timeout=60) as engine:
            pids[ref] = engine.pid
    assert len(pids) == WARM
    for ref in "ad":  # a is used again, so that b has to go for d
        with pool.use(spec(ref), timeout=60):
            pass
    for ref in "ac":
        with pool.use(spec(ref), timeout=60) as engine:
            assert engine.pid == pids[ref]
    with pool.use(spec("b"), timeout=60) as engine:
        assert engine.pid != pids["b"]


def test_answers_of_a_use_that_failed_do_not_reach_the_next(pool: EnginePool) -> None:
    def fail() -> None:
        with pool.use(spec(), timeout=60) as engine:
            engine.submit([asked("old")])
            raise RuntimeError("a shard failed")

    with pytest.raises(RuntimeError, match="a shard failed"):
        fail()
    with pool.use(spec(), timeout=60) as engine:
        engine.submit([asked("new")])
        assert [result.id for result in engine.results()] == ["new"]


def test_a_pool_that_was_killed_opens_nothing_more(pool: EnginePool) -> None:
    pool.kill()
    with pytest.raises(EngineFailed, match="the run is stopping"), pool.use(spec(), timeout=60):
        pass
