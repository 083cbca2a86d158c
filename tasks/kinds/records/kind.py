"""Records jobs as the pipeline sees them: tables from a model fitted on a real one, or from a schema alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.engine import EngineSpec, FitRequest, SampleRequest, TableResult
from models.table.arrangement import order_of
from models.table.codec import plain_values
from models.table.columns import role_of
from models.table.conditions import check_conditions, parse_conditions
from models.table.constraints import Present, Together, Unique, check_constraints, columns_of, parse_constraints
from models.table.reading import is_parquet, open_parquet
from models.table.sampling import sample_rows
from models.table.steps import AUTO, default_steps, settled
from models.table.survey import most_studied
from tasks import identity
from tasks.kinds.base import Attempt, Check, Desk, File, Fit, Output, Prepared, Refused, settle
from tasks.kinds.records import private, quality, rules, source
from tasks.kinds.records.business import constraint_figures
from tasks.kinds.records.declared import tables
from tasks.kinds.records.fidelity.coded import rows_seen
from tasks.kinds.records.fidelity.utility import lacks
from tasks.kinds.records.job import RecordsJob
from tasks.kinds.records.kinship import check_references, kinship, parse_parent
from tasks.kinds.records.pairs import roles_of
from tasks.kinds.records.privacy import held_out
from tasks.kinds.records.views import side_by_side

UNTOLD = {"key": "a running key", "text": "free text", "date": "a date"}  # roles that nothing is trained to predict
FIT_VERSION = 6  # raise it when the same table and steps would fit another model


@dataclass(frozen=True, slots=True)
class Sampled:
    """A drawn table and its figures; `acceptance` is the share of drawn rows that kept the job's rules, if it has any.

    A child's `kinship` tells how it hangs on its parent. A table that broke a rule before has no figures, and one made
    under differential privacy only where its job wants them; its `privacy` says what was promised.
    """

    path: Path
    acceptance: float | None = None
    kinship: dict[str, Any] | None = None
    figures: dict[str, Any] | None = None
    privacy: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Above:
    """A parent job as planning sees it: its source and that one's digest, how it is referred to, and its identity."""

    source: str
    digest: str
    link: dict[str, Any]
    made: str


