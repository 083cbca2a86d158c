"""The engine host when all goes well, and how its process ends."""

import logging
import os
import queue
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from models.engine import EngineSpec, ImageRequest, TextRequest, open_engine
from models.host import CannotOpen, EngineFailed, EngineProcess

ROOT = Path(__file__).parents[2]


def ask(i: int, text: str = "") -> TextRequest:
    return TextRequest(id=f"r{i}", messages=[{"role": "user", "content": f"Product: Lamp {i} {text}"}], seed=i)


def tell(expression: str) -> TextRequest:
    return TextRequest(id=expression, messages=[{"role": "user", "content": expression}], seed=0)


def tiny(name: str = "echo", **options) -> EngineSpec:
    return EngineSpec(factory=f"tests.support.engines:{name}", ref="tiny", options=options)


def odd(name: str, **more) -> EngineSpec:
    return EngineSpec(factory=f"tests.support.odd_engines:{name}", ref="tiny", **more)


def test_answers_are_those_of_the_engine_itself():
    requests = [ask(i) for i in range(100)]
    here = open_engine(tiny())
    here.submit(requests)
    with EngineProcess(tiny()) as there:
        there.submit(requests)
        assert sorted(there.results(), key=lambda r: r.id) == sorted(here.results(), key=lambda r: r.id)


def test_stays_warm_between_shards():
    with EngineProcess(odd("inward")) as engine:
        pids = []
        for _ in range(5):
            engine.submit([tell("__import__('os').getpid()")])
            pids += [result.text for result in engine.results()]
            assert list(engine.results()) == []
        assert pids == [str(engine.pid)] * 5


def test_results_come_as_they_finish_and_take_retries():
    with EngineProcess(tiny("slow", seconds=0.3)) as engine:
        engine.submit([ask(i) for i in range(5)])
        started, seen = time.monotonic(), []
        for result in engine.results():
            if not seen:
                assert time.monotonic() - started < 1.2
            seen.append(result.id)
            if result.id == "r1":
                engine.submit([ask(100)])
        assert sorted(seen) == ["r0", "r1", "r100", "r2", "r3", "r4"]


def test_submit_from_another_thread():
    with EngineProcess(tiny()) as engine:
        thread = threading.Thread(target=lambda: [engine.submit([ask(i)]) for i in range(2000)])
        thread.start()
        seen: list[str] = []
        while thread.is_alive() or len(seen) < 2000:
            seen += [result.id for result in engine.results()]
            time.sleep(0.001)
        assert len(seen) == len(set(seen)) == 2000


def test_an_abandoned_loop_goes_on_later():
    with EngineProcess(tiny()) as engine:
        engine.submit([ask(i) for i in range(10)])
        first = next(engine.results())
        assert {first.id, *(r.id for r in engine.results())} == {f"r{i}" for i in range(10)}


def test_fifty_megabytes_each_way_at_once():
    data = [bytes([i]) * 2_500_000 for i in range(20)]
    with EngineProcess(odd("mirror"), request_timeout=30) as engine:
        for _ in range(2):
            engine.submit([ImageRequest(id=str(i), prompt="", seed=0, init_image=d) for i, d in enumerate(data)])
            time.sleep(0.3)  # nobody takes the results yet: they must not stop the requests
            assert {int(r.id): r.pixels for r in engine.results()} == dict(enumerate(data))


def test_ids_of_pending_requests_are_taken():
    with EngineProcess(tiny("slow")) as engine:
        engine.submit([ask(1)])
        with pytest.raises(ValueError, match="r1"):
            engine.submit([ask(1)])
        with pytest.raises(ValueError, match="pending already"):
            engine.submit([ask(2), ask(2)])
        with pytest.raises(TypeError, match="not a request"):
            engine.submit([{"id": "r3"}])  # type: ignore[list-item]
        assert len(list(engine.results())) == 1
        engine.submit([ask(1)])
        assert len(list(engine.results())) == 1


def test_prints_do_not_disturb_and_logs_arrive(caplog):
    with caplog.at_level(logging.INFO), EngineProcess(odd("chatty")) as engine:
        engine.submit([ask(i) for i in range(50)])
        assert len(list(engine.results())) == 50
    lines = [record.getMessage().partition(": ")[2] for record in caplog.records if record.name == "models.child"]
    assert {"chatty opens", "print r7", "write r7"} <= set(lines)
    assert ("engine.chatty", logging.WARNING, "log r7") in caplog.record_tuples


def test_threads_are_bounded():
    with EngineProcess(odd("inward", threads=3)) as engine:
        engine.submit([tell("__import__('os').environ['OMP_NUM_THREADS']")])
        assert [result.text for result in engine.results()] == ["3"]


