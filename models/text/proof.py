"""Reading a text while it is written: a sentence that will not do is taken back and written anew.

A text of ten sentences, nine of them good, need not be thrown away for the tenth. What makes a sentence good is the
reader's business; here is only where to ask it, and how far to go back. It is rejection sampling by sentences, with
the parts that passed kept as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

# Whether a text may stand: what there is of it so far, and whether it ends there.
Reader = Callable[[str, bool], bool]

_ENDS = re.compile(r"[.!?…]['”’)\]]*$")
_ENDS_WITHOUT_SPACE = re.compile(r"[。！？][”’」』）]*$")
_CLOSES = re.compile(r"[\"\n]")
# So many sentences are tried in one place before the one before it goes, too.
_TRIES = 3
# Tokens after which a sentence that does not end is read all the same: it may be going round in circles.
_LONG = 40


class Proof:
    """The proof of one text. Asks `reader` at ends of sentences, lines and quoted strings, and at the end.

    `allowance` is how many tokens may be taken back in all; with it spent, the text goes on unread. A row whose text is
    written anew without end would hold up its whole batch.
    """

    def __init__(self, decode: Callable[[tuple[int, ...]], str], reader: Reader, allowance: int) -> None:
        self._decode = decode
        self._reader = reader
        self._left = allowance
        self._asked = 0  # length of the text, in tokens, when the reader saw it last
        self._marks = [0]  # lengths of the text, in tokens, at which it was found good
        self._failed = 0

    def keep(self, written: list[int], ended: bool) -> int | None:
        """How many tokens to go back to, after each token and at the end (`ended`); None where all may stand."""
        here = len(written) if ended else self._boundary(written)
        if here is None or self._left <= 0:
            return None
        self._asked = here
        if self._reader(self._decode(tuple(written[:here])), ended):
            if here > self._marks[-1]:
                self._marks.append(here)
                self._failed = 0
            return None
        self._failed += 1
        if self._failed >= _TRIES and len(self._marks) > 1:
            self._marks.pop()
            self._failed = 0
        kept = self._asked = self._marks[-1]
        # An end that was taken back was drawn, too.
        self._left -= len(written) - kept + ended
        return kept if self._left >= 0 else None

    def _boundary(self, written: list[int]) -> int | None:
        """Where the text can be read up to: behind the last token, before it, or not now."""
        if _CLOSES.search(self._decode((written[-1],))):
            return len(written)
        before = self._decode((written[-2],)).rstrip() if len(written) > 1 else ""
        if _ENDS_WITHOUT_SPACE.search(before):
            return len(written) - 1
        if not _ENDS.search(before) and len(written) - self._asked <= _LONG:
            return None
        # "3." may go on as "3.5": only the next token tells. Alone it may lack its space, so both are spelt together.
        after = self._decode((written[-2], written[-1])).lstrip()[len(before.lstrip()) :]
        return len(written) - 1 if after[:1].isspace() else None


def allowance(max_tokens: int) -> int:
    """How many tokens of a text may be taken back: enough for several sentences, and for more in a long text."""
    return 96 + max_tokens // 4


def decoder(tokenizer: Any) -> Callable[[tuple[int, ...]], str]:
    """Tokens to text as in a result; short runs, which come again and again, are remembered."""

    @lru_cache(maxsize=65_536)
    def short(ids: tuple[int, ...]) -> str:
        return str(tokenizer.decode(ids, skip_special_tokens=True))

    return lambda ids: short(ids) if len(ids) <= 2 else str(tokenizer.decode(ids, skip_special_tokens=True))
