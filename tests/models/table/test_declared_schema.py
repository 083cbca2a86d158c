"""A schema that cannot be is refused: where something is wrong, what it is, and what to write."""

from __future__ import annotations

import json
from typing import Any

import pytest

from models.table.declared.columns import parse_schema

A = {"name": "a", "type": "integer", "distribution": {"kind": "normal", "mean": 3, "sd": 2}}
B = {"name": "b", "type": "integer", "distribution": {"kind": "exponential", "mean": 3}}
C = {"name": "c", "type": "number", "distribution": {"kind": "uniform", "min": 0, "max": 1}}
SEX = {"name": "sex", "type": "category", "values": ["f", "m"]}


def refused(told: Any) -> str:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the words are what is tested
        parse_schema(told if isinstance(told, str) else json.dumps(told))
    return str(error.value)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("{", "the schema is no JSON"),
        ([], 'write {"columns": ['),
        ({}, "columns is missing"),
        ({"columns": []}, "columns has 0 entries, and at least 1 are due"),
        ({"columns": [A], "corelations": []}, "unknown key 'corelations'; did you mean 'correlations'?"),
        ({"columns": [A, A]}, "column 'a' stands more than once"),
    ],
)
def test_schemas_as_a_whole(told: Any, words: str) -> None:
    assert words in refused(told)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"type": "integr", "values": [1]}, "did you mean 'integer'?"),
        ({"type": "string", "values": ["x"]}, "did you mean 'text'?"),
        ({"type": "integer"}, "nothing says what its values are; write distribution, values, given"),
        ({"type": "integer", "distributoin": {}}, "column 'x' has the unknown key 'distributoin'; did you mean"),
        ({"type": "integer", "values": [1], "formula": "a"}, "it has values and formula"),
        ({"type": "decimal", "scale": 20, "values": [1]}, "column 'x', scale is 20"),
        ({"type": "integer", "scale": 2, "values": [1]}, "scale goes with a decimal"),
        ({"type": "integer", "nulls": 2, "values": [1]}, "column 'x', nulls is 2"),
        ({"type": "boolean", "values": {"yes": 1}}, "'yes' is no boolean"),
        ({"type": "category", "values": {"a": 0, "b": 0}}, "at least one is more than 0"),
        ({"type": "category", "values": {"a": -1, "b": 2}}, "weights are not negative"),
    ],
)
def test_columns(told: dict[str, Any], words: str) -> None:
    assert words in refused({"columns": [A, SEX, {"name": "x", **told}]})


