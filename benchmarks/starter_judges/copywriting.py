"""How good starter-copy is: the measures over one set of jobs, and how well it takes correction."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from benchmarks.starter_judges import wording
from benchmarks.starter_judges.grammar import Finding
from benchmarks.starter_judges.heldout import Spec, terms_to_avoid, terms_to_mention
from benchmarks.starter_judges.writing import UNPARSED, Item, answers
from tasks.kinds.copy.job import CopyJob
from tasks.kinds.copy.rules.terms import banned_terms
from tasks.kinds.copy.rules.text import Draft, term, words

CORRECTED = 80  # jobs whose texts are corrected
_LONG_WORD = 5  # letters of a word of the model's own that a correction forbids


@dataclass(frozen=True, slots=True)
class Measure:
    """A line of the table: a share of `of` cases (or a plain figure), and the bound that issue and cards name."""

    name: str
    value: float | None
    of: int
    target: str = ""
    percent: bool = True

    @property
    def shown(self) -> str:
        """The value as a table has it."""
        return "–" if self.value is None else f"{self.value:.1%}" if self.percent else f"{self.value:.3f}"

    def __str__(self) -> str:
        return f"{self.name:<64}{self.shown:>8}  {f'of {self.of:,}':>10}  {self.target}"


def measures(items: Sequence[Item], grammar: Sequence[list[Finding]] | None) -> list[Measure]:
    """All measures of the first attempts. Answers that cannot be parsed count with their raw text."""
    texts = [item.first.text for item in items]
    made = [item for item in items if UNPARSED not in item.first.failed]
    rows = [
        _share("accepted at the first attempt, all rules", items, lambda i: i.first.accepted, "≥ 80 %, aim 92"),
        _share("… in the form of the channel", items, lambda i: UNPARSED not in i.first.failed),
        _share("name recall", items, lambda i: wording.names_product(i.job, i.first.fields), "≥ 98 %"),
        _feature_recall(items),
        _all_features(items, wording.tells, "features told, of all given"),
        _all_features(items, wording.verbatim, "… word for word"),
        _share("unbacked facts: texts with a number that no fact backs", made, lambda i: "numbers" in i.first.failed,
               "≤ 1 %"),
        _share("made up: texts with a material, colour, origin not in the job", made,
               lambda i: bool(wording.made_up(i.job, i.first.fields))),
        _share("banned word used, texts of jobs that ban", [i for i in made if i.job.must_avoid],
               lambda i: "banned" in i.first.failed, "≤ 1 %"),
        _share("terms included, texts of jobs that ask for some", [i for i in made if i.job.must_include],
               lambda i: all(_has(t, i.first.fields) for t in i.job.must_include)),
        _share("feedback of the job obeyed", [i for i in made if _checkable(i.spec)], _obeys),
        Measure("distinct-2 over the whole", wording.distinct(texts), len(texts), "≥ .35", percent=False),
        Measure("… of the model's own words", wording.distinct([wording.own_words(i.job, i.first.text) for i in items]),
                len(texts), percent=False),
        _self_bleu(items),
    ]  # fmt: skip
    if grammar is not None:
        count = sum(len(words(item.first.text)) for item in made)
        errors = sum(map(len, grammar))
        rows.append(Measure("grammar errors per 100 words (Harper)", 100 * errors / count, count, "≤ 1", percent=False))
    return rows


def refusals(items: Sequence[Item]) -> list[tuple[str, int]]:
    """How many first attempts each rule refused, most first."""
    return Counter(rule for item in items for rule in dict.fromkeys(item.first.failed)).most_common()


def by_group(items: Sequence[Item], key: Callable[[Item], Sequence[str]]) -> list[tuple[str, int, float]]:
    """Texts and first-attempt acceptance by group; a text may belong to several."""
    groups: dict[str, list[bool]] = {}
    for item in items:
        for name in key(item):
            groups.setdefault(name, []).append(item.first.accepted)
    return [(name, len(hits), sum(hits) / len(hits)) for name, hits in sorted(groups.items())]


def ranked(items: Sequence[Item], grammar: Sequence[list[Finding]] | None) -> list[tuple[float, Item]]:
    """Texts from best to worst. The order, stated: 4 if accepted, + 2 × the share of features told (0.5 of a job
    without), + 1 for the name, − 1 for each grammar error, − each failed rule, − the BLEU to its siblings."""
    bleu = dict(_bleu_by_job(items))
    scored = []
    for at, item in enumerate(items):
        told = [wording.tells(feature, item.first.text) for feature in item.job.features]
        score = 4.0 * item.first.accepted + 2 * (sum(told) / len(told) if told else 0.5)
        score += wording.names_product(item.job, item.first.fields) - len(item.first.failed)
        score -= len(grammar[at]) if grammar else 0
        scored.append((score - bleu[item.job.job_id], at))
    return [(score, items[at]) for score, at in sorted(scored, reverse=True)]


def takes_correction(engine: Any, items: Sequence[Item], seed: int) -> list[tuple[str, int, float, float]]:
    """How often corrections of the model's own texts are obeyed: (kind, cases, share obeyed, share without any).

    Each asks against what the model just wrote: not to say a word of its own choosing, to mention a feature it left
    out, to be shorter. The last share is how often a new text without the correction happens to comply.
    """
    rng = random.Random(f"corrections/{seed}")
    jobs = [i for i in items if i.variant == 0 and UNPARSED not in i.first.failed and not i.spec.feedback][:CORRECTED]
    cases: list[tuple[str, CopyJob, str, Callable[[dict[str, str]], bool]]] = []
    for item in jobs:
        own = sorted({w for w in wording.own_words(item.job, item.first.text).split() if _plain(w)})
        if own:
            word = rng.choice(own)
            cases.append(("do not say", item.job, f"Do not say {word}.", _without(word)))
        left_out = [f for f in item.job.features if not wording.tells(f, item.first.text) and len(f) < 40]
        if left_out:
            feature = rng.choice(left_out).rstrip(".")
            cases.append(("mention", item.job, f"Mention {feature}.", _with(feature)))
        cases.append(("shorter", item.job, "Shorter.", _shorter(len(item.first.text))))
    corrected = answers(engine, [(job, [hint]) for _, job, hint, _ in cases], seed + 1)
    control = answers(engine, [(job, []) for _, job, _, _ in cases], seed + 1)
    outcomes = sorted(
        (kind, bool(new and obeyed(new)), bool(old and obeyed(old)))
        for (kind, _, _, obeyed), new, old in zip(cases, corrected, control, strict=True)
    )
    found = []
    for kind, group in groupby(outcomes, key=lambda outcome: outcome[0]):
        all_of = list(group)
        found.append(
            (kind, len(all_of), sum(o[1] for o in all_of) / len(all_of), sum(o[2] for o in all_of) / len(all_of))
        )
    return found


def _plain(word: str) -> bool:
    return word.isalpha() and len(word) >= _LONG_WORD


def _without(word: str) -> Callable[[dict[str, str]], bool]:
    return lambda fields: not banned_terms((word,), "en").found(Draft(fields, []))


def _with(feature: str) -> Callable[[dict[str, str]], bool]:
    return lambda fields: _has(feature, fields)


def _shorter(length: int) -> Callable[[dict[str, str]], bool]:
    return lambda fields: len("\n".join(fields.values())) < length


def _has(wanted: str, fields: dict[str, str]) -> bool:
    return term(wanted).within(Draft(fields, []))


def _checkable(spec: Spec) -> bool:
    return bool(terms_to_mention(spec.feedback) or terms_to_avoid(spec.feedback))


def _obeys(item: Item) -> bool:
    fields = item.first.fields
    said = banned_terms(tuple(terms_to_avoid(item.spec.feedback)), "en").found(Draft(fields, []))
    return not said and all(_has(wanted, fields) for wanted in terms_to_mention(item.spec.feedback))


def _share(name: str, items: Sequence[Item], hit: Callable[[Item], bool], target: str = "") -> Measure:
    return Measure(name, sum(map(hit, items)) / len(items) if items else None, len(items), target)


def _feature_recall(items: Sequence[Item]) -> Measure:
    told = room = 0
    for item in items:
        fitting = wording.features_with_room(item.job)
        told += min(fitting, sum(wording.tells(feature, item.first.text) for feature in item.job.features))
        room += fitting
    return Measure("feature recall, of those that have room", told / room if room else None, room, "≥ 80 %")


def _all_features(items: Sequence[Item], tells: Callable[[str, str], bool], name: str) -> Measure:
    hits = [tells(feature, item.first.text) for item in items for feature in item.job.features]
    return Measure(name, sum(hits) / len(hits) if hits else None, len(hits))


def _self_bleu(items: Sequence[Item]) -> Measure:
    scores = [score for _, score in _bleu_by_job(items)]
    return Measure("self-BLEU-4 between variants", sum(scores) / len(scores), len(scores), "≤ .5", percent=False)


def _bleu_by_job(items: Sequence[Item]) -> list[tuple[str, float]]:
    texts: dict[str, list[str]] = {}
    for item in items:
        texts.setdefault(item.job.job_id, []).append(item.first.text)
    return [(job, wording.self_bleu(variants)) for job, variants in texts.items()]
