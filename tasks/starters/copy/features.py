"""What catalogues say of a product in a few words, with the grammatical form of each phrase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tasks.starters.copy.words import Lexicon, World, amount, in_plural, invented, unit, with_article

# one: singular noun phrase · many: plural noun phrase · trait: follows "it is" · does: follows "it" ·
# note: stands by itself, in lower case · whole: stands by itself and begins with a capital
FeatureKind = Literal["one", "many", "trait", "does", "note", "whole"]


@dataclass(frozen=True, slots=True)
class Feature:
    """What may be said of a product, verbatim, and its grammatical form."""

    text: str
    kind: FeatureKind


def short_feature(w: World, words: Lexicon, plural: bool) -> Feature:
    """A feature as people list it: a few words in lower case."""
    kind = w.rng.random()
    if kind < 0.44:
        text, many, sure = _noun_phrase(w, words)
        if not sure:
            return Feature(text, "note")
        if not many and w.chance(0.2):
            text = with_article(text)
        return Feature(text, "many" if many else "one")
    if kind < 0.63:
        return Feature(w.pick((w.pick(words["are"]), w.pick(words["are"]), w.pick(words["adjectives"]))), "trait")
    if kind < 0.79:
        return Feature(_doing(w, words, plural), "does")
    return Feature(_note(w, words), "note")


def whole_feature(w: World, words: Lexicon, noun: str, plural: bool) -> Feature:
    """A phrase as it stands in the body of a catalogue."""
    rng = w.rng
    (first, one_many, _), (second, two_many, _) = _noun_phrase(w, words), _noun_phrase(w, words)
    first_np = first if one_many else with_article(first)
    second_np = second if two_many else with_article(second)
    color, material, adjective = w.pick(w.lexicon["colors"]), w.pick(words["materials"]), w.pick(words["adjectives"])
    occasion = w.pick(words["occasions"])
    kind = rng.random()
    if kind < 0.3:
        look = w.pick(
            (f"{adjective} {noun}", f"{color} {noun}", f"{adjective} {material} {noun}", f"{color} {material} {noun}")
        )
        text = w.pick(
            (
                look,
                f"{look} with {first_np}",
                f"{look} with {first_np} and {second_np}",
                f"{look}, {second} and {first}",
                f"{w.look()} {look} with {first_np}, in {color} and {w.pick(w.lexicon['colors'])}",
                f"{look} in {w.look()} {material} with {first_np}, {second_np} and {w.look()} {_thing(w)}",
                f"{look} for {occasion}",
                f"{look} with {w.look()} {_thing(w)}",
                f"{w.look()} {look}",
                f"{w.look()} {invented(w)} {noun} with {first}",
                f"{w.pick(w.plain)} {w.pick(w.plain)} {noun} in {color}, with {first_np}",
                f"this {look} comes with {first_np}",
                f"{with_article(look)} to {w.pick(('wear', 'use', 'keep', 'give', 'share'))} on {occasion}",
            )
        )
    elif kind < 0.48:
        text = w.pick(
            (
                f"{first} and {second}",
                first,
                f"can be used with {first_np}, or with {second_np}",
                f"{first}, {second} and {w.look()} {_thing(w)}",
                f"complete with {first_np}",
                f"comes with {first_np} for {occasion}",
                f"features {first_np} and {second_np}",
                f"made from {w.look()} {material} with {first_np}",
                f"{rng.randint(51, 100)}% {material}",
                f"{rng.randint(2, 12)} {w.look()} {_thing(w)}s in {color}",
            )
        )
    elif kind < 0.58:
        text = f"{w.pick(('perfect', 'great', 'made', 'ideal', 'just right', 'lovely', 'designed'))} for {occasion}"
        text += w.pick(("", "", f" and {w.pick(words['occasions'])}", f", with {first_np}"))
    elif kind < 0.68:
        text = _doing(w, words, plural)
    elif kind < 0.76:
        text = w.pick(words["are"])
    elif kind < 0.86:
        is_ = "are" if one_many else "is"
        text = f"the {first.removeprefix('a ')} {is_} {w.pick(words['adjectives'])}"
        text += w.pick(
            (
                "",
                f" and {w.pick(words['adjectives'])}",
                f", so that you are ready for {occasion}",
                f", while the {second} {'are' if two_many else 'is'} made of {material}",
            )
        )
    elif kind < 0.96:
        text = _note(w, words)
    else:
        # Words in no order that a reader would expect: they can be copied and not guessed.
        words_ = [w.pick(w.plain) if w.chance(0.8) else invented(w) for _ in range(rng.randint(3, 11))]
        for place in range(2, len(words_), 3):
            words_.insert(place, w.pick(("with", "and", "for", "in", "of", "from", "to the", "by the", "on a")))
        text = " ".join(words_)
    text = text[:1].upper() + text[1:]
    return Feature(text + ("." if w.chance(0.06) else ""), "whole")


def _doing(w: World, words: Lexicon, plural: bool) -> str:
    singular, _, several = w.pick(words["do"]).partition("|")
    return several if plural else singular


def _noun_phrase(w: World, words: Lexicon) -> tuple[str, bool, bool]:
    """A noun phrase, whether it is in the plural, and whether a reader can be sure of that."""
    singular, _, plural = w.pick(words["parts"]).partition("|")
    many = (bool(plural) and w.chance(0.6)) or (not plural and in_plural(singular))
    head = plural if many and plural else singular
    kind = w.rng.random()
    if kind < 0.1:
        return f"{w.look()} {_thing(w)}", False, True
    if kind < 0.36:
        return f"{w.look()} {head}", many, True
    if kind < 0.51:
        return f"{w.pick(words['materials'])} {head}", many, True
    if kind < 0.61:
        return f"{w.pick(w.lexicon['phrase_words'])} {w.pick(words['materials'])} {head}", many, True
    if kind < 0.71:
        return f"{w.pick(words['adjectives'])} {head}", many, True
    if kind < 0.8:
        odd = w.pick((invented(w), w.pick(w.plain)))
        return w.pick((f"{odd} {head}", f"{w.look()} {odd} {head}")), many, True
    if kind < 0.86:
        return f"{w.pick(w.lexicon['colors'])} {head}", many, True
    if kind < 0.92:
        # A head that nobody knows: nothing tells its number.
        return w.pick((f"{w.look()} {invented(w)}", f"{invented(w)} {invented(w)}", w.pick(w.plain))), False, False
    return f"{head} in {w.pick((w.pick(words['materials']), w.pick(w.lexicon['colors'])))}", many, True


def _note(w: World, words: Lexicon) -> str:
    rng = w.rng
    count, head = rng.randint(2, 48), w.pick(words["parts"]).split("|")[0]
    return w.pick(
        (
            f"set of {count}", f"fits {amount(rng)} {unit(rng)}",
            f"{count} {w.pick(('year', 'month'))} warranty",
            f"made of {w.pick(words['materials'])}", f"with {head if in_plural(head) else with_article(head)}",
            f"{count}-hour {head}", f"{amount(rng)} {unit(rng)} {head}", f"made for {w.pick(words['occasions'])}",
            f"{w.pick(words['materials'])} and {w.pick(words['materials'])}",
            f"{invented(w)} {invented(w)}", f"up to {amount(rng)} {unit(rng)}",
            f"{w.pick(words['adjectives'])} and {w.pick(words['adjectives'])}",
            f"no {w.pick(words['materials'])}", f"for {w.pick(w.lexicon['audiences'])}",
            f"hand-{w.pick(('made', 'finished', 'painted', 'stitched', 'poured', 'cut'))} {w.pick(words['materials'])}",
            f"from {w.pick(w.lexicon['places'])}", f"{head} sold separately", f"{count} {w.pick(w.plain)} settings",
        )
    )  # fmt: skip


def _thing(w: World) -> str:
    return str(w.pick(w.lexicon["look_things"]))
