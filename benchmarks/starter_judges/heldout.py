"""Held-out copy jobs, drawn from words of their own (heldout.yaml) by plans of their own.

Nothing here is shared with the corpus that starter-copy learns from (`tasks/starters/copy`), nor may it be: other
names, categories, phrasings, fact keys and banned words show whether the model has learnt to write from a job.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from tasks.kinds.copy.channels import CHANNELS
from tasks.kinds.copy.job import CopyJob
from tasks.kinds.copy.rules import sms_segments
from tasks.kinds.copy.rules.terms import banned_terms
from tasks.kinds.copy.rules.text import Draft

# Limits of the whole text that a job may set, in characters: tight, but with room for a text.
_MAX_CHARS = {
    "product_page": (220, 600), "email": (240, 450), "social": (100, 200), "sms": (100, 140),
    "search_ad": (170, 250), "seo": (120, 180), "push": (70, 130),
}  # fmt: skip
_LONG_NAME = 45  # characters
_ROOM_FOR_NAME = {"search_ad": 80, "sms": 90, "push": 100, "seo": 110}
_DRAWS = 50


@dataclass(frozen=True, slots=True)
class Spec:
    """A job, the corrections given with its first attempt, and what is hard about it."""

    job: CopyJob
    feedback: list[str] = field(default_factory=list)
    traits: frozenset[str] = frozenset()


@cache
def _words() -> dict[str, Any]:
    return yaml.safe_load(files(__package__).joinpath("heldout.yaml").read_text("utf-8"))


def heldout_specs(count: int, seed: int, variants: int) -> list[Spec]:
    """`count` jobs, the same for a seed: channels in turn, worlds and hardships at random."""
    rng = random.Random(f"held-out copy/{seed}")
    return [_spec(rng, number, list(CHANNELS)[number % len(CHANNELS)], variants) for number in range(count)]


def _spec(rng: random.Random, number: int, channel: str, variants: int) -> Spec:
    for _ in range(_DRAWS):
        spec = _draw(rng, f"held-out-{number:04}", channel, variants)
        if _can_be_met(spec):
            return spec
    raise RuntimeError(f"no job for {channel} can be met; heldout.yaml asks for too much")


def _draw(rng: random.Random, job_id: str, channel: str, variants: int) -> Spec:
    words = _words()
    world = words["worlds"][rng.choice(list(words["worlds"]))]
    traits: set[str] = set()
    house = rng.choice(words["houses"]) if rng.random() < 0.75 else None
    name = _name(rng, world, house, traits)
    features = _features(rng, world, traits)
    facts = _facts(rng, world, traits)
    columns: dict[str, Any] = {
        "job_id": job_id,
        "kind": "copy",
        "variants": variants,
        "channel": channel,
        "product_name": name,
        "brand_name": house,
        "category": rng.choice(world["categories"]) if rng.random() < 0.7 else None,
        "features": features,
        "facts": facts,
        "audience": rng.choice([*world["audiences"], *words["audiences"]]) if rng.random() < 0.55 else None,
        "tone": rng.choice(words["tones"]) if rng.random() < 0.6 else None,
        "locale": "en-GB" if rng.random() < 0.06 else "en-US",
    }
    if rng.random() < 0.25:
        pool = [*world["include"], *world["include"], rng.choice(words["phrases"])]
        columns["must_include"] = rng.sample(pool, 1 if len(CHANNELS[channel].fields) > 3 or channel == "sms" else 2)
        columns["must_include"] = list(dict.fromkeys(columns["must_include"]))
        traits.add("must include")
    pool = [*world["tempting"], *world["tempting"], *words["tempting"]]
    if rng.random() < 0.35:
        columns["must_avoid"] = list(dict.fromkeys(rng.sample(pool, rng.choice((1, 2, 2, 3, 5)))))
        traits.add("must avoid")
    if rng.random() < 0.18:
        columns["max_chars"] = rng.randint(*_MAX_CHARS[channel])
        traits.add("max chars")
    job = CopyJob(**columns)
    return Spec(job, _feedback(rng, job, world, traits), frozenset(traits))


def _name(rng: random.Random, world: dict[str, Any], house: str | None, traits: set[str]) -> str:
    words = _words()
    noun, model = rng.choice(world["nouns"]), rng.choice(words["models"])
    form = rng.random()
    if form < 0.30:
        name = f"{model} {noun}"
    elif form < 0.45:
        name = f"{rng.choice(words['befores'])} {noun}"
    elif form < 0.60:
        name = f"{model} {rng.choice(words['marks'])}"
    elif form < 0.72:
        name = f"{rng.choice(words['befores'])} {model} {noun} {rng.choice(words['afters'])}"
    elif form < 0.80:
        name = f"{noun} {rng.choice(words['marks'])}-{rng.randint(10, 99)}"
    else:
        name = noun
    if house and rng.random() < 0.14:
        name = f"{house} {name}"
        traits.add("brand in name")
    if rng.random() < 0.05:
        name = name.upper()
    if len(name) >= _LONG_NAME:
        traits.add("long name")
    return name


def _features(rng: random.Random, world: dict[str, Any], traits: set[str]) -> list[str]:
    count = rng.choice((0, 1, 1, 2, 2, 3, 3, 4, 6))
    if not count:
        traits.add("no features")
    drawn = rng.sample(world["features"], min(count, len(world["features"])))
    if drawn and rng.random() < 0.2:
        drawn[-1] = rng.choice(_words()["common_features"])
    style = rng.random()
    if style < 0.2:
        drawn = [text[:1].upper() + text[1:] for text in drawn]
    elif style < 0.3:
        drawn = [text[:1].upper() + text[1:] + "." for text in drawn]
    elif style < 0.35:
        drawn = [text.replace(" ", "  ", 1) for text in drawn]
    return drawn


def _facts(rng: random.Random, world: dict[str, Any], traits: set[str]) -> dict[str, str]:
    pool = {**world["facts"], **_words()["common_facts"]}
    count = rng.choice((0, 1, 2, 2, 3, 4))
    if rng.random() < 0.1:
        count = rng.randint(8, 11)
        traits.add("many facts")
    keys = rng.sample(list(pool), min(count, len(pool)))
    if keys and rng.random() < 0.4 and "Price" not in keys:
        keys[rng.randrange(len(keys))] = "Price"
    return {key: rng.choice(pool[key]) for key in keys}


def _feedback(rng: random.Random, job: CopyJob, world: dict[str, Any], traits: set[str]) -> list[str]:
    """What the rules would say of a text that failed them, in their own words; and a plain "Shorter."."""
    if rng.random() > 0.22:
        return []
    absent = [word for word in [*world["tempting"], *_words()["tempting"]] if not _stands_in(word, job)]
    field_name = rng.choice(list(CHANNELS[str(job.channel)].fields))
    options = {
        "mention": f"Mention {rng.choice([str(job.product_name), *job.must_include, *world['include']])}.",
        "avoid": f"Do not say {rng.choice(absent)}.",
        "number": f"Do not use the number {rng.choice((12, 40, 365, 1_500))}.",
        "shorter": "Shorter.",
        "keep": f"Keep {field_name} under {CHANNELS[str(job.channel)].fields[field_name].max} characters.",
    }
    kinds = rng.choices(list(options), (4, 4, 1, 3, 1))
    if rng.random() < 0.25:
        kinds = list(dict.fromkeys([*kinds, "avoid", "mention"]))
    traits.add("feedback")
    return [options[kind] for kind in kinds]


def _stands_in(word: str, job: CopyJob) -> bool:
    """Whether the job's own data holds the word or an inflection of it, so that banning it would be unfair."""
    told = [job.product_name, job.brand_name, job.category, job.audience, *job.features, *job.must_include]
    told += [text for pair in job.facts.items() for text in pair]
    draft = Draft({"text": "\n".join(text for text in told if text)}, [])
    return bool(banned_terms((word,), "en").found(draft))


