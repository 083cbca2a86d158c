"""The held-out jobs and the measures of `benchmarks.starters`."""

from __future__ import annotations

import pytest

from benchmarks.starter_judges import copywriting, grammar, wording
from benchmarks.starter_judges.heldout import Spec, heldout_specs, terms_to_mention
from benchmarks.starter_judges.writing import write
from models.engine import TextResult
from tasks.kinds.copy.channels import CHANNELS
from tasks.kinds.copy.job import CopyJob
from tasks.kinds.copy.rules import judge_alone

SPECS = heldout_specs(300, 2_611, 3)

_LINES = {
    "title": "Here it is", "subject": "Here it is", "preheader": "Have a look", "headline_1": "From us",
    "headline_2": "Have a look", "headline_3": "In store", "description_2": "Come and see it in our store.",
}  # fmt: skip


def plain_text(spec: Spec) -> dict[str, str]:
    """A dull text that obeys its job: what every job must leave room for."""
    job = spec.job
    wanted = [*dict.fromkeys([*job.must_include, *terms_to_mention(spec.feedback)])]
    wanted = [term for term in wanted if term != job.product_name]
    fields = {}
    for name, limit in CHANNELS[str(job.channel)].fields.items():
        if name in ("text", "body", "description", "description_1"):
            fields[name] = " ".join([f"See the {job.product_name}.", *(f"With {term}." for term in wanted)])
            if len(fields[name]) < limit.min:
                fields[name] += " It waits for you in store and comes to your door."
        elif name in ("title", "headline_1") and len(str(job.product_name)) <= limit.max:
            fields[name] = str(job.product_name)
        else:
            fields[name] = _LINES[name]
    return fields


def test_every_held_out_job_can_be_met() -> None:
    failures = {
        (spec.job.job_id, check.rule, check.reason)
        for spec in SPECS
        for check in judge_alone(spec.job, plain_text(spec))
        if check.verdict != "accept"
    }
    assert not failures


def test_held_out_jobs_are_the_same_for_a_seed_and_of_many_kinds() -> None:
    assert heldout_specs(300, 2_611, 3) == SPECS
    assert heldout_specs(300, 2_612, 3) != SPECS
    traits = [trait for spec in SPECS for trait in spec.traits]
    for trait in ("brand in name", "long name", "no features", "many facts", "must avoid", "max chars", "feedback"):
        assert traits.count(trait) >= 10, trait
    assert {spec.job.channel for spec in SPECS} == {*CHANNELS}
    assert len({(spec.job.product_name, spec.job.brand_name) for spec in SPECS}) > 280


def test_no_job_bans_what_it_asks_for() -> None:
    for spec in SPECS:
        told = " ".join([*spec.job.must_include, *spec.job.features, str(spec.job.product_name)]).lower()
        assert not [term for term in spec.job.must_avoid if f" {term.lower()} " in f" {told} "]


@pytest.mark.parametrize(
    ("feature", "text", "told"),
    [
        ("keeps coffee warm", "They keep your coffee warm.", True),
        ("Rope handle that stays cool.", "Its rope handle stays cool on the bench.", True),
        ("rope handle that stays cool", "Cool to look at, with a handle of rope.", False),
        (
            "rolled edge that keeps its line",
            "A rolled edge. " + "It is far from here. " * 4 + "It keeps its line.",
            False,
        ),
        ("five to a box", "Four to a box.", False),
    ],
)
def test_a_feature_is_told_when_its_content_words_stand_close_and_in_order(feature: str, text: str, told: bool) -> None:
    assert wording.tells(feature, text) is told


def test_room_for_features_depends_on_the_limit() -> None:
    job = CopyJob(job_id="j", kind="copy", channel="sms", product_name="Tarn", features=["a" * 30, "b" * 30, "c" * 30])
    assert wording.features_with_room(job) == 2
    assert wording.features_with_room(job.model_copy(update={"max_chars": 60})) == 0
    assert wording.features_with_room(job.model_copy(update={"channel": "product_page"})) == 3


def test_what_a_text_makes_up() -> None:
    job = CopyJob(
        job_id="j",
        kind="copy",
        channel="social",
        product_name="Oak Tray",
        features=["brass handles"],
        facts={"size": "S"},
    )
    assert wording.made_up(job, {"text": "The Oak Tray has a brass handle and a red lid of cork."}) == ["cork", "red"]


def test_likeness_and_variety() -> None:
    same = ["the tray holds ten cups of tea"] * 3
    assert wording.self_bleu(same) == pytest.approx(1)
    assert wording.self_bleu(["the tray holds ten cups", "nothing here is alike at all"]) < 0.15
    assert wording.distinct(same) == pytest.approx(1 / 3)
    assert wording.distinct(same[:1]) == 1


class _Parrot:
    """An engine that answers every request with the same text."""

    def __init__(self, text: str) -> None:
        self.text, self.waiting = text, []

    def submit(self, requests: list) -> None:
        self.waiting += requests

    def results(self):
        waiting, self.waiting = self.waiting, []
        return [TextResult(id=request.id, text=self.text, tokens=9) for request in waiting]


def test_first_attempts_are_judged_by_the_rules_and_against_siblings() -> None:
    job = CopyJob(
        job_id="j", kind="copy", channel="social", product_name="Oak Tray", variants=2, features=["stays dry"]
    )
    items, cost = write(_Parrot("Meet the Oak Tray. It stays dry and waits for you in the shop."), [Spec(job)], 1)
    assert [item.first.failed for item in items] == [[], ["near_duplicate"]]
    assert cost.tokens == 18
    rows = {row.name: row.value for row in copywriting.measures(items, None)}
    assert rows["accepted at the first attempt, all rules"] == 0.5
    assert rows["name recall"] == rows["features told, of all given"] == 1
    assert rows["self-BLEU-4 between variants"] == pytest.approx(1)
    assert copywriting.refusals(items) == [("near_duplicate", 1)]


def test_an_answer_without_form_counts_against_the_model() -> None:
    job = CopyJob(job_id="j", kind="copy", channel="push", product_name="Oak Tray")
    items, _ = write(_Parrot("Meet the Oak Tray."), [Spec(job)], 1, attempts=2)
    assert [attempt.failed for attempt in items[0].attempts] == [["form"], ["form"]]
    assert copywriting.measures(items, None)[0].value == 0


def test_the_checker_finds_errors_and_spares_what_the_job_says() -> None:
    folder = grammar.harper_folder()
    if folder is None:
        pytest.skip("harper.js is not installed")
    job = CopyJob(job_id="j", kind="copy", channel="social", product_name="Zorvik Tray", features=["with a an handle"])
    texts = ["The Zorvik Tray is here. It is a apple with the the handle.", "The Zorvik Tray comes with a an handle."]
    found = grammar.check([(job, {"text": text}) for text in texts], folder)
    assert {finding.passage for finding in found[0]} >= {"a", "the the"}
    assert not any("Zorvik" in finding.passage for finding in found[0])
    assert not found[1]
