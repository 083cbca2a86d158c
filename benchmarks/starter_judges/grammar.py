"""Grammar errors, found by Harper (harper.js from npm, Apache-2.0), a rule-based checker of English.

Harper runs in Node: `npm install --prefix build/harper harper.js@2.10.0` installs it, and the variable HARPER may name
another folder. Where it is missing, the benchmark says so and leaves its lines out.

What does not count: opinions on style and wording; spellings of words that the job itself holds (names, above all);
whatever stands in a passage copied from the job, flagged words and one neighbour on each side.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.kinds.copy.job import CopyJob
from tasks.kinds.copy.rules.text import words

VERSION = "2.10.0"
COUNTED = frozenset(
    {
        "Agreement", "BoundaryError", "Capitalization", "Eggcorn", "Formatting", "Grammar", "Malapropism",
        "Miscellaneous", "Nonstandard", "Punctuation", "Repetition", "Spelling", "Typo", "Usage",
    }
)  # fmt: skip
# Enhancement, Readability, Redundancy, Regionalism, Style and WordChoice are opinions.
_ROOT = Path(__file__).parents[2]
_OTHER_NUMBER = {
    "is": "are", "are": "is", "has": "have", "have": "has", "comes": "come", "come": "comes", "keeps": "keep",
    "keep": "keeps",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One error: its kind in Harper's terms, the words it concerns, and what Harper says of it."""

    kind: str
    passage: str
    message: str


def harper_folder() -> Path | None:
    """Where harper.js is installed, or None."""
    if shutil.which("node") is None:
        return None
    folder = Path(os.environ.get("HARPER", _ROOT / "build" / "harper"))
    return folder if (folder / "node_modules" / "harper.js").is_dir() else None


def check(texts: Sequence[tuple[CopyJob, dict[str, str]]], folder: Path) -> list[list[Finding]]:
    """The errors of each text, its fields checked one by one; answers without form (field `""`) are not read."""
    pieces = [
        (index, job, text)
        for index, (job, fields) in enumerate(texts)
        for name, text in fields.items()
        if name and text.strip()
    ]
    lines = "".join(json.dumps({"text": text, "locale": job.locale}) + "\n" for _, job, text in pieces)
    answer = subprocess.run(
        ["node", str(Path(__file__).with_name("grammar.mjs"))],
        input=lines,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HARPER": str(folder.resolve())},
    )
    if answer.returncode:
        raise RuntimeError(f"harper.js failed: {answer.stderr.strip()[-400:]}")
    found: list[list[Finding]] = [[] for _ in texts]
    for (index, job, text), line in zip(pieces, answer.stdout.splitlines(), strict=True):
        for lint in json.loads(line):
            finding = _counted(job, text, lint)
            if finding is not None:
                found[index].append(finding)
    return found


def _counted(job: CopyJob, text: str, lint: dict[str, object]) -> Finding | None:
    kind, start, end = str(lint["kind"]), int(str(lint["start"])), int(str(lint["end"]))
    passage = text[start:end]
    if kind not in COUNTED:
        return None
    data = _data(job)
    if kind in ("Spelling", "Typo", "Capitalization") and set(words(passage)) <= set(" ".join(data).split()):
        return None
    before, after = words(text[:start])[-1:], words(text[end:])[:1]
    copied = f" {' '.join([*before, *words(passage), *after])} "
    if any(copied in f" {source} " for source in data):
        return None
    return Finding(kind, passage, str(lint["message"]))


def _data(job: CopyJob) -> list[str]:
    """The texts of a job, folded to words."""
    told = [job.product_name, job.brand_name, job.category, job.audience, job.tone, *job.features, *job.must_include]
    told += [text for pair in job.facts.items() for text in pair]
    return [" ".join(words(text)) for text in told if text]


def planted(texts: Sequence[tuple[CopyJob, dict[str, str]]], folder: Path, seed: int) -> list[tuple[str, int, float]]:
    """What the checker sees: (kind, texts, share found) of errors planted in the texts, one kind at a time.

    Found is an error where the spoilt text has more findings than the text as it was.
    """
    rng = random.Random(f"planted errors/{seed}")
    cases: list[tuple[str, int, CopyJob, dict[str, str]]] = []
    for kind, spoil in _SPOILERS.items():
        for at, (job, fields) in enumerate(texts):
            longest = max(fields, key=lambda name: len(fields[name]))
            spoilt = spoil(fields[longest], rng)
            if spoilt is not None:
                cases.append((kind, at, job, {**fields, longest: spoilt}))
    before = check(texts, folder)
    after = check([(job, fields) for _, _, job, fields in cases], folder)
    shares = []
    for kind in _SPOILERS:
        hits = [len(now) > len(before[at]) for (k, at, _, _), now in zip(cases, after, strict=True) if k == kind]
        if hits:
            shares.append((kind, len(hits), sum(hits) / len(hits)))
    return shares


def _replace_one(pattern: str, change: Callable[[str], str]) -> Callable[[str, random.Random], str | None]:
    def spoil(text: str, rng: random.Random) -> str | None:
        places = list(re.finditer(pattern, text))
        if not places:
            return None
        place = rng.choice(places)
        return text[: place.start()] + change(place.group()) + text[place.end() :]

    return spoil


_SPOILERS = {
    "doubled word": _replace_one(r"\b(?:the|and|with|for|is|of)\b", lambda word: f"{word} {word}"),
    "wrong article": _replace_one(r"\ban? (?=[a-z]{3})", lambda word: "a " if word == "an " else "an "),
    "wrong verb after a pronoun": _replace_one(
        r"\b(?:[Ii]t|[Tt]hey) (?:is|are|has|have|comes|come)\b",
        lambda pair: pair.split()[0] + " " + _OTHER_NUMBER[pair.split()[1]],
    ),
    "wrong verb after a noun": _replace_one(
        r"(?<=[a-z] )(?:is|are|has|have|comes|come|keeps|keep)\b", lambda verb: _OTHER_NUMBER[verb]
    ),
    "misspelling": _replace_one(r"\b[a-z]{7,}\b", lambda word: word[:3] + word[4] + word[3] + word[5:]),
}