def _can_be_met(spec: Spec) -> bool:
    """Whether a careful writer has room for what the job demands, and no demand contradicts another."""
    job = spec.job
    channel, name = str(job.channel), str(job.product_name)
    demands = [name, *job.must_include, *terms_to_mention(spec.feedback)]
    banned = [*job.must_avoid, *terms_to_avoid(spec.feedback)]
    if any(_stands_in(word, job) or word.lower() in " ".join(demands).lower() for word in banned):
        return False
    if len(name) > _ROOM_FOR_NAME.get(channel, 200):
        return False
    least = sum(map(len, dict.fromkeys(demands))) + 30
    limits = CHANNELS[channel].fields
    prose = max(limit.max for limit in limits.values())
    if channel == "sms" and sms_segments(" ".join(demands)) != sms_segments("plain"):
        return False
    if channel == "sms" and any(not text.isascii() for text in demands):
        return False  # one such character leaves 70 characters for all
    if least > prose:
        return False
    floor = sum(max(limit.min, 8) for limit in limits.values()) + least
    return job.max_chars is None or job.max_chars >= 1.3 * floor


def terms_to_mention(feedback: Sequence[str]) -> list[str]:
    """The terms that corrections ask for."""
    return [hint[len("Mention ") : -1] for hint in feedback if hint.startswith("Mention ")]


def terms_to_avoid(feedback: Sequence[str]) -> list[str]:
    """The terms that corrections forbid, numbers aside."""
    return [hint[len("Do not say ") : -1] for hint in feedback if hint.startswith("Do not say ")]
