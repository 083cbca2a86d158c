"""Formulas over the columns of a row: arithmetic, comparisons and a choice, read by a parser and nothing else.

    price * quantity                      numbers; dates count days and times seconds, so that
    admitted + stay_days                  a date plus days is a date, and
    discharged - admitted                 the difference of two dates is a number
    0.25 if plan == "basic" else 0.1      texts are compared and chosen
    round(net * 1.25, 2)

A column whose name is no plain word stands in backticks. Where a column that a formula names is null, its result is.
Nothing is executed: the text becomes a tree, and only the kinds of nodes below are worked out, on arrays.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from models.table.declared.near import advice
from models.table.declared.values import Measure, ValueType, number_of, numbers_of, type_named

LONGEST = 1_000
_FUNCTIONS: dict[str, tuple[int, int, Callable[..., np.ndarray]]] = {
    "abs": (1, 1, np.abs),
    "floor": (1, 1, np.floor),
    "ceil": (1, 1, np.ceil),
    "sqrt": (1, 1, np.sqrt),
    "exp": (1, 1, np.exp),
    "log": (1, 1, np.log),
    "round": (1, 2, lambda x, places=0.0: np.rint(x * 10.0**places) / 10.0**places),
    "min": (2, 20, lambda *numbers: np.minimum.reduce(np.broadcast_arrays(*numbers))),
    "max": (2, 20, lambda *numbers: np.maximum.reduce(np.broadcast_arrays(*numbers))),
}
_ARITHMETIC: dict[type[ast.operator], Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
    ast.Pow: np.power,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
_TIMES = ("date", "time", "datetime")


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that was read: `columns` are those it names, `aliases` their names behind backticks."""

    tree: ast.expr
    columns: tuple[str, ...]
    aliases: Mapping[str, str]

    def measure(self, types: Mapping[str, ValueType]) -> Measure:
        """What its result measures, given the columns' types. Raises ValueError for what cannot be worked out."""
        return self._measure(self.tree, types)

    def numbers(self, columns: Mapping[str, pa.Array], rows: int) -> tuple[np.ndarray, np.ndarray]:
        """(results, valid) for rows of Arrow columns: float64, or objects where the result is text."""
        valid = np.ones(rows, bool)
        found: dict[str, np.ndarray] = {}
        for name in self.columns:
            valid &= np.asarray(columns[name].is_valid())
            text = pa.types.is_string(columns[name].type)
            found[name] = _texts(columns[name]) if text else numbers_of(columns[name])[0]
        kinds = {name: _kind_of(columns[name].type) for name in self.columns}
        with np.errstate(all="ignore"):  # what is not finite is found by whoever asked
            return np.broadcast_to(self._value(self.tree, found, kinds), (rows,)), valid

    def _name(self, node: ast.Name) -> str:
        return self.aliases.get(node.id, node.id)

    def _measure(self, node: ast.expr, types: Mapping[str, ValueType]) -> Measure:
        if isinstance(node, ast.Constant):
            return {bool: "boolean", str: "text"}.get(type(node.value), "number")  # type: ignore[return-value]
        if isinstance(node, ast.Name):
            return types[self._name(node)].measure
        if isinstance(node, ast.UnaryOp):
            inner = self._measure(node.operand, types)
            if inner != ("boolean" if isinstance(node.op, ast.Not) else "number"):
                raise ValueError(f"{ast.unparse(node)} cannot be worked out: {ast.unparse(node.operand)} is a {inner}")
            return inner
        if isinstance(node, ast.BinOp):
            return _sum_of(node, self._measure(node.left, types), self._measure(node.right, types))
        if isinstance(node, ast.Compare):
            _check_alike(node, node.left, self._measure(node.left, types), self._measure(node.comparators[0], types))
            return "boolean"
        if isinstance(node, ast.BoolOp):
            for value in node.values:
                self._check_truth(value, types)
            return "boolean"
        if isinstance(node, ast.IfExp):
            self._check_truth(node.test, types)
            one, other = self._measure(node.body, types), self._measure(node.orelse, types)
            if one != other:
                raise ValueError(f"{ast.unparse(node)} is a {one} or a {other}; both must be the same")
            return one
        assert isinstance(node, ast.Call)
        for argument in node.args:
            inner = self._measure(argument, types)
            if inner != "number":
                raise ValueError(f"{ast.unparse(node)} asks for numbers, and {ast.unparse(argument)} is a {inner}")
        return "number"

    def _check_truth(self, node: ast.expr, types: Mapping[str, ValueType]) -> None:
        if (inner := self._measure(node, types)) != "boolean":
            raise ValueError(f"{ast.unparse(node)} is a {inner} and neither true nor false; compare it with something")

    def _value(
        self, node: ast.expr, found: Mapping[str, np.ndarray], kinds: Mapping[str, ValueType | None]
    ) -> np.ndarray:
        if isinstance(node, ast.Constant):
            return np.array(node.value, object if isinstance(node.value, str) else np.float64)
        if isinstance(node, ast.Name):
            return found[self._name(node)]
        if isinstance(node, ast.UnaryOp):
            inner = self._value(node.operand, found, kinds)
            return (inner == 0).astype(np.float64) if isinstance(node.op, ast.Not) else -inner
        if isinstance(node, ast.BinOp):
            left, right = (self._value(side, found, kinds) for side in (node.left, node.right))
            return _ARITHMETIC[type(node.op)](left, right)
        if isinstance(node, ast.Compare):
            sides = [node.left, node.comparators[0]]
            left, right = (self._value(side, found, kinds) for side in sides)
            for mine, beside in ((0, 1), (1, 0)):  # a moment beside a column of moments is written as text
                kind = kinds.get(self._name(sides[mine])) if isinstance(sides[mine], ast.Name) else None  # type: ignore[arg-type]
                written = sides[beside]
                if kind is not None and isinstance(written, ast.Constant) and isinstance(written.value, str):
                    moment = np.array(number_of(written.value, kind))
                    left, right = (left, moment) if beside else (moment, right)
            return np.asarray(_COMPARISONS[type(node.ops[0])](left, right), np.float64)
        if isinstance(node, ast.BoolOp):
            values = np.broadcast_arrays(*(self._value(value, found, kinds) != 0 for value in node.values))
            together = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            return together.reduce(values).astype(np.float64)
        if isinstance(node, ast.IfExp):
            test, one, other = (self._value(part, found, kinds) for part in (node.test, node.body, node.orelse))
            return np.where(test != 0, one, other)
        assert isinstance(node, ast.Call)
        assert isinstance(node.func, ast.Name)
        return _FUNCTIONS[node.func.id][2](*(self._value(argument, found, kinds) for argument in node.args))


