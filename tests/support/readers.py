"""Readers for the text engine, as `module:function` names them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any


def stubborn(brief: dict[str, Any]) -> Callable[[str, bool], bool]:
    """Takes back whatever comes, so many times, and lets all pass after that."""
    left = [int(brief["times"])]

    def may_stand(_text: str, _ended: bool) -> bool:
        left[0] -= 1
        return left[0] < 0

    return may_stand


def picky(_brief: dict[str, Any]) -> Callable[[str, bool], bool]:
    """Likes two texts of three, always the same ones."""
    return lambda text, _ended: hashlib.sha256(text.encode()).digest()[0] % 3 != 0


def forbids(brief: dict[str, Any]) -> Callable[[str, bool], bool]:
    """Takes back what holds a word."""
    return lambda text, _ended: str(brief["word"]) not in text


def contented(_brief: dict[str, Any]) -> Callable[[str, bool], bool]:
    """Lets everything stand."""
    return lambda _text, _ended: True


def wants(brief: dict[str, Any]) -> Callable[[str], float]:
    """A critic that is content with a text that holds a word, and else prefers the shorter text."""
    return lambda text: 1.0 if str(brief["word"]) in text else 1 / (2 + len(text))
