"""From a job to what the pipeline is asked: the prompt and the size."""

from __future__ import annotations

import re

from tasks.kinds.image.job import PRESETS, ImageJob

# Enters the identity of every picture: count it up whenever `prompt` answers differently.
TEMPLATE_VERSION = 2
MAX_FEATURES = 2

_COLOUR_FACTS = ("colour", "color", "finish", "shade")
_MATERIAL_FACTS = ("material", "fabric", "materials")
_SETTING_FACTS = ("setting", "background", "scene")
_LIGHT_FACTS = ("light", "lighting")
_PLAIN_SETTING = "on a white background"
_PLAIN_LIGHT = "soft light"
_VIEW_FACTS = ("view", "angle")
_PLAIN_VIEW = "three-quarter view"


def prompt(job: ImageJob) -> str:
    """The job's own prompt, or "a photo of a COLOUR MATERIAL PRODUCT SETTING, LIGHT, VIEW" from its product columns.

    Facts named colour, material, setting, light and view fill their places. A category closes the phrase where the
    product's name does not say what it is.
    """
    if job.prompt is not None:
        return job.prompt
    facts = {name.strip().lower(): value.strip().lower() for name, value in job.facts.items() if value.strip()}
    name = _plain(job.product_name or "")
    category = _thing(job.category)
    described = [w for w in (_first(facts, _COLOUR_FACTS), _first(facts, _MATERIAL_FACTS)) if w and w not in name]
    described.append(name)
    if category and not _says(name, category):
        described.append(category)
    thing = " ".join(described)
    article = "an" if thing[:1] in "aeiou" else "a"
    setting = _first(facts, _SETTING_FACTS) or _PLAIN_SETTING
    if not re.match(r"(on|in|at|by|against|under|near|beside|before)\b", setting):
        setting = f"on a {setting} background"
    light, view = _first(facts, _LIGHT_FACTS) or _PLAIN_LIGHT, _first(facts, _VIEW_FACTS) or _PLAIN_VIEW
    parts = [f"a photo of {article} {thing} {setting}", light, view]
    parts += [_plain(feature) for feature in job.features[:MAX_FEATURES]]
    return ", ".join(parts)


def size(job: ImageJob, default: tuple[int, int]) -> tuple[int, int]:
    """Width and height in pixels: the job's own, its preset's, or `default`."""
    if job.preset is not None:
        return PRESETS[job.preset]
    if job.width is not None and job.height is not None:
        return job.width, job.height
    return default


def _first(facts: dict[str, str], names: tuple[str, ...]) -> str:
    return next((facts[name] for name in names if name in facts), "")


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _thing(category: str | None) -> str:
    """The last, narrowest step of a category path ("Home & Garden > Decor > Vases"), in the singular."""
    last = _plain(re.split(r"[>/|]", category)[-1]) if category else ""
    if last.endswith(("ches", "shes", "sses", "xes")):
        return last[:-2]
    if last.endswith("s") and not last.endswith(("ss", "headphones", "clothes", "glasses")):
        return last[:-1]
    return last


def _says(name: str, category: str) -> bool:
    return category.split()[-1] in name.split()
