"""Texts by template: fixed words, columns of the row, and words and numbers that are made up.

    {first_name|lower}.{last_name|ascii|lower}@{pick:example.com,example.org}
    P-{patient_id:06}      a number padded to six digits
    {admitted:%d.%m.%Y}    a date or time, as strftime writes it
    {{ and }}              braces

Of the made-up ones, names and places (`words.json`: one list for all locales) are drawn once for a row, so that a name
and an e-mail address made of it agree; the others each time they stand somewhere. A column goes before a made-up word
of the same name. Where a column that a template names is null, its text is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from models.table.declared.near import advice

LONGEST = 2_000
MOST_DIGITS = 18
_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|([^{}]+)")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ROW = "row"  # the number of the row, from 1

_FILTERS: dict[str, Callable[[pa.Array], pa.Array]] = {
    "lower": pc.utf8_lower,
    "upper": pc.utf8_upper,
    "title": pc.utf8_title,
    "ascii": lambda texts: _ascii(texts),
    "slug": lambda texts: pc.utf8_trim(
        pc.replace_substring_regex(pc.utf8_lower(_ascii(texts)), "[^a-z0-9]+", "-"), "-"
    ),
    "initial": lambda texts: pc.utf8_slice_codeunits(texts, 0, 1),
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a template: fixed `text`, or what `name` and `argument` say, passed through `filters`."""

    text: str = ""
    name: str = ""
    argument: str = ""
    filters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """A template that was read. `columns` are those it names, `words` the made-up words that a row has once."""

    pieces: tuple[Piece, ...]
    columns: tuple[str, ...]
    words: tuple[str, ...]

    @property
    def counts_rows(self) -> bool:
        """Whether its texts depend on the number of their row."""
        return any(piece.name == ROW and ROW not in self.columns for piece in self.pieces)

    def texts(self, columns: Mapping[str, pa.Array], numbers: np.ndarray, rng: np.random.Generator) -> pa.Array:
        """A text for every row. `columns` are Arrow columns and words by name, `numbers` those of the rows, from 1."""
        parts: list[pa.Array | pa.Scalar] = [pa.array([""] * len(numbers))]
        for piece in self.pieces:
            if not piece.name:
                parts.append(pa.scalar(piece.text))
                continue
            texts = _written(piece, columns, numbers, rng)
            for name in piece.filters:
                texts = _FILTERS[name](texts)
            parts.append(texts)
        return pc.binary_join_element_wise(*parts, "")


@cache
def words() -> dict[str, pa.Array]:
    """The made-up names and places, by what they are."""
    lists = json.loads(Path(__file__).with_name("words.json").read_text(encoding="utf-8"))
    return {name: pa.array(entries) for name, entries in lists.items()}


def parse_template(text: str, columns: Collection[str]) -> Template:
    """Read a template of a table with these columns. Raises ValueError with the part that is wrong."""
    if len(text) > LONGEST:
        raise ValueError(f"the template is {len(text):,} characters long; at most {LONGEST:,}")
    pieces, at = [], 0
    for match in _PIECE.finditer(text):
        if match.start() != at:
            break
        at = match.end()
        if match[0] in ("{{", "}}"):
            pieces.append(Piece(text=match[0][0]))
        elif match[2] is not None:
            pieces.append(Piece(text=match[2]))
        else:
            pieces.append(_field(match[1], columns))
    if at != len(text):
        raise ValueError(f"{text[at : at + 20]!r} has a brace without its other; write {{{{ or }}}} for a brace itself")
    named = [piece.name for piece in pieces if piece.name]
    return Template(
        tuple(pieces),
        tuple(dict.fromkeys(name for name in named if name in columns)),
        tuple(dict.fromkeys(name for name in named if name not in columns and name in words())),
    )


