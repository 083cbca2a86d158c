"""A copy job as chat messages, and a model's answer as the channel's fields.

One template serves every model, from the small one that ships with the project to large ones: short labelled lines in
a fixed order, only those that the job has, the form of the answer last. The template is an input of the content key,
so a change of wording raises TEMPLATE_VERSION.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from tasks.kinds.copy.channels import CHANNELS, Channel, FieldLimit
from tasks.kinds.copy.job import CopyJob

TEMPLATE_VERSION = 2

SYSTEM = "You write marketing copy. Say only what the product data says and invent no numbers."

# Tokens that a grapheme may cost. Scripts without spaces, or outside the Latin alphabet, cost several times as much.
_TOKENS_PER_GRAPHEME = 0.4
_TOKENS_PER_WIDE_GRAPHEME = 1.5
_WIDE_LANGUAGES = frozenset(
    {"am", "ar", "bn", "el", "fa", "gu", "he", "hi", "hy", "ja", "ka", "km", "kn", "ko", "lo"}
    | {"ml", "mr", "my", "ne", "pa", "ru", "si", "ta", "te", "th", "uk", "ur", "zh"}
)
_FREE_PROMPT_TOKENS = 400
_MOST_TOKENS = 4096


class ParseError(ValueError):
    """The model's answer does not have the form that the channel asks for; the message says how."""


def messages(job: CopyJob, feedback: Sequence[str] = ()) -> list[dict[str, str]]:
    """The chat that asks for `job`. `feedback` are the hints of the checks that the last attempt failed."""
    corrections = " ".join(dict.fromkeys(_one_line(hint) for hint in feedback if hint.strip()))
    if job.prompt is not None:
        chat = [{"role": "system", "content": job.system}] if job.system else []
        content = job.prompt + (f"\n\nCorrections: {corrections}" if corrections else "")
        return [*chat, {"role": "user", "content": content}]
    channel = CHANNELS[str(job.channel)]
    lines = [f"Write {channel.about}."]
    lines += [f"{label}: {value}" for label, value in _product_lines(job) if value]
    lines.append(_answer_line(channel))
    if job.max_chars is not None:
        lines.append(f"Limit: {job.max_chars} characters in all.")
    if corrections:
        lines.append(f"Corrections: {corrections}")
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "\n".join(lines)}]


def parse(job: CopyJob, text: str) -> dict[str, str]:
    """The fields of the job's channel, in order, from a model's answer.

    Fences of code and prose around a JSON object are let pass.

    Raises:
        ParseError: the answer is empty, no JSON object where one is due, or its fields are not the channel's.
    """
    answer = _without_fence(text.strip())
    if not answer:
        raise ParseError("the answer is empty")
    names = field_names(job)
    if job.channel is None:
        return {"text": answer}
    if len(names) == 1 and not answer.startswith("{"):
        return {names[0]: _without_quotes(answer)}
    found = _json_object(answer)
    missing, extra = [n for n in names if n not in found], [n for n in found if n not in names]
    if missing or extra:
        parts = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"has unknown {', '.join(extra)}"] * bool(extra)
        raise ParseError(f"the answer {' and '.join(parts)}; {job.channel} has the fields {', '.join(names)}")
    for name in names:
        if not isinstance(found[name], str):
            raise ParseError(f"the field {name} of the answer is not a text")
        if not found[name].strip():
            raise ParseError(f"the field {name} of the answer is empty")
    return {name: found[name].strip() for name in names}


def names(job: CopyJob) -> list[str]:
    """Phrases of a job that an answer may quote as often as it likes, as the answer spells them."""
    return _quoted(job, (job.product_name, job.brand_name))


def points(job: CopyJob) -> list[str]:
    """Phrases of a job that an answer should quote once: features, values of facts, terms to include, the audience."""
    return _quoted(job, (*job.features, *job.facts.values(), *job.must_include, job.audience))


def features(job: CopyJob) -> list[str]:
    """Those of the points that stand well behind a colon."""
    return _quoted(job, job.features)


