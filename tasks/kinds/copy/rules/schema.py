"""The rules as data: rules.yaml and units.yaml, checked against a schema when they are read, and their digest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from importlib.resources import files
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from tasks.kinds.base import Check, Verdict
from tasks.kinds.copy.channels import CHANNELS

Words = dict[str, list[str]]  # by language
Share = Annotated[float, Field(ge=0, le=1)]


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Pattern(_Data):
    """A regular expression, and the pieces of lower-case text of which one must be there for it to be tried."""

    pattern: str
    needs: Annotated[list[str], Field(min_length=1)]


class Rule(_Data):
    """What every rule has."""

    version: Annotated[int, Field(ge=1)]
    on_fail: Literal["retry", "reject"]
    about: str


class FieldsRule(Rule):
    prose: list[str]
    least_letters: int


class SmsRule(Rule):
    gsm7: int
    ucs2: int
    gsm7_joined: int
    ucs2_joined: int


class RequiredRule(Rule):
    name_fields: list[str]
    misspelt: Share


class BannedRule(Rule):
    least_inflected: int
    inflections: Words


class ClaimsRule(Rule):
    terms: list[str]
    patterns: list[Pattern]


class NumbersRule(Rule):
    price_keys: list[str]
    harmless: list[float]
    harmless_codes: list[str]
    exempt: list[str]
    tolerance: Share
    words: dict[str, dict[str, float]]
    idioms: list[str]


class LanguageRule(Rule):
    least_letters: int
    least_share: Share
    foreign_words: int
    surest: Share
    most_wanted: Share
    foreign_script: Share
    plausible: list[str]
    alike: list[list[str]]
    scripts: dict[str, str]
    common: Words
    ambiguous: list[str]


class PatternsRule(Rule):
    patterns: list[Pattern]


class EchoRule(PatternsRule):
    prompt_words: int


class CharactersRule(Rule):
    pattern: str
    mojibake: str


class Run(_Data):
    words: Annotated[int, Field(ge=3)]
    within: int


class RepetitionRule(Rule):
    most_phrase: int
    least_share: Share
    sentence_words: int
    short_sentence: int
    feature_words: Annotated[int, Field(ge=3)]
    runs: Annotated[list[Run], Field(min_length=1)]
    natural_doubles: list[str]


class DegenerateRule(Rule):
    longest_word: int
    vowels: str
    vowelless: int
    most_vowelless: int
    consonants: int
    punctuation: int
    least_letters: Share
    judged_from: int
    skip_languages: list[str]


class EndingRule(Rule):
    prose: list[str]
    free_prompt_from: int
    tag: str
    sign_off: int
    opt_out: str
    open_words: Words


class QuotesRule(Rule):
    brackets: list[Annotated[str, Field(min_length=2, max_length=2)]]
    inches: str
    loose: str


class Likeness(_Data):
    """Jaccard similarity of word shingles: how many words a shingle has, and the most that two variants may share."""

    shingle: Annotated[int, Field(ge=1)]
    most: Share


class NearDuplicateRule(Rule):
    short_words: int
    short: Likeness
    long: Likeness


class Rules(_Data):
    """Every rule of the pack by its id, in the order in which they are judged."""

    fields: FieldsRule
    distinct_fields: Rule
    length: Rule
    sms_segment: SmsRule
    required: RequiredRule
    banned: BannedRule
    claims: ClaimsRule
    numbers: NumbersRule
    language: LanguageRule
    placeholders: PatternsRule
    markup: PatternsRule
    echo: EchoRule
    links: PatternsRule
    characters: CharactersRule
    repetition: RepetitionRule
    degenerate: DegenerateRule
    ending: EndingRule
    quotes: QuotesRule
    near_duplicate: NearDuplicateRule


class Units(_Data):
    """Units by system and dimension: `{name: [factor, other names …]}`."""

    metric: dict[str, dict[str, list[float | str]]]
    imperial: dict[str, dict[str, list[float | str]]]
    words: list[str]
    ranges: str
    lists: str
    money: list[str]


def _read(name: str) -> Any:
    return yaml.safe_load(files(__package__).joinpath(name).read_text("utf-8"))


RULES = Rules.model_validate(_read("rules.yaml"))
UNITS = Units.model_validate(_read("units.yaml"))
PASSED = {name: Check(rule=name, version=getattr(RULES, name).version) for name in Rules.model_fields}


def failed(rule: str, reason: str, hint: str, *, verdict: Verdict | None = None, score: float | None = None) -> Check:
    """The check of a rule that a text breaks; its verdict is the rule's `on_fail` unless the case calls for more."""
    data: Rule = getattr(RULES, rule)
    if not reason.isascii():  # a broken character of the text must not break the table that the reason goes to
        reason = reason.encode("utf-8", "replace").decode()
    return Check(
        rule=rule, version=data.version, verdict=verdict or data.on_fail, score=score, reason=reason, hint=hint
    )


def rules_digest() -> str:
    """sha256 over the rules, the units and the channels' limits: part of the content key of a text."""
    data = {
        "rules": RULES.model_dump(mode="json"),
        "units": UNITS.model_dump(mode="json"),
        "channels": {name: asdict(channel) for name, channel in CHANNELS.items()},
    }
    return hashlib.sha256(json.dumps(data, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def rule_table() -> list[dict[str, Any]]:
    """Every rule's id, version, on_fail and what it is about, for reports and docs."""
    return [
        {"id": name, "version": rule.version, "on_fail": rule.on_fail, "about": rule.about}
        for name, rule in ((name, getattr(RULES, name)) for name in Rules.model_fields)
    ]


RULES_DIGEST = rules_digest()
