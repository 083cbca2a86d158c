"""What the engine host costs: `python -m benchmarks.host`.

Prints how long a child takes to open, how many small requests a second go there and back through the pipes, how long
one request takes alone, how many megabytes of pictures pass, and what a death costs.
"""

from __future__ import annotations

import time
from collections import deque

from models.engine import EngineSpec, ImageRequest, TextRequest
from models.host import EngineProcess

COUNT = 50_000
WINDOW = 512


def ask(i: int, text: str = "") -> TextRequest:
    """A request as copy jobs make them: a few hundred characters."""
    content = f"Write a social post.\nProduct: Harbor Mug {i}\n{text}" + "Features: hand-glazed stoneware\n" * 10
    return TextRequest(id=str(i), messages=[{"role": "user", "content": content}], seed=i)


def spec(name: str) -> EngineSpec:
    """A tiny engine of the test suite."""
    module = "engines" if name in ("echo", "dies") else "odd_engines"
    return EngineSpec(factory=f"tests.support.{module}:{name}", ref="tiny")


def main() -> None:
    """Run every measurement once and print it."""
    started = time.perf_counter()
    engine = EngineProcess(spec("nothing"))
    print(f"open a child                {time.perf_counter() - started:8.3f} s")
    with engine:
        list(_rounds(engine, 1))
        started = time.perf_counter()
        for _ in range(200):
            list(_rounds(engine, 1))
        print(f"one request, there and back {(time.perf_counter() - started) / 200 * 1000:8.3f} ms")
        started = time.perf_counter()
        list(_rounds(engine, COUNT))
        print(f"small requests, all at once {COUNT / (time.perf_counter() - started):8.0f} /s")
        started = time.perf_counter()
        todo = deque(ask(i) for i in range(COUNT))
        made = time.perf_counter() - started
        engine.submit([todo.popleft() for _ in range(WINDOW)])
        for _ in engine.results():
            if todo:
                engine.submit([todo.popleft()])
        seconds = time.perf_counter() - started - made
        print(f"one by one, window of {WINDOW}   {COUNT / seconds:8.0f} /s")
    with EngineProcess(spec("mirror")) as engine:
        pictures = [ImageRequest(id=str(i), prompt="", seed=0, init_image=bytes(3 << 20)) for i in range(64)]
        started = time.perf_counter()
        engine.submit(pictures)
        total = sum(len(result.pixels) for result in engine.results())
        print(f"pictures, there and back    {total / (time.perf_counter() - started) / 1e6:8.0f} MB/s")
    with EngineProcess(spec("dies")) as engine:
        started = time.perf_counter()
        engine.submit([ask(i, "DIE\n" if i == 20 else "") for i in range(64)])
        errors = [result.id for result in engine.results() if result.error]
        print(f"find 1 deadly of 64         {time.perf_counter() - started:8.3f} s  (found: {errors})")


def _rounds(engine: EngineProcess, count: int):
    engine.submit([ask(i) for i in range(count)])
    return engine.results()


if __name__ == "__main__":
    main()
