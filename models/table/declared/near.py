"""The nearest of some names to one that is not among them, for messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The most similar name, or None where none is near. Case does not count."""
    plain = {known.lower(): known for known in names}
    found = difflib.get_close_matches(name[:200].lower(), plain, n=1)
    return plain[found[0]] if found else None


def advice(name: str, names: Iterable[str]) -> str:
    """`did you mean 'x'?`, or what names there are."""
    names = list(names)
    near = nearest(name, names)
    return f"did you mean {near!r}?" if near else f"there is {', '.join(names[:20])}"