def test_a_child_imports_no_more_than_its_engine_and_nothing_from_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").write_text("raise SystemExit('the wrong models')")
    monkeypatch.chdir(tmp_path)
    with EngineProcess(odd("inward")) as engine:
        engine.submit([tell("[m for m in ('torch', 'transformers', 'pandas') if m in __import__('sys').modules]")])
        assert [result.text for result in engine.results()] == ["[]"]


def test_opening_is_quick():
    times = []
    for _ in range(3):
        started = time.monotonic()
        EngineProcess(tiny()).close()
        times.append(time.monotonic() - started)
    assert min(times) < 1.5  # a tenth of a second on an idle machine; an import of torch would take longer


def test_what_cannot_be_opened():
    for spec, reason in [
        (tiny("unopenable"), "tiny is no model"),
        (tiny("nothing_of_that_name"), "nothing_of_that_name"),
        (EngineSpec(factory="no.such.module:open", ref="x"), "No module named 'no'"),
        (tiny("echo", what=1), "unexpected keyword argument 'what'"),
        (tiny("echo", what=object()), "JSON"),
        (odd("dies_opening"), "SIGKILL"),
    ]:
        with pytest.raises(CannotOpen, match=reason):
            EngineProcess(spec)


def test_opening_that_takes_too_long():
    with pytest.raises(CannotOpen, match=r"not ready after 3 s(.|\n)*never_opens"):
        EngineProcess(odd("never_opens"), open_timeout=3)


@pytest.mark.parametrize("busy", [False, True])
def test_close_leaves_nothing_behind(busy):
    engine = EngineProcess(tiny("slow", seconds=0.2))
    pid = engine.pid
    if busy:
        engine.submit([ask(i) for i in range(100)])
        next(engine.results())
    started = time.monotonic()
    engine.close()
    engine.close()
    assert not Path(f"/proc/{pid}").exists()
    assert time.monotonic() - started < 2
    with pytest.raises(EngineFailed, match="closed"):
        engine.submit([ask(1)])


def test_an_interrupted_loop_can_go_on(tmp_path):
    """A real Ctrl-C: the whole foreground group gets it, the child goes on, the parent decides."""
    script = """
        import sys, time
        from tests.models.test_host import EngineProcess, ask, tiny
        if __name__ == "__main__":
            with EngineProcess(tiny("slow", seconds=0.05)) as engine:
                engine.submit([ask(i) for i in range(30)])
                seen = set()
                pid = engine.pid
                try:
                    for result in engine.results():
                        seen.add(result.id)
                        print("first", flush=True)
                except KeyboardInterrupt:
                    print("interrupted", flush=True)
                seen |= {r.id for r in engine.results()}
                print(len(seen) >= 29, engine.pid == pid, flush=True)
    """
    process = run_parent(script, tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "first\n"
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert out.replace("first\n", "") == "interrupted\nTrue True\n"
    assert process.returncode == 0


@pytest.mark.parametrize("spec", ["tiny('slow', seconds=60)", "odd('stuck')", "tiny('echo')"])
def test_the_child_ends_with_its_parent(spec, tmp_path):
    """Idle, in the middle of a batch, and in code that never lets go of the interpreter."""
    script = f"""
        import time
        from tests.models.test_host import EngineProcess, ask, odd, tiny
        if __name__ == "__main__":
            engine = EngineProcess({spec})
            engine.submit([ask(1), ask(2)])
            print(engine.pid, flush=True)
            time.sleep(60)
    """
    process = run_parent(script, tmp_path)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    time.sleep(0.3)
    assert Path(f"/proc/{child}").exists()
    process.kill()
    process.wait()
    assert ended(child)


def test_the_child_outlives_the_thread_that_opened_it():
    box: queue.SimpleQueue[EngineProcess] = queue.SimpleQueue()
    thread = threading.Thread(target=lambda: box.put(EngineProcess(tiny())))
    thread.start()
    thread.join()
    with box.get() as engine:
        pid = engine.pid
        time.sleep(0.2)
        engine.submit([ask(1)])
        assert [r.error for r in engine.results()] == [None]
        assert engine.pid == pid


def test_an_engine_left_open_does_not_keep_its_parent(tmp_path):
    script = """
        from tests.models.test_host import EngineProcess, ask, tiny
        if __name__ == "__main__":
            engine = EngineProcess(tiny("slow", seconds=60))
            engine.submit([ask(1)])
            print(engine.pid, flush=True)
    """
    process = run_parent(script, tmp_path)
    out, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert ended(int(out))


def run_parent(script: str, folder: Path) -> subprocess.Popen[str]:
    """A process of its own group that runs the script, with this one as its child's grandparent."""
    file = folder / "parent.py"
    file.write_text(textwrap.dedent(script))
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, str(file)], stdout=subprocess.PIPE, text=True, env=env, start_new_session=True
    )


def ended(pid: int, within: float = 1.0) -> bool:
    """Whether a process that is not ours to reap ends in time: gone, or a zombie that waits for its new parent."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.01)
    return False
