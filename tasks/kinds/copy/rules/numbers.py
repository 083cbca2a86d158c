"""Numbers and units that no fact backs.

A quantity is read with every meaning it may have ("1.500" is 1500 or 1.5, "10 pounds" money or mass); it is backed when
one meaning agrees with one of the product's data, after conversion to a base unit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tasks.kinds.base import Check
from tasks.kinds.copy.rules.schema import PASSED, RULES, UNITS, failed
from tasks.kinds.copy.rules.text import Draft, fold

if TYPE_CHECKING:
    from tasks.kinds.copy.rules.judge import JobRules

_FRACTIONS = {
    "½": 1 / 2,
    "¼": 1 / 4,
    "¾": 3 / 4,
    "⅓": 1 / 3,
    "⅔": 2 / 3,
    "⅛": 1 / 8,
    "⅜": 3 / 8,
    "⅝": 5 / 8,
    "⅞": 7 / 8,
}
_MULTIPLES = {"thousands": 1_000, "millions": 1_000_000}
_POINT_LANGUAGES = frozenset({"en", "ja", "zh", "ko", "he", "th", "hi", "ms"})
_IN_ONE = "in one"  # the dimension of "2-in-1"


@dataclass(frozen=True, slots=True)
class Unit:
    """One meaning of a unit's name: base = value × factor."""

    dimension: str
    factor: float
    imperial: bool


def _units() -> dict[str, tuple[Unit, ...]]:
    table: dict[str, tuple[Unit, ...]] = {}
    for imperial, system in ((False, UNITS.metric), (True, UNITS.imperial)):
        for dimension, units in system.items():
            for symbol, (factor, *others) in units.items():
                for name in (symbol, *map(str, others)):
                    table[name] = (*table.get(name, ()), Unit(dimension, float(factor), imperial))
    return table


_UNITS = _units()
_ALSO_WORDS = frozenset(UNITS.words)
_MONEY = frozenset(UNITS.money)
_CONNECTOR = re.compile(UNITS.connectors)
_DIGIT = re.compile(r"[0-9½¼¾⅓⅔⅛⅜⅝⅞]")
_LETTER = "A-Za-zµμÀ-ÖØ-öø-ɏ"
_NUMBER = re.compile(
    r"(?P<n>\d+(?:[.,'’\u00a0\u202f\u2009]\d+)*)(?:(?P<f>[½¼¾⅓⅔⅛⅜⅝⅞])|/(?P<d>\d+)(?![\d/.]))?|(?P<g>[½¼¾⅓⅔⅛⅜⅝⅞])"
)
_GAP = "[ \u00a0\u202f\u2009]"
_TAIL = re.compile(
    rf"(?P<gap>{_GAP}{{0,2}}-?)(?P<unit>%|°{_GAP}?[CFcf](?![{_LETTER}])|[°″”\"′']|[€$£¥₹]|[円元]|[{_LETTER}º]+(?:[²³]|[23](?!\d)|/[{_LETTER}]+[²³]?)?)"
)
_OF_A = re.compile(rf"{_GAP}(?:of{_GAP})?an?(?={_GAP})")
_SECOND = re.compile(rf"\.?{_GAP}([{_LETTER}]+)")
_IN_N = re.compile(r"-?\s?in-?\s?(?:1|one)\b", re.IGNORECASE)
_PREFIX = re.compile(
    rf"(?:(?:US|CA|AU|NZ|C|A)?\$|[€£¥₹]|\b(?:USD|EUR|GBP|CHF|JPY|CAD|AUD|NZD|INR|SEK|NOK|DKK|PLN)|\b[Rr]s\.?){_GAP}?$"
)
_CODE_HEAD = re.compile(rf"[{_LETTER}\d_]*$")
_CODE_TAIL = re.compile(rf"[{_LETTER}\d_]*")
_EXEMPT = [re.compile(pattern) for pattern in RULES.numbers.exempt]
_HARMLESS = frozenset(RULES.numbers.harmless)
_HARMLESS_CODES = frozenset(RULES.numbers.harmless_codes)
_IDIOMS = frozenset(RULES.numbers.idioms)
_ORDINALS = frozenset({"st", "nd", "rd", "th", "er", "ème", "e", "º", "x", "s"})
_NUMBER_WORDS = {language: frozenset(table) for language, table in RULES.numbers.words.items()}
_WORD_PATTERNS = {
    language: re.compile(rf"(?<![\w-])({'|'.join(table)})(?![\w])", re.IGNORECASE)
    for language, table in RULES.numbers.words.items()
}


@dataclass(slots=True)
class Quantity:
    """A number in a text: its possible values, its possible units (none: a bare number), or a code such as `IPX4`."""

    written: str
    start: int
    end: int
    values: tuple[float, ...] = ()
    units: tuple[Unit, ...] = ()
    parts: tuple[float, ...] = ()
    may_be_bare: bool = False
    code: str | None = None


