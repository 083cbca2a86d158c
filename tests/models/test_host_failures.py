"""The engine host when engines hang, die, lie or cannot go on."""

import random
import threading
import time
from pathlib import Path

import pytest

from models.engine import EngineSpec, TextRequest
from models.host import EngineFailed, EngineProcess


def ask(i: int, text: str = "") -> TextRequest:
    return TextRequest(id=f"r{i}", messages=[{"role": "user", "content": f"Product: Lamp {i} {text}"}], seed=i)


def tiny(name: str, **options) -> EngineSpec:
    return EngineSpec(factory=f"tests.support.engines:{name}", ref="tiny", options=options)


def odd(name: str) -> EngineSpec:
    return EngineSpec(factory=f"tests.support.odd_engines:{name}", ref="tiny")


class Events(list):
    """What the host tells, by name."""

    def __call__(self, name: str, details: dict) -> None:
        self.append((name, details))

    def count_of(self, name: str) -> int:
        return sum(event == name for event, _ in self)


def expected(count: int) -> dict[str, str]:
    """The texts of the first requests, had nothing gone wrong."""
    with EngineProcess(tiny("echo")) as engine:
        engine.submit([ask(i) for i in range(count)])
        return {result.id: result.text for result in engine.results()}


@pytest.mark.parametrize(("name", "marker"), [("sleepy", "HANG"), ("dies", "DIE"), ("failing", "FAIL")])
def test_one_failure_costs_nothing_but_time(name, marker, tmp_path):
    events = Events()
    spec = tiny(name, once=str(tmp_path / "once"), marker="Lamp 5 ")
    with EngineProcess(spec, request_timeout=1, on_event=events) as engine:
        engine.submit([ask(i) for i in range(20)])
        results = list(engine.results())
    assert {r.id: r.text for r in results} == expected(20)
    assert len(results) == 20
    assert events.count_of("opened") == 2
    assert events.count_of("isolated") == 0


@pytest.mark.parametrize(
    ("name", "guilty", "reason"),
    [
        ("sleepy", [7], "hung for 0.4 s"),
        ("dies", [0, 15], "died: was ended by SIGKILL, as the system does when memory runs out"),
        ("failing", [1, 5, 14], "died: RuntimeError: the tiny engine fails on purpose"),
    ],
)
def test_guilty_requests_are_found_and_the_others_go_on(name, guilty, reason):
    events = Events()
    with EngineProcess(tiny(name, marker="GUILTY"), request_timeout=0.4, on_event=events) as engine:
        engine.submit([ask(i, "GUILTY" if i in guilty else "") for i in range(16)])
        results = {result.id: result for result in engine.results()}
        assert sorted(id for id, r in results.items() if r.error) == sorted(f"r{i}" for i in guilty)
        assert all(reason in results[f"r{i}"].error for i in guilty)
        assert len(results) == 16
        assert all(r.text for r in results.values() if not r.error)
        assert events.count_of("isolated") == len(guilty)
        # Warm and well again: the next shard is nobody's business.
        engine.submit([ask(i) for i in range(100)])
        assert all(r.error is None for r in engine.results())


def test_requests_that_come_in_while_suspects_are_examined():
    with EngineProcess(tiny("dies", marker="GUILTY")) as engine:
        engine.submit([ask(i, "GUILTY" if i == 4 else "") for i in range(8)])
        errors, seen = [], set()
        for result in engine.results():
            seen.add(result.id)
            if result.error:
                errors.append(result.id)
            elif len(seen) < 8:
                engine.submit([ask(100 + len(seen))])
        assert errors == ["r4"]
        assert len(seen) > 10


def test_single_requests_one_after_the_other():
    """As fits come: each alone. Two bad ones in a row are bad luck, not yet a broken engine."""
    with EngineProcess(tiny("dies", marker="GUILTY"), max_restarts=2) as engine:
        for i, text in enumerate(["GUILTY", "GUILTY", "", "GUILTY"]):
            engine.submit([ask(i, text)])
            (result,) = engine.results()
            assert bool(result.error) == bool(text)


