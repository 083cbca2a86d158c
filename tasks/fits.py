"""Fits as shards of their own: make a record model, commit it, and bring it to the shards that sample from it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tasks import identity, rejects
from tasks.commit import Commit, Fitted, load_commit
from tasks.desk import LocalDesk
from tasks.kinds import kind as kind_named
from tasks.kinds.base import File, Fit, Kind
from tasks.outputs import Outputs
from tasks.plan.model import PlannedJob, Shard
from tasks.refine import Outcome
from tasks.store import StoreError
from tasks.workshop import Clock, Workshop


def make_fit(shard: Shard, shop: Workshop, desk: LocalDesk, clock: Clock) -> Commit:
    """Fit a record model, or bring an earlier one into this run. A fit that fails is committed as such."""
    task = shard.fit
    assert task is not None
    outputs = Outputs(shop.store, shop.plan, shard)
    blank = Commit(run_id=shop.plan.run_id, shard=shard.id, kind=shard.kind)
    if task.reuse is not None:
        files = [outputs.bring(file) for file in task.reuse]
        return blank.model_copy(update={"objects": outputs.objects, "fitted": Fitted(key=task.key, files=files)})
    kind: Any = kind_named(shard.kind)
    desk.sources[task.source] = task.sha256
    if task.parents:
        desk.sources[task.parents] = task.parents_sha256
    out = desk.scratch / "model"
    out.mkdir()
    request = kind.fit_request(
        Fit(**task.model_dump(exclude={"key", "reuse"})),
        identity.candidate_seed(task.key, 0),
        out,
        desk,
    )
    opening = shop.engines.use(kind.engine(shard.group, desk), timeout=desk.settings.fit_timeout)
    with clock.waiting_for(opening) as engine:
        engine.submit([request])
        (result,) = engine.results()
    if result.error is not None:
        reason = {"kind": shard.kind, "stage": "fit", "rule": "engine", "reason": result.error}
        rejected = outputs.parquet(f"rejected/part-{shard.id}", rejects.table([reason]))
        return blank.model_copy(update={"objects": outputs.objects, "rejected": rejected})
    paths = sorted(path for path in out.rglob("*") if path.is_file())
    files = [
        outputs.put(File.named(f"_models/{task.key[:16]}/{path.relative_to(out).with_suffix('')}", path.suffix, path))
        for path in paths
    ]
    info = {name: value for name, value in result.info.items() if not name.endswith("seconds")}
    return blank.model_copy(update={"objects": outputs.objects, "fitted": Fitted(key=task.key, files=files, info=info)})


def fetch_model(fit_shard: str, shop: Workshop, desk: LocalDesk) -> bool:
    """Put the fitted model on the desk; False if its fit failed."""
    record = load_commit(shop.store, shop.plan.run_id, fit_shard)
    if record is None:
        raise StoreError(f"shard needs {fit_shard}, which is not committed yet; make the fit shards of the run first")
    if record.fitted is None:
        return False
    target = desk.scratch / "fitted"
    sha256 = {made.key: made.sha256 for made in record.objects}
    for name in record.fitted.files:
        path = Path(name)
        plain = path.with_name(path.stem.rpartition("-")[0] + path.suffix)
        local = target.joinpath(*plain.parts[2:])
        local.parent.mkdir(parents=True, exist_ok=True)
        shop.fetch(name, sha256[name], local)
    desk.model_fitted = target
    return True


def without_model(kind: Kind, jobs: Iterable[PlannedJob]) -> Outcome:
    """All items of a shard whose fit failed are a shortfall."""
    reason = "the record model of its source could not be fitted; see the fit's own entry"
    outcome = Outcome()
    for planned in jobs:
        for item in planned.items:
            if item.reuse is None:
                outcome.give_up(kind, planned, item, "fit", reason)
    return outcome
