"""In which order columns are drawn."""

from __future__ import annotations

from collections.abc import Sequence

from models.table.conditions import Conditions
from models.table.constraints import Constraint, Sum


def order_of(names: Sequence[str], constraints: Sequence[Constraint], conditions: Conditions) -> list[str]:
    """The order in which to draw columns: conditions first, sums after their terms, else the table's own."""
    first = conditions.columns
    order = [*first, *(name for name in names if name not in first)]
    sums = [rule for rule in constraints if isinstance(rule, Sum)]
    for _ in sums:  # a total may be a term of another sum
        for rule in sums:
            order.remove(rule.total)
            order.insert(max(order.index(name) for name in rule.terms) + 1, rule.total)
    return order