class RecordsKind:
    """The plug for `records`. An item is a whole data set; it has files and no row."""

    name = "records"
    job = RecordsJob
    folder = "records"
    schema = None
    rules_digest = rules.rules_digest()

    def engine(self, group: Sequence[str], desk: Desk) -> EngineSpec:
        """The table engine fits and samples; it is not opened on a model."""
        return desk.engine_spec(self.name, "models.table.engine:open", group[0], {})

    def prepare(self, job: RecordsJob, desk: Desk) -> Prepared:
        """Jobs on the same table share one fit. Raises `Refused` for a source that cannot be fitted."""
        if job.declared:
            return tables.prepare(job, desk)
        path = desk.source("source", job.source)
        try:
            shape = source.inspect(path)
        except ValueError as error:
            raise Refused("source", str(error)) from error
        if job.privacy:
            return private.prepare(job, path, desk)
        if job.primary_key is not None:
            if job.primary_key not in shape.columns:
                raise Refused("primary_key", f"{job.primary_key!r} is no column of {job.source}")
            try:
                source.check_key(path, job.primary_key)
            except ValueError as error:
                raise Refused("primary_key", str(error)) from error
        head = source.head(path)
        fit_order, together = _arrangement(job, head)
        if job.target is not None:
            _check_target(job, job.target, path, head.schema.names)
        above = self._above(job, path, desk)
        digest = desk.source_digest("source", job.source)
        family = job.family if above is not None else settled(job.family, shape.rows)
        preset = _preset(family, job.preset, child=above is not None)
        steps = default_steps(shape.rows, len(shape.columns), family)
        fit_inputs = {
            "source": digest,
            "family": family,
            "preset": preset,
            "steps": steps,
            "seed": desk.settings.seed,
            "primary_key": job.primary_key or "",
            "version": FIT_VERSION,
            "model": desk.model_digest(self.name, "table"),
            "order": fit_order,
            "together": together,
        }
        if (most := most_studied(len(shape.columns))) < shape.rows and above is None and is_parquet(path):
            fit_inputs["studied"] = most
        if above is not None:
            fit_inputs["parent"] = {"source": above.digest, **above.link}
        apart = _held_out_digest(job, path, head.schema, desk)
        inputs = {
            "seeds": [desk.settings.seed, job.seed],
            "rows": job.rows or shape.rows,
            "conditions": job.conditions,
            "constraints": job.constraints,
            "gates": job.gates,
            **({"target": job.target} if job.target is not None else {}),
            **({"holdout": apart} if apart else {}),
            "fit": fit_inputs,
            "rules": self.rules_digest,
        }
        fit = Fit(inputs=fit_inputs, source=job.source, sha256=digest, steps=steps)
        sources = {job.source: digest, **({job.holdout: apart} if apart else {})}
        if above is not None:
            inputs["parent"] = above.made
            fit = replace(fit, parents=above.source, parents_sha256=above.digest)
            sources[above.source] = above.digest
        return Prepared(inputs=inputs, group=("table", identity.digest(fit_inputs)[:12]), fit=fit, sources=sources)

    def _above(self, job: RecordsJob, path: Path, desk: Desk) -> Above | None:
        """What planning must know of the job's parent. Raises `Refused` for a parent that the job cannot have."""
        parent = parse_parent(job.parent)
        if parent is None:
            return None
        filed = desk.jobs.get(parent.job)
        if filed is None or not isinstance(filed.job, RecordsJob):
            raise Refused("parent", f"{parent.job!r} is none of the records jobs that were read and not set aside")
        other = filed.job
        if not other.source:
            raise Refused("parent", f"{parent.job!r} is made from a schema; only jobs with a source can be parents yet")
        if other.primary_key != parent.key:
            raise Refused(
                "parent", f"{parent.key!r} must be the primary_key of {parent.job!r}, so that it never repeats"
            )
        if other.privacy:
            raise Refused("parent", f"{parent.job!r} is made under privacy, which its children's rows would undo")
        if other.variants < job.variants:
            raise Refused("variants", f"{parent.job!r} makes {other.variants} data sets, this job wants {job.variants}")
        if job.family not in ("auto", AUTO):
            raise Refused("family", f"a table with a parent cannot be drawn by the family {job.family}; write auto")
        for column, given in (("rows", job.rows), ("conditions", job.conditions), ("constraints", job.constraints)):
            if given:
                raise Refused(column, f"{column} of a table with a parent are not supported yet; leave it out")
        above = desk.source("source", other.source)
        try:
            check_references(path, above, parent)
        except ValueError as error:
            raise Refused("parent", str(error)) from error
        further = parse_parent(other.parent)
        without = [further.column] if further else []
        return Above(
            source=other.source,
            digest=desk.source_digest("source", other.source),
            link={"child": parent.column, "parent": parent.key, "order": parent.order, "without": without},
            made=filed.inputs,
        )

    def fit_request(self, fit: Fit, seed: int, out: Path, desk: Desk) -> FitRequest:
        """What the engine is asked to fit."""
        return FitRequest(
            id="fit",
            source=str(desk.source("source", fit.source)),
            out=str(out),
            seed=seed,
            steps=fit.steps,
            family=fit.inputs["family"],
            preset=fit.inputs["preset"],
            primary_key=fit.inputs["primary_key"],
            order=fit.inputs["order"],
            together=[json.dumps(names) for names in fit.inputs["together"]],
            privacy=fit.inputs.get("privacy", ""),
            **(_link(fit, desk) if fit.parents else {}),
        )

    def request(self, job: RecordsJob, attempt: Attempt, desk: Desk) -> SampleRequest:
        """One data set."""
        if job.declared:
            return tables.request(job, attempt, desk)
        if job.privacy:
            return private.request(job, attempt, desk)
        rows = job.rows or source.inspect(desk.source("source", job.source)).rows
        parents = str(desk.parents[attempt.variant]) if job.parent else ""
        return SampleRequest(
            id=attempt.id,
            model=str(desk.fitted()),
            out=str(desk.scratch / f"{attempt.id}.parquet"),
            rows=rows,
            seed=attempt.seed,
            constraints=job.constraints,
            conditions=job.conditions,
            parents=parents,
        )

    def judge(
        self,
        job: RecordsJob,
        attempt: Attempt,
        result: TableResult,
        desk: Desk,
    ) -> tuple[Sampled, list[Check]]:
        """The file and what the rules say of it."""
        if job.declared:
            figures, checks = tables.judge(job, result, desk)
            return Sampled(Path(result.path), result.info.get("acceptance"), figures=figures), checks
        if job.privacy:
            figures, checks = private.judge(job, attempt, result, desk)
            told = private.statement(result, job)
            return Sampled(Path(result.path), result.info.get("acceptance"), figures=figures, privacy=told), checks
        path, real = Path(result.path), desk.source("source", job.source)
        parent = parse_parent(job.parent)
        kin = None
        if parent is not None:
            other = desk.jobs[parent.job].job
            assert isinstance(other, RecordsJob)
            above = desk.source("source", other.source)
            kin = kinship(real, above, path, desk.parents[attempt.variant], parent)
        checks, roles = rules.judge(job, real, path, kin)
        acceptance = result.info.get("acceptance")
        if settle(checks) != "accept":
            return Sampled(path, acceptance, kin), checks
        without = [parent.column] if parent else []
        figures = quality.figures(real, path, attempt.seed, without, job.target, roles)
        if job.holdout:
            apart = desk.source("holdout", job.holdout)
            figures |= held_out.leakage(real, apart, path, attempt.seed, without, roles)
            figures["ceiling"] |= held_out.NOTHING
        return Sampled(path, acceptance, kin, figures), [*checks, *rules.judge_figures(job, figures)]

    def judge_among(self, job: RecordsJob, value: Sampled, accepted: Sequence[dict[str, Any]]) -> list[Check]:
        """Two data sets of one job may be as alike as two samples are."""
        return []

    def output(self, job: RecordsJob, attempt: Attempt, value: Sampled, checks: Sequence[Check], desk: Desk) -> Output:
        """The data set as Parquet with marking and lineage in its metadata, and its quality figures."""
        lineage = {
            "synthetic": True,
            "digital_source_type": "algorithmicMedia" if job.declared else "trainedAlgorithmicMedia",
            "job_id": job.job_id,
            "variant": attempt.variant,
            "seed": private.seed(job, attempt, desk) if job.privacy else attempt.seed,
            **_origin(job, value, desk),
        }
        marked = _mark(value.path, lineage)
        rows = pq.read_metadata(marked).num_rows
        part = File.named(f"records/{job.job_id}/{attempt.variant}/part-0000", ".parquet", marked, rows)
        report = {
            "job_id": job.job_id,
            "variant": attempt.variant,
            "rows": rows,
            "figures": value.figures,
            "conditions": json.loads(job.conditions) if job.conditions else {},
            "constraints": tables.constraint_figures(job.constraints, marked)
            if job.declared or job.privacy
            else constraint_figures(job.constraints, desk.source("source", job.source), marked),
            "acceptance": value.acceptance,
            "checks": [{"rule": c.rule, "verdict": c.verdict, "score": c.score, "reason": c.reason} for c in checks],
        }
        if job.declared:
            report["declared"] = True
        if value.privacy is not None:
            report["privacy"] = value.privacy
        if value.kinship is not None:
            report["parent"] = value.kinship
        summary = File.named(f"quality/{job.job_id}-{attempt.variant}", ".json", identity.canonical(report))
        return Output(row=None, files=[part, summary])

    def rejected_text(self, result: TableResult) -> str | None:
        """Nothing of a refused data set is shown: it may be refused because it leaks."""
        return None

    def tokens(self, result: TableResult) -> int:
        """Records are not counted in tokens."""
        return 0


