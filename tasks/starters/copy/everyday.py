"""Features in plain English that belong to no trade: "folds under the shelf", "two hooks for wet coats".

Their words are drawn at random from long lists, so a model cannot know how one goes on but from the job.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from tasks.starters.copy.features import Feature, FeatureKind
from tasks.starters.copy.words import World, amount, unit, with_article

_VOWELS = "aeiou"
_SLOT = re.compile(r"\{([^}]+)\}")


def everyday_feature(w: World, plural: bool, *, whole: bool) -> Feature:
    """A feature of a product that is one or several; a `whole` one stands by itself, with a capital."""
    kind, form = w.pick(_FORMS)
    text = _SLOT.sub(lambda slot: _filled(w, slot[1], plural), form)
    if whole:
        return Feature(text[:1].upper() + text[1:] + ("." if w.chance(0.1) else ""), "whole")
    if w.chance(0.12):
        return Feature(text[:1].upper() + text[1:], "note")
    return Feature(text, kind)


def _filled(w: World, slot: str, plural: bool) -> str:
    """A word for a slot: one of several that stand there, one that fits the product's number, or one of a kind."""
    if "|" in slot:
        return w.pick(slot.split("|"))
    if slot == "verb":
        return _stem(w) if plural else third_person(_stem(w))
    if slot in ("does", "stays"):
        return slot[: -2 if slot == "does" else -1] if plural else slot
    return _WORDS[slot](w)


def _noun(w: World) -> str:
    return str(w.pick(w.lexicon["everyday"]["nouns"]))


def _adjective(w: World) -> str:
    return str(w.pick(w.lexicon["everyday"]["adjectives"]))


def _where(w: World) -> str:
    """A preposition and a thing: "beneath the lid"."""
    things = w.pick((f"the {_noun(w)}", f"the {_noun(w)}", f"the {_adjective(w)} {_noun(w)}", f"your {_noun(w)}",
                     with_article(_noun(w)), several(_noun(w)), f"every {_noun(w)}", f"each {_noun(w)}"))  # fmt: skip
    return f"{w.pick(w.lexicon['everyday']['prepositions'])} {things}"


def _number(w: World) -> str:
    return str(w.pick(w.lexicon["everyday"]["numbers"])) if w.chance(0.6) else str(w.rng.randint(2, 90))


def _stem(w: World) -> str:
    return str(w.pick(w.lexicon["everyday"]["verbs"]))


def several(noun: str) -> str:
    """The plural of a regular noun, near enough for a word to be copied."""
    if noun.endswith(("s", "x", "z", "ch", "sh")):
        return f"{noun}es"
    if noun.endswith("y") and noun[-2] not in _VOWELS:
        return f"{noun[:-1]}ies"
    return f"{noun}s"


def third_person(verb: str) -> str:
    """The form after "it" of a regular verb."""
    return "goes" if verb == "go" else several(verb)


def gerund(verb: str) -> str:
    """The form in -ing, near enough."""
    if verb.endswith("ie"):
        return f"{verb[:-2]}ying"
    if verb.endswith("e") and not verb.endswith(("ee", "ye")):
        return f"{verb[:-1]}ing"
    if len(verb) < 6 and verb[-1] not in "aeiouwxy" and verb[-2] in _VOWELS and verb[-3:-2] not in _VOWELS:
        return f"{verb}{verb[-1]}ing"
    return f"{verb}ing"


_WORDS: Mapping[str, Callable[[World], str]] = {
    "noun": _noun,
    "a noun": lambda w: with_article(_noun(w)),
    "nouns": lambda w: several(_noun(w)),
    "adjective": _adjective,
    "an adjective": lambda w: with_article(_adjective(w)),
    "where": _where,
    "how": lambda w: str(w.pick(w.lexicon["everyday"]["manners"])),
    "done": lambda w: str(w.pick(w.lexicon["everyday"]["done"])),
    "number": _number,
    "amount": lambda w: amount(w.rng),
    "unit": lambda w: unit(w.rng),
    "stem": _stem,
    "it verbs": lambda w: third_person(_stem(w)),
    "verbing": lambda w: gerund(_stem(w)),
}
_FORMS: tuple[tuple[FeatureKind, str], ...] = (
    ("does", "{verb} {where}"),
    ("does", "{verb} {where}"),
    ("does", "{verb} {how}"),
    ("does", "{verb} the {noun} {where}"),
    ("does", "{verb} {nouns} {where}"),
    ("does", "{verb} {nouns} and {nouns}"),
    ("does", "{verb} and {verb} {how}"),
    ("does", "{verb} up to {number} {nouns}"),
    ("does", "{verb} down to {amount} {unit}"),
    ("does", "{verb} from {noun} to {noun}"),
    ("does", "{verb} from {number} to {number} {nouns}"),
    ("does", "{does} not {stem}"),
    ("does", "{does} not {stem} {where}"),
    ("does", "{stays} {adjective} {where}"),
    ("does", "{verb} {adjective} and {adjective}"),
    ("does", "{verb} without {verbing}"),
    ("does", "{verb} before the {noun} {it verbs}"),
    ("does", "{verb} when the {noun} is {adjective}"),
    ("trait", "{adjective} {where}"),
    ("trait", "{adjective} enough for {nouns}"),
    ("trait", "{adjective} enough to {stem} {where}"),
    ("trait", "{adjective} to the {noun}"),
    ("trait", "{adjective} and {adjective}"),
    ("trait", "{adjective}, {adjective} and {adjective}"),
    ("trait", "{done} {how}"),
    ("trait", "{done} {where}"),
    ("trait", "{done} and {done} {where}"),
    ("trait", "as {adjective} as {a noun}"),
    ("trait", "easy to {stem} {where}"),
    ("trait", "not {adjective} but {adjective}"),
    ("one", "{adjective} {noun}"),
    ("one", "{noun} {noun}"),
    ("one", "{adjective} {noun} {noun}"),
    ("one", "{noun} {where}"),
    ("one", "{adjective} {noun} {where}"),
    ("one", "{adjective} {noun} that {it verbs} {where}"),
    ("one", "{noun} that does not {stem}"),
    ("one", "{noun} with {an adjective} {noun}"),
    ("one", "{done} {noun} for {nouns}"),
    ("one", "{number}-{noun} {noun}"),
    ("one", "{amount} {unit} {noun} {where}"),
    ("many", "{number} {nouns}"),
    ("many", "{number} {adjective} {nouns}"),
    ("many", "{number} {nouns} {where}"),
    ("many", "{adjective} {nouns} that {stem} {how}"),
    ("many", "{nouns} {where}"),
    ("many", "{nouns} for {nouns} and {nouns}"),
    ("many", "{done} {nouns} in {number} {nouns}"),
    ("note", "no {noun}"),
    ("note", "no {noun} {where}"),
    ("note", "nothing to {stem}"),
    ("note", "{noun} {how}"),
    ("note", "{adjective} {noun}, {adjective} {noun}"),
    ("note", "{noun}, {noun} and {noun}"),
    ("note", "{noun}, {noun} and nothing that {it verbs}"),
    ("note", "{number} {nouns} per {noun}"),
    ("note", "{noun} and {noun} {included|sold apart|in the box|extra}"),
    ("note", "{adjective} {noun} {included|as standard|in the box}"),
    ("note", "{nouns} from {noun} to {noun}"),
    ("note", "{noun} side {up|out|down|first}"),
    ("note", "for {nouns} {where}"),
    ("note", "for {adjective} {nouns} {how}"),
    ("note", "{noun} {where}, {how}"),
    ("note", "a {noun} a {day|week|month|year|season}"),
)
