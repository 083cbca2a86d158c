"""Views of a text that several rules share: folded, as words, in graphemes, without the product's own names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

import regex

from tasks.kinds.copy.rules.schema import Pattern

_WORD = re.compile(r"\w+")
_GRAPHEME = regex.compile(r"\X")
# Beyond these a character may join others to one grapheme: marks, joiners, emoji, Hangul jamo, Indic scripts …
_MAY_JOIN = re.compile(
    "[^\x00-\u02ff\u0370-\u0482\u048a-\u058f\u2010-\u2027\u2030-\u205e\u20a0-\u20cf\u3000-\u3029\u3040-\u3098"
    "\u309b-\u30ff\u4e00-\u9fff]|\r\n"
)
_FOLD = str.maketrans({"™": " ", "®": " ", "©": " ", "’": "'", "‘": "'", "ʼ": "'", "`": "'", "&": " and "})
_SPACELESS = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
NAME = "\ue000"  # stands for a product's or brand's name in `Draft.masked`


def graphemes(text: str) -> int:
    """How many characters a reader sees."""
    return len(_GRAPHEME.findall(text)) if _MAY_JOIN.search(text) else len(text)


def fold(text: str) -> str:
    """Case, width, apostrophes and composition evened out; `&` as `and`."""
    if text.isascii():
        return text.replace("&", " and ").casefold()
    return unicodedata.normalize("NFKC", text.translate(_FOLD)).casefold()


def words(text: str) -> list[str]:
    """The words of a text, folded."""
    return _WORD.findall(fold(text))


def cut_out(text: str, name: str) -> str:
    """A text with a name, in any case, replaced by `NAME` wherever it stands as whole words."""
    lower, wanted = text.lower(), name.lower()
    at = lower.find(wanted)
    if at < 0 or len(lower) != len(text):
        return text
    parts, done = [], 0
    while at >= 0:
        end = at + len(wanted)
        if not (lower[at - 1 : at].isalnum() and wanted[0].isalnum()) and not (
            lower[end : end + 1].isalnum() and wanted[-1].isalnum()
        ):
            parts += [text[done:at], NAME]
            done = end
        at = lower.find(wanted, end)
    return "".join([*parts, text[done:]])


class Term:
    """A term to look for: as whole words, or as it stands where a script has no spaces or the term is all marks."""

    __slots__ = ("padded", "plain", "written")

    def __init__(self, written: str) -> None:
        self.written = written
        found = words(written)
        marks = any(c in "%$€£+#@" for c in written)
        self.plain = "".join(fold(written).split()) if marks or not found or _SPACELESS.search(written) else None
        self.padded = f" {' '.join(found)} "

    def within(self, draft: Draft) -> bool:
        """Whether the draft has the term, in any of its fields."""
        return self.padded in draft.padded if self.plain is None else self.plain in draft.compact


@lru_cache(maxsize=2048)
def term(written: str) -> Term:
    """The term of a text; jobs share names and words."""
    return Term(written)


class Gated:
    """Patterns that are tried only on texts that hold what they need: most texts are waved through by two set lookups.

    A need in letters is a whole word, any other a piece of the lower-cased text.
    """

    __slots__ = ("_characters", "_patterns", "_words")

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._patterns = [
            (
                re.compile(p.pattern),
                frozenset(n for n in p.needs if n.isalpha()),
                [n for n in p.needs if not n.isalpha()],
            )
            for p in patterns
        ]
        self._words = frozenset(need for _, needs, _ in self._patterns for need in needs)
        pieces = [need for _, _, needs in self._patterns for need in needs]
        self._characters = frozenset(next(c for c in need if not c.isalpha() and c != " ") for need in pieces)

    def matches(self, draft: Draft) -> Iterator[re.Match[str]]:
        """Every match of every pattern, in the patterns' order."""
        if draft.characters.isdisjoint(self._characters) and draft.distinct.isdisjoint(self._words):
            return
        for pattern, needed_words, pieces in self._patterns:
            if draft.distinct.isdisjoint(needed_words):
                for piece in pieces:
                    if piece in draft.lower:
                        break
                else:
                    continue
            yield from pattern.finditer(draft.raw)


class Draft:
    """One candidate's fields and the views of them that the rules read, each made once.

    `distinct` are the folded words of all fields. `padded` holds them in order with single spaces around, so that a
    term between spaces is found as whole words; a line break keeps fields apart. `masked` is the same with the names of
    the job taken out.
    """

    __slots__ = ("_compact", "ascii", "characters", "distinct", "fields", "lower", "masked", "padded", "raw", "words")

    def __init__(self, fields: dict[str, str], names: Sequence[Term]) -> None:
        self.fields = fields
        self.raw = "\n".join(fields.values())
        self.ascii = self.raw.isascii()
        self.lower = self.raw.lower()
        self.characters = set(self.lower)
        self.words = {name: words(text) for name, text in fields.items()}
        self.padded = " " + " \n ".join(" ".join(found) for found in self.words.values()) + " "
        self.distinct = set().union(*self.words.values())
        self.masked = self.padded
        for name in names:
            if name.plain is None and name.padded in self.masked:
                self.masked = self.masked.replace(name.padded, f" {NAME} ").replace(name.padded, f" {NAME} ")
        self._compact: str | None = None

    @property
    def compact(self) -> str:
        """The folded text without any space."""
        if self._compact is None:
            self._compact = "".join(fold(self.raw).split())
        return self._compact
