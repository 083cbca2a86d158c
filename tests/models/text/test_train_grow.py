"""A model that begins from a smaller one says the same at first; rows drawn by other processes are the same rows."""

import random
from functools import partial

import pytest
import torch
from safetensors.torch import load_file
from transformers import LlamaForCausalLM

from models.text.grow import begin_from
from models.text.tokenizer import train_tokenizer
from models.text.train import Shape, build, train

SMALL = Shape(layers=2, width=32, heads=2, inner=48, positions=128)
COLORS = ["red", "green", "blue", "white"]


def say_back(words, step):
    rng = random.Random(step)
    picked = [rng.choice(words) for _ in range(8)]
    return [([{"role": "user", "content": f"color: {color}"}], f" {color}.") for color in picked]


@pytest.fixture(scope="module")
def words():
    return train_tokenizer([f"color: {c}. {c}." for c in COLORS], vocab_size=400, phrases=["color:"])


@pytest.fixture(scope="module")
def small(words, tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    train(partial(say_back, COLORS), words, folder, steps=30, seed=1, shape=SMALL, log=lambda _: None)
    return folder


def scores(model, tokenizer, text):
    ids = torch.tensor([tokenizer(text, add_special_tokens=False)["input_ids"]])
    with torch.inference_mode():
        return model.eval()(ids).logits


def test_a_deeper_model_begins_with_the_answers_of_the_smaller(words, small):
    older = LlamaForCausalLM.from_pretrained(small, dtype=torch.float32)
    deeper = build(words, Shape(layers=5, width=32, heads=2, inner=48, positions=128))
    begin_from(small, deeper, words)
    assert torch.allclose(scores(older, words, "color: red"), scores(deeper, words, "color: red"), atol=1e-4)


def test_the_scale_put_on_at_saving_is_taken_off(words, small):
    plain, unscaled = (build(words, SMALL) for _ in range(2))
    begin_from(small, plain, words)
    begin_from(small, unscaled, words, sharpened=2.0)
    assert torch.allclose(
        scores(plain, words, "color: red"), 2 * scores(unscaled, words, "color: red"), atol=1e-4
    )  # fmt: skip


def test_a_token_the_older_tokenizer_lacks_begins_as_the_mean_of_its_pieces(words, small):
    wider = train_tokenizer(["purple color: purple" for _ in range(5)], vocab_size=320, phrases=["color:"])
    token = wider("purple", add_special_tokens=False)["input_ids"]
    assert len(token) == 1
    older = LlamaForCausalLM.from_pretrained(small, dtype=torch.float32).model.embed_tokens.weight
    model = build(wider, SMALL)
    begin_from(small, model, wider)
    pieces = words("purple", add_special_tokens=False)["input_ids"]
    assert len(pieces) > 1
    assert torch.allclose(model.model.embed_tokens.weight[token[0]], older[pieces].mean(0))


def test_another_width_and_fewer_layers_are_refused(words, small):
    with pytest.raises(ValueError, match="width"):
        begin_from(small, build(words, Shape(layers=2, width=64, heads=2, inner=48)), words)
    with pytest.raises(ValueError, match="layers"):
        begin_from(small, build(words, Shape(layers=1, width=32, heads=2, inner=48)), words)


def test_workers_draw_the_same_rows(words, tmp_path):
    settings = {"steps": 6, "seed": 3, "shape": SMALL, "log": lambda _: None}
    train(partial(say_back, COLORS), words, tmp_path / "alone", **settings)
    train(partial(say_back, COLORS), words, tmp_path / "helped", workers=1, **settings)
    alone, helped = (load_file(tmp_path / name / "model.safetensors") for name in ("alone", "helped"))
    assert all(torch.equal(alone[key], helped[key]) for key in alone)
