"""Numbers and units that no fact backs.

A number is backed when one of its meanings agrees with one of the product's data, after conversion to a base unit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tasks.kinds.base import Check
from tasks.kinds.copy.rules.quantities import (
    ALSO_WORDS,
    DIGITS,
    IN_ONE,
    LETTER,
    NUMBER_WORDS,
    POINT_LANGUAGES,
    Quantity,
    Unit,
    compact,
    meanings,
    quantities,
    settled_marks,
)
from tasks.kinds.copy.rules.schema import PASSED, RULES, UNITS, failed
from tasks.kinds.copy.rules.text import Draft

if TYPE_CHECKING:
    from tasks.kinds.copy.rules.judge import JobRules

_MONEY = frozenset(UNITS.money)
_DIGIT = re.compile(f"[{''.join(DIGITS)}]")
_WORD_BEFORE = re.compile(rf"[{LETTER}]{{2,}}[ -]?$")
_EXEMPT = [re.compile(pattern) for pattern in RULES.numbers.exempt]
_HINT = re.compile(rf"[{LETTER}%°€$£]+[²³]?")
_PRICE_KEYS = frozenset(RULES.numbers.price_keys)
_HARMLESS = frozenset(RULES.numbers.harmless)
_HARMLESS_CODES = frozenset(RULES.numbers.harmless_codes)


@dataclass(slots=True)
class Facts:
    """What the product's data backs: bare numbers, quantities by dimension as (base, imperial), and looser kinds."""

    bare: set[float] = field(default_factory=lambda: set(_HARMLESS))
    any_unit: set[float] = field(default_factory=set)
    any_money: set[float] = field(default_factory=set)
    quantities: dict[str, list[tuple[float, bool]]] = field(default_factory=dict)
    texts: tuple[str, ...] = ()
    _compact: str | None = None

    @property
    def compact(self) -> str:
        """All data as letters and digits alone, to find codes in however they are written."""
        if self._compact is None:
            self._compact = compact(" ".join(self.texts))
        return self._compact

    def add(self, dimension: str, base: float, imperial: bool) -> None:
        self.quantities.setdefault(dimension, []).append((base, imperial))


def check_numbers(rules: JobRules, draft: Draft) -> Check:
    """Every number of the draft against the product's data."""
    table = NUMBER_WORDS.get(rules.language, frozenset())
    spelled = not table.isdisjoint(draft.distinct)
    if not spelled and draft.characters.isdisjoint(DIGITS):
        return PASSED["numbers"]
    text = rules.without_names(draft.raw) if rules.numbered_names else draft.raw
    facts = rules.facts
    found = quantities(text, rules.language, spelled=spelled, marks=settled_marks(rules.language))
    doubtful = [q for q in found if not _backed(q, facts) and not _is_code(text, q, facts)]
    if not doubtful:
        return PASSED["numbers"]
    exempt = [match.span() for pattern in _EXEMPT for match in pattern.finditer(text)]
    unbacked = [q.written for q in doubtful if not any(q.start < end and start < q.end for start, end in exempt)]
    if not unbacked:
        return PASSED["numbers"]
    wrong = list(dict.fromkeys(unbacked))
    verb = "stands" if len(wrong) == 1 else "stand"
    hint = " ".join(f"Do not use the number {written}." for written in wrong[:3])
    return failed("numbers", f"{', '.join(wrong)} {verb} in no fact", hint)


def _base(value: float, unit: Unit) -> float:
    if unit.dimension == "celsius" and unit.imperial:
        return (value - 32) * 5 / 9
    return value * unit.factor


def _backed(q: Quantity, facts: Facts) -> bool:
    if q.code is not None:
        return q.code in _HARMLESS_CODES or q.code in facts.compact
    if q.parts and all(part in facts.bare for part in q.parts):
        return True
    for value in q.values:
        if (not q.units or q.may_be_bare) and value in facts.bare:
            return True
        if q.units and value in facts.any_unit:
            return True
        for unit in q.units:
            if _known(value, unit, facts):
                return True
    return False


def _is_code(text: str, q: Quantity, facts: Facts) -> bool:
    """Whether a number belongs to a code of the data that is written apart here: `IPX-4`, `SPF 30`."""
    word = _WORD_BEFORE.search(text, max(0, q.start - 12), q.start)
    return word is not None and q.code is None and compact(word.group() + q.written) in facts.compact


def _known(value: float, unit: Unit, facts: Facts) -> bool:
    known = facts.quantities.get(unit.dimension)
    if unit.dimension == IN_ONE and known is None:
        return True
    if unit.dimension in _MONEY and value in facts.any_money:
        return True
    base = _base(value, unit)
    for other, imperial in known or ():
        tolerance = RULES.numbers.tolerance if imperial != unit.imperial else 1e-6
        if abs(base - other) <= tolerance * max(abs(base), abs(other)):
            return True
    return False


def facts_of(texts: Sequence[str], table: dict[str, str], language: str) -> Facts:
    """What free texts and the fact table back. A fact without a unit takes it from its key, or backs any unit."""
    facts = Facts(texts=(*texts, *table.keys(), *table.values()))
    for text in (*texts, *table.keys()):
        _take(text, facts, language)
    for key, value in table.items():
        for q in _take(value, facts, language):
            if not q.units and q.code is None:
                _take_bare(key, value, q, facts)
    return facts


def _take(text: str, facts: Facts, language: str) -> list[Quantity]:
    """Adds the numbers of one text."""
    values = RULES.numbers.words.get(language, {})
    spelled = [values[word] for word in text.lower().split() if word in values] if values else []
    facts.bare.update(spelled)
    if not spelled and not _DIGIT.search(text):
        return []
    # Elsewhere a table may hold either notation, whatever the language of its texts.
    marks = settled_marks(language) if language in POINT_LANGUAGES else ""
    found = quantities(text, language, spelled=bool(spelled), marks=marks)
    for q in found:
        facts.bare.update(q.values)
        facts.bare.update(q.parts)
        for unit in q.units:
            for value in q.values:
                facts.add(unit.dimension, _base(value, unit), unit.imperial)
    if not found and len(spelled) == 1 and text.strip().lower() in values:
        return [Quantity(text, 0, len(text), (spelled[0],))]
    return found


def _take_bare(key: str, value: str, q: Quantity, facts: Facts) -> None:
    """A fact's number without a unit: its key may say what it is (`price`, `weight_g`)."""
    hints = _HINT.findall(key.replace("_", " "))
    if any(hint.lower() in _PRICE_KEYS for hint in hints):
        money = [unit for hint in hints for unit in meanings(hint) if unit.dimension in _MONEY]
        for unit in money:
            for number in q.values:
                facts.add(unit.dimension, number, unit.imperial)
        if not money:
            facts.any_money.update(q.values)
        return
    units = [unit for hint in hints[1:] for unit in meanings(hint) if hint.lower() not in ALSO_WORDS]
    for unit in units:
        for number in q.values:
            facts.add(unit.dimension, _base(number, unit), unit.imperial)
    # "25" may be 25 of anything; the 30 of "SPF 30" may not.
    if not units and not any(c.isalpha() for c in value[: q.start] + value[q.end :]):
        facts.any_unit.update(q.values)
