"""Engines with odd habits, for the tests of the engine host alone."""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.engine import ImageRequest, ImageResult, TextRequest, TextResult
from tests.support.engines import Tiny, write_copy


def chatty(ref: str, device: str, dtype: str) -> Tiny:
    """Prints, writes to the standard streams behind Python's back, and logs."""
    print("chatty opens")

    def answer(request: TextRequest) -> TextResult:
        print(f"print {request.id}")
        os.write(1, f"write {request.id}\n".encode())
        logging.getLogger("engine.chatty").warning("log %s", request.id)
        return write_copy(request)

    return Tiny(answer)


def mirror(ref: str, device: str, dtype: str) -> Tiny:
    """Gives every picture back as it came."""

    def answer(request: ImageRequest) -> ImageResult:
        return ImageResult(id=request.id, pixels=request.init_image or b"", width=request.width, height=request.height)

    return Tiny(answer)


class _Forgetful(Tiny):
    def results(self) -> Iterator[Any]:
        return (result for result in super().results() if "FORGET" not in result.text)


def forgetful(ref: str, device: str, dtype: str) -> Tiny:
    """Never answers requests that say FORGET."""
    return _Forgetful(write_copy)


def unsayable(ref: str, device: str, dtype: str) -> Tiny:
    """Answers BAD with half a surrogate pair, which is no text."""

    def answer(request: TextRequest) -> TextResult:
        good = write_copy(request)
        return TextResult(id=request.id, text="\ud800") if "BAD" in good.text else good

    return Tiny(answer)


def stuck(ref: str, device: str, dtype: str) -> Tiny:
    """Hangs in C code that never lets go of the interpreter."""

    def answer(request: TextRequest) -> TextResult:
        re.match(r"(a+)+$", "a" * 60 + "b")
        return write_copy(request)

    return Tiny(answer)


def broken(ref: str, device: str, dtype: str) -> Tiny:
    """Dies on every request."""

    def answer(request: TextRequest) -> TextResult:
        print("the device is on fire", file=sys.stderr)
        os.kill(os.getpid(), signal.SIGSEGV)
        return write_copy(request)

    return Tiny(answer)


def never_opens(ref: str, device: str, dtype: str) -> Tiny:
    """Takes an hour to open."""
    time.sleep(3600)
    return Tiny(write_copy)


def dies_opening(ref: str, device: str, dtype: str) -> Tiny:
    """Is killed while it opens."""
    os.kill(os.getpid(), signal.SIGKILL)
    return Tiny(write_copy)


def orphaning(ref: str, device: str, dtype: str) -> Tiny:
    """Starts a helper that holds all pipes open, writes its process id to the file `ref`, and dies."""

    def answer(request: TextRequest) -> TextResult:
        helper = os.fork()
        if helper == 0:
            time.sleep(3600)
        Path(ref).write_text(str(helper))
        os.kill(os.getpid(), signal.SIGKILL)
        return write_copy(request)

    return Tiny(answer)


def fleeting(ref: str, device: str, dtype: str) -> Tiny:
    """Removes its model and dies at the first request, as long as there is no file `stay` beside the model."""
    model = Path(ref)
    if not model.exists():
        raise FileNotFoundError("there is no model any more")

    def answer(request: TextRequest) -> TextResult:
        if not (model.parent / "stay").exists():
            model.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return write_copy(request)

    return Tiny(answer)


def inward(ref: str, device: str, dtype: str) -> Tiny:
    """Tells about its own process: answers with the Python expression that it is asked."""

    def answer(request: TextRequest) -> TextResult:
        return TextResult(id=request.id, text=str(eval(request.messages[0]["content"])))

    return Tiny(answer)


def nothing(ref: str, device: str, dtype: str) -> Tiny:
    """Answers with no text at all, for measurements of what lies between."""
    return Tiny(lambda request: TextResult(id=request.id))
