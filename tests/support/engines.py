"""Tiny engines for the suite: real engines in every respect but the model. They open in no time and import no torch.

An `EngineProcess` opens them by name, `EngineSpec(factory="tests.support.engines:echo", ref="tiny")`; the child finds
this module because the host hands on the folder that `models` lies in. All answers depend on the request alone.
Options of those that misbehave:

* `marker`: the text (default "HANG", "DIE" or "FAIL") that sets a request apart;
* `once`: path of a file that is made at the first misbehaviour, after which there is none. Without it: always.
* `seconds`: how long `sleepy` sleeps (default 3600) and what `slow` takes per request.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from models.engine import (
    FitRequest,
    ImageRequest,
    ImageResult,
    SampleRequest,
    TableResult,
    TextRequest,
    TextResult,
)


class Tiny:
    """An engine that answers one request after the other with a function."""

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        self._answer = answer
        self._queue: deque[Any] = deque()

    def submit(self, requests: Sequence[Any]) -> None:
        self._queue.extend(requests)

    def results(self) -> Iterator[Any]:
        while self._queue:
            yield self._answer(self._queue.popleft())

    def close(self) -> None:
        self._queue.clear()


def echo(ref: str, device: str, dtype: str) -> Tiny:
    """Plausible copy made from the request's own words, at once."""
    return Tiny(write_copy)


def slow(ref: str, device: str, dtype: str, seconds: float = 0.05) -> Tiny:
    """`echo` that takes `seconds` per request."""

    def answer(request: TextRequest) -> TextResult:
        time.sleep(seconds)
        return write_copy(request)

    return Tiny(answer)


def sleepy(
    ref: str, device: str, dtype: str, marker: str = "HANG", once: str | None = None, seconds: float = 3600.0
) -> Tiny:
    """Hangs on requests that contain the marker."""
    return _misbehaving(marker, once, lambda: time.sleep(seconds))


def dies(ref: str, device: str, dtype: str, marker: str = "DIE", once: str | None = None) -> Tiny:
    """Is killed with SIGKILL on requests that contain the marker."""
    return _misbehaving(marker, once, lambda: os.kill(os.getpid(), signal.SIGKILL))


def failing(ref: str, device: str, dtype: str, marker: str = "FAIL", once: str | None = None) -> Tiny:
    """Raises on requests that contain the marker."""

    def fail() -> None:
        raise RuntimeError("the tiny engine fails on purpose")

    return _misbehaving(marker, once, fail)


def unopenable(ref: str, device: str, dtype: str) -> Tiny:
    """Cannot be opened."""
    raise ValueError(f"{ref} is no model")


def paint(ref: str, device: str, dtype: str) -> Tiny:
    """Pictures of a lit, textured gradient whose colours come from prompt and seed."""
    return Tiny(_paint)


def tabular(ref: str, device: str, dtype: str) -> Tiny:
    """Fits by keeping the source, samples by drawing its rows again with a little noise on the numbers."""
    return Tiny(lambda request: _fit(request) if isinstance(request, FitRequest) else _sample(request))


def mixed(ref: str, device: str, dtype: str) -> Tiny:
    """All of `echo`, `paint` and `tabular`."""

    def answer(request: Any) -> Any:
        if isinstance(request, TextRequest):
            return write_copy(request)
        if isinstance(request, ImageRequest):
            return _paint(request)
        return _fit(request) if isinstance(request, FitRequest) else _sample(request)

    return Tiny(answer)


def _misbehaving(marker: str, once: str | None, misbehave: Callable[[], object]) -> Tiny:
    def answer(request: Any) -> Any:
        text = " ".join(m["content"] for m in request.messages) if isinstance(request, TextRequest) else repr(request)
        if marker in text and not (once and Path(once).exists()):
            if once:
                Path(once).touch()
            misbehave()
        return write_copy(request) if isinstance(request, TextRequest) else mixed("", "", "")._answer(request)

    return Tiny(answer)


_NAME = re.compile(r"^\W*(?:product(?:[ _]name)?|name|title)\W*[:=]\s*(.+)$", re.IGNORECASE | re.MULTILINE)
_TERMS = re.compile(r"^Must include: (.+)$", re.MULTILINE)
_PLAIN = re.compile(r"^Answer in plain text, (?:\d+ to|up to) (\d+) characters", re.MULTILINE)
_FIELDS = re.compile(r"^Answer as JSON[^:]*: (.+)$", re.MULTILINE)
_FIELD = re.compile(r"(\w+) \((?:(\d+) to|up to) (\d+)\)")
_LIMIT = re.compile(r"^Limit: (\d+) characters", re.MULTILINE)
_PRODUCT_LIMIT = 2000  # characters that a free prompt's answer may have

_WORDS = {
    "opening": "Meet|Discover|Try|Enjoy|Choose|Welcome|Introducing|Say hello to|Get to know|Look forward to|Time for",
    "quality": "calm|clever|friendly|quiet|lasting|gentle|bright|careful|cheerful|modest|handy|lovely|trusted",
    "thing": "companion|helper|favourite|classic|addition|idea|pleasure|detail|gift|friend|partner|treat|find|choice",
    "place": "home|office|garden|kitchen|weekend|journey|morning|evening|family|studio|terrace|commute|holiday|party",
    "verb": "brings|adds|gives|lends|offers|promises|carries|keeps|shares|spreads|returns|holds|shows|leaves",
    "good": "comfort|ease|joy|order|warmth|style|balance|charm|delight|patience|character|energy|focus|rest",
    "closing": "See it today|Find yours now|Take a closer look|Make it yours|Visit our shop|Order yours soon",
}
_CHOICES = {key: words.split("|") for key, words in _WORDS.items()}
_SENTENCES = (
    "A {quality} {thing} for every {place}",
    "It {verb} {good} to your {place}",
    "Made to be a {quality} part of the {place}",
    "Your {place} deserves this {quality} {thing}",
    "With so much {good}, it {verb} {good} to any {place}",
    "People who love a {quality} {place} will feel its {good}",
)


