"""Training learns, can be interrupted anywhere, and leaves a folder that the engine opens."""

import random

import pytest
import torch
from safetensors.torch import load_file

from models.engine import TextRequest
from models.text import engine as text_engine
from models.text.tokenizer import END, train_tokenizer
from models.text.train import Shape, encode, train

TINY = Shape(layers=2, width=32, heads=2, inner=48, positions=128)
COLORS = ["red", "green", "blue", "white"]


def draw(step):
    """Say back the color."""
    rng = random.Random(step)
    picked = [rng.choice(COLORS) for _ in range(16)]
    return [([{"role": "user", "content": f"color: {color}"}], f" {color}.") for color in picked]


@pytest.fixture(scope="module")
def words():
    return train_tokenizer([f"color: {c}. {c}." for c in COLORS], vocab_size=400, phrases=["color:"])


def quiet(*_):
    pass


def test_it_learns_and_the_engine_speaks_it(words, tmp_path):
    loss = train(draw, words, tmp_path, steps=220, seed=1, shape=TINY, log=quiet)
    assert loss < 0.2
    assert sum(f.stat().st_size for f in tmp_path.iterdir()) < 1_000_000
    assert {t.dtype for t in load_file(tmp_path / "model.safetensors").values()} == {torch.float16}
    engine = text_engine.open(str(tmp_path), "cpu", "float32", batch_size=4)
    asked = [
        TextRequest(
            id=color, messages=[{"role": "user", "content": f"color: {color}"}], seed=1, temperature=0.0, max_tokens=9
        )
        for color in COLORS
    ]
    engine.submit(asked)
    assert {result.id: (result.text, result.finish) for result in engine.results()} == {
        color: (f" {color}.", "stop") for color in COLORS
    }


def test_an_interrupted_training_ends_in_the_same_weights(words, tmp_path):
    settings = {"seed": 3, "shape": TINY, "checkpoint_every": 3, "log": quiet}
    train(draw, words, tmp_path / "whole", steps=8, work=tmp_path / "w1", **settings)

    def breaks(step):
        if step == 7:
            raise KeyboardInterrupt
        return draw(step)

    with pytest.raises(KeyboardInterrupt):
        train(breaks, words, tmp_path / "torn", steps=8, work=tmp_path / "w2", **settings)
    train(draw, words, tmp_path / "torn", steps=8, work=tmp_path / "w2", **settings)
    whole, torn = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "torn"))
    assert all(torch.equal(whole[key], torn[key]) for key in whole)


def test_only_the_answer_counts(words):
    ((ids, start),) = encode(words, [([{"role": "user", "content": "color: red"}], " red.")])
    assert words.decode(ids[start:]) == f" red.{END}"
    assert words.decode(ids[:start]).endswith("<|start|>assistant\n")


def test_the_tokenizer_spells_anything_and_keeps_phrases_and_digits_apart(words):
    text = "Žluťoučký 東京 🦊 color: 1290"
    ids = words(text, add_special_tokens=False)["input_ids"]
    assert words.decode(ids) == text
    pieces = words.convert_ids_to_tokens(ids)
    assert "color:" in pieces
    assert not [piece for piece in pieces if sum(c.isdigit() for c in piece) > 1]
