"""A sentence that will not do is written anew, and the rest of the text and of the batch is as if nothing had been."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from models.engine import TextRequest
from models.text import engine as text_engine
from models.text import lexicon
from models.text.proof import Proof, decoder
from tests.models.text.test_engine import texts

COPY = str(Path(__file__).parents[3] / "models" / "starters" / "copy")
ASKED = (
    "Write a text message.\nProduct: {}\nFeatures: keeps coffee warm; dishwasher safe; holds two cups\n"
    "Answer in plain text, 20 to 160 characters."
)
NAMES = ["Harbor Mug", "Fern Lamp", "Oak Chair", "Little Kettle", "Blue Bowl", "Garden Fork", "Wool Hat", "Soap Dish"]


def request(number, brief=None, **changes):
    chat = [{"role": "user", "content": ASKED.format(NAMES[number % len(NAMES)])}]
    settings = {"id": f"r{number}", "messages": chat, "seed": number, "max_tokens": 70, "brief": brief or {}}
    return TextRequest(**settings | changes)


def opened(reader, folder=COPY):
    return text_engine.open(str(folder), "cpu", "float32", batch_size=8, reader=f"tests.support.readers:{reader}")


def plain(requests):
    return texts(text_engine.open(COPY, "cpu", "float32", batch_size=8), requests)


def test_going_back_leaves_the_model_where_it_was(monkeypatch):
    monkeypatch.setattr(text_engine, "_AGAIN", 0.0)
    # So cold that a sentence that is written again comes out the same: whatever differs would be left by the first.
    requests = [request(n, {"times": n % 6}, temperature=1e-6) for n in range(8)]
    assert texts(opened("stubborn"), requests) == plain(requests)


def test_a_text_is_the_same_alone_and_in_any_company():
    engine = opened("picky")
    requests = [request(n, {"some": "brief"}) for n in range(20)]
    together = texts(engine, requests)
    shuffled = requests[:]
    random.Random(3).shuffle(shuffled)
    assert texts(engine, shuffled) == together
    assert texts(engine, requests[5:6]) == {"r5": together["r5"]}
    unread = plain(requests)
    assert sum(unread[name].text != result.text for name, result in together.items()) > 10


def test_what_the_reader_forbids_is_not_written():
    requests = [request(n, {"word": "dishwasher"}) for n in range(48)]
    told = [
        sum("dishwasher" in result.text for result in results.values())
        for results in (plain(requests), texts(opened("forbids"), requests))
    ]
    assert told[0] > 6
    assert told[1] <= 1  # a text whose allowance is spent goes on unread


def test_without_a_brief_or_at_the_coldest_nothing_is_read():
    requests = [request(0), request(1, {"word": "the"}, temperature=0.0)]
    assert texts(opened("forbids"), requests) == plain(requests)


def test_a_reader_that_likes_nothing_holds_nobody_up():
    results = texts(opened("stubborn"), [request(n, {"times": 10_000}) for n in range(4)])
    assert not any(result.error for result in results.values())
    assert all(len(result.text) > 10 for result in results.values())


def test_words_that_neither_lexicon_nor_prompt_holds_are_not_written(make_model, tmp_path):
    assert lexicon.read(make_model()) is None
    lexicon.write(tmp_path, ["lamp", "mug", "lamp"])
    assert lexicon.read(tmp_path) == {"lamp", "mug"}
    assert lexicon.words("It's Bodegradable, 350 ml!") == {"it", "s", "bodegradable", "ml"}


def test_a_row_that_breaks_its_batch_leaves_no_trace_in_the_proofs_of_others():
    requests = [request(n, {"some": "brief"}) for n in range(6)]
    alone = texts(opened("picky"), requests)
    engine, calls = opened("picky"), []

    def explode(_module, args):
        calls.append(args[0].shape)
        if len(calls) == 30:
            raise RuntimeError("in the middle")

    engine._model.get_input_embeddings().register_forward_pre_hook(explode)
    assert texts(engine, requests) == alone


class Letters:
    """Token n is the n-th piece."""

    def __init__(self, *pieces):
        self.pieces = pieces

    def decode(self, ids, **_):
        return "".join(self.pieces[i] for i in ids)


def follow(pieces, reader, allowance=100):
    """The texts that the reader is shown while the pieces are written one after the other."""
    seen = []

    def read(text, ended):
        seen.append(text)
        return reader(text, ended)

    proof = Proof(decoder(Letters(*pieces)), read, allowance)
    kept = [proof.keep(list(range(n + 1)), ended=False) for n in range(len(pieces))]
    return seen, [*kept, proof.keep(list(range(len(pieces))), ended=True)]


@pytest.mark.parametrize(
    ("pieces", "read"),
    [
        ([" One", ".", " Two", "!", " Three"], [" One.", " One. Two!", " One. Two! Three"]),
        ([" Of", " 3", ".", "5", " ml", "."], [" Of 3.5 ml."]),
        (['{"title": "', " A", '", "body": "', " B."], ['{"title": "', '{"title": " A", "body": "', None]),
        (["好", "。", "再", "来", "！", "走"], ["好。", "好。再来！", None]),
        ([" and"] * 90, [" and" * 40, " and" * 80, None]),
    ],
)
def test_the_reader_is_asked_where_sentences_and_strings_end(pieces, read):
    assert follow(pieces, lambda *_: True)[0] == [text or "".join(pieces) for text in read]


def test_it_goes_back_to_where_the_text_was_good_and_after_three_tries_before_that():
    pieces = [" One", ".", " Bad", ".", " On"]
    proof = Proof(decoder(Letters(*pieces)), lambda text, _: "Bad" not in text, 100)
    kept = [proof.keep(list(range(n)), ended=False) for n in (1, 2, 3, 4, 5)]
    assert kept == [None, None, None, None, 2]
    assert [proof.keep([0, 1, 2, 3, 4], ended=False) for _ in range(3)] == [2, 0, 0]


def test_with_the_allowance_spent_the_text_goes_on_unread():
    seen, kept = follow([" One", ".", " Two", ".", " Three"], lambda *_: False, allowance=4)
    assert kept == [None, None, 0, None, None, None]
    assert seen == [" One.", " One. Two."]