def _origin(job: RecordsJob, value: Sampled, desk: Desk) -> dict[str, Any]:
    """What a data set's metadata say of what it was made from. A digest of a private source would confirm a guess."""
    if job.declared:
        return tables.lineage(job, desk)
    if value.privacy is not None:
        return {"privacy": {name: value.privacy[name] for name in ("epsilon", "delta", "relation")}}
    return {"source_sha256": desk.source_digest("source", job.source)}


def _arrangement(job: RecordsJob, head: pa.Table) -> tuple[list[str], list[list[str]]]:
    """In which order the job needs its columns drawn, empty for the source's own, and which must stay together."""
    constraints, conditions = parse_constraints(job.constraints), parse_conditions(job.conditions)
    for column, check in (
        ("constraints", lambda: check_constraints(constraints, head)),
        ("conditions", lambda: check_conditions(conditions, head)),
    ):
        try:
            check()
        except ValueError as error:
            raise Refused(column, str(error)) from error
    steered = {given.column for given in conditions.given}
    steered |= {
        n for r in [*constraints, *conditions.rules] if not isinstance(r, Unique | Present) for n in columns_of(r)
    }
    for name in sorted(steered):
        if role_of(name, plain_values(head[name]), primary_key=name == job.primary_key) == "key":
            column = "conditions" if name in conditions.columns else "constraints"
            raise Refused(column, f"{name!r} is a running key: it is made anew, and no rule or condition can steer it")
    order = order_of(head.schema.names, constraints, conditions)
    together = [list(rule.columns) for rule in constraints if isinstance(rule, Together)]
    return ([] if order == head.schema.names else order), together


