"""A text whose critic is not content is written again, the best draft is kept, and none depends on its company."""

from __future__ import annotations

import random

import pytest

from models.engine import TextRequest
from models.text import engine as text_engine
from models.text.decode import Row, Written
from models.text.drafting import Drafting
from models.text.sampling import uniforms
from tests.models.text.test_engine import texts
from tests.models.text.test_proof import COPY, request

WANTS = "tests.support.readers:wants"


def opened(drafts, critic=WANTS):
    return text_engine.open(COPY, "cpu", "float32", batch_size=8, critic=critic, drafts=drafts)


@pytest.fixture(scope="module")
def requests():
    return [request(n, {"word": "dishwasher"}, max_tokens=40) for n in range(20)]


@pytest.fixture(scope="module")
def by_drafts(requests):
    return {drafts: texts(opened(drafts), requests) for drafts in (1, 4)}


def liked(results):
    return {name for name, result in results.items() if "dishwasher" in result.text}


def test_more_drafts_please_more_critics(by_drafts):
    assert 0 < len(liked(by_drafts[1])) < len(liked(by_drafts[4]))


def test_a_text_that_pleases_at_once_is_the_first_draft(requests, by_drafts):
    first, engine = by_drafts[1], opened(1)
    pleasing = [one for one in requests if one.id in liked(first) and engine._speller(one)(first[one.id].text)]
    assert pleasing
    assert all(by_drafts[4][one.id] == first[one.id] for one in pleasing)


def test_of_drafts_that_do_not_please_the_best_is_kept(by_drafts):
    assert all(
        len(result.text) <= len(by_drafts[1][name].text)
        for name, result in by_drafts[4].items()
        if name not in liked(by_drafts[4])
    )


def test_a_text_is_the_same_alone_and_in_any_company(requests, by_drafts):
    engine = opened(4)
    shuffled = requests[:]
    random.Random(5).shuffle(shuffled)
    assert texts(engine, shuffled) == by_drafts[4]
    for one in (requests[3], requests[11]):
        assert texts(engine, [one]) == {one.id: by_drafts[4][one.id]}


def test_a_row_that_breaks_its_batch_leaves_no_trace_in_the_drafts_of_others(requests, by_drafts):
    engine, calls = opened(4), []

    def explode(_module, args):
        calls.append(args[0].shape)
        if len(calls) in (30, 90):
            raise RuntimeError("in the middle")

    engine._model.get_input_embeddings().register_forward_pre_hook(explode)
    assert texts(engine, requests) == by_drafts[4]


def test_the_likeliest_text_and_one_without_a_brief_are_written_once(requests):
    asked = [request(0), request(1, {"word": "never seen"}, temperature=0.0)]
    assert texts(opened(4), asked) == texts(opened(1, critic=""), asked)


def test_fewer_than_one_draft_is_refused():
    with pytest.raises(ValueError, match="drafts is 0"):
        opened(0)


def drafting(merits, most):
    row = Row(ids=[1], max_tokens=4, temperature=1.0, top_p=1.0, draws=uniforms(7, 4))
    made = Drafting(0, TextRequest(id="a", messages=[], seed=7), row, lambda text: merits[int(text)], most)
    begun = []
    while made.more:
        begun.append(made.begin())
        made.end(Written([len(begun)], True), str(len(begun) - 1))
    return made, begun


@pytest.mark.parametrize(
    ("merits", "most", "written", "best"),
    [([1.0], 4, 1, 1), ([0.2, 1.0], 4, 2, 2), ([0.2, 0.5, 0.5], 3, 3, 2), ([0.0, 0.0], 2, 2, 1)],
)
def test_the_search_ends_with_the_first_perfect_draft(merits, most, written, best):
    made, begun = drafting(merits, most)
    assert len(begun) == written
    assert made.best.ids == [best]


def test_drafts_draw_their_own_numbers_and_the_first_those_of_the_request():
    _, begun = drafting([0.1, 0.2, 0.3], 3)
    assert (begun[0].draws == uniforms(7, 4)).all()
    assert len({tuple(row.draws) for row in begun}) == 3


def test_a_perfect_draft_behind_another_is_not_looked_at():
    made, _ = drafting([1.0], 4)
    made.end(Written([9], True), "0")
    assert made.best.ids == [1]
