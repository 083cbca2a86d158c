"""Copy jobs as the pipeline sees them: marketing text from a causal language model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from models.engine import EngineSpec, TextRequest, TextResult
from tasks.kinds.base import CHECKS, Attempt, Check, Desk, Output, Prepared, Refused
from tasks.kinds.copy import prompt, reader, rules
from tasks.kinds.copy.job import CopyJob

FIELDS = pa.list_(pa.struct([pa.field("name", pa.string()), pa.field("text", pa.string())]))

STARTER = "starter-copy"
READER, CRITIC = "tasks.kinds.copy.reader:reader", "tasks.kinds.copy.reader:critic"

# Columns that name or count a job, or travel through; all others may change the text.
_NOT_INPUTS = {"job_id", "kind", "variants", "seed", "model", "meta"}


class CopyKind:
    """The plug for `copy`."""

    name = "copy"
    job = CopyJob
    folder = "copy"
    schema = pa.schema(
        [
            pa.field("job_id", pa.string()),
            pa.field("variant", pa.int32()),
            pa.field("channel", pa.string()),
            pa.field("locale", pa.string()),
            pa.field("text", pa.string()),
            pa.field("fields", FIELDS),
            pa.field("seed", pa.int64()),
            pa.field("attempts", pa.int32()),
            pa.field("tokens", pa.int64()),
            pa.field("model", pa.string()),
            pa.field("content_key", pa.string()),
            pa.field("checks", CHECKS),
        ]
    )
    rules_digest = rules.rules_digest()

    def engine(self, group: Sequence[str], desk: Desk) -> EngineSpec:
        """A transformers model in padded batches of one size."""
        options = {
            "batch_size": desk.settings.copy_batch,
            "reader": READER,
            "critic": CRITIC,
            "drafts": desk.settings.copy_drafts,
        }
        return desk.engine_spec(self.name, "models.text.engine:open", group[0], options)

    def prepare(self, job: CopyJob, desk: Desk) -> Prepared:
        """Jobs of one model share shards; the engine sorts lengths into its own buckets."""
        model = job.model or desk.settings.copy_model
        if model == STARTER and self.name not in desk.settings.engines:
            _refuse_beyond_starter(job)
        inputs = {
            "seeds": [desk.settings.seed, job.seed],
            "columns": job.model_dump(mode="json", exclude=_NOT_INPUTS, exclude_defaults=True),
            "template": prompt.TEMPLATE_VERSION,
            "reader": reader.READER_VERSION,
            "model": desk.model_digest(self.name, model),
            "sampling": [job.temperature, job.top_p, _max_tokens(job)],
            "shape": [desk.settings.copy_batch, desk.settings.dtype],
            "drafts": desk.settings.copy_drafts,
            "rules": self.rules_digest,
        }
        return Prepared(inputs=inputs, group=(model,))

    def request(self, job: CopyJob, attempt: Attempt, desk: Desk) -> TextRequest:
        """The chat for one attempt, with the hints of failed checks."""
        return TextRequest(
            id=attempt.id,
            messages=prompt.messages(job, attempt.feedback),
            seed=attempt.seed,
            max_tokens=_max_tokens(job),
            temperature=job.temperature,
            top_p=job.top_p,
            brief=_brief(job, desk),
            names=prompt.names(job),
            points=prompt.points(job),
            due=prompt.features(job),
        )

    def judge(
        self,
        job: CopyJob,
        attempt: Attempt,
        result: TextResult,
        desk: Desk,
    ) -> tuple[dict[str, str] | None, list[Check]]:
        """The channel's fields and what the rules say of them; an answer of another form is tried again."""
        checks = []
        if result.finish == "length":
            reason = f"cut off after the {result.tokens} tokens that the job allows"
            checks.append(Check(rule="tokens", verdict="retry", reason=reason, hint="Keep the text shorter."))
        try:
            fields = prompt.parse(job, result.text)
        except prompt.ParseError as error:
            form = Check(rule="form", verdict="retry", reason=str(error), hint=prompt.form_hint(job))
            return None, [*checks, form]
        return fields, [*checks, *rules.judge_alone(job, fields)]

    def judge_among(self, job: CopyJob, value: dict[str, str], accepted: Sequence[dict[str, Any]]) -> list[Check]:
        """Variants of a job must differ."""
        others = [{field["name"]: field["text"] for field in row["fields"]} for row in accepted]
        return rules.judge_among(job, value, others)

    def output(
        self,
        job: CopyJob,
        attempt: Attempt,
        value: dict[str, str],
        checks: Sequence[Check],
        desk: Desk,
    ) -> Output:
        """One row; no files."""
        return Output(
            row={
                "channel": job.channel,
                "locale": job.locale,
                "text": "\n".join(value.values()),
                "fields": [{"name": name, "text": text} for name, text in value.items()],
                "model": job.model or desk.settings.copy_model,
            }
        )

    def rejected_text(self, result: TextResult) -> str | None:
        """The refused text as the model wrote it."""
        return result.text

    def tokens(self, result: TextResult) -> int:
        """Prompt and completion together: what a provider would bill."""
        return result.prompt_tokens + result.tokens


def _refuse_beyond_starter(job: CopyJob) -> None:
    """The model that ships learned English briefs alone; anything else would be paid for and then refused."""
    if job.locale.partition("-")[0].lower() != "en":
        raise Refused("locale", f"{STARTER} writes English only; name another model for {job.locale}")
    if job.prompt is not None:
        raise Refused("prompt", f"{STARTER} writes from product columns only; name another model for a free prompt")


def _brief(job: CopyJob, desk: Desk) -> dict[str, Any]:
    """What our reader must know, which an engine that the settings name has not; strict where drafts are compared."""
    return {} if "copy" in desk.settings.engines else reader.brief(job, strict=desk.settings.copy_drafts > 1)


def _max_tokens(job: CopyJob) -> int:
    return job.max_tokens or prompt.default_max_tokens(job)


KIND = CopyKind()
