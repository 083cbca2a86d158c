"""What catalogues say of a product in a few words, with the grammatical form of each phrase."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Literal

from tasks.starters.copy.words import amount, invented, lexicon, plain_words, unit, with_article

# one: singular noun phrase · many: plural noun phrase · trait: follows "it is" · does: follows "it" ·
# note: stands by itself, in lower case · whole: stands by itself and begins with a capital
FeatureKind = Literal["one", "many", "trait", "does", "note", "whole"]


@dataclass(frozen=True, slots=True)
class Feature:
    """What may be said of a product, verbatim, and its grammatical form."""

    text: str
    kind: FeatureKind


def short_feature(rng: random.Random, words: dict[str, Any], plural: bool) -> Feature:
    """A feature as people list it: a few words in lower case."""
    kind = rng.random()
    if kind < 0.46:
        text, many = _noun_phrase(rng, words)
        if not many and rng.random() < 0.2:
            text = with_article(text)
        return Feature(text, "many" if many else "one")
    if kind < 0.66:
        text = rng.choice((rng.choice(words["are"]), rng.choice(words["are"]), rng.choice(words["adjectives"])))
        return Feature(text, "trait")
    if kind < 0.8:
        singular, _, several = rng.choice(words["do"]).partition("|")
        return Feature(several if plural else singular, "does")
    return Feature(_note(rng, words), "note")


def whole_feature(rng: random.Random, words: dict[str, Any], noun: str, plural: bool) -> Feature:
    """A phrase as it stands in the body of a catalogue."""
    (first, one_many), (second, two_many) = _noun_phrase(rng, words), _noun_phrase(rng, words)
    first_np = first if one_many else with_article(first)
    second_np = second if two_many else with_article(second)
    color, material, adjective = (
        rng.choice(lexicon()["colors"]), rng.choice(words["materials"]), rng.choice(words["adjectives"]),
    )  # fmt: skip
    kind = rng.random()
    if kind < 0.3:
        look = rng.choice(
            (f"{adjective} {noun}", f"{color} {noun}", f"{adjective} {material} {noun}", f"{color} {material} {noun}")
        )
        text = rng.choice(
            (
                look,
                f"{look} with {first_np}",
                f"{look} with {first_np} and {second_np}",
                f"{look}, {second} and {first}",
                f"{_look(rng)} {look} with {first_np}, in {color} and {rng.choice(lexicon()['colors'])}",
                f"{look} in {_look(rng)} {material} with {first_np}, {second_np} and {_look(rng)} {_thing(rng)}",
                f"{look} for {rng.choice(words['occasions'])}",
                f"{look} with {_look(rng)} {_thing(rng)}",
                f"{_look(rng)} {look}",
                f"{_look(rng)} {invented(rng)} {noun} with {first}",
                f"{rng.choice(plain_words())} {rng.choice(plain_words())} {noun} in {color}, with {first_np}",
            )
        )
    elif kind < 0.5:
        text = rng.choice(
            (
                f"{first} and {second}",
                first,
                f"can be used with {first_np}, or with {second_np}",
                f"{first}, {second} and {_look(rng)} {_thing(rng)}",
                f"complete with {first_np}",
            )
        )
    elif kind < 0.62:
        text = f"{rng.choice(('perfect', 'great', 'made', 'ideal', 'just right'))} for {rng.choice(words['occasions'])}"
    elif kind < 0.74:
        singular, _, several = rng.choice(words["do"]).partition("|")
        text = several if plural else singular
    elif kind < 0.84:
        text = rng.choice(words["are"])
    elif kind < 0.92:
        text = f"the {first.removeprefix('a ')} {'are' if one_many else 'is'} {rng.choice(words['adjectives'])}"
        text += rng.choice(
            (
                "",
                f" and {rng.choice(words['adjectives'])}",
                f", so that you are ready for {rng.choice(words['occasions'])}",
            )
        )
    else:
        text = _note(rng, words)
    text = text[:1].upper() + text[1:]
    return Feature(text + ("." if rng.random() < 0.06 else ""), "whole")


def _noun_phrase(rng: random.Random, words: dict[str, Any]) -> tuple[str, bool]:
    singular, _, plural = rng.choice(words["parts"]).partition("|")
    many = bool(plural) and rng.random() < 0.6
    head = plural if many else singular
    kind = rng.random()
    if kind < 0.12:
        return f"{_look(rng)} {_thing(rng)}", False
    if kind < 0.4:
        return f"{_look(rng)} {head}", many
    if kind < 0.55:
        return f"{rng.choice(words['materials'])} {head}", many
    if kind < 0.65:
        return f"{rng.choice(lexicon()['phrase_words'])} {rng.choice(words['materials'])} {head}", many
    if kind < 0.75:
        return f"{rng.choice(words['adjectives'])} {head}", many
    if kind < 0.84:
        odd = rng.choice((invented(rng), rng.choice(plain_words())))
        return rng.choice((f"{odd} {head}", f"{_look(rng)} {odd} {head}")), many
    if kind < 0.91:
        return f"{rng.choice(lexicon()['colors'])} {head}", many
    return f"{head} in {rng.choice((rng.choice(words['materials']), rng.choice(lexicon()['colors'])))}", many


def _note(rng: random.Random, words: dict[str, Any]) -> str:
    count, head = rng.randint(2, 48), rng.choice(words["parts"]).split("|")[0]
    return rng.choice(
        (
            f"set of {count}", f"fits {amount(rng)} {unit(rng)}",
            f"{count} {rng.choice(('year', 'month'))} warranty",
            f"made of {rng.choice(words['materials'])}", f"with {with_article(head)}", f"{count}-hour {head}",
            f"{amount(rng)} {unit(rng)} {head}", f"made for {rng.choice(words['occasions'])}",
            f"{rng.choice(words['materials'])} and {rng.choice(words['materials'])}",
            f"{invented(rng)} {invented(rng)}", f"up to {amount(rng)} {unit(rng)}",
            f"{rng.choice(words['adjectives'])} and {rng.choice(words['adjectives'])}",
        )
    )  # fmt: skip


def _look(rng: random.Random) -> str:
    return str(rng.choice(lexicon()["phrase_words"] if rng.random() < 0.5 else lexicon()["look_words"]))


def _thing(rng: random.Random) -> str:
    return str(rng.choice(lexicon()["look_things"]))