@dataclass(slots=True)
class Facts:
    """What the product's data backs: bare numbers, quantities by dimension as (base, imperial), and looser kinds."""

    bare: set[float] = field(default_factory=lambda: set(_HARMLESS))
    any_unit: set[float] = field(default_factory=set)
    any_money: set[float] = field(default_factory=set)
    quantities: dict[str, list[tuple[float, bool]]] = field(default_factory=dict)
    compact: str = ""

    def add(self, dimension: str, base: float, imperial: bool) -> None:
        self.quantities.setdefault(dimension, []).append((base, imperial))


def check_numbers(rules: JobRules, draft: Draft) -> Check:
    """Every number of the draft against the product's data."""
    table = _NUMBER_WORDS.get(rules.language, frozenset())
    spelled = not table.isdisjoint(draft.distinct)
    if not spelled and not _DIGIT.search(draft.raw):
        return PASSED["numbers"]
    text = rules.without_names(draft.raw)
    facts = rules.facts
    found = quantities(text, rules.language, spelled=spelled, marks=_marks(rules.language))
    doubtful = [q for q in found if not _backed(q, facts)]
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


def quantities(text: str, language: str, *, spelled: bool = True, marks: str = "") -> list[Quantity]:
    """The quantities of a text in order.

    `spelled` also reads number words that a unit follows. `marks` are those between digits whose meaning is settled:
    `,` groups thousands and `.` is the decimal point, or the other way round; without them both readings count.
    """
    found = [q for match in _NUMBER.finditer(text) if (q := _quantity(text, match, marks)) is not None]
    if spelled and language in _WORD_PATTERNS:
        values = RULES.numbers.words[language]
        for match in _WORD_PATTERNS[language].finditer(text):
            q = _spelled(text, match, values[match.group().lower()])
            if q is not None:
                found.append(q)
        found.sort(key=lambda q: q.start)
    for left, right in zip(reversed(found[:-1]), reversed(found[1:]), strict=True):
        joined = not left.units and left.code is None and right.units
        if joined and right.start >= left.end and _CONNECTOR.fullmatch(text, left.end, right.start):
            left.units = right.units
            left.may_be_bare = right.may_be_bare
    return found


def _quantity(text: str, match: re.Match[str], marks: str) -> Quantity | None:
    start, end = match.span()
    before = text[start - 1] if start else " "
    prefix = _PREFIX.search(text, max(0, start - 5), start)
    by = before in "xX" and start > 1 and text[start - 2].isdigit()  # 50x70
    if prefix is None and not by and (before == "_" or (before.isalpha() and before < "ɐ")):
        head = _CODE_HEAD.search(text, 0, start)
        tail = _CODE_TAIL.match(text, start)
        assert head is not None and tail is not None
        if any(c.isdigit() for c in head.group()):
            return None  # the code was met at its first digit
        written = head.group() + tail.group()
        return Quantity(written, head.start(), tail.end(), code=_compact(written))
    values, parts = _values(match, marks)
    q = Quantity(match.group(), start, end, values, parts=parts)
    if prefix is not None:
        q.units = _meanings(prefix.group().strip().rstrip("."))
        q.written = text[prefix.start() : end].strip()
        q.start = prefix.start()
    elif _IN_N.match(text, end):
        q.units = (Unit(_IN_ONE, 1, False),)
        q.end = _IN_N.match(text, end).end()  # type: ignore[union-attr]
    else:
        if match["f"] or match["g"] or match["d"]:
            of_a = _OF_A.match(text, end)
            q.end = of_a.end() if of_a else end
        _read_unit(text, q, match)
    return q


def _read_unit(text: str, q: Quantity, match: re.Match[str]) -> None:
    """Sets the unit that follows the number, or makes a code of it when letters it does not know cling to it."""
    tail = _TAIL.match(text, q.end)
    if tail is None:
        return
    name, clings = tail["unit"], not tail["gap"]
    second = _SECOND.match(text, tail.end())
    units = _meanings(f"{name} {second[1]}") if second else ()
    if units and second:
        end = second.end()
    else:
        units, end = _meanings(name), tail.end()
    if any(unit.dimension in _MULTIPLES for unit in units):
        q.values = tuple(v * u.factor * _MULTIPLES[u.dimension] for v in q.values for u in units if u.dimension in _MULTIPLES) + q.values  # fmt: skip
        units = tuple(unit for unit in units if unit.dimension not in _MULTIPLES)
        q.written, q.end, q.may_be_bare = text[q.start : end], end, True
        if not units:
            following = _TAIL.match(text, end)
            units = _meanings(following["unit"]) if following else ()
            q.may_be_bare = not units
    if units:
        q.units, q.end = units, end
        q.may_be_bare = q.may_be_bare or (not clings and name.lower() in _ALSO_WORDS)
        q.written = text[q.start : end]
    elif clings and name[0].isalpha() and name.lower() not in _ORDINALS and name[0] < "ɐ" and not match["d"]:
        code = _CODE_TAIL.match(text, q.start)
        assert code is not None
        if code.end() >= tail.end("unit") and not name.lower().startswith("x"):
            q.written, q.end, q.code = code.group(), code.end(), _compact(code.group())