@pytest.mark.parametrize(
    ("told", "type_", "words"),
    [
        ({"kind": "norml", "mean": 3, "sd": 2}, "integer", "did you mean 'normal'?"),
        ({"mean": 3, "sd": 2}, "integer", "column 'x', distribution has no kind"),
        ({"kind": "normal", "mean": 3, "std": 2}, "integer", "unknown key 'std'; did you mean 'sd'?"),
        ({"kind": "normal", "mean": 3}, "integer", "column 'x', distribution, sd is missing"),
        ({"kind": "normal", "mean": 3, "sd": -1}, "integer", "sd is -1; it should be greater than 0"),
        ({"kind": "normal", "mean": "3", "sd": 1}, "integer", "'3' is no integer"),
        ({"kind": "normal", "mean": 0, "sd": 1, "min": 100}, "number", "hardly anything of its distribution"),
        ({"kind": "uniform", "min": 5, "max": 1}, "number", "its min 5 is more than its max 1"),
        ({"kind": "uniform", "min": 0.5, "max": 3}, "integer", "0.5 is no value of type integer"),
        ({"kind": "uniform", "min": "2024-13-01", "max": "2025-01-01"}, "date", "'2024-13-01' is no date"),
        ({"kind": "poisson", "mean": 3}, "date", "goes with numbers, not with a date"),
        ({"kind": "normal", "mean": 3, "sd": 1}, "category", "a text has no place on a number line"),
        ({"kind": "sequence"}, "number", "a sequence is a column of integers"),
        ({"kind": "choice", "values": [1, 2], "weights": [1]}, "integer", "there are 2 values and 1 weights"),
    ],
)
def test_distributions(told: dict[str, Any], type_: str, words: str) -> None:
    assert words in refused({"columns": [{"name": "x", "type": type_, "distribution": told}]})


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"column": "sx", "values": {"f": {"u": 1}}}, "'sx', which is no column of the schema; did you mean 'sex'?"),
        ({"column": "sex"}, "has either values or bands"),
        ({"column": "sex", "values": {"f": {"u": 1}}}, "'sex' can be 'm', which is not listed; give 'x'"),
        ({"column": "a", "bands": [{"below": 3, "then": ["u"]}]}, "no band holds values from 3 up"),
        ({"column": "a", "bands": [{"below": 3, "then": ["u"]}, {"below": 1, "then": ["u"]}]}, "more than the one"),
        ({"column": "sex", "bands": [{"then": ["u"]}]}, "which has no bands; write values"),
        ({"column": "sex", "values": {"f": {"kind": "normal", "mean": 1, "sd": 1}}}, "given 'sex' is 'f': a text has"),
    ],
)
def test_dependence(told: dict[str, Any], words: str) -> None:
    assert words in refused({"columns": [A, SEX, {"name": "x", "type": "category", "given": told}]})


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("a +", "is no formula"),
        ("a * sex", "cannot be worked out from a number and a text"),
        ("aa + 1", "'aa', which is no column of the schema; did you mean 'a'?"),
        ("x + 1", "columns wait for one another in a circle: x → x"),
        ("rund(a)", "no function 'rund'; did you mean 'round'?"),
        ("round(a, 1, 2)", "round takes 1 to 2 values, not 3"),
        ("sex", "its formula gives a text, and its type is number"),
        ("1 if a else 2", "compare it with something"),
        ("a.real", "cannot stand in a formula"),
        ("__import__('os').getcwd()", "cannot stand in a formula"),
        ("[a for a in (1,)]", "cannot stand in a formula"),
        ("(lambda: 1)()", "cannot stand in a formula"),
        ("f'{a}'", "cannot stand in a formula"),
        ("(" * 300 + "a" + ")" * 300, "is no formula"),
        ("9" * 40, "more digits than float64 holds"),
        ("a" * 1_001, "at most 1,000"),
    ],
)
def test_formulas(formula: str, words: str) -> None:
    assert words in refused({"columns": [A, SEX, {"name": "x", "type": "number", "formula": formula}]})


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{frst_name}", "{frst_name} is no column and no word; did you mean 'first_name'?"),
        ("{a|lowr}", "no filter 'lowr'; did you mean 'lower'?"),
        ("{a", "has a brace without its other"),
        ("{digits:x}", "no number of characters from 1 to 18"),
        ("{pick:}", "write {pick:red,green,blue}"),
        ("{a:>999999999}", "is no format"),
        ("{city:3}", "has a part after the colon"),
    ],
)
def test_templates(template: str, words: str) -> None:
    assert words in refused({"columns": [A, {"name": "x", "type": "text", "template": template}]})


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ([("a", "sex", 0.5)], "'sex' is a text without an order"),
        ([("a", "bb", 0.5)], "'bb', which is no column of the schema"),
        ([("a", "a", 0.5)], "'a' and 'a' are the same"),
        ([("a", "b", 0.5), ("b", "a", 0.5)], "are named twice"),
        ([("a", "b", 0.99)], "with their distributions it reaches 0.90 at most"),
        ([("a", "b", 2)], "correlation 1, value is 2"),
        ([("a", "b", 0.7), ("a", "c", 0.8), ("b", "c", -0.5)], "the correlations contradict each other"),
    ],
)
def test_correlations(asked: list[tuple[str, str, float]], words: str) -> None:
    correlations = [{"columns": [one, other], "value": value} for one, other, value in asked]
    assert words in refused({"columns": [A, B, C, SEX], "correlations": correlations})


def test_contradicting_correlations_say_what_to_change() -> None:
    asked = [{"columns": [x, y], "value": v} for x, y, v in (("a", "b", 0.7), ("a", "c", 0.8), ("b", "c", -0.5))]
    words = refused({"columns": [A, B, C], "correlations": asked})
    assert "has to lie between" in words
    assert "is asked; change it, or weaken another" in words
