"""Gates: what a data set's figures have to reach before it is let out.

    {"min": {"shape": 0.95, "trend": 0.9}, "max": {"copy_rate": 0.01, "membership": 0.55}}

Quality has a least value and leakage a most; the figures are those of `quality/`, each from 0 to 1. A figure that a
table is too small for, or has no column for, passes no gate. What the attacks found is known only where the job names
rows that were held out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

LEAST = ("shape", "trend", "trend_shared", "c2st", "tstr", "density", "coverage", "nulls", "nulls_together")
ATTACKS = ("membership", "inference", "nearness")
MOST = ("copy_rate", *ATTACKS)


def parse_gates(text: str) -> dict[str, dict[str, float]]:
    """The gates in a JSON object: `min` and `max`, each from figure to limit. Raises ValueError."""
    try:
        entries = json.loads(text) if text.strip() else {}
    except json.JSONDecodeError as error:
        raise ValueError(f"the gates are no JSON: {error}") from error
    if not isinstance(entries, Mapping) or not set(entries) <= {"min", "max"}:
        raise ValueError('the gates are no JSON object with min and max, such as {"min": {"shape": 0.95}}')
    for bound, known in (("min", LEAST), ("max", MOST)):
        limits = entries.get(bound, {})
        if not isinstance(limits, Mapping):
            raise ValueError(f"{bound} is no object of figures and limits")
        for name, limit in limits.items():
            if name not in known:
                raise ValueError(f"{bound} has no figure {name!r}; there is {', '.join(known)}")
            if not isinstance(limit, int | float) or isinstance(limit, bool) or not 0 <= limit <= 1:
                raise ValueError(f"{bound} {name} is {limit!r}, not a number from 0 to 1")
    return {bound: dict(entries.get(bound, {})) for bound in ("min", "max")}


def missed(gates: str, figures: Mapping[str, Any]) -> list[str]:
    """The gates that a data set with these figures does not pass, in words."""
    wanted = parse_gates(gates)
    found = []
    for bound, words in (("min", "at least {:.4g} is due"), ("max", "at most {:.4g} may be")):
        for name, limit in wanted[bound].items():
            figure = figures.get(name)
            if figure is None:
                found.append(f"{name} cannot be measured: too few rows, or no column for it; leave this gate out")
            elif figure < limit if bound == "min" else figure > limit:
                found.append(f"{name} is {figure:.4g}, {words.format(limit)}")
    return found
