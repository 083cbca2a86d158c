"""Texts are made anew in the source's manner, and no value of the source comes out."""

from __future__ import annotations

from random import Random

import numpy as np
import pyarrow as pa

from models.table.codec import fit_codec
from models.table.text import fit_text, shape_of

FIRST = ["Anna", "Bela", "Carla", "Dario", "Elena", "Fabio", "Greta", "Hanno", "Irena", "Jonas"]
LAST = ["Berger", "Conrad", "Dorn", "Ebert", "Fuchs", "Grimm", "Hartmann", "Imhof", "Jansen", "Keller"]
NAMES = [f"{a} {b}{c}" for a in FIRST for b in LAST for c in ("", "-Roth", "-Lang")]
CODES = [f"{chr(65 + n % 26)}{n * 37 % 1000:03d}-{n:04d}" for n in range(900)]


def draw(texts: list[str], count: int = 500) -> list[str]:
    model, rng, taken = fit_text(texts), Random(3), set[str]()
    for _ in range(count):
        taken.add(model.draw(rng, taken))
    return sorted(taken)


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
