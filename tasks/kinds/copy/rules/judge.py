"""Every rule on one candidate. What depends on the job alone is made once and kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property, lru_cache

from tasks.kinds.base import Check
from tasks.kinds.copy.channels import CHANNELS
from tasks.kinds.copy.job import CopyJob
from tasks.kinds.copy.rules.language import check_language
from tasks.kinds.copy.rules.numbers import Facts, check_numbers, facts_of
from tasks.kinds.copy.rules.repetition import check_degenerate, check_near_duplicate, check_repetition
from tasks.kinds.copy.rules.residue import (
    check_characters,
    check_echo,
    check_links,
    check_markup,
    check_placeholders,
    prompt_runs,
)
from tasks.kinds.copy.rules.schema import RULES
from tasks.kinds.copy.rules.shape import (
    check_distinct_fields,
    check_ending,
    check_fields,
    check_length,
    check_quotes,
    check_sms_segment,
)
from tasks.kinds.copy.rules.terms import banned_terms, check_banned, check_claims, check_name, check_required
from tasks.kinds.copy.rules.text import Draft, cut_out, term, words

_ALONE = (
    check_fields, check_distinct_fields, check_length, check_sms_segment, check_required, check_banned, check_claims,
    check_numbers, check_language, check_placeholders, check_markup, check_echo, check_links, check_characters,
    check_repetition, check_degenerate, check_ending, check_quotes,
)  # fmt: skip
# What a text can break before it is whole, in any of its fields …
_EARLY = (
    check_sms_segment, check_banned, check_claims, check_numbers, check_placeholders,
    check_markup, check_echo, check_links, check_characters, check_repetition, check_degenerate,
)  # fmt: skip
# … and in those that are finished.
_FINISHED = (check_distinct_fields, check_name, check_ending, check_quotes)


class JobRules:
    """The rules as they apply to one job; judge its candidates with it."""

    def __init__(self, job: CopyJob) -> None:
        self.job = job
        self.language = job.locale.split("-")[0].lower()
        self.latin = self.language not in RULES.language.scripts
        self.limits = CHANNELS[job.channel].fields if job.channel else {}
        self.widest = max(limit.max for limit in self.limits.values()) if self.limits else job.max_chars
        required = [job.product_name] if job.channel and job.product_name else []
        self.required = [term(text) for text in dict.fromkeys([*required, *job.must_include]) if text.strip()]
        self.banned = banned_terms(tuple(job.must_avoid), self.language)
        self.name = term(job.product_name) if required else None
        self.name_fields = _fields_of(job, RULES.required.name_fields, len(job.product_name or ""))
        names = [name for name in (job.product_name, job.brand_name) if name]
        self.names = [term(name) for name in sorted(names, key=len, reverse=True)]
        self._padded_names = tuple(name.padded for name in self.names)
        self.numbered_names = any(c.isdigit() for name in names for c in name)
        self.signatures = frozenset(name.casefold() for name in names)
        self.prompt_runs = prompt_runs(job.prompt, job.system)
        self.prose_fields = frozenset(_fields_of(job, RULES.ending.prose)) if job.channel else None

    @cached_property
    def sources(self) -> list[str]:
        """All texts of the job that a candidate may take words and numbers from, but for the fact table."""
        job = self.job
        own = [job.product_name, job.brand_name, job.category, job.audience, job.prompt, job.system]
        return [*(text for text in own if text), *job.features, *job.must_include]

    @cached_property
    def features(self) -> list[str]:
        """The folded words of the features that are told once only, padded as in `Draft.padded`.

        Short ones may come back, and what stands within another feature or a required term comes back with that.
        """
        told = [f" {' '.join(words(text))} " for text in self.job.features]
        others = [*told, *(f" {' '.join(words(text))} " for text in self.job.must_include)]
        long = (text for text in told if text.count(" ") > RULES.repetition.feature_words)
        return [text for text in long if sum(text in other for other in others) == 1]

    @cached_property
    def known(self) -> str:
        """The folded words of the job's data, padded as in `Draft.padded`."""
        facts = [text for item in self.job.facts.items() for text in item]
        return " " + " \n ".join(" ".join(words(text)) for text in [*self.sources, *facts]) + " "

    @cached_property
    def known_raw(self) -> str:
        """The job's data as it stands, in lower case."""
        return "\n".join([*self.sources, *self.job.facts.keys(), *self.job.facts.values()]).lower()

    @cached_property
    def facts(self) -> Facts:
        """The numbers that the job's data backs."""
        return facts_of(self.sources, self.job.facts, self.language)

    def without_names(self, text: str) -> str:
        """A text with the product's and the brand's names taken out."""
        for name in self.names:
            text = cut_out(text, name.written)
        return text

    def content(self, text: str) -> str:
        """The folded words of a text without names, to compare variants by."""
        return _content(text, self._padded_names)

    def judge_alone(self, fields: dict[str, str]) -> list[Check]:
        """One check for each rule that looks at a candidate by itself."""
        draft = Draft(fields, self.names)
        return [check(self, draft) for check in _ALONE]

    def judge_part(self, finished: dict[str, str], unfinished: dict[str, str]) -> list[Check]:
        """The checks that a text can fail before it is whole: of its finished fields, and of one under way.

        Where a rule is milder with long texts, as that of repetition is, a part counts as the short text that it is.
        """
        checks: list[Check] = []
        if finished or unfinished:
            part = Draft({**finished, **unfinished}, self.names)
            checks += [check_length(self, part, unfinished), *(check(self, part) for check in _EARLY)]
        if finished:
            draft = Draft(finished, self.names)
            checks += [check(self, draft) for check in _FINISHED]
        return checks

    def judge_among(self, fields: dict[str, str], accepted: Sequence[dict[str, str]]) -> list[Check]:
        """The check of a candidate against the accepted variants of its job, in their order."""
        return [check_near_duplicate(self, fields, accepted)]


def _fields_of(job: CopyJob, entries: Sequence[str], room: int = 0) -> list[str]:
    """The fields of the job's channel among `channel.field` entries, if they have room for so many characters."""
    own = (entry.split(".") for entry in entries)
    return [field for channel, field in own if channel == job.channel and room <= CHANNELS[channel].fields[field].max]


@lru_cache(maxsize=1024)
def _content(text: str, padded_names: tuple[str, ...]) -> str:
    padded = f" {' '.join(words(text))} "
    for name in padded_names:
        padded = padded.replace(name, " ")
    return padded


# The rules of the jobs judged last, by the job's identity; holding the job keeps its id from going to another.
_kept: OrderedDict[int, JobRules] = OrderedDict()
_MOST_KEPT = 1_000


def rules_of(job: CopyJob) -> JobRules:
    """The rules of a job, kept while the job is among the last that were judged."""
    rules = _kept.get(id(job))
    if rules is None:
        if len(_kept) >= _MOST_KEPT:
            _kept.popitem(last=False)  # one step, so that threads do not meet in it
        rules = _kept[id(job)] = JobRules(job)
    return rules


def judge_alone(job: CopyJob, fields: dict[str, str]) -> list[Check]:
    """Every rule on one candidate; `fields` are those of the channel, `{"text": …}` for a free prompt."""
    return rules_of(job).judge_alone(fields)


def judge_among(job: CopyJob, fields: dict[str, str], accepted: Sequence[dict[str, str]]) -> list[Check]:
    """The rule on a candidate among the variants of its job that were accepted before it."""
    return rules_of(job).judge_among(fields, accepted)
