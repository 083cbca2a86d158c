"""Every pair of the corpus shows the rules kept, and its words come from the job."""

import json
import random
import re
from collections import Counter
from itertools import islice

import pytest

from tasks.kinds.copy.channels import CHANNELS
from tasks.kinds.copy.job import CopyJob
from tasks.kinds.copy.prompt import parse
from tasks.kinds.copy.rules import judge_alone
from tasks.starters.copy.corpus import examples, sample
from tasks.starters.copy.features import Feature
from tasks.starters.copy.plans import features, phrases
from tasks.starters.copy.products import Product, sample_product
from tasks.starters.copy.words import invented, lexicon, with_article


@pytest.fixture(scope="module")
def drawn():
    rng = random.Random(11)
    found = []
    while len(found) < 400:
        job, feedback, fields = sample(rng, brief=len(found) % 5 == 0)
        if fields is not None:
            found.append((CopyJob(**job.model_dump(exclude_none=True)), feedback, fields))
    return found


def test_the_stream_is_a_function_of_its_seed():
    first, again, other = (list(islice(examples(seed), 20)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_examples_show_the_prompt_and_an_answer_that_parses_into_the_channels_fields():
    for pair in islice(examples(3), 100):
        assert [m["role"] for m in pair.messages] == ["system", "user"]
        channel = next(c for c in CHANNELS.values() if pair.messages[1]["content"].startswith(f"Write {c.about}."))
        job = CopyJob(job_id="a", kind="copy", channel=channel.name, product_name="x")
        assert list(parse(job, pair.completion)) == list(channel.fields)
        assert pair.completion.startswith("{") == (len(channel.fields) > 1)


def test_the_rules_accept_the_texts(drawn):
    refused = Counter(
        check.rule for job, _, fields in drawn for check in judge_alone(job, fields) if check.verdict != "accept"
    )
    assert sum(refused.values()) <= 4, refused


def test_all_channels_and_wishes_occur(drawn):
    assert {job.channel for job, _, _ in drawn} == set(CHANNELS)
    for column in ("brand_name", "category", "features", "facts", "audience", "tone", "must_include", "must_avoid"):
        having = sum(bool(getattr(job, column)) for job, _, _ in drawn)
        assert 20 < having < 399, column
    assert any(job.max_chars for job, _, _ in drawn)
    hints = " ".join(hint for _, feedback, _ in drawn for hint in feedback)
    assert "Mention " in hints
    assert "Do not say " in hints


def test_the_name_stands_verbatim_and_limits_hold(drawn):
    for job, _, fields in drawn:
        whole = "\n".join(fields.values())
        assert job.product_name in whole
        assert job.max_chars is None or len(whole) <= job.max_chars
        for name, limit in CHANNELS[job.channel].fields.items():
            assert limit.min <= len(fields[name]) <= limit.max


def test_corrections_are_obeyed(drawn):
    for _, feedback, fields in drawn:
        whole = "\n".join(fields.values()).lower()
        for hint in feedback:
            if said := re.fullmatch(r"Do not say (.+)\.", hint):
                assert not re.search(rf"(?<!\w){re.escape(said[1].lower())}", whole)
            if mentioned := re.fullmatch(r"Mention (.+)\.", hint):
                assert mentioned[1].lower().rstrip(".") in whole


def test_no_number_comes_out_of_thin_air(drawn):
    for job, _, fields in drawn:
        given = json.dumps(job.model_dump(), ensure_ascii=False)
        for number in re.findall(r"\d+", "\n".join(fields.values())):
            assert number in given


def test_phrases_hold_no_digit_and_fill_whole():
    def walk(node):
        for value in node.values() if isinstance(node, dict) else node:
            if isinstance(value, str):
                yield value
            else:
                yield from walk(value)

    assert not [text for text in walk(phrases()) if re.search(r"\d", text)]
    assert not [line for d in lexicon()["domains"].values() for line in d["lines"] if re.search(r"\d", line)]


def test_names_are_seldom_seen_twice():
    rng = random.Random(5)
    names = [sample_product(rng).name for _ in range(1000)]
    assert len(set(names)) > 950
    assert len({invented(rng) for _ in range(1000)}) > 900


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [("outer knot", "an outer knot"), ("LED display", "an LED display"), ("USB-C port", "a USB-C port"),
     ("wide handle", "a wide handle"), ("a lid", "a lid")],
)  # fmt: skip
def test_articles(phrase, expected):
    assert with_article(phrase) == expected


def test_products_in_the_plural_are_told_in_the_plural():
    boots = Product(
        "Kolm Boots", True, "shoes", features=[Feature("light to wear", "trait"), Feature("wide heel", "one")]
    )
    for seed in range(30):
        told = " ".join(features(random.Random(seed), boots, boots.features))
        assert not re.search(r"\b(It|is|has|comes)\b", told), told
