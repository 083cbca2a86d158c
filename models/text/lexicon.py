"""The words that a small model knows: a text may hold them and those of its prompt, and no other.

A model of a few million parameters puts words together from pieces and at times gets one wrong ("bodegradable"). A
folder that has a `lexicon.txt`, one lower-case word a line, says what it can spell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

FILE = "lexicon.txt"
_WORD = re.compile(r"[^\W\d_]+")


def words(text: str) -> set[str]:
    """Runs of letters, folded."""
    return set(_WORD.findall(text.casefold()))


def write(folder: Path, known: Iterable[str]) -> None:
    """Note the words beside the model."""
    (folder / FILE).write_text("".join(f"{word}\n" for word in sorted(set(known))), encoding="utf-8")


def read(folder: Path) -> frozenset[str] | None:
    """The words that the folder names; None where it has no such file."""
    path = folder / FILE
    return frozenset(path.read_text("utf-8").split()) if path.is_file() else None
