"""What a rule says of a table, as a check with the rule's version and what follows a failure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tasks.kinds.base import Check
from tasks.kinds.rulebook import Rule

Rules = Mapping[str, Rule]
NAMED = 5  # columns, or rules of the job, that a reason names


def verdict(rules: Rules, rule: str, passed: bool, reason: str, score: float | None = None) -> Check:
    """The check of one of `rules`; `reason` says what is wrong where it has not `passed`."""
    stated = rules[rule]
    outcome = "accept" if passed else stated.on_fail
    return Check(rule=rule, version=stated.version, verdict=outcome, score=score, reason="" if passed else reason)


def on_columns(rules: Rules, rule: str, failing: Sequence[str], wording: str) -> Check:
    """The check of a rule that the columns `failing` break."""
    names = ", ".join(failing[:NAMED])
    more = f" and {len(failing) - NAMED} more" if len(failing) > NAMED else ""
    return verdict(rules, rule, not failing, f"{wording} {names}{more}", score=float(len(failing)))


def on_constraints(rules: Rules, rule: str, broken: Mapping[str, int]) -> Check:
    """The check of a job's constraints: in words, and how many rows break each."""
    failing = [f"{words} in {count} rows" for words, count in broken.items() if count]
    reason = f"rules are broken: {'; '.join(failing[:NAMED])}"
    return verdict(rules, rule, not failing, reason, score=float(len(failing)))
