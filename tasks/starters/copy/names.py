"""Names of invented products and brands."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tasks.starters.copy.words import Lexicon, World, in_plural, invented

_SMALL = frozenset({"with", "in", "and", "cm", "for", "of", "the"})


def brand_name(w: World) -> str:
    """A brand: mostly an invented word, alone or with what shops add to it."""
    word = invented(w).capitalize()
    rng = w.rng
    forms: Sequence[Callable[[], str]] = (
        lambda: word,
        lambda: word,
        lambda: f"{word} & {invented(w).capitalize()}",
        lambda: f"{word} {w.pick(('Studio', 'Home', 'Goods', 'Living', 'Outdoor', 'LTD', 'Co.', 'Works', 'Labs'))}",
        lambda: (
            f"{w.pick(w.lexicon['places'])} {w.pick(('Goods', 'House', 'Supply', 'LTD', 'Studio', 'Shop', 'Mill'))}"
        ),
        lambda: f"{word.lower()}-{w.pick(('store', 'shop', 'lab', 'works', 'studio', 'goods', 'test'))}",
        lambda: f"{w.pick(('Company', 'Studio', 'Brand', 'Store', word))} {rng.randint(2, 999)}",
        lambda: word.upper(),
        lambda: f"{w.pick(w.plain)}-{w.pick(w.plain)}",
        lambda: " ".join(part.capitalize() for part in rng.sample(w.plain, rng.choice((1, 2, 2, 3)))),
        lambda: f"House of {word}",
        lambda: f"{w.pick(w.plain).capitalize()} and {w.pick(w.plain).capitalize()}",
        lambda: f"{word}{invented(w, 2).capitalize()}",
    )
    return w.pick(forms)()


def product_name(w: World, words: Lexicon, brand: str | None) -> tuple[str, bool, str]:
    """A product's name, whether it is in the plural, and the noun it is made around."""
    rng = w.rng
    plural = w.chance(0.27)
    noun = w.pick(words["plurals"]) if plural else w.pick(words["nouns"]).split("|")[0]
    plural = plural or in_plural(noun)
    color, material = w.pick(w.lexicon["colors"]), w.pick(words["materials"])
    adjective, made_up = w.pick(words["adjectives"]), invented(w).capitalize()
    place, quality = w.pick(w.lexicon["places"]), w.pick(w.lexicon["qualities"])
    number = w.pick((str(rng.randint(2, 12)), f"{rng.randint(1, 99)}0", f"X{rng.randint(1, 9)}", "Pro", "Mini", "II"))
    if _is_colorless(words):
        color = w.pick(("wild", "dark", "golden", "red", "green", "black"))
    kind = rng.random()
    if kind < 0.4:
        parts = w.pick(
            (
                [color, noun], [material, noun], [adjective, noun], [adjective, color, noun], [color, material, noun],
                [adjective, material, noun], [w.pick(w.plain), noun], [quality, noun], [noun],
                [quality, material, noun], [quality, color, noun], [w.pick(w.plain), w.pick(w.plain), noun],
            )
        )  # fmt: skip
    elif kind < 0.56:
        parts = w.pick(([place, noun], [place, color, noun], [place, material, noun], [place, adjective, noun]))
    elif kind < 0.82:
        parts = w.pick(
            (
                [made_up, noun], [made_up, noun], [made_up, color, noun], [made_up, number, noun],
                [made_up, material, noun], [made_up, invented(w).capitalize(), noun],
                [f"{made_up}-{invented(w, 2).capitalize()}", noun], [f"{made_up}'s", noun], [noun, f"“{made_up}”"],
                ["The", made_up, noun], [made_up, "&", invented(w, 2).capitalize(), noun], [f"{made_up}™", noun],
            )
        )  # fmt: skip
    elif kind < 0.88:
        plural = False
        parts = w.pick(([made_up, invented(w).capitalize()], [made_up], [made_up, number], [made_up, place]))
    elif kind < 0.94 and brand:
        parts = w.pick(([brand, noun], [brand, made_up, noun], [brand, adjective, noun], [brand, number, noun]))
    else:
        part = w.pick(words["parts"]).split("|")[0]
        parts = w.pick(
            (
                [adjective, color, noun, "with", part], [noun, "in", color, material], [color, noun, "and", part],
                [noun, "–", color, "/", w.pick(("S", "M", "L", "XL", "Large", "Small"))],
                [noun, "-", color], [noun, "for", w.pick(w.lexicon["audiences"])],
                [material, noun, f"({w.pick(('Set of', 'Pack of'))} {rng.randint(2, 12)})"],
                [made_up, adjective, color, material, noun], [f"{rng.randint(2, 64)}", "cm", material, noun],
                [made_up, number, adjective, color, material, noun, "with", adjective, part],
            )
        )  # fmt: skip
    if w.chance(0.07):
        parts = [*parts, *_ending(w, words)]
    text = " ".join(parts)
    if w.chance(0.05):
        return text.upper(), plural, noun
    if w.chance(0.8):
        cased = (part if part in _SMALL else part[:1].upper() + part[1:] for part in text.split())
        return " ".join(cased), plural, noun
    return text[:1].upper() + text[1:], plural, noun


def _ending(w: World, words: Lexicon) -> list[str]:
    """What makes a name long: an edition, a set, what comes with the thing, whom it is for."""
    rng = w.rng
    part, other = (w.pick(words["parts"]).split("|")[0] for _ in range(2))
    return w.pick(
        (
            [f"Nº {rng.randint(1, 99)}"], [f"No. {rng.randint(1, 99)}-{rng.randint(2, 90)}"],
            [f"({w.pick(('set', 'pack', 'box'))} of {rng.randint(2, 24)})"], [f"{rng.randint(2, 9)}-in-1"],
            [f"{invented(w, 2).upper()[:3]}-{rng.randint(2, 999)}"], ["in", w.pick(w.lexicon["colors"])],
            ["with", w.look(), part], ["with", part, "and", other], ["for", w.pick(w.lexicon["audiences"])],
            ["with", w.look(), part, "and", w.look(), other], ["–", w.look(), "edition"],
            [f"{rng.randint(4, 20)}th edition"],
        )
    )  # fmt: skip


def _is_colorless(words: Lexicon) -> bool:
    """Food, cosmetics and supplements have no colours in their names."""
    return bool({"Food", "Skincare", "Supplements"} & set(words["categories"]))
