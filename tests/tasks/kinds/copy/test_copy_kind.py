"""What a copy job is refused for before any work is paid for, and what an answer is sent back for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from models.engine import TextResult
from tasks.desk import LocalDesk, open_desk
from tasks.kinds.base import Attempt, Refused
from tasks.kinds.copy.job import CopyJob
from tasks.kinds.copy.kind import KIND
from tasks.settings import Settings

PRODUCT = {"job_id": "a", "kind": "copy", "channel": "social", "product_name": "Harbour Mug"}


@pytest.fixture
def desk() -> Iterator[LocalDesk]:
    with open_desk(Settings()) as desk:
        yield desk


@pytest.mark.parametrize(
    ("columns", "at_fault"),
    [
        ({**PRODUCT, "locale": "de-DE"}, "locale"),
        ({"job_id": "a", "kind": "copy", "prompt": "Write a haiku about mugs."}, "prompt"),
    ],
)
def test_the_starter_refuses_what_it_never_learned(columns: dict[str, str], at_fault: str, desk: LocalDesk) -> None:
    with pytest.raises(Refused, match="starter-copy") as refusal:
        KIND.prepare(CopyJob.model_validate(columns), desk)
    assert refusal.value.column == at_fault


def test_english_briefs_are_taken(desk: LocalDesk) -> None:
    for locale in ("en-US", "en-GB", "EN"):
        assert KIND.prepare(CopyJob.model_validate({**PRODUCT, "locale": locale}), desk).group == ("starter-copy",)


def test_another_engine_answers_for_itself() -> None:
    with open_desk(Settings(engines={"copy": "tests.support.engines:echo"})) as desk:
        KIND.prepare(CopyJob.model_validate({**PRODUCT, "locale": "de-DE"}), desk)


FIRST = Attempt(id="a-0", variant=0, number=0, seed=1)


@pytest.mark.parametrize(
    ("channel", "hint"),
    [("product_page", "Answer as JSON with the fields title, body."), ("social", "Answer in plain text.")],
)
def test_an_answer_of_another_form_comes_back_with_the_form_that_is_wanted(
    channel: str, hint: str, desk: LocalDesk
) -> None:
    job = CopyJob.model_validate({**PRODUCT, "channel": channel})
    fields, checks = KIND.judge(job, FIRST, TextResult(id="a-0", text="{" if channel == "product_page" else " "), desk)
    assert fields is None
    assert [(check.rule, check.verdict, check.hint) for check in checks] == [("form", "retry", hint)]


def test_an_answer_that_was_cut_off_is_sent_back_however_good_it_looks(desk: LocalDesk) -> None:
    job = CopyJob.model_validate(PRODUCT)
    text = "The Harbour Mug is here for slow mornings."
    _, whole = KIND.judge(job, FIRST, TextResult(id="a-0", text=text, tokens=12), desk)
    assert {check.verdict for check in whole} == {"accept"}
    _, cut = KIND.judge(job, FIRST, TextResult(id="a-0", text=text, tokens=12, finish="length"), desk)
    (failed,) = (check for check in cut if check.verdict != "accept")
    assert failed.rule == "tokens"
    assert "cut off after the 12 tokens" in failed.reason
