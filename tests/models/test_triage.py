"""Finding the guilty among suspects, without a process: whoever they are, they are found, and nobody else is blamed."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from models.engine import TextRequest
from models.triage import Triage


def requests(count: int) -> list[TextRequest]:
    return [TextRequest(id=str(i), messages=[], seed=i) for i in range(count)]


def examine(count: int, guilty: set[int]) -> tuple[list[str], list[str], int]:
    """Who was answered, who was blamed, and how often an engine failed that fails on the guilty ones."""
    triage = Triage()
    under_way = requests(count)
    answered: list[str] = []
    blamed: list[str] = []
    failures = 0
    while under_way:
        while under_way and int(under_way[0].id) not in guilty:
            answered.append(under_way.pop(0).id)
            triage.clear(answered[-1])
        if under_way:
            failures += 1
            culprit = triage.fail(under_way)
            if culprit is not None:
                blamed.append(culprit.id)
        under_way = triage.take()
    assert not triage.active
    return answered, blamed, failures


@given(st.integers(1, 70), st.sets(st.integers(0, 69), max_size=6))
@settings(max_examples=200, deadline=None)
def test_the_guilty_are_found_and_nobody_else(count, guilty):
    guilty = {i for i in guilty if i < count}
    answered, blamed, failures = examine(count, guilty)
    assert sorted(map(int, blamed)) == sorted(guilty)
    assert sorted(map(int, answered)) == sorted(set(range(count)) - guilty)
    assert failures <= len(guilty) * (2 + math.ceil(math.log2(count or 1)) + 1)


def test_one_failure_changes_nothing():
    triage = Triage()
    assert triage.fail(requests(5)) is None
    assert not triage.narrowing(["0"])
    assert triage.take() == requests(5)
    assert triage.active
    assert triage.take() == []
    assert not triage.active


def test_a_single_request_is_blamed_the_second_time():
    triage = Triage()
    assert triage.fail(requests(1)) is None
    assert triage.fail(triage.take()) == requests(1)[0]


def test_others_wait_behind_the_suspects():
    triage = Triage()
    triage.fail(requests(4))
    triage.hold(requests(9)[8:])
    triage.fail(triage.take())
    assert triage.suspects == 4
    assert [[r.id for r in triage.take()] for _ in range(3)] == [["0", "1"], ["2", "3"], ["8"]]


def test_nothing_under_way_is_nobodys_fault():
    triage = Triage()
    assert triage.fail([]) is None
    assert not triage.active
