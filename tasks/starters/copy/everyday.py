"""Features in plain English that belong to no trade: "folds under the shelf", "two hooks for wet coats".

Their words are drawn at random from long lists, so a model cannot know how one goes on but from the job.
"""

from __future__ import annotations

from collections.abc import Callable

from tasks.starters.copy.features import Feature, FeatureKind
from tasks.starters.copy.words import World, amount, unit, with_article

_VOWELS = "aeiou"


def everyday_feature(w: World, plural: bool, *, whole: bool) -> Feature:
    """A feature of a product that is one or several; a `whole` one stands by itself, with a capital."""
    kind, make = w.pick(_FORMS)
    text = make(w, plural)
    if whole:
        return Feature(text[:1].upper() + text[1:] + ("." if w.chance(0.1) else ""), "whole")
    if w.chance(0.12):
        return Feature(text[:1].upper() + text[1:], "note")
    return Feature(text, kind)


def _noun(w: World) -> str:
    return str(w.pick(w.lexicon["everyday"]["nouns"]))


def _several(w: World) -> str:
    return several(_noun(w))


def _adjective(w: World) -> str:
    return str(w.pick(w.lexicon["everyday"]["adjectives"]))


def _how(w: World) -> str:
    return str(w.pick(w.lexicon["everyday"]["manners"]))


def _where(w: World) -> str:
    """A preposition and a thing: "beneath the lid"."""
    things = w.pick((f"the {_noun(w)}", f"the {_noun(w)}", f"the {_adjective(w)} {_noun(w)}", f"your {_noun(w)}",
                     with_article(_noun(w)), _several(w), f"every {_noun(w)}", f"each {_noun(w)}"))  # fmt: skip
    return f"{w.pick(w.lexicon['everyday']['prepositions'])} {things}"


def _number(w: World) -> str:
    return str(w.pick(w.lexicon["everyday"]["numbers"])) if w.chance(0.6) else str(w.rng.randint(2, 90))


def _stem(w: World) -> str:
    return str(w.pick(w.lexicon["everyday"]["verbs"]))


def _verb(w: World, plural: bool) -> str:
    return _stem(w) if plural else third_person(_stem(w))


def _done(w: World) -> str:
    return str(w.pick(w.lexicon["everyday"]["done"]))


def several(noun: str) -> str:
    """The plural of a regular noun, near enough for a word to be copied."""
    if noun.endswith(("s", "x", "z", "ch", "sh")):
        return f"{noun}es"
    if noun.endswith("y") and noun[-2] not in _VOWELS:
        return f"{noun[:-1]}ies"
    return f"{noun}s"


def third_person(verb: str) -> str:
    """The form after "it" of a regular verb."""
    return "does" if verb == "do" else f"{verb}es" if verb in ("go", "do") else several(verb)


def gerund(verb: str) -> str:
    """The form in -ing, near enough."""
    if verb.endswith("ie"):
        return f"{verb[:-2]}ying"
    if verb.endswith("e") and not verb.endswith(("ee", "ye")):
        return f"{verb[:-1]}ing"
    if len(verb) < 6 and verb[-1] not in "aeiouwxy" and verb[-2] in _VOWELS and verb[-3:-2] not in _VOWELS:
        return f"{verb}{verb[-1]}ing"
    return f"{verb}ing"


