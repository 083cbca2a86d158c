"""The kinds of jobs there are. Each is a folder that can be deleted without breaking the others."""

from __future__ import annotations

import importlib
from functools import cache

from tasks.kinds.base import Kind

NAMES = ("copy", "image", "records")


@cache
def kind(name: str) -> Kind:
    """The plug of one kind; its engine's libraries are not imported. Raises `KeyError` for another name."""
    if name not in NAMES:
        raise KeyError(name)
    plug: Kind = importlib.import_module(f"tasks.kinds.{name}.kind").KIND
    return plug
