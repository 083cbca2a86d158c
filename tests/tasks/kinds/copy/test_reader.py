"""What of a text under way is taken back at once, and what is left to the judge of the whole."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.kinds.copy.job import CopyJob
from tasks.kinds.copy.reader import brief, critic, features_with_room, reader

JOB: dict[str, Any] = {
    "job_id": "a", "kind": "copy", "product_name": "Harbor Mug", "brand_name": "Tidewell",
    "features": ["keeps coffee warm", "hand-glazed stoneware from the coast"], "facts": {"capacity": "350 ml"},
    "must_avoid": ["cheap"],
}  # fmt: skip


def stands(text: str, *, ended: bool = False, strict: bool = False, **columns: Any) -> bool:
    job = CopyJob.model_validate({**JOB, "channel": "product_page"} | columns)
    return reader(brief(job, strict=strict))(text, ended)


TITLE = '{"title": "Harbor Mug", "body": "'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Here you are:",
        '{"title": "',
        TITLE,
        TITLE + "The Harbor Mug keeps coffee warm.",
        TITLE + "It holds 350 ml.",
        TITLE + 'They call it \\"the mug\\".',
        '```json\n{"title": "Harbor Mug",\n "body": "It keeps',
        TITLE + "Harbor Mug. It keeps coffee warm.",
        TITLE + "It holds 0.35",
        TITLE + "It holds 12 fl.",
    ],
)
def test_what_is_well_so_far_may_stand(text: str) -> None:
    assert stands(text)


@pytest.mark.parametrize(
    "text",
    [
        TITLE + "It is cheap.",
        TITLE + "It holds 400 ml.",
        TITLE + "Visit <b>us</b> now.",
        TITLE + "Hand-glazed stoneware from the coast. Hand-glazed stoneware from the coast.",
        TITLE + "Write to [your name].",
        TITLE + "Good things take time. " * 60,
        '{"title": "Harbour Bowl", "body": "',
        '{"title": "Harbor Mug (new", "body": "',
        TITLE + "Yours for $70.",
        '{"title": "Harbor Mug", "title": "',
        '{"title": "Harbor Mug", "price": "',
        # It could still come, but a model that skips a field mostly forgets it.
        '{"body": "The Harbor Mug keeps coffee warm, all morning long and after.", "title": "',
    ],
)
def test_what_no_end_can_mend_is_taken_back(text: str) -> None:
    assert not stands(text)


def test_an_end_is_judged_as_a_whole() -> None:
    assert stands(TITLE + 'The Harbor Mug keeps coffee warm. It holds 350 ml, so take your time."}', ended=True)
    assert not stands(TITLE + 'Short."}', ended=True)
    assert not stands(TITLE + "The Harbor Mug keeps coffee warm. It holds 350 ml, so take your", ended=True)
    assert not stands("The Harbor Mug keeps coffee warm.", ended=True)


def test_what_can_still_come_is_not_missed_before_the_end() -> None:
    columns = {"channel": "social", "must_include": ["stoneware"]}
    assert stands("The Harbor Mug is here.", **columns)
    assert not stands("The Harbor Mug is here.", ended=True, **columns)
    assert stands("The Harbor Mug is here. Stoneware, glazed by hand.", ended=True, **columns)


def test_what_no_text_could_mend_is_left_to_the_judge() -> None:
    columns = {"channel": "search_ad", "must_include": ["w" * 95]}
    ad = (
        '{"headline_1": "Harbor Mug", "headline_2": "By Tidewell", "headline_3": "Take a look", '
        '"description_1": "The Harbor Mug.", "description_2": "Keeps coffee warm."}'
    )
    assert stands(ad, ended=True, **columns)


def test_a_free_prompt_has_rules_too() -> None:
    columns = {"channel": None, "product_name": None, "prompt": "Write of mugs.", "max_chars": 40}
    assert stands("Mugs are warm.", **columns)
    assert not stands("Mugs are cheap.", **columns)
    assert not stands("Mugs are warm. Mugs are round, and there are many of them.", **columns)
    assert stands("Mugs are warm, and mine is blue.", ended=True, **columns)


@pytest.mark.parametrize(
    "text",
    [
        "```\n",
        '```json\n{"text": "',
        "Here is the copy:\n",
        "Sure:\n\n```\nThe Harbor Mug is here.",
        "```\nA mug.\n```",
    ],
)
def test_what_the_parser_takes_off_is_passed_over(text: str) -> None:
    assert stands(text, channel="social")


def test_whole_numbers_beyond_all_bounds_are_no_more_than_a_wrong_form() -> None:
    assert not stands('{"title": ' + "1" * 5_000 + "}", ended=True)


def test_a_brief_is_what_json_can_carry_and_no_more_than_is_needed() -> None:
    job = CopyJob.model_validate({**JOB, "channel": "sms", "variants": 9, "meta": {"campaign": "x"}})
    told = brief(job)["job"]
    assert "variants" not in told
    assert "meta" not in told
    assert told["facts"] == {"capacity": "350 ml"}


def merit(text: str, **columns: Any) -> float:
    job = CopyJob.model_validate({**JOB, "channel": "social"} | columns)
    return critic(brief(job))(text)


BOTH = "The Harbor Mug keeps coffee warm. Hand-glazed stoneware from the coast."


def test_a_draft_that_is_accepted_and_tells_all_leaves_nothing_to_better():
    assert merit(BOTH) == 1.0


def test_a_draft_is_better_accepted_than_full_and_better_full_than_bare():
    bare, banned = "The Harbor Mug is here for you today.", BOTH + " So cheap."
    assert merit(BOTH) > merit("The Harbor Mug keeps coffee warm for you.") > merit(bare) >= merit(banned) > 0


def test_of_refused_drafts_the_one_that_fewer_rules_refuse_is_better():
    banned = BOTH + " So cheap."
    assert merit(banned) > merit(banned.replace("Harbor Mug", "mug"), must_include=["Harbor Mug"]) > 0


def test_what_cannot_be_parsed_is_worth_nothing():
    assert merit('{"title": "Harbor Mug', channel="product_page") == 0.0


def test_features_without_room_are_not_missed():
    long = ["a very long feature that goes on and on until nobody reads it any more, not even here"] * 2
    short = merit("The Harbor Mug keeps coffee warm.", channel="sms", features=["keeps coffee warm", *long])
    assert short == 1.0
    assert features_with_room(CopyJob.model_validate({"job_id": "a", "kind": "copy", "prompt": "Write."})) == 0


@pytest.mark.parametrize(
    ("text", "ended", "stood"),
    [
        (TITLE + "It keeps coffee", False, True),
        (TITLE + "It keeps coffee hot. It", False, False),
        (TITLE + "It keeps coffee warm. It", False, True),
        (TITLE + 'The Harbor Mug is here. It keeps coffee hot all day long, day after day after day."}', True, False),
    ],
)
def test_a_strict_reader_lets_no_slip_stand_in_what_is_finished(text, ended, stood):
    assert stands(text, ended=ended, strict=True) is stood
    assert stands(text, ended=ended)
