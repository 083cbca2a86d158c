# ruff: noqa: E501 (texts and tables of cases, one to a line)
"""Texts that say a thing twice, noise, and variants that say the same again."""

from __future__ import annotations

import pytest
from support.copy_rules import check, job

from tasks.kinds.copy.rules import judge_among


class TestRepetition:
    @pytest.mark.parametrize("text", ["It is the the mug.", "Order now. It is a good mug. It is a good mug.", "so good so good so good so good", "The Tall Mug Mug is here.", "It keeps your tea warm all day and it keeps your tea warm all day long."])  # fmt: skip
    def test_repeated(self, text):
        assert check("repetition", job(), text).verdict == "retry"

    @pytest.mark.parametrize("text", ["Boom, boom, boom! Ready.", "Tea, tea and tea.", "A very very tall mug.", "That that is fine."])  # fmt: skip
    def test_not_repeated(self, text):
        assert check("repetition", job(), text).verdict == "accept"

    @pytest.mark.parametrize(
        "text",
        [
            "In detail: Garden fence. It stands. In short: Garden fence.",
            "Ample space. Wear it your way. Ample space.",
            "A wide brim hat with a bow and a wide brim hat for you.",
            "Cut from soft wool for cold and wet days and soft wool for cold and wet days.",
        ],
    )
    def test_a_short_text_says_a_thing_once(self, text):
        assert check("repetition", job(features=["wide brim hat"]), text).verdict == "retry"

    @pytest.mark.parametrize(
        "text",
        [
            "Soft wool outside, soft wool inside.",
            "It's time to rest. It's time to read.",
            "A wide brim hat. The brim of this hat is wide.",
            "Mon: 9–18; Tue: 9–18; Wed: 9 am\nThu: 9 am",
            "It's not just a mug. It's not just a gift.",
            "Made for the way you live and made for the way you work.",
            "A steel rim on top. The brushed steel rim on top shines.",
        ],
    )
    def test_words_may_come_back(self, text):
        features = ["wide brim hat", "soft wool", "steel rim on top", "brushed steel rim on top"]
        assert check("repetition", job(features=features), text).verdict == "accept"

    def test_a_long_text_may_come_back_to_a_feature(self):
        between = " ".join(f"{first}{vowel}{last}" for first in "bdfgklmp" for vowel in "aeiou" for last in "nr")
        told = job(features=["wide brim hat"])
        assert check("repetition", told, f"A wide brim hat. {between}. Wide brim hat!").verdict == "accept"
        assert check("repetition", told, f"Shop now. {between}. Shop now.").verdict == "accept"
        assert check("repetition", told, f"A wide brim hat. {between[:90]}. Wide brim hat!").verdict == "retry"

    def test_a_name_may_double_a_word(self):
        drum = job(product_name="Boom Boom Drum", features=["choco choco taste"])
        assert check("repetition", drum, "The Boom Boom Drum has a choco choco taste.").verdict == "accept"

    @pytest.mark.parametrize(
        "text",
        [
            "xkcd qwrt zzzxt mnbv plk",
            "!@#^*~|\\/=",
            "hahahahahahaha so fun",
            "a" * 50,
            "☕ ~ | ~ ☕ ^ ~ ☕ ~ | ~ ☕ ^ ~ ☕",
        ],
    )
    def test_noise(self, text):
        assert check("degenerate", job(), text).verdict == "retry"

    @pytest.mark.parametrize("text", ["Hmm, what a mug!!!", "Brrr… cold? Not with the Tall Mug.", "Donaudampfschifffahrtsgesellschaft", "LED, HDMI, USB, SPF", "Rhythm and crypt"])  # fmt: skip
    def test_no_noise(self, text):
        assert check("degenerate", job(), text).verdict == "accept"


class TestNearDuplicates:
    BODY = "It keeps your tea warm from the first meeting to the last, and it fits under every machine that we could find in town."

    def test_the_same_text_is_a_duplicate(self):
        fields = {"title": "Tall Mug", "body": self.BODY}
        (found,) = judge_among(job(channel="product_page"), fields, [{"title": "x", "body": "y"}, dict(fields)])
        assert found.rule == "near_duplicate"
        assert found.verdict == "retry"
        assert found.score == 1.0
        assert "variant 1" in found.reason

    def test_a_long_field_with_a_word_changed_is_a_duplicate(self):
        other = {"title": "Another title entirely", "body": self.BODY.replace("tea", "coffee")}
        (found,) = judge_among(job(channel="product_page"), {"title": "Tall Mug", "body": self.BODY}, [other])
        assert found.verdict == "retry"

    def test_the_same_title_is_no_duplicate(self):
        other = {"title": "Tall Mug", "body": "Slow mornings ask for a big cup. Here is one that stands upright on any desk, whatever you pour."}  # fmt: skip
        (found,) = judge_among(job(channel="product_page"), {"title": "Tall Mug", "body": self.BODY}, [other])
        assert found.verdict == "accept"

    def test_names_do_not_make_texts_alike(self):
        wanted = job(channel="sms", product_name="The Extraordinarily Long Name of a Mug")
        one, two = ({"text": f"The Extraordinarily Long Name of a Mug {end}"} for end in ("is here!", "warms you."))
        assert judge_among(wanted, one, [two])[0].verdict == "accept"

    def test_nothing_accepted_yet(self):
        assert judge_among(job(), {"text": "The Tall Mug is here."}, [])[0].verdict == "accept"