@pytest.mark.parametrize("count", [1, 64])
def test_an_engine_that_always_dies_is_given_up(count):
    events = Events()
    engine = EngineProcess(odd("broken"), max_restarts=1, on_event=events)

    def go_on() -> None:
        for i in range(10):
            engine.submit([ask(1000 * i + j) for j in range(count)])
            list(engine.results())

    with pytest.raises(EngineFailed, match=r"broken(.|\n)*SIGSEGV(.|\n)*the device is on fire"):
        go_on()
    assert events.count_of("opened") <= 8
    assert engine.pid is None or not Path(f"/proc/{engine.pid}").exists()
    with pytest.raises(EngineFailed, match="on fire"):
        engine.submit([ask(1)])


def test_an_engine_that_cannot_be_opened_again_is_given_up(tmp_path):
    model = tmp_path / "model"
    model.touch()
    spec = EngineSpec(factory="tests.support.odd_engines:fleeting", ref=str(model))
    with EngineProcess(spec, max_restarts=1) as engine:
        engine.submit([ask(1)])
        with pytest.raises(EngineFailed, match=r"cannot be opened(.|\n)*there is no model any more"):
            list(engine.results())


def test_opening_again_may_take_more_than_one_try(tmp_path):
    model = tmp_path / "model"
    model.touch()
    spec = EngineSpec(factory="tests.support.odd_engines:fleeting", ref=str(model))
    with EngineProcess(spec, max_restarts=3) as engine:
        engine.submit([ask(1)])
        threading.Timer(0.8, model.touch).start()
        threading.Timer(0.8, (tmp_path / "stay").touch).start()
        assert [result.error for result in engine.results()] == [None]


def test_no_restart_at_all_if_none_is_allowed():
    events = Events()
    with EngineProcess(tiny("dies"), max_restarts=0, on_event=events) as engine:
        engine.submit([ask(1, "DIE"), ask(2)])
        with pytest.raises(EngineFailed, match="SIGKILL"):
            list(engine.results())
    assert events.count_of("opened") == 1


def test_a_hang_says_where_it_stood():
    events = Events()
    with EngineProcess(odd("stuck"), request_timeout=0.5, on_event=events) as engine:
        engine.submit([ask(1)])
        (result,) = engine.results()
    assert "hung for 0.5 s" in result.error
    told = next(details for name, details in events if name == "hung")
    assert "odd_engines.py" in told["stderr"]
    assert "in answer" in told["stderr"]


def test_slow_is_not_hung():
    with EngineProcess(tiny("slow", seconds=0.3), request_timeout=1.5, on_event=(events := Events())) as engine:
        engine.submit([ask(i) for i in range(6)])
        assert len(list(engine.results())) == 6
        # Nor is an engine that nobody asks, or whose answers nobody takes for a while.
        time.sleep(1.6)
        engine.submit([ask(i) for i in range(2)])
        time.sleep(1.6)
        assert len(list(engine.results())) == 2
    assert [name for name, _ in events] == ["opened"]


def test_an_engine_whose_answers_are_taken_slowly_is_not_hung():
    """Answers arrive one by one, the consumer is away for longer than the time-out, then asks for more."""
    events = Events()
    with EngineProcess(tiny("slow", seconds=0.1), request_timeout=1, on_event=events) as engine:
        engine.submit([ask(i) for i in range(4)])
        seen = []
        for result in engine.results():
            if not seen:
                time.sleep(1.5)
                engine.submit([ask(10)])
            seen.append(result.id)
    assert sorted(seen) == ["r0", "r1", "r10", "r2", "r3"]
    assert [name for name, _ in events] == ["opened"]