def write_copy(request: TextRequest) -> TextResult:
    """Sentences around the product's name, in the form and length that the prompt asks for, drawn by the seed."""
    asked = "\n".join(m["content"] for m in request.messages if m["role"] == "user")
    rng = random.Random(f"{request.seed}/{asked}")  # the same on every machine
    named = _NAME.search(asked)
    name = named.group(1).strip() if named else " ".join(asked.split()[:4]).strip(".,:;")
    must = _TERMS.search(asked)
    terms = must.group(1).split("; ") if must else []
    limit = int(found.group(1)) if (found := _LIMIT.search(asked)) else _PRODUCT_LIMIT
    if fields := _FIELDS.search(asked):
        sizes = {key: int(most) for key, _, most in _FIELD.findall(fields.group(1))}
        share = min(1.0, limit / sum(sizes.values()))
        longest = max(sizes, key=lambda key: sizes[key])
        text = json.dumps(
            {key: _field(rng, name, terms if key == longest else [], int(most * share)) for key, most in sizes.items()},
            ensure_ascii=False,
        )
    else:
        most = int(found.group(1)) if (found := _PLAIN.search(asked)) else 300
        text = _field(rng, name, terms, min(most, limit))
    words = text.split(" ")
    cut = len(words) > request.max_tokens
    return TextResult(
        id=request.id,
        text=" ".join(words[: request.max_tokens]),
        prompt_tokens=len(asked.split()),
        tokens=min(len(words), request.max_tokens),
        finish="length" if cut else "stop",
    )


def _field(rng: random.Random, name: str, terms: list[str], limit: int) -> str:
    """The name and the terms, then as many sentences as have room, but no more than make a paragraph."""
    drawn = {key: rng.choice(words) for key, words in _CHOICES.items()}
    text = f"{drawn['opening']} {name}"
    if len(text) > limit:
        return name if len(name) <= limit else f"{drawn['quality']} {drawn['thing']}".capitalize()[:limit].strip()
    more = [f"Think {' and '.join(terms)}"] if terms else []
    for sentence in rng.sample(_SENTENCES, 3):
        more.append(sentence.format(**{key: rng.choice(words) for key, words in _CHOICES.items()}))
    for sentence in [*more, drawn["closing"]]:
        if len(text) + len(sentence) + 3 <= limit:
            text += f". {sentence}"
    return text + "." if len(text) < limit else text


def _paint(request: ImageRequest) -> ImageResult:
    import numpy as np

    digest = hashlib.sha256(f"{request.prompt}\n{request.seed}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8]))
    rows = np.linspace(0, 1, request.height)[:, None, None]
    columns = np.linspace(0, 1, request.width)[None, :, None]
    corners = rng.uniform(0, 255, (4, 3))
    top = corners[0] * (1 - columns) + corners[1] * columns
    bottom = corners[2] * (1 - columns) + corners[3] * columns
    waves = 40 * np.sin(rng.uniform(4, 20) * rows + rng.uniform(4, 20) * columns + rng.uniform(0, 6))
    noise = rng.normal(0, 6, (request.height, request.width, 3))
    pixels = np.clip(top * (1 - rows) + bottom * rows + waves + noise, 0, 255).astype(np.uint8)
    return ImageResult(id=request.id, pixels=pixels.tobytes(), width=request.width, height=request.height)


def _fit(request: FitRequest) -> TableResult:
    import pyarrow.parquet as pq

    table = pq.read_table(request.source)
    folder = Path(request.out)
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / "rows.parquet")
    (folder / "model.json").write_text(json.dumps({"family": request.family, "seed": request.seed}))
    return TableResult(id=request.id, path=request.out, rows=table.num_rows, info={"steps": request.steps, "loss": 0.5})


def _sample(request: SampleRequest) -> TableResult:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(Path(request.model) / "rows.parquet")
    rng = np.random.default_rng(request.seed)
    drawn = table.take(pa.array(rng.integers(0, table.num_rows, request.rows)))
    for i, field in enumerate(drawn.schema):
        if pa.types.is_floating(field.type) or pa.types.is_integer(field.type):
            drawn = drawn.set_column(i, field, _jitter(drawn.column(i), table.column(i), rng))
    pq.write_table(drawn, request.out)
    return TableResult(id=request.id, path=request.out, rows=drawn.num_rows, info={"drawn": drawn.num_rows})


def _jitter(drawn: Any, source: Any, rng: Any) -> Any:
    """The numbers, moved a little but kept inside the source's range; nulls stay nulls."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    noise = rng.normal(0.0, 1.0, len(drawn))  # drawn for nulls too, so that every row has its own
    if source.null_count == len(source):
        return drawn
    values = np.array([np.nan if v is None else float(v) for v in drawn.to_pylist()])
    known = values[~np.isnan(values)]
    low, high = float(pc.min(source).as_py()), float(pc.max(source).as_py())
    moved = np.clip(values + noise * 0.05 * (known.std() if len(known) else 0.0), low, high)
    whole = pa.types.is_integer(drawn.type)
    rows = [None if np.isnan(v) else round(v) if whole else float(v) for v in moved]
    return pa.chunked_array([pa.array(rows, drawn.type)])
