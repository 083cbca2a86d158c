"""What a copy job is refused for before any work is paid for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tasks.desk import LocalDesk, open_desk
from tasks.kinds.base import Refused
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