def _field(inside: str, columns: Collection[str]) -> Piece:
    first, *filters = inside.split("|")
    name, _, argument = first.partition(":")
    name = name.strip()
    for entry in filters:
        if entry.strip() not in _FILTERS:
            raise ValueError(f"there is no filter {entry!r}; {advice(entry.strip(), _FILTERS)}")
    if name in columns:
        if argument and not re.fullmatch(r"0?[1-9][0-9]?|.*%.*", argument):
            raise ValueError(f"{argument!r} is no format: write {name}:06 for digits or {name}:%d.%m.%Y for dates")
    elif name in _MADE:
        _MADE[name][0](argument)
    elif name not in words() and name != ROW:
        known = [*columns, *words(), *_MADE, ROW]
        raise ValueError(f"{{{name}}} is no column and no word; {advice(name, known)}")
    elif argument and not (name == ROW and re.fullmatch("0?[1-9][0-9]?", argument)):
        raise ValueError(f"{{{name}:{argument}}} has a part after the colon that {name} cannot have")
    return Piece(name=name, argument=argument, filters=tuple(entry.strip() for entry in filters))


def _written(piece: Piece, columns: Mapping[str, pa.Array], numbers: np.ndarray, rng: np.random.Generator) -> pa.Array:
    if piece.name in columns:
        return _formatted(columns[piece.name], piece.argument)
    if piece.name in _MADE:
        return _MADE[piece.name][1](piece.argument, len(numbers), rng)
    assert piece.name == ROW
    return _formatted(pa.array(numbers), piece.argument)


def _formatted(column: pa.Array, argument: str) -> pa.Array:
    """A column as texts: numbers padded, dates and times by strftime, everything else as Arrow writes it."""
    kind = column.type
    if "%" in argument and pt.is_temporal(kind):
        return pc.strftime(column, format=argument)
    if pt.is_timestamp(kind):
        return pc.strftime(column.cast(pa.timestamp("s")), format="%Y-%m-%d %H:%M:%S")
    if pt.is_time64(kind):
        return column.cast(pa.time32("s")).cast(pa.string())
    texts = column.cast(pa.string())
    return pc.utf8_lpad(texts, int(argument), "0") if argument else texts


def _ascii(texts: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(pc.utf8_normalize(texts, form="NFKD"), r"[^\x00-\x7F]", "")


def _check_count(argument: str) -> None:
    if not re.fullmatch("[0-9]{1,2}", argument) or not 1 <= int(argument) <= MOST_DIGITS:
        raise ValueError(f"{argument!r} is no number of characters from 1 to {MOST_DIGITS}; write {{digits:4}}")


def _check_options(argument: str) -> None:
    if not argument or not all(_options(argument)):
        raise ValueError("pick needs something to pick from; write {pick:red,green,blue}")


def _options(argument: str) -> Sequence[str]:
    return [option.strip() for option in argument.split(",")]


def _no_argument(argument: str) -> None:
    if argument:
        raise ValueError(f"{argument!r} stands after a colon where nothing can")


def _digits(argument: str, rows: int, rng: np.random.Generator) -> pa.Array:
    width = int(argument)
    return pc.utf8_lpad(pa.array(rng.integers(10**width, size=rows)).cast(pa.string()), width, "0")


def _letters(argument: str, rows: int, rng: np.random.Generator) -> pa.Array:
    codes = np.frombuffer(_LETTERS.encode("utf-32-le"), np.uint32)[rng.integers(26, size=(rows, int(argument)))]
    return pa.array(np.ascontiguousarray(codes).view(f"<U{argument}")[:, 0])


def _pick(argument: str, rows: int, rng: np.random.Generator) -> pa.Array:
    options = pa.array(_options(argument))
    return options.take(pa.array(rng.integers(len(options), size=rows)))


def _uuid(_: str, rows: int, rng: np.random.Generator) -> pa.Array:
    """Random UUIDs (version 4, RFC 9562)."""
    raw = [rng.bytes(16).hex() for _ in range(rows)]
    variant = "89ab"
    return pa.array([f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{variant[int(h[16], 16) % 4]}{h[17:20]}-{h[20:]}" for h in raw])


_Check = Callable[[str], None]
_Make = Callable[[str, int, np.random.Generator], pa.Array]
_MADE: dict[str, tuple[_Check, _Make]] = {
    "digits": (_check_count, _digits),
    "letters": (_check_count, _letters),
    "pick": (_check_options, _pick),
    "uuid": (_no_argument, _uuid),
}
