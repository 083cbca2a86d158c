"""Measures of wording: what of a job a text tells, what it invents, and how much texts differ.

Words are folded (case, width, apostrophes) as the rules fold them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.resources import files

import yaml

from tasks.kinds.copy.channels import CHANNELS
from tasks.kinds.copy.job import CopyJob
from tasks.kinds.copy.rules.text import term, words

_LISTS = yaml.safe_load(files(__package__).joinpath("wording.yaml").read_text("utf-8"))
_LIGHT = frozenset(_LISTS["light"].split())
_INVENTABLE = frozenset(_LISTS["inventable"].split())
_ENDINGS = ("ing", "ed", "es", "s", "e")
# Share of the whole text's limit that features may fill: the rest is for name, sentence and a call to act.
_FEATURE_SHARE = 0.5
_ONCE = 4  # words that may stand between the content words of a feature, beyond its own light words


def names_product(job: CopyJob, fields: dict[str, str]) -> bool:
    """Whether the text holds the product's name as whole words in order."""
    name = term(str(job.product_name))
    padded = f" {' '.join(words(' '.join(fields.values())))} "
    return name.padded in padded if name.plain is None else name.plain in "".join(padded.split())


def stem(word: str) -> str:
    """A word without its inflection, roughly: enough to match `keeps` with `keep`."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def content_words(text: str) -> list[str]:
    """The stems of the words that carry content."""
    return [stem(word) for word in words(text) if word not in _LIGHT]


def tells(feature: str, text: str) -> bool:
    """Whether a text has all content words of a feature, in their order and close together."""
    wanted = content_words(feature) or [stem(word) for word in words(feature)]
    found = [stem(word) for word in words(text)]
    window = len(words(feature)) + _ONCE
    starts = [at for at, word in enumerate(found) if wanted and word == wanted[0]]
    return any(_in_order(wanted, found[start : start + window]) for start in starts)


def _in_order(wanted: Sequence[str], found: Sequence[str]) -> bool:
    left = iter(found)
    return all(any(word == other for other in left) for word in wanted)


def verbatim(feature: str, text: str) -> bool:
    """Whether a text has the feature word for word."""
    return f" {' '.join(words(feature))} " in f" {' '.join(words(text))} "


def features_with_room(job: CopyJob) -> int:
    """How many of the job's features, shortest first, fit into half of the text's limit."""
    limits = CHANNELS[str(job.channel)].fields.values()
    room = sum(limit.max for limit in limits) - len(str(job.product_name))
    if job.max_chars is not None:
        room = min(room, job.max_chars - len(str(job.product_name)))
    count, left = 0, _FEATURE_SHARE * room
    for length in sorted(len(feature) for feature in job.features):
        left -= length + 1
        if left < 0:
            break
        count += 1
    return count


def made_up(job: CopyJob, fields: dict[str, str]) -> list[str]:
    """Materials, colours, origins and the like (a closed list) that the text says and the job's data does not."""
    told = [job.product_name, job.brand_name, job.category, job.audience, job.tone, *job.features, *job.must_include]
    told += [text for pair in job.facts.items() for text in pair]
    known = {stem(word) for text in told if text for word in words(text)}
    return sorted({w for w in words(" ".join(fields.values())) if w in _INVENTABLE and stem(w) not in known})


def distinct(texts: Iterable[str], n: int = 2) -> float:
    """Different n-grams among all n-grams of the texts; none spans two texts."""
    seen = Counter(gram for text in texts for gram in _grams(words(text), n))
    return len(seen) / max(1, seen.total())


def own_words(job: CopyJob, text: str) -> str:
    """The text without the words of the job's data: what the model itself adds."""
    told = [job.product_name, job.brand_name, job.category, job.audience, *job.features, *job.must_include]
    told += [text for pair in job.facts.items() for text in pair]
    known = {word for source in told if source for word in words(source)}
    return " ".join(word for word in words(text) if word not in known)


def self_bleu(variants: Sequence[str], n: int = 4) -> float:
    """Mean BLEU of each variant against the others (Zhu et al. 2018), brevity penalty included, 0 to 1.

    Uniform weights over 1- to n-grams; orders without a match count half a match (smoothing by Lin and Och).
    """
    tokens = [words(text) for text in variants]
    scores = [
        _bleu(mine, [other for at, other in enumerate(tokens) if at != index], n) for index, mine in enumerate(tokens)
    ]
    return sum(scores) / len(scores)


def _bleu(mine: list[str], references: list[list[str]], n: int) -> float:
    if not mine or not references:
        return 0.0
    logs = []
    for order in range(1, n + 1):
        grams = Counter(_grams(mine, order))
        if not grams:
            break
        most: Counter[tuple[str, ...]] = Counter()
        for reference in references:
            most |= Counter(_grams(reference, order))
        hits = sum(min(count, most[gram]) for gram, count in grams.items())
        logs.append(math.log(max(hits, 0.5) / grams.total()))
    nearest = min((abs(len(reference) - len(mine)), len(reference)) for reference in references)[1]
    brevity = min(0.0, 1 - nearest / len(mine))
    return math.exp(sum(logs) / len(logs) + brevity)


def _grams(tokens: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(tokens[at : at + n]) for at in range(len(tokens) - n + 1)]
