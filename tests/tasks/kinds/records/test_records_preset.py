"""The preset and its steps are frozen with the fit, and where there is only one it makes no second fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.desk import open_desk
from tasks.kinds import kind
from tasks.kinds.records.job import RecordsJob
from tasks.settings import Settings


def planned(path: Path, **columns: str) -> dict[str, Any]:
    """What identifies the fit of a job, and the request that would be made of it."""
    job = RecordsJob.model_validate({"job_id": "j", "kind": "records", "source": str(path), **columns})
    with open_desk(Settings()) as desk:
        fit = kind("records").prepare(job, desk).fit
        assert fit is not None
        request = kind("records").fit_request(fit, 0, path, desk)
    assert (request.preset, request.steps) == (fit.inputs["preset"], fit.inputs["steps"])
    return dict(fit.inputs)


def test_a_preset_is_another_fit_of_the_usual_family_only(tmp_path: Path) -> None:
    path = tmp_path / "source.parquet"
    pq.write_table(pa.table({"a": [n % 7 for n in range(9_000)], "b": [n % 5 for n in range(9_000)]}), path)
    usual, fast = planned(path), planned(path, preset="fast")
    assert usual["preset"] == "default"
    assert fast["preset"] == "fast"
    assert fast["steps"] == usual["steps"]
    assert planned(path, family="auto", preset="default") == usual
    assert planned(path, family="diffusion", preset="fast") == planned(path, family="diffusion")
