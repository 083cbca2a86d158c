"""A small finished run of every kind, made once, for the tests that look at runs or spoil them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.batches import run_batch, tiny_settings, write_specs

from tasks.store import Store, open_store

RUN = "sunday"


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store that holds the finished run `sunday`; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("finished")
    specs = write_specs(folder, copies=4, images=2, records=1)
    with (folder / "more.csv").open("w") as file:
        file.write('job_id,kind,channel,product_name,max_chars\nhopeless,copy,social,"Mug",10\n../x,copy,sms,Mug,\n')
    run_batch([str(specs), str(folder / "more.csv")], str(folder / "store"), tiny_settings(), run_id=RUN)
    return folder / "store"


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Callable[[], Store]:
    """Gives a store with a copy of the finished run, to be spoilt."""

    def copy() -> Store:
        folder = tmp_path / "copied"
        if not folder.exists():
            shutil.copytree(finished, folder)
        return open_store(str(folder))

    return copy