_Make = Callable[[World, bool], str]
_FORMS: tuple[tuple[FeatureKind, _Make], ...] = (
    ("does", lambda w, p: f"{_verb(w, p)} {_where(w)}"),
    ("does", lambda w, p: f"{_verb(w, p)} {_where(w)}"),
    ("does", lambda w, p: f"{_verb(w, p)} {_how(w)}"),
    ("does", lambda w, p: f"{_verb(w, p)} the {_noun(w)} {_where(w)}"),
    ("does", lambda w, p: f"{_verb(w, p)} {_several(w)} {_where(w)}"),
    ("does", lambda w, p: f"{_verb(w, p)} {_several(w)} and {_several(w)}"),
    ("does", lambda w, p: f"{_verb(w, p)} and {_verb(w, p)} {_how(w)}"),
    ("does", lambda w, p: f"{_verb(w, p)} up to {_number(w)} {_several(w)}"),
    ("does", lambda w, p: f"{_verb(w, p)} down to {amount(w.rng)} {unit(w.rng)}"),
    ("does", lambda w, p: f"{_verb(w, p)} from {_noun(w)} to {_noun(w)}"),
    ("does", lambda w, p: f"{_verb(w, p)} from {_number(w)} to {_number(w)} {_several(w)}"),
    ("does", lambda w, p: f"{'do' if p else 'does'} not {_stem(w)}"),
    ("does", lambda w, p: f"{'do' if p else 'does'} not {_stem(w)} {_where(w)}"),
    ("does", lambda w, p: f"{'stay' if p else 'stays'} {_adjective(w)} {_where(w)}"),
    ("does", lambda w, p: f"{_verb(w, p)} {_adjective(w)} and {_adjective(w)}"),
    ("does", lambda w, p: f"{_verb(w, p)} without {gerund(_stem(w))}"),
    ("does", lambda w, p: f"{_verb(w, p)} before the {_noun(w)} {third_person(_stem(w))}"),
    ("does", lambda w, p: f"{_verb(w, p)} when the {_noun(w)} is {_adjective(w)}"),
    ("trait", lambda w, p: f"{_adjective(w)} {_where(w)}"),
    ("trait", lambda w, p: f"{_adjective(w)} enough for {_several(w)}"),
    ("trait", lambda w, p: f"{_adjective(w)} enough to {_stem(w)} {_where(w)}"),
    ("trait", lambda w, p: f"{_adjective(w)} to the {_noun(w)}"),
    ("trait", lambda w, p: f"{_adjective(w)} and {_adjective(w)}"),
    ("trait", lambda w, p: f"{_adjective(w)}, {_adjective(w)} and {_adjective(w)}"),
    ("trait", lambda w, p: f"{_done(w)} {_how(w)}"),
    ("trait", lambda w, p: f"{_done(w)} {_where(w)}"),
    ("trait", lambda w, p: f"{_done(w)} and {_done(w)} {_where(w)}"),
    ("trait", lambda w, p: f"as {_adjective(w)} as {with_article(_noun(w))}"),
    ("trait", lambda w, p: f"easy to {_stem(w)} {_where(w)}"),
    ("trait", lambda w, p: f"not {_adjective(w)} but {_adjective(w)}"),
    ("one", lambda w, p: f"{_adjective(w)} {_noun(w)}"),
    ("one", lambda w, p: f"{_noun(w)} {_noun(w)}"),
    ("one", lambda w, p: f"{_adjective(w)} {_noun(w)} {_noun(w)}"),
    ("one", lambda w, p: f"{_noun(w)} {_where(w)}"),
    ("one", lambda w, p: f"{_adjective(w)} {_noun(w)} {_where(w)}"),
    ("one", lambda w, p: f"{_adjective(w)} {_noun(w)} that {third_person(_stem(w))} {_where(w)}"),
    ("one", lambda w, p: f"{_noun(w)} that does not {_stem(w)}"),
    ("one", lambda w, p: f"{_noun(w)} with {with_article(_adjective(w))} {_noun(w)}"),
    ("one", lambda w, p: f"{_done(w)} {_noun(w)} for {_several(w)}"),
    ("one", lambda w, p: f"{_number(w)}-{_noun(w)} {_noun(w)}"),
    ("one", lambda w, p: f"{amount(w.rng)} {unit(w.rng)} {_noun(w)} {_where(w)}"),
    ("many", lambda w, p: f"{_number(w)} {_several(w)}"),
    ("many", lambda w, p: f"{_number(w)} {_adjective(w)} {_several(w)}"),
    ("many", lambda w, p: f"{_number(w)} {_several(w)} {_where(w)}"),
    ("many", lambda w, p: f"{_adjective(w)} {_several(w)} that {_stem(w)} {_how(w)}"),
    ("many", lambda w, p: f"{_several(w)} {_where(w)}"),
    ("many", lambda w, p: f"{_several(w)} for {_several(w)} and {_several(w)}"),
    ("many", lambda w, p: f"{_done(w)} {_several(w)} in {_number(w)} {_several(w)}"),
    ("note", lambda w, p: f"no {_noun(w)}"),
    ("note", lambda w, p: f"no {_noun(w)} {_where(w)}"),
    ("note", lambda w, p: f"nothing to {_stem(w)}"),
    ("note", lambda w, p: f"{_noun(w)} {_how(w)}"),
    ("note", lambda w, p: f"{_adjective(w)} {_noun(w)}, {_adjective(w)} {_noun(w)}"),
    ("note", lambda w, p: f"{_noun(w)}, {_noun(w)} and {_noun(w)}"),
    ("note", lambda w, p: f"{_noun(w)}, {_noun(w)} and nothing that {third_person(_stem(w))}"),
    ("note", lambda w, p: f"{_number(w)} {_several(w)} per {_noun(w)}"),
    ("note", lambda w, p: f"{_noun(w)} and {_noun(w)} {w.pick(('included', 'sold apart', 'in the box', 'extra'))}"),
    ("note", lambda w, p: f"{_adjective(w)} {_noun(w)} {w.pick(('included', 'as standard', 'in the box'))}"),
    ("note", lambda w, p: f"{_several(w)} from {_noun(w)} to {_noun(w)}"),
    ("note", lambda w, p: f"{_noun(w)} side {w.pick(('up', 'out', 'down', 'first'))}"),
    ("note", lambda w, p: f"for {_several(w)} {_where(w)}"),
    ("note", lambda w, p: f"for {_adjective(w)} {_several(w)} {_how(w)}"),
    ("note", lambda w, p: f"{_noun(w)} {_where(w)}, {_how(w)}"),
    ("note", lambda w, p: f"a {_noun(w)} a {w.pick(('day', 'week', 'month', 'year', 'season'))}"),
)  # fmt: skip
