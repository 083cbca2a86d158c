"""The numerics class names what the bytes of outputs depend on, without loading it."""

from __future__ import annotations

import subprocess
import sys

import xgboost

from tasks.numerics import numerics
from tasks.settings import Settings


def test_the_class_names_the_versions_of_what_computes() -> None:
    found = numerics(Settings(threads=3))
    assert found["threads"] == 3
    assert found["xgboost"] == xgboost.__version__
    assert all(found.values())


def test_nothing_is_loaded_to_tell_its_version() -> None:
    asked = "import sys; from tasks.numerics import numerics; from tasks.settings import Settings; numerics(Settings())"
    told = subprocess.run([sys.executable, "-c", f"{asked}; print({{'torch', 'xgboost'}} & {{*sys.modules}})"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert told.stdout.strip() == "set()"
