"""Specs and catalogues on S3, and what a store that cannot be reached says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.kinds.records.job import RecordsJob
from tasks.specs import SpecError, check, read
from tasks.store import open_store

SPEC = b"job_id,kind,source\na,records,tables/t.parquet\n"


def test_specs_on_s3(tmp_path: Path, s3) -> None:  # type: ignore[no-untyped-def]
    bucket = s3.bucket()
    open_store(bucket).put("in/s.csv", SPEC)
    (job,) = read([f"{bucket}/in/s.csv"], scratch=tmp_path)
    assert isinstance(job, RecordsJob)
    assert job.source == f"{bucket}/in/tables/t.parquet"
    with pytest.raises(SpecError, match=r"in/none\.csv"):
        list(read([f"{bucket}/in/none.csv"], scratch=tmp_path))
    with pytest.raises(SpecError, match=r"s3://no-such-bucket-here/s\.csv"):
        list(read(["s3://no-such-bucket-here/s.csv"], scratch=tmp_path))
    (problem,) = check([f"{bucket}/in/none.csv"], tmp_path)
    assert problem.row == 0


def test_no_credentials(tmp_path: Path, s3, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    bucket = s3.bucket()
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(SpecError, match="credentials"):
        list(read([f"{bucket}/s.csv"], scratch=tmp_path))


def test_other_schemes(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="a path or an s3:// URI"):
        list(read(["https://example.com/s.csv"], scratch=tmp_path))