def _quoted(job: CopyJob, phrases: Iterable[str | None]) -> list[str]:
    found = dict.fromkeys(text for phrase in phrases if (text := _one_line(phrase)))
    if len(field_names(job)) == 1:
        return list(found)
    return [json.dumps(text, ensure_ascii=False)[1:-1] for text in found]


def field_names(job: CopyJob) -> list[str]:
    """The fields that an answer has, in order."""
    return list(CHANNELS[job.channel].fields) if job.channel else ["text"]


def form_hint(job: CopyJob) -> str:
    """What to tell a model whose answer does not have the channel's form."""
    names = field_names(job)
    return f"Answer as JSON with the fields {', '.join(names)}." if len(names) > 1 else "Answer in plain text."


def default_max_tokens(job: CopyJob) -> int:
    """Tokens that hold the longest answer the job allows; used when the job sets no `max_tokens`."""
    if job.max_tokens is not None:
        return job.max_tokens
    wide = job.locale.split("-")[0].lower() in _WIDE_LANGUAGES
    rate = _TOKENS_PER_WIDE_GRAPHEME if wide else _TOKENS_PER_GRAPHEME
    if job.channel is None:
        return _FREE_PROMPT_TOKENS if job.max_chars is None else min(_MOST_TOKENS, 24 + math.ceil(job.max_chars * rate))
    fields = CHANNELS[job.channel].fields
    graphemes = sum(limit.max for limit in fields.values())
    if job.max_chars is not None:
        graphemes = min(graphemes, job.max_chars)
    return min(_MOST_TOKENS, 24 + 8 * len(fields) + math.ceil(graphemes * rate))


def _product_lines(job: CopyJob) -> list[tuple[str, str]]:
    facts = [f"{_one_line(key).replace('_', ' ')} = {_one_line(value)}" for key, value in job.facts.items()]
    language = "" if job.locale == "en-US" else job.locale
    return [
        ("Product", _one_line(job.product_name)),
        ("Brand", _one_line(job.brand_name)),
        ("Category", _one_line(job.category)),
        ("Features", "; ".join(_one_line(feature) for feature in job.features)),
        ("Facts", "; ".join(facts)),
        ("Audience", _one_line(job.audience)),
        ("Tone", _one_line(job.tone)),
        ("Must include", "; ".join(_one_line(term) for term in job.must_include)),
        ("Must avoid", "; ".join(_one_line(term) for term in job.must_avoid)),
        ("Language", language),
    ]


def _answer_line(channel: Channel) -> str:
    if len(channel.fields) == 1:
        (limit,) = channel.fields.values()
        return f"Answer in plain text, {_bounds(limit)} characters."
    fields = ", ".join(f"{name} ({_bounds(limit)})" for name, limit in channel.fields.items())
    return f"Answer as JSON with the characters of each field: {fields}."


def _bounds(limit: FieldLimit) -> str:
    return f"up to {limit.max}" if limit.min <= 1 else f"{limit.min} to {limit.max}"


def _one_line(value: str | None) -> str:
    return " ".join((value or "").split())


def _without_fence(text: str) -> str:
    fenced = re.search(r"```[a-zA-Z]*\s*\n?(.*?)```", text, flags=re.DOTALL)
    return fenced.group(1).strip() if fenced else text


def _without_quotes(text: str) -> str:
    for opening, closing in ('""', "“”"):
        inner = text[1:-1]
        if len(text) > 2 and text[0] == opening and text[-1] == closing and opening not in inner:
            return inner.strip()
    return text


def _json_object(text: str) -> dict[str, Any]:
    start = text.find("{")
    if start < 0:
        raise ParseError("the answer is no JSON object")
    try:
        found, _ = json.JSONDecoder(object_pairs_hook=_no_twins, parse_int=float, strict=False).raw_decode(text, start)
    except RecursionError as error:
        raise ParseError("the answer is nested too deeply") from error
    except json.JSONDecodeError as error:
        cut = "is cut off" if error.pos >= len(text.rstrip()) - 1 or "Unterminated" in error.msg else "is broken"
        raise ParseError(f"the JSON of the answer {cut}: {error.msg} at character {error.pos + 1}") from error
    return dict(found)


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise ParseError(f"the answer has {', '.join(twins)} more than once")
    return dict(pairs)
