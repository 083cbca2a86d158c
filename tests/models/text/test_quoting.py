"""A text that has begun to quote its job goes on word for word, and makes each point once."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.engine import TextRequest, TextResult
from models.text import engine as text_engine
from models.text.engine import TextEngine
from models.text.quoting import Quotes, Vocabulary, quotes, vocabulary
from tests.models.text.test_engine import texts

COPY = str(Path(__file__).parents[3] / "models" / "starters" / "copy")
WORDS = ["the", "of", "harbor", "mug", "keeps", "coffee", "warm", "12", "made", "cold"]
# As words of their own: none goes on with another.
KNOWN = vocabulary([f" {word}" for word in WORDS])
NUMBERS = {word: number for number, word in enumerate(WORDS)}


def ids(text: str) -> list[int]:
    return [NUMBERS[word] for word in text.split()]


def bonuses(text: str, names: tuple[str, ...] = (), points: tuple[str, ...] = ()) -> dict[str, float]:
    begin = quotes(ids, names, points, (), KNOWN)
    assert begin is not None
    made = begin()
    found: dict[int, float] = {}
    for end in range(len(text.split()) + 1):  # asked after every token, as while writing
        found = made.bonuses(ids(text)[:end])
    return {WORDS[token]: bonus for token, bonus in found.items()}


def test_what_is_begun_is_helped_on_and_more_so_the_farther_it_is():
    one = bonuses("the harbor", names=("harbor mug of the harbor",))
    two = bonuses("the harbor mug", names=("harbor mug of the harbor",))
    assert set(one) == {"mug"}
    assert set(two) == {"of"}
    assert two["of"] > one["mug"] > 0


def test_a_word_without_meaning_begins_nothing():
    assert bonuses("of the", names=("the harbor mug",)) == {}


def test_a_short_word_with_a_hyphen_is_helped_on_within():
    pieces = [" Two", "-", "Tone", " Bulb", "day"]
    made = Quotes([(0, 1, 2, 3)], [], [], vocabulary(pieces))
    assert made.bonuses([0]) == {}
    assert made.bonuses([0, 1])[2] > 0
    apart = Quotes([(0, 1, 2, 3)], [], [], Vocabulary(frozenset(), frozenset(), frozenset()))
    assert apart.bonuses([0, 1]) == {}


def test_behind_a_colon_a_point_that_is_due_is_likelier_to_begin_unless_it_was_made():
    pieces = [" mug", " tip:", " rubber", " feet", " blue"]
    made = Quotes([(0,)], [(2, 3), (4,)], [(2, 3)], vocabulary(pieces))
    assert made.bonuses([0]) == {}
    assert made.bonuses([0, 1])[2] > 0
    assert 4 not in made.bonuses([0, 1])
    assert made.bonuses([0, 1, 2, 3])[2] < 0
    assert made.bonuses([0, 1, 2, 3, 1])[2] < 0


def test_a_phrase_that_may_end_here_is_not_drawn_out():
    assert bonuses("keeps", points=("keeps", "keeps coffee warm")).get("coffee") is None


def test_a_point_that_was_made_is_not_made_again():
    assert bonuses("the", points=("keeps coffee warm",)) == {}
    assert bonuses("keeps coffee warm the", points=("keeps coffee warm",))["keeps"] < 0
    assert bonuses("keeps coffee warm keeps", points=("keeps coffee warm",))["coffee"] < 0


def test_what_two_points_begin_with_stays_open_while_one_is_left():
    assert "keeps" not in bonuses("keeps warm the", points=("keeps warm", "keeps cold"))


def test_what_a_name_and_a_point_begin_with_is_the_name_until_that_is_told():
    phrases = {"names": ("harbor mug",), "points": ("harbor coffee",)}
    assert set(bonuses("the harbor", **phrases)) == {"mug"}
    assert set(bonuses("harbor mug the harbor", **phrases)) == {"mug", "coffee"}


def test_the_name_may_come_again():
    assert "harbor" not in bonuses("harbor mug the", names=("harbor mug",), points=("harbor mug",))


def test_a_point_that_was_taken_back_is_not_made():
    made = Quotes([], [tuple(ids("keeps coffee warm"))], [], KNOWN)
    text = ids("keeps coffee warm")
    for end in range(4):
        made.bonuses(text[:end])
    assert made.bonuses(text)[NUMBERS["keeps"]] < 0
    assert made.bonuses(text[:1])[NUMBERS["coffee"]] > 0
    assert NUMBERS["keeps"] not in made.bonuses(ids("the"))


def test_without_phrases_there_is_nothing_to_quote():
    assert quotes(ids, (), (), (), KNOWN) is None
    assert quotes(ids, (" ",), (), (), KNOWN)().bonuses([1, 2]) == {}


@pytest.fixture(scope="module")
def engines():
    read = text_engine.open(COPY, "cpu", "float32", batch_size=8, reader="tests.support.readers:contented")
    return read, text_engine.open(COPY, "cpu", "float32", batch_size=8)


ODD = "Grelvik Quossand Tuntlepid 40"
POINTS = ("keeps coffee warm", "dishwasher safe", "holds two cups")


def asked(**phrases: list[str]) -> list[TextRequest]:
    chat = (
        f"Write a text message.\nProduct: {ODD}\nFeatures: {'; '.join(POINTS)}\n"
        "Answer in plain text, 20 to 160 characters."
    )
    settings = {"messages": [{"role": "user", "content": chat}], "max_tokens": 60, "temperature": 1.0}
    return [TextRequest(id=f"r{n}", seed=n, **settings | phrases) for n in range(48)]


def told_again(results: dict[str, TextResult]) -> int:
    return sum(result.text.count(point) > 1 for result in results.values() for point in POINTS)


def test_fewer_points_are_made_twice(engines: tuple[TextEngine, TextEngine]) -> None:
    read, _ = engines
    alone = told_again(texts(read, asked()))
    assert alone > 2
    assert told_again(texts(read, asked(points=list(POINTS)))) < alone / 2


def test_a_text_is_the_same_alone_and_in_any_company(engines):
    read, _ = engines
    requests = asked(names=[ODD], points=["keeps coffee warm"])
    together = texts(read, requests)
    assert texts(read, requests[::-1]) == together
    assert texts(read, requests[7:8]) == {"r7": together["r7"]}


def test_an_engine_that_is_not_proof_read_writes_as_the_model_would(engines):
    _, plain = engines
    assert texts(plain, asked(names=[ODD])) == texts(plain, asked())
