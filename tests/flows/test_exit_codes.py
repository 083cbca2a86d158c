"""Which exit code and which words an error becomes."""

from __future__ import annotations

import pytest
import typer

from flows.cli_support import BAD_INPUT, FAILURE, guarded
from tasks.manifest import batch_name


def ended_with(command, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:  # type: ignore[no-untyped-def]
    with pytest.raises(typer.Exit) as ended:
        guarded(command)()
    return ended.value.exit_code, capsys.readouterr().err


def test_what_our_own_code_refuses_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = ended_with(lambda: batch_name("../up"), capsys)
    assert code == BAD_INPUT
    assert "../up" in said


def test_what_a_library_chokes_on_is_a_failure_with_its_type(capsys: pytest.CaptureFixture[str]) -> None:
    import numpy as np

    code, said = ended_with(lambda: np.ones(3).reshape(2, 2), capsys)
    assert code == FAILURE
    assert said.startswith("ValueError: cannot reshape")
    assert "PRESSRUN_TRACEBACK=1" in said
