"""Texts are made anew in the source's manner, and no value of the source comes out."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from models.table.codec import fit_codec
from models.table.spelling import Speller, shape_of
from models.table.text import fit_text

FIRST = ["Anna", "Bela", "Carla", "Dario", "Elena", "Fabio", "Greta", "Hanno", "Irena", "Jonas"]
LAST = ["Berger", "Conrad", "Dorn", "Ebert", "Fuchs", "Grimm", "Hartmann", "Imhof", "Jansen", "Keller"]
NAMES = [f"{a} {b}{c}" for a in FIRST for b in LAST for c in ("", "-Roth", "-Lang")]
CODES = [f"{chr(65 + n % 26)}{n * 37 % 1000:03d}-{n:04d}" for n in range(900)]


def draw(texts: list[str], count: int = 500) -> list[str]:
    taken = set[str]()
    drawn = fit_text(texts).draw(count, np.random.default_rng(3), taken)
    assert taken >= set(drawn)
    return sorted(set(drawn))


def test_no_source_value_is_drawn_and_none_twice() -> None:
    for texts in (NAMES, CODES):
        drawn = draw(texts)
        assert len(drawn) == 500
        assert not set(drawn) & set(texts)


def test_the_manner_is_kept() -> None:
    shapes = {shape_of(code) for code in CODES}
    assert {shape_of(code) for code in draw(CODES)} <= shapes
    assert np.mean([" " in name for name in draw(NAMES)]) > 0.9


def test_what_only_few_values_share_is_not_learned() -> None:
    texts = [f"guest {n:03d}" for n in range(400)] + ["secret +49 171 5558899"]
    assert not any("555" in text and "+" in text for text in draw(texts))
    assert "+" not in "".join(fit_text(texts).habits)


def test_an_exhausted_manner_is_lengthened() -> None:
    drawn = draw([f"{n}" for n in range(10)] * 6, 200)
    assert len(set(drawn)) == 200
    assert all(text.isdigit() for text in drawn)


def test_keys_and_names_of_a_table_are_new() -> None:
    table = pa.table({"id": pa.array(range(1, 901), pa.int32()), "code": CODES, "x": [n % 3 for n in range(900)]})
    codec = fit_codec(table)
    tokens, rng, taken = codec.encode(table), np.random.default_rng(0), codec.nothing_taken()
    batches = [codec.decode(tokens, rng, first, taken) for first in (0, 900)]
    made = pa.Table.from_batches(batches)
    assert made["id"].to_pylist() == list(range(901, 2_701))
    assert len(set(made["code"].to_pylist())) == 1_800
    assert not set(made["code"].to_pylist()) & set(CODES)
    stored = str(codec.to_json())
    assert not any(code in stored for code in CODES)


def test_texts_without_a_common_shape_keep_their_manner() -> None:
    rng = np.random.default_rng(0)
    words = ["pine", "oak", "birch", "elm", "a", "red", "old", "twisted"]
    texts = [" ".join(rng.choice(words, rng.integers(2, 9))) + str(n) for n in range(2_000)]
    drawn = draw(texts)
    assert len(drawn) == 500
    known = {word for text in drawn for word in text.rstrip("0123456789").split()}
    assert len(known & set(words)) == len(words)
    assert np.mean([len(text) for text in drawn]) == pytest.approx(np.mean([len(text) for text in texts]), rel=0.2)


def test_spelling_follows_the_habits_as_often_as_they_were_seen() -> None:
    model = fit_text(["A" + c for c in "xxxy" for _ in range(50)])
    spelled = Speller(model.habits, model.shapes).spell(4_000, np.random.default_rng(1))
    assert set(spelled) == {"Ax", "Ay"}
    assert np.mean(spelled == "Ax") == pytest.approx(0.75, abs=0.03)
    # After b nothing is known of small letters, so that those known anywhere are drawn.
    habits = {"": {"a": 30, "b": 10, "7": 5}, "a": {"b": 9}, "b": {"7": 9}}
    pairs = Speller(habits, {"aa": 1}).spell(4_000, np.random.default_rng(1))
    assert np.mean(pairs == "ab") == pytest.approx(0.75, abs=0.03)
    assert np.mean(pairs == "ba") == pytest.approx(0.25 * 0.75, abs=0.03)
