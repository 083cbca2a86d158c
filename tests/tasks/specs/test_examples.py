"""The examples pass `check`, cover the kinds and channels, and are what their script makes."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq

from tasks.kinds.copy.channels import CHANNELS
from tasks.specs import check, read

EXAMPLES = Path(__file__).parents[3] / "examples"
DECLARED = ["patients", "invoices", "quizzes"]
SPECS = [str(EXAMPLES / f"{name}.parquet") for name in ("campaign", "records", *DECLARED)]


def test_examples_pass(tmp_path: Path) -> None:
    assert list(check(SPECS, tmp_path)) == []
    jobs = list(read(SPECS, scratch=tmp_path))
    assert Counter(job.kind for job in jobs) == {"copy": 18, "image": 6, "records": 4}
    assert {job.channel for job in jobs if job.kind == "copy"} == set(CHANNELS)


def test_examples_are_what_the_script_makes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(EXAMPLES / "make.py"), str(tmp_path)], check=True)
    for name in ("campaign", "records", "customers", *DECLARED):
        assert pq.read_table(tmp_path / f"{name}.parquet").equals(pq.read_table(EXAMPLES / f"{name}.parquet")), name
