"""Reading quantities: numbers with every meaning that they and their units may have.

"1.500" is 1500 or 1.5, "10 pounds" money or mass: what is not settled is kept, and the judge takes what fits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tasks.kinds.copy.rules.schema import RULES, UNITS
from tasks.kinds.copy.rules.text import fold

IN_ONE = "in one"  # the dimension of "2-in-1"
POINT_LANGUAGES = frozenset({"en", "ja", "zh", "ko", "he", "th", "hi", "ms"})  # write 1,000.5 and not 1.000,5
LETTER = "A-Za-zµμÀ-ÖØ-öø-ɏ"
_MULTIPLE = "multiple"  # the dimension of "million"
_FRACTIONS = dict(zip("½¼¾⅓⅔⅛⅜⅝⅞", (1 / 2, 1 / 4, 3 / 4, 1 / 3, 2 / 3, 1 / 8, 3 / 8, 5 / 8, 7 / 8), strict=True))
DIGITS = frozenset("0123456789") | _FRACTIONS.keys()


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


UNITS_BY_NAME = _units()
ALSO_WORDS = frozenset(UNITS.words)
_FIRST_WORDS = frozenset(name.split()[0].strip(".") for name in UNITS_BY_NAME if " " in name)
_RANGE, _LIST = re.compile(UNITS.ranges), re.compile(UNITS.lists)
_FRACTION = f"[{''.join(_FRACTIONS)}]"
_NUMBER = re.compile(
    rf"(?P<n>\d+(?:[.,'’\u00a0\u202f\u2009]\d+)*)(?:(?P<f>{_FRACTION})|/(?P<d>\d+)(?![\d/.]))?|(?P<g>{_FRACTION})"
)
_GAP = "[ \u00a0\u202f\u2009]"
_TAIL = re.compile(
    rf"(?P<gap>{_GAP}{{0,2}}-?)"
    rf"(?P<unit>%|°{_GAP}?[CFcf](?![{LETTER}])|[°″”\"′'€$£¥₹円元]"
    rf"|[{LETTER}º]+(?:[²³]|[23](?!\d)|/[{LETTER}]+[²³]?)?)"
)
_OF_A = re.compile(rf"{_GAP}(?:of{_GAP})?an?(?={_GAP})")
_SECOND = re.compile(rf"\.?{_GAP}([{LETTER}]+)")
_IN_N = re.compile(r"-?\s?in-?\s?(?:1|one)\b", re.IGNORECASE)
_PREFIX = re.compile(
    rf"(?:(?:US|CA|AU|NZ|C|A)?\$|[€£¥₹]|\b(?:USD|EUR|GBP|CHF|JPY|CAD|AUD|NZD|INR|SEK|NOK|DKK|PLN)|\b[Rr]s\.?){_GAP}?$"
)
_PREFIX_ENDS = frozenset("$€£¥₹Ss.DRPFYNKk")
_SPACES = frozenset(" \u00a0\u202f")
_CODE_TAIL = re.compile(rf"[{LETTER}\d_]*")
_IDIOMS = frozenset(RULES.numbers.idioms)
_ORDINALS = frozenset({"st", "nd", "rd", "th", "er", "ème", "e", "º", "x", "s"})
NUMBER_WORDS = {language: frozenset(table) for language, table in RULES.numbers.words.items()}
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


def quantities(text: str, language: str, *, spelled: bool = True, marks: str = "") -> list[Quantity]:
    """The quantities of a text in order.

    `spelled` also reads number words that a unit follows. `marks` are those between digits whose meaning is settled:
    `,` groups thousands and `.` is the decimal point, or the other way round; without them both readings count.
    """
    found: list[Quantity] = []
    for match in _NUMBER.finditer(text):
        if not found or found[-1].end <= match.start():  # a code, or a unit such as "in 1", may hold more digits
            found.append(_quantity(text, match, marks))
    if spelled and language in _WORD_PATTERNS:
        values = RULES.numbers.words[language]
        for match in _WORD_PATTERNS[language].finditer(text):
            q = _spelled(text, match, values[match.group().lower()])
            if q is not None:
                found.append(q)
        found.sort(key=lambda q: q.start)
    for left, right in zip(reversed(found[:-1]), reversed(found[1:]), strict=True):
        if not left.units and left.code is None and right.units and right.start >= left.end:
            in_range = _RANGE.fullmatch(text, left.end, right.start)
            if in_range or _LIST.fullmatch(text, left.end, right.start):
                left.units = right.units
                left.may_be_bare = right.may_be_bare or not in_range
    return found


def _quantity(text: str, match: re.Match[str], marks: str) -> Quantity:
    start, end = match.span()
    before = text[start - 1] if start else " "
    close = text[start - 2] if before in _SPACES and start > 1 else before
    prefix = _PREFIX.search(text, max(0, start - 5), start) if close in _PREFIX_ENDS else None
    by = before in "xX" and start > 1 and text[start - 2].isdigit()  # 50x70
    if prefix is None and not by and (before == "_" or (before.isalpha() and before < "ɐ")):
        first = start
        while first and (text[first - 1] == "_" or text[first - 1].isalnum()):
            first -= 1
        end = _CODE_TAIL.match(text, start).end()  # type: ignore[union-attr]  # it matches the empty text as well
        return Quantity(text[first:end], first, end, code=compact(text[first:end]))
    values, parts = _values(match, marks)
    q = Quantity(match.group(), start, end, values, parts=parts)
    if prefix is not None:
        q.units = meanings(prefix.group().strip().rstrip("."))
        q.written = text[prefix.start() : end].strip()
        q.start = prefix.start()
    elif in_one := _IN_N.match(text, end):
        q.units, q.end = (Unit(IN_ONE, 1, False),), in_one.end()
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
    second = _SECOND.match(text, tail.end()) if name.lower() in _FIRST_WORDS else None
    units = meanings(f"{name} {second[1]}") if second else ()
    if units and second:
        end = second.end()
    else:
        units, end = meanings(name), tail.end()
    multiples = [unit.factor for unit in units if unit.dimension == _MULTIPLE]
    if multiples:
        q.values += tuple(value * multiple for value in q.values for multiple in multiples)
        units = tuple(unit for unit in units if unit.dimension != _MULTIPLE)
        q.written, q.end, q.may_be_bare = text[q.start : end], end, True
        if not units:
            following = _TAIL.match(text, end)
            units = meanings(following["unit"]) if following else ()
            q.may_be_bare = not units
    if units:
        q.units, q.end = units, end
        q.may_be_bare = q.may_be_bare or (not clings and name.lower() in ALSO_WORDS)
        q.written = text[q.start : end]
    elif clings and name[0].isalpha() and name.lower() not in _ORDINALS and name[0] < "ɐ" and not match["d"]:
        code = _CODE_TAIL.match(text, q.start)
        assert code is not None
        if code.end() >= tail.end("unit") and not name.lower().startswith("x"):
            q.written, q.end, q.code = code.group(), code.end(), compact(code.group())


def _spelled(text: str, match: re.Match[str], value: float) -> Quantity | None:
    of_a = _OF_A.match(text, match.end())
    q = Quantity(match.group(), match.start(), of_a.end() if of_a else match.end(), (value,))
    tail = _TAIL.match(text, q.end)
    if tail is None or not tail["gap"]:
        return None
    units = meanings(tail["unit"])
    idle = f"{match.group().lower()} {units[0].dimension}" in _IDIOMS if units else True
    if idle or tail["unit"].lower() in ALSO_WORDS or any(u.dimension == _MULTIPLE for u in units):
        return None
    q.units, q.written, q.end = units, text[q.start : tail.end()], tail.end()
    return q


def meanings(name: str) -> tuple[Unit, ...]:
    """The units that a name may mean; none where it is no unit."""
    return UNITS_BY_NAME.get(name) or UNITS_BY_NAME.get(name.lower()) or ()


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


def settled_marks(language: str) -> str:
    """The marks of thousands and decimals as a language writes them."""
    return ",." if language in POINT_LANGUAGES else ".,"


def compact(text: str) -> str:
    """A text as letters and digits alone, in which codes are found however they are written."""
    return re.sub(r"[\W_]+", "", fold(text))