def _check_target(job: RecordsJob, name: str, path: Path, columns: Sequence[str]) -> None:
    """Raises `Refused` for a target that nothing can be trained on, by all rows of the source at `path`."""
    if name not in columns:
        raise Refused("target", f"{name!r} is no column of {job.source}")
    if (parent := parse_parent(job.parent)) is not None and name == parent.column:
        raise Refused("target", f"{name!r} refers to another table; name a category or a number")
    others = [other for other in columns if other != name]
    try:
        roles = roles_of(path, job.primary_key, without=others)
    except ValueError as error:
        raise Refused("target", str(error)) from error
    if roles[name] in UNTOLD:
        raise Refused("target", f"{name!r} is {UNTOLD[roles[name]]}; name a category or a number")
    seen = sample_rows(path, rows_seen(len(columns)), np.random.default_rng(0), without=others)
    if lacking := lacks(*side_by_side(seen, seen, roles)):
        raise Refused("target", f"{name!r} {lacking}; name another column, or none")


def _held_out_digest(job: RecordsJob, real: Path, schema: pa.Schema, desk: Desk) -> str:
    """The digest of the rows held out, empty where the job names none. Raises `Refused` for rows that tell nothing."""
    if not job.holdout:
        return ""
    path, digest = desk.source("holdout", job.holdout), desk.source_digest("holdout", job.holdout)
    if digest == desk.source_digest("source", job.source):
        raise Refused("holdout", "it is the source itself; name rows that the model is not fitted on")
    if job.rows == 1:
        raise Refused("rows", "1 row cannot be attacked with those in holdout; ask for more rows or name no holdout")
    parent = parse_parent(job.parent)
    try:
        roles = roles_of(real, job.primary_key)
        held_out.check_held_out(path, real, schema, roles, [parent.column] if parent else [])
    except ValueError as error:
        raise Refused("holdout", str(error)) from error
    return digest


def _preset(family: str, wanted: str, *, child: bool) -> str:
    """What a fit's preset is; where there is only one, it must not make two fits of one."""
    if child:
        return "fast"
    return wanted if family in ("auto", AUTO) else "default"


def _link(fit: Fit, desk: Desk) -> dict[str, str]:
    """What the engine must know to fit children."""
    link = {name: value for name, value in fit.inputs["parent"].items() if name != "source"}
    return {"parents": str(desk.source("source", fit.parents)), "link": json.dumps(link)}


def _mark(path: Path, lineage: dict[str, Any]) -> Path:
    """The same table with `lineage` in its metadata, streamed by row group."""
    marked = path.with_suffix(".marked.parquet")
    with open_parquet(path) as file:
        schema = file.schema_arrow
        metadata = {**(schema.metadata or {}), b"pressrun": identity.canonical(lineage)}
        with pq.ParquetWriter(marked, schema.with_metadata(metadata), compression="zstd") as writer:
            for batch in file.iter_batches(65_536):
                writer.write_batch(batch)
    path.unlink()
    return marked


KIND = RecordsKind()
