# ruff: noqa: E501 (texts and tables of cases, one to a line)
"""Each rule of the pack on small cases: what it refuses, and what it must let pass."""

from __future__ import annotations

import time

import pytest
from support.copy_rules import broken, check, free, job

from tasks.kinds.base import Check, settle
from tasks.kinds.copy.rules import RULES_DIGEST, JobRules, judge_alone, rule_table, rules_digest

MUG_FACTS = {
    "volume": "500 ml", "weight": "1,250 g", "material": "100 % cotton", "price": "$50", "speeds": "three",
    "diameter": "20 cm", "oven safe to": "260 °C", "pieces": "3", "battery": "2,000 mAh",
}  # fmt: skip


def about_numbers(said: str, **columns) -> Check:
    columns = {"facts": MUG_FACTS, **columns}
    return check("numbers", job(**columns), f"The Tall Mug is here. {said}")


class TestThePack:
    def test_a_good_text_gets_every_check_and_no_reason(self):
        checks = judge_alone(job(), {"text": "The Tall Mug is here. Order yours today."})
        assert [c.rule for c in checks] == [row["id"] for row in rule_table()][:-1]
        assert settle(checks) == "accept"
        assert not any(c.reason or c.hint for c in checks)

    def test_a_check_tells_people_the_reason_and_the_model_a_hint(self):
        found = check("required", job(), "A mug for tall people is here. Order yours today.")
        assert (found.verdict, found.reason, found.hint) == ("retry", "Tall Mug missing", "Mention Tall Mug.")
        assert found.version >= 1

    def test_the_digest_is_of_the_data(self):
        assert rules_digest() == RULES_DIGEST
        assert len(RULES_DIGEST) == 64

    def test_the_table_names_every_rule(self):
        rows = rule_table()
        assert len({row["id"] for row in rows}) == len(rows) >= 18
        assert all(row["about"] and row["version"] >= 1 and row["on_fail"] in ("retry", "reject") for row in rows)

    @pytest.mark.parametrize(
        "piece",
        ["[", "<a", "{{", "*a", "@.", "0 (", "a1", "1,", "{a ", "http://", "ha", '"', "#", "Ã¤", "\ud800", "a" * 40, "1x", "½ ", "\n", "..."],
    )  # fmt: skip
    def test_hostile_texts_are_judged_in_time(self, piece):
        started = time.monotonic()
        judge_alone(job(facts=MUG_FACTS), {"text": piece * (20_000 // len(piece))})
        assert time.monotonic() - started < 5

    def test_reasons_can_be_written_down(self):
        for found in judge_alone(job(), {"text": "The Tall Mug is \ud800 here and"}):
            found.reason.encode()


class TestShape:
    def test_fields_missing_unknown_and_empty(self):
        seo = job(channel="seo")
        found = check("fields", seo, {"title": " ", "extra": "x y z"})
        assert found.reason == "description missing, extra unknown, title empty"
        assert found.hint == "Write the field description. Write the field title. Leave out extra."

    @pytest.mark.parametrize(("length", "refused"), [(50, False), (51, True)])
    def test_the_limit_of_a_field(self, length, refused):
        fields = {"title": "x" * length, "body": "The Tall Mug is here today."}
        found = check("length", job(channel="push"), fields)
        assert (found.verdict == "retry") == refused
        assert not refused or found.hint == "Keep title under 50 characters."

    def test_lengths_are_graphemes(self):
        family = "👨‍👩‍👧‍👦"
        assert check("length", job(channel="push"), {"title": family * 50, "body": "e\u0301" * 120}).verdict == "accept"
        assert check("length", job(channel="push"), {"title": family * 51, "body": "x" * 20}).verdict == "retry"

    def test_too_short_is_refused_too(self):
        assert "at least 20" in check("length", job(), "The Tall Mug.").reason

    def test_max_chars_is_of_the_whole_text_column(self):
        short = job(channel="push", max_chars=41)
        assert check("length", short, {"title": "x" * 20, "body": "y" * 20}).verdict == "accept"
        assert (
            check("length", short, {"title": "x" * 20, "body": "y" * 21}).hint == "Keep the text under 41 characters."
        )

    @pytest.mark.parametrize(
        ("text", "refused"),
        [("x" * 160, False), ("x" * 161, True), ("€" * 80, False), ("€" * 81, True), ("x" * 69 + "…", False), ("x" * 70 + "…", True), ("😀" * 35, False), ("😀" * 36, True), ("é" * 160, False), ("x" * 159 + "[", True)],
    )  # fmt: skip
    def test_sms_segments(self, text, refused):
        assert (check("sms_segment", job(channel="sms"), text).verdict == "retry") == refused

    def test_fields_that_say_the_same(self):
        fields = {"title": "Tall Mug!", "body": "tall mug"}
        assert check("distinct_fields", job(channel="push"), fields).reason == "body repeats title"

    @pytest.mark.parametrize("end", ["today.", "today!", "today 🎉", "#newin", "@tallmug", "today…", "(today)", "“today.”", "20%", "www.mug.example", "mug.shop", "Reply STOP to opt out"])  # fmt: skip
    def test_good_endings(self, end):
        assert check("ending", job(), f"The Tall Mug is here. Order yours {end}").verdict == "accept"

    @pytest.mark.parametrize("end", ["toda", "and", "with the", "today,", "today -"])
    def test_endings_inside_a_sentence(self, end):
        found = check("ending", job(), f"The Tall Mug is here. Order yours {end}")
        assert found.verdict == "retry"
        assert found.hint == "End text with a whole sentence."

    def test_an_email_ends_with_a_name(self):
        mail = job(channel="email", brand_name="Potter & Sons")
        fields = {"subject": "Tall Mug", "preheader": "New", "body": "Hello,\n\nit is here.\n\nYours,\nPotter & Sons"}
        assert check("ending", mail, fields).verdict == "accept"
        assert check("ending", mail, {**fields, "body": fields["body"][:-3]}).verdict == "retry"

    def test_a_headline_needs_no_mark_but_no_open_word(self):
        fields = {"title": "Tall Mug for you", "description": "Discover the Tall Mug for tea and quiet mornings"}
        assert check("ending", job(channel="seo"), fields).verdict == "accept"
        fields["description"] += " with the"
        assert check("ending", job(channel="seo"), fields).verdict == "retry"

    @pytest.mark.parametrize("text", ['an 8" pan', "it's Levi’s", "nice :)", "“so” and „so“ and \"so\"", "1) stir 2) pour", "(a) and [b]", 'a set (of 10), 40" wide', "5'10\" tall"])  # fmt: skip
    def test_good_quotes(self, text):
        assert check("quotes", job(), text).verdict == "accept"

    @pytest.mark.parametrize("text", ['so "fine', "so “fine", "so (fine", "so fine]"])
    def test_open_quotes(self, text):
        assert check("quotes", job(), text).verdict == "retry"


class TestTerms:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("Ocean Blue Shirt", "the OCEAN  BLUE\nshirt"), ("Levi's 501", "Levi’s 501"), ("Café Crème", "cafe\u0301 cre\u0300me"),
            ("Oak & Iron Shelf", "Oak and Iron Shelf"), ("T-Shirt", "t shirt"), ("Mug", "mug's"), ("Acme™ Lamp", "Acme Lamp"),
            ("抹茶ラテ", "有機抹茶ラテです"), ("ＡＢＣ", "abc"), ("C++ Book", "my c++ book"),
        ],
    )  # fmt: skip
    def test_a_name_however_it_is_written(self, name, text):
        assert check("required", job(product_name=name), text).verdict == "accept"

    @pytest.mark.parametrize(("name", "text"), [("Mug", "smug"), ("Ocean Shirt", "Ocean Blue Shirt"), ("Café", "Cafe")])
    def test_other_words_are_not_the_name(self, name, text):
        assert check("required", job(product_name=name), text).verdict == "retry"

    @pytest.mark.parametrize("title", ["Nriped Silk Blouse", "Silk Blouse", "Something new"])
    def test_the_name_stands_in_the_title_of_its_page(self, title):
        page = job(channel="product_page", product_name="Striped Silk Blouse")
        fields = {"title": title, "body": "The Striped Silk Blouse is here."}
        found = check("required", page, fields)
        assert found.hint == "Mention Striped Silk Blouse in title."
        assert check("required", page, {**fields, "title": "New: the striped silk blouse"}).verdict == "accept"

    def test_a_name_too_long_for_the_title_need_not_stand_there(self):
        page = job(channel="seo", product_name="word " * 12 + "mug")
        assert check("required", page, {"title": "New", "description": "word " * 12 + "mug."}).verdict == "accept"

    @pytest.mark.parametrize(("text", "slip"), [("The Striped Silk Blouse. A Nriped Silk Blouse.", True), ("The Striped Silk Blouse. A soft silk blouse, a striped silk scarf, two striped silk blouses.", False)])  # fmt: skip
    def test_a_misspelt_name_is_found_beside_the_right_one(self, text, slip):
        found = check("required", job(product_name="Striped Silk Blouse"), text)
        assert (found.verdict == "retry") == slip, found.reason

    def test_terms_do_not_run_over_fields(self):
        fields = {"title": "A tall", "body": "mug for you today."}
        assert check("required", job(channel="push"), fields).verdict == "retry"

    def test_a_term_with_marks_keeps_them(self):
        wanted = job(must_include=["50%"])
        assert check("required", wanted, "Tall Mug, 50 % off").verdict == "accept"
        assert check("required", wanted, "Tall Mug, 50 off").verdict == "retry"

    def test_a_name_that_cannot_fit_is_given_up(self):
        found = check("required", job(channel="search_ad", product_name="x" * 120), {"headline_1": "x"})
        assert found.verdict == "reject"

    @pytest.mark.parametrize(
        "text", ["cheap", "CHEAP!", "#cheap", "cheaper", "cheapest", "cheaply", "so cheap-looking"]
    )
    def test_banned_words_and_their_forms(self, text):
        found = check("banned", job(must_avoid=["cheap"]), text)
        assert found.verdict == "retry"
        assert found.hint == "Do not say cheap."

    @pytest.mark.parametrize(
        ("term", "text"),
        [("new", "the news"), ("cheap", "cheapskate"), ("art", "a start"), ("best price", "the best low price")],
    )
    def test_words_that_only_look_banned(self, term, text):
        assert check("banned", job(must_avoid=[term]), text).verdict == "accept"

    def test_a_name_may_hold_a_banned_word(self):
        jeans = job(product_name="Cheap Monday Jeans", brand_name="Cheap Monday", must_avoid=["cheap"])
        assert check("banned", jeans, "Cheap Monday Jeans by Cheap Monday.").verdict == "accept"
        assert check("banned", jeans, "Cheap Monday Jeans are cheap.").verdict == "retry"

    @pytest.mark.parametrize("text", ["Clinically proven.", "100% guaranteed!", "the #1 choice", "No. 1 in town", "the world's best mug", "risk-free"])  # fmt: skip
    def test_claims(self, text):
        assert check("claims", job(), text).verdict == "retry"

    @pytest.mark.parametrize(
        ("text", "columns"),
        [
            ("It is clinically proven.", {"features": ["clinically proven to work"]}),
            ("Risk-Free Game for two.", {"product_name": "Risk-Free Game"}),
            ("The #1 in Ohio.", {"facts": {"rank": "#1 in Ohio"}}),
            ("The best mug I ever had.", {}), ("Item #12 and No. 10.", {}), ("A two-year guarantee.", {}),
        ],
    )  # fmt: skip
    def test_claims_with_proof_and_no_claims(self, text, columns):
        assert check("claims", job(**columns), text).verdict == "accept"


class TestNumbers:
    @pytest.mark.parametrize(
        "said",
        [
            "500 ml", "500ml", "0.5 l", "half a litre", "½ l", "50 cl", "1.25 kg", "1250 grams", "1,250g",
            "100% cotton", "100 percent cotton", "$50", "$50.00", "50 dollars", "USD 50", "50 USD", "3 speeds", "three speeds",
            "20cm", "200 mm", "20-cm", "7.9 inch", "260°C", "500 °F", "3-pack", "3 pieces", "2000mAh", "2 Ah",
            "open 24/7", "a 2-in-1 mug", "one of us", "1 mug", "0 regrets", "90s style", "the 1990s", "one day", "we <3 tea",
            "two of you", "1. Stir\n2. Pour", "50/50", "3D", "1st", "twelve angry men", "no. 20", "20", "3 and 20 cm",
        ],
    )  # fmt: skip
    def test_backed(self, said):
        found = about_numbers(said)
        assert found.verdict == "accept", found.reason

    @pytest.mark.parametrize(
        ("said", "written"),
        [
            ("550 ml", "550 ml"), ("500 l", "500 l"), ("5 l", "5 l"), ("500 g", "500 g"), ("125 g", "125 g"), ("1.250 g", "1.250 g"),
            ("90% cotton", "90%"), ("$49", "$49"), ("€50", "€50"), ("50 euros", "50 euros"), ("20 mm", "20 mm"), ("21 cm", "21 cm"),
            ("4 speeds", "4"), ("four litres", "four litres"), ("five-year warranty", "five-year"), ("30 % off", "30 %"),
            ("10,000 fans", "10,000"), ("4.9 stars", "4.9"), ("5-star", "5"), ("since 1954", "1954"), ("20 to 30 cm", "30 cm"),
            ("10 x 20 cm", "10"), ("code MUG20", "MUG20"), ("2,000 Ah", "2,000 Ah"), ("260 °F", "260 °F"), ("¾ l", "¾ l"),
            ("only $ 17.49", "$ 17.49"), ("two weeks", "two weeks"), ("2 million sips", "2 million"), ("20k sips", "20k"),
        ],
    )  # fmt: skip
    def test_unbacked(self, said, written):
        found = about_numbers(said)
        assert found.verdict == "retry"
        assert found.hint == f"Do not use the number {written}."

    @pytest.mark.parametrize(
        ("facts", "said"),
        [
            ({"price": "60"}, "€60"), ({"price": "60.0"}, "$60"), ({"weight_g": "320"}, "320 g"), ({"capacity (ml)": "750"}, "0.75 l"),
            ({"age": "3-6"}, "3 to 6 years"), ({"size": "200x220cm"}, "2 m by 2.2 m"), ({"size": '24" x 30"'}, "24 x 30 inches"),
            ({"rating": "IPX4"}, "IPX-4"), ({"spf": "SPF 30"}, "SPF30"), ({"code": "SNOW20"}, "code SNOW20"), ({"hours": "7am to 11am"}, "7 am"),
            ({"weight": "16 fl oz"}, "16-ounce"), ({"price": "1.129,50 €"}, "1129.50 euros"), ({"time": "45 minutes"}, "¾ of an hour"),
            ({"time": "90 min"}, "1.5 hours"), ({"range": "87.5–108 MHz"}, "87.5 to 108 MHz"), ({"capacity": "20K"}, "20,000"),
            ({"temp": "180 °C"}, "180 degrees"), ({"load": "10 pounds"}, "10 lb"), ({"price": "10 pounds"}, "£10"), ({"date": "14/05/2026"}, "14 May 2026"),
            ({"speeds": "three"}, "3 speeds"), ({"kit": "5 pcs"}, "5 pieces"),
        ],
    )  # fmt: skip
    def test_ways_to_say_a_fact(self, facts, said):
        found = about_numbers(said, facts=facts)
        assert found.verdict == "accept", found.reason

    @pytest.mark.parametrize(
        ("facts", "said"),
        [
            ({"price": "60"}, "60 cm"), ({"price": "$60"}, "£60"), ({"weight_g": "320"}, "320 kg"), ({"spf": "SPF 30"}, "30 ml"),
            ({"age": "3-6 years"}, "3 to 6 months"), ({"kind": "5-in-1"}, "a 7-in-1 mug"), ({"width": "10,000 mm"}, "10,000 m"),
        ],
    )  # fmt: skip
    def test_facts_said_wrong(self, facts, said):
        assert about_numbers(said, facts=facts).verdict == "retry"

    def test_a_name_brings_its_number_but_no_quantity(self):
        bottle = {"product_name": "Bottle 750", "facts": {}}
        assert about_numbers("The Bottle 750 and the 750", **bottle).verdict == "accept"
        assert about_numbers("It holds 750 ml", **bottle).verdict == "retry"

    def test_features_terms_and_audience_back_numbers(self):
        columns = {"facts": {}, "features": ["runs 8 h"], "must_include": ["SAVE10"], "audience": "kids from 3 to 6"}
        assert about_numbers("8 hours with SAVE10 for kids of 3 to 6", **columns).verdict == "accept"

    def test_a_free_prompt_backs_numbers(self):
        market = free(prompt="Invite people to the market on 14 May at 10 am.")
        assert check("numbers", market, "Come on 14 May at 10 am!").verdict == "accept"
        assert check("numbers", market, "Come on 15 May at 10 am!").verdict == "retry"
        assert check("numbers", market, "Meet 10,000 people on 14 May!").verdict == "retry"

    @pytest.mark.parametrize(
        ("locale", "facts", "said", "backed"),
        [
            ("de-DE", {"Höhe": "32,5 cm"}, "Sie ist 32,5 cm hoch", True), ("de-DE", {"Gewicht": "1500 g"}, "1.500 g leicht", True),
            ("de-DE", {"Garantie": "5 Jahre"}, "mit fünf Jahren Garantie", True), ("de-DE", {"Garantie": "5 Jahre"}, "mit sechs Jahren Garantie", False),
            ("fr-FR", {"prix": "49,90 €"}, "pour 49.90 euros", True), ("fr-FR", {"durée": "2 heures"}, "pendant deux heures", True),
            ("de-DE", {"Leistung": "25,000 h"}, "hält 25.000 Stunden", True), ("ja-JP", {"内容量": "200g"}, "内容量は200gです", True),
            ("ja-JP", {"内容量": "200g"}, "内容量は300gです", False), ("es-ES", {"peso": "2 kg"}, "pesa tres kilos", False),
        ],
    )  # fmt: skip
    def test_other_languages(self, locale, facts, said, backed):
        found = about_numbers(said, facts=facts, locale=locale)
        assert (found.verdict == "accept") == backed, found.reason


SENTENCES = {
    "en": "Pour a cup in the morning and take it with you wherever your day may lead.",
    "de": "Gießen Sie sich morgens eine Tasse ein und nehmen Sie sie überall mit hin.",
    "fr": "Versez-vous une tasse le matin et emportez-la partout où la journée vous mène.",
    "es": "Sírvete una taza por la mañana y llévala contigo a donde te lleve el día.",
    "it": "Versa una tazza al mattino e portala con te ovunque ti conduca la giornata.",
    "nl": "Schenk in de ochtend een kopje in en neem het mee waar je dag je ook brengt.",
    "pt": "Sirva uma xícara pela manhã e leve-a com você aonde quer que o dia vá.",
    "sv": "Häll upp en kopp på morgonen och ta den med dig dit din dag än leder.",
    "pl": "Nalej rano filiżankę i zabierz ją ze sobą wszędzie, dokąd zaprowadzi cię dzień.",
    "tr": "Sabah bir fincan doldurun ve gününüz sizi nereye götürürse yanınızda taşıyın.",
    "ru": "Налейте утром чашку и возьмите её с собой, куда бы ни привёл вас день.",
    "el": "Γεμίστε ένα φλιτζάνι το πρωί και πάρτε το μαζί σας όπου σας βγάλει η μέρα.",
    "zh": "早上倒一杯茶，带着它去任何地方，让每一天都从温暖和安静开始，也可以和家人朋友一起慢慢享用，这样的时光总是让人心情愉快。",
    "ja": "朝の一杯を注いで、どこへでも一緒に持って行きましょう。静かな時間を楽しめます。お気に入りの場所でゆっくりと過ごしてください。",
    "ko": "아침에 한 잔 따라서 하루가 이끄는 곳 어디든 함께 가져가세요. 조용한 시간을 즐길 수 있습니다. 가족과 함께 편안하게 쉬어 보세요.",
    "ar": "اسكب كوبا في الصباح وخذه معك أينما أخذك يومك واستمتع بلحظة هادئة.",
}


class TestLanguage:
    @pytest.mark.parametrize("language", SENTENCES)
    def test_the_wanted_language_passes(self, language):
        assert check("language", job(locale=language), SENTENCES[language]).verdict == "accept"

    @pytest.mark.parametrize(("wanted", "found"), [("en", o) for o in SENTENCES if o != "en"] + [(o, "en") for o in SENTENCES if o != "en"])  # fmt: skip
    def test_another_language_is_found(self, wanted, found):
        assert check("language", job(locale=wanted), SENTENCES[found]).verdict == "retry"

    def test_one_foreign_sentence_among_others_is_found(self):
        text = f"The Tall Mug is here for you. {SENTENCES['de']} It is made for tea."
        assert check("language", job(), text).verdict == "retry"

    def test_names_do_not_count(self):
        name = "Die Tasse für den ruhigen Morgen im Garten"
        assert check("language", job(product_name=name), f"Meet {name}.").verdict == "accept"

    def test_short_fields_are_let_be(self):
        assert check("language", job(), "Bonjour, Tall Mug !").verdict == "accept"


class TestResidue:
    @pytest.mark.parametrize("left", ["{name}", "{{ name }}", "[Product Name]", "<brand>", "Lorem ipsum", "TODO", "XXX", "[Insert price here]", "INSERT LINK", "$name", "${price}", "%s", "____", "[YOUR_LINK]"])  # fmt: skip
    def test_placeholders(self, left):
        assert check("placeholders", job(), f"The Tall Mug is {left} here.").verdict == "retry"

    @pytest.mark.parametrize("text", ["$50 off", "size XXXL", "[NEW] Tall Mug", "A$AP mug", "insert the lid", "100% sturdy", "your name on it", "<3"])  # fmt: skip
    def test_no_placeholders(self, text):
        assert check("placeholders", job(), text).verdict == "accept"

    def test_what_the_data_says_is_no_placeholder(self):
        assert check("placeholders", job(product_name="XXX Mug"), "The XXX Mug is here.").verdict == "accept"

    @pytest.mark.parametrize("left", ["<b>x</b>", "x<br>", "&amp;", "**x**", "*x*", "# Tall Mug", "`x`", "[x](http://y)", "\\n", '{"text": "x"}', "__x__"])  # fmt: skip
    def test_markup(self, left):
        assert check("markup", job(), left).verdict == "retry"

    @pytest.mark.parametrize("text", ["Free* tea. *Terms apply", "a < b", "#tea", "Tea & toast", "• tea\n• toast", "- tea\n- toast", "2 * 3", "snake_case", "AT&T; nice"])  # fmt: skip
    def test_no_markup(self, text):
        assert check("markup", job(), text).verdict == "accept"

    @pytest.mark.parametrize("head", ["Sure! Here is the text: ", "Product: Tall Mug\nBrand: X\n", "Channel: sms\n", "Assistant: ", "<|user|>", "[INST] ", "As an AI language model, ", "### Response:\n", "Write a short post for it. ", "Here's a product description you asked for: ", "Corrections: Mention it. ", "Do not say cheap. "])  # fmt: skip
    def test_echo(self, head):
        assert check("echo", job(), f"{head}The Tall Mug is here.").verdict == "retry"

    @pytest.mark.parametrize("text", ["Here is the mug for you.", "Sure, it's just a mug.", "Here's to you!", "Write your own story.", "Features: tall, wide", "Create a warm home.", "Do not wait."])  # fmt: skip
    def test_no_echo(self, text):
        assert check("echo", job(), text).verdict == "accept"

    def test_the_words_of_a_free_prompt_are_an_echo(self):
        wanted = free(prompt="Write two short lines about a bakery that opens early in the morning.")
        found = check("echo", wanted, "write two short lines about a bakery that opens early: here they are.")
        assert found.verdict == "retry"

    @pytest.mark.parametrize("link", ["https://x.example/y", "www.x.example", "a@b.example", "deals.com", "Call +1 555 014 2277", "0800 555 0199", "deals.co.uk/now"])  # fmt: skip
    def test_links_that_no_fact_backs(self, link):
        assert check("links", job(), f"Tall Mug: {link}.").verdict == "retry"

    def test_links_that_facts_back(self):
        known = job(facts={"site": "https://www.mug.com/tall", "mail": "hi@mug.com", "phone": "+1 (555) 014-2277"})
        for text in (
            "See mug.com/tall.",
            "See https://www.mug.com/tall!",
            "Write to hi@mug.com.",
            "Call +1 555 014 2277.",
        ):
            assert check("links", known, text).verdict == "accept", text

    @pytest.mark.parametrize("text", ["So good.It is", "e.g. tea", "Node.js mug", "@tallmug", "6 p.m. on May 5"])
    def test_no_links(self, text):
        assert check("links", job(), text).verdict == "accept"

    @pytest.mark.parametrize("bad", ["\x00", "\x1b", "\ufffd", "\u202e", "\ue000", "\u200b", "â€™", "Ã©"])
    def test_broken_characters(self, bad):
        assert check("characters", job(), f"Tall{bad} Mug").verdict == "retry"

    def test_letters_of_the_world_are_not_broken(self):
        assert check("characters", job(), "É Ã maçã NÃO naïve 👩‍👩‍👧 日本 ½ – …\nâge").verdict == "accept"

    def test_a_title_is_one_line(self):
        fields = {"title": "Tall\nMug", "body": "Here it is for you."}
        assert check("characters", job(channel="push"), fields).hint == "Write title on one line."


def test_the_thin_functions_and_the_compiled_rules_agree():
    wanted, fields = job(facts=MUG_FACTS), {"text": "The Tall Mug holds 7 l"}
    assert JobRules(wanted).judge_alone(fields) == judge_alone(wanted, fields)


def test_jobs_of_one_id_do_not_share_rules():
    text = {"text": "The Tall Mug is cheap, and it is here."}
    assert broken(job(must_avoid=["cheap"]), text) == {"banned"}
    assert broken(job(), text) == set()