def parse_formula(text: str) -> Formula:
    """Read a formula. Raises ValueError with the part that is none."""
    if len(text) > LONGEST:
        raise ValueError(f"the formula is {len(text):,} characters long; at most {LONGEST:,}")
    aliases: dict[str, str] = {}

    def alias(match: re.Match[str]) -> str:
        aliases[f"column_{len(aliases)}_"] = match[1]
        return f" column_{len(aliases) - 1}_ "

    try:
        tree = ast.parse(re.sub(r"`([^`]+)`", alias, text).strip(), mode="eval").body
        columns = dict.fromkeys(aliases.get(name, name) for name in _checked(tree))
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"{text[:80]!r} is no formula: {getattr(error, 'msg', None) or 'nested too deeply'}") from None
    return Formula(tree, tuple(columns), aliases)


def _checked(node: ast.expr) -> list[str]:
    """The names in a tree of allowed nodes only, in order. Raises ValueError."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float | str):
        if isinstance(node.value, int) and abs(node.value) > 2**53:
            raise ValueError(f"{str(node.value)[:30]} has more digits than float64 holds")
        return []
    parts: list[ast.expr] | None = None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        parts = [node.operand]
    elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        parts = [node.left, node.right]
    elif isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARISONS:
        parts = [node.left, *node.comparators]
    elif isinstance(node, ast.BoolOp):
        parts = node.values
    elif isinstance(node, ast.IfExp):
        parts = [node.test, node.body, node.orelse]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        parts = _arguments(node, node.func.id)
    if parts is None:
        raise ValueError(
            f"{ast.unparse(node)[:60]!r} cannot stand in a formula; there are columns, numbers, texts, "
            f"+ - * / // % **, one comparison at a time, and, or, not, A if B else C, and {', '.join(_FUNCTIONS)}"
        )
    return [name for part in parts for name in _checked(part)]


def _arguments(node: ast.Call, name: str) -> list[ast.expr]:
    if name not in _FUNCTIONS:
        raise ValueError(f"there is no function {name!r}; {advice(name, _FUNCTIONS)}")
    least, most, _ = _FUNCTIONS[name]
    if not least <= len(node.args) <= most:
        raise ValueError(f"{name} takes {least}{f' to {most}' if most > least else ''} values, not {len(node.args)}")
    return node.args


def _sum_of(node: ast.BinOp, left: Measure, right: Measure) -> Measure:
    """What a sum, difference, product … of two measures is. Raises ValueError."""
    if left == right == "number":
        return "number"
    if isinstance(node.op, ast.Sub) and left == right and left in _TIMES:
        return "number"
    if isinstance(node.op, ast.Add | ast.Sub) and left in _TIMES and right == "number":
        return left
    if isinstance(node.op, ast.Add) and left == "number" and right in _TIMES:
        return right
    raise ValueError(f"{ast.unparse(node)} cannot be worked out from a {left} and a {right}")


def _check_alike(node: ast.Compare, left: ast.expr, one: Measure, other: Measure) -> None:
    if one == other and (one != "text" or isinstance(node.ops[0], ast.Eq | ast.NotEq)):
        return
    # moments are written as texts, and only beside a column can it be told what they are
    for side, measure, text, text_measure in (
        (left, one, node.comparators[0], other),
        (node.comparators[0], other, left, one),
    ):
        if (
            measure in _TIMES
            and isinstance(side, ast.Name)
            and text_measure == "text"
            and isinstance(text, ast.Constant)
        ):
            number_of(text.value, type_named(measure))
            return
    raise ValueError(f"{ast.unparse(node)} compares a {one} with a {other}")


def _texts(column: pa.Array) -> np.ndarray:
    return column.to_numpy(zero_copy_only=False)


def _kind_of(arrow: pa.DataType) -> ValueType | None:
    """The type whose moments are written as texts; None for all others."""
    return next((type_named(name) for name in ("date", "time", "datetime") if type_named(name).arrow == arrow), None)