def _spelled(text: str, match: re.Match[str], value: float) -> Quantity | None:
    of_a = _OF_A.match(text, match.end())
    q = Quantity(match.group(), match.start(), of_a.end() if of_a else match.end(), (value,))
    tail = _TAIL.match(text, q.end)
    if tail is None or not tail["gap"]:
        return None
    units = _meanings(tail["unit"])
    idle = f"{match.group().lower()} {units[0].dimension}" in _IDIOMS if units else True
    if idle or tail["unit"].lower() in _ALSO_WORDS or any(u.dimension in _MULTIPLES for u in units):
        return None
    q.units, q.written, q.end = units, text[q.start : tail.end()], tail.end()
    return q


def _meanings(name: str) -> tuple[Unit, ...]:
    return _UNITS.get(name) or _UNITS.get(name.lower()) or ()


def _values(match: re.Match[str], marks: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The values that a written number may have, and the parts that could each be a number of its own."""
    if match["g"]:
        return (_FRACTIONS[match["g"]],), ()
    values = _plain_values(match["n"], marks)
    if match["f"]:
        return tuple(v + _FRACTIONS[match["f"]] for v in values), ()
    if match["d"]:
        divisor = float(match["d"])
        return tuple(v / divisor for v in values if divisor), (*values, divisor)
    if values:
        return values, ()
    return (), tuple(float(part) for part in re.split(r"\D", match["n"]))


def _plain_values(written: str, settled: str) -> tuple[float, ...]:
    groups = re.split(r"\D", written)
    if len(groups) == 1:
        return (float(written),)
    marks = re.findall(r"\D", written)
    values: list[float] = []
    thousands = all(len(group) == 3 for group in groups[1:]) and len(groups[0]) <= 3 and groups[0] != "0"
    if thousands and len(set(marks)) == 1 and (not settled or len(marks) > 1 or marks[0] != settled[1]):
        values.append(float("".join(groups)))
    decimal = marks[-1] in ".," and marks.count(marks[-1]) == 1
    if decimal and not (values and settled and marks[-1] == settled[0]):
        grouped = len(groups) == 2 or (all(len(g) == 3 for g in groups[1:-1]) and len(set(marks[:-1])) == 1)
        if grouped:
            values.append(float("".join(groups[:-1]) + "." + groups[-1]))
    return tuple(values)


def _marks(language: str) -> str:
    """The marks of thousands and decimals as a language writes them."""
    return ",." if language in _POINT_LANGUAGES else ".,"


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


def _known(value: float, unit: Unit, facts: Facts) -> bool:
    known = facts.quantities.get(unit.dimension)
    if unit.dimension == _IN_ONE and known is None:
        return True
    if unit.dimension in _MONEY and value in facts.any_money:
        return True
    base = _base(value, unit)
    for other, imperial in known or ():
        tolerance = RULES.numbers.tolerance if imperial != unit.imperial else 1e-6
        if abs(base - other) <= tolerance * max(abs(base), abs(other)):
            return True
    return False


def _compact(text: str) -> str:
    return re.sub(r"[\W_]+", "", fold(text))


def facts_of(texts: Iterable[str], table: dict[str, str], language: str) -> Facts:
    """What free texts and the fact table back. A fact without a unit takes it from its key, or backs any unit."""
    facts = Facts()
    texts = list(texts)
    facts.compact = _compact(" ".join([*texts, *table.keys(), *table.values()]))
    for text in texts:
        _take(text, facts, language)
    for key, value in table.items():
        _take(key, facts, language)
        for q in _take(value, facts, language):
            if q.units or q.code is not None:
                continue
            hints = re.findall(rf"[{_LETTER}%°€$£]+[²³]?", key.replace("_", " "))
            if any(hint.lower() in RULES.numbers.price_keys for hint in hints):
                facts.any_money.update(q.values)
                for unit in (u for hint in hints for u in _meanings(hint) if u.dimension in _MONEY):
                    facts.add(unit.dimension, q.values[0], unit.imperial)
                continue
            units = [u for hint in hints[1:] for u in _meanings(hint) if hint.lower() not in _ALSO_WORDS]
            for unit in units:
                for number in q.values:
                    facts.add(unit.dimension, _base(number, unit), unit.imperial)
            # "25" may be 25 of anything; the 30 of "SPF 30" may not.
            if not units and not any(c.isalpha() for c in value[: q.start] + value[q.end :]):
                facts.any_unit.update(q.values)
    return facts


def _take(text: str, facts: Facts, language: str) -> list[Quantity]:
    # Elsewhere a table may hold either notation, whatever the language of its texts.
    found = quantities(text, language, marks=_marks(language) if language in _POINT_LANGUAGES else "")
    for q in found:
        facts.bare.update(q.values)
        facts.bare.update(q.parts)
        for unit in q.units:
            for value in q.values:
                facts.add(unit.dimension, _base(value, unit), unit.imperial)
    values = RULES.numbers.words.get(language, {})
    if values:
        spelled = [values[word] for word in re.findall(r"\w+", text.lower()) if word in values]
        facts.bare.update(spelled)
        if not found and len(spelled) == 1 and text.strip().lower() in values:
            found = [Quantity(text, 0, len(text), (spelled[0],))]
    return found