def test_lost_requests_are_noticed():
    with EngineProcess(odd("forgetful"), request_timeout=30) as engine:
        engine.submit([ask(i, "FORGET" if i == 3 else "") for i in range(10)])
        started = time.monotonic()
        errors = {r.id: r.error for r in engine.results() if r.error}
        assert errors == {"r3": "the engine gave no answer to this request"}
        assert time.monotonic() - started < 10


def test_what_cannot_travel_is_an_error_of_its_own():
    with EngineProcess(odd("unsayable"), request_timeout=10) as engine:
        engine.submit([ask(0), ask(1, "BAD"), ask(2, "\udfff"), ask(3)])
        errors = {r.id: r.error for r in engine.results()}
    assert errors["r0"] is errors["r3"] is None
    assert "answer is unusable" in errors["r1"]
    assert "cannot be sent" in errors["r2"]


def test_a_child_that_dies_idle_is_replaced():
    events = Events()
    with EngineProcess(tiny("echo"), on_event=events) as engine:
        for i in range(6):  # more often than restarts are allowed without an answer
            engine.submit([ask(i)])
            assert [r.error for r in engine.results()] == [None]
            first = engine.pid
            engine._child.kill()
            while not engine._child.ended:
                time.sleep(0.01)
        engine.submit([ask(7)])
        assert [r.error for r in engine.results()] == [None]
        assert engine.pid != first


def test_helpers_that_a_dead_engine_leaves_are_ended(tmp_path):
    file = tmp_path / "helper"
    spec = EngineSpec(factory="tests.support.odd_engines:orphaning", ref=str(file))
    with EngineProcess(spec, request_timeout=1.5) as engine:
        engine.submit([ask(1)])
        (result,) = engine.results()
        assert result.error
    stat = Path(f"/proc/{file.read_text()}/stat")
    end = time.monotonic() + 10
    while stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z" and time.monotonic() < end:
        time.sleep(0.05)  # a killed process needs its turn in order to end
    assert not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def test_kill_from_another_thread_ends_the_loop():
    engine = EngineProcess(tiny("sleepy"))
    engine.submit([ask(1, "HANG")])
    threading.Timer(0.2, engine.kill).start()
    started = time.monotonic()
    with pytest.raises(EngineFailed, match="killed"):
        list(engine.results())
    assert time.monotonic() - started < 1.5


def test_cancelled_requests_are_forgotten():
    with EngineProcess(tiny("sleepy"), request_timeout=30) as engine:
        engine.submit([ask(1), ask(2, "HANG"), ask(3)])
        next(engine.results())
        engine.cancel_pending()
        assert list(engine.results()) == []
        engine.submit([ask(2)])  # the same id, another request
        assert [(r.id, r.error) for r in engine.results()] == [("r2", None)]


def test_cancelling_an_idle_engine_keeps_it_warm():
    with EngineProcess(tiny("echo")) as engine:
        pid = engine.pid
        engine.submit([ask(1)])
        list(engine.results())
        engine.cancel_pending()
        engine.submit([ask(1)])
        assert len(list(engine.results())) == 1
        assert engine.pid == pid


@pytest.mark.slow
def test_random_kills_lose_nothing():
    """Kills at random moments, more than any engine deserves: every answer comes once and is the right one."""
    rng = random.Random(5)
    right = expected(3000)
    spec = tiny("slow", seconds=0.001)
    with EngineProcess(spec, request_timeout=10, max_restarts=10) as engine:
        stop = threading.Event()

        def kill_now_and_then() -> None:
            while not stop.wait(rng.uniform(0.1, 3.0)):
                if (child := engine._child) is not None:
                    child.kill()

        killer = threading.Thread(target=kill_now_and_then)
        killer.start()
        seen: dict[str, str] = {}
        for shard in range(10):
            engine.submit([ask(i) for i in range(shard * 300, shard * 300 + 300)])
            for result in engine.results():
                assert result.error is None
                assert result.id not in seen
                seen[result.id] = result.text
        stop.set()
        killer.join()
    assert seen == right
