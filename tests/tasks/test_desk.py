"""What the desk finds of other people's files and models, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.faults import FaultProxy

from tasks import desk as desks
from tasks.desk import LocalDesk, open_desk
from tasks.identity import sha256
from tasks.kinds.base import Refused
from tasks.settings import Settings
from tasks.store import Transient, open_store


@pytest.fixture
def desk(tmp_path: Path) -> LocalDesk:
    return LocalDesk(Settings(), tmp_path)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "tiny"}))
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def write(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(path)


def test_a_source_is_digested_and_remembered(desk: LocalDesk, tmp_path: Path) -> None:
    uri = write(tmp_path / "a.png", b"one")
    assert desk.source("init_image", uri) == tmp_path / "a.png"
    assert desk.source_digest("init_image", uri) == sha256(b"one")


def test_a_source_that_is_not_there_is_refused_by_its_column(desk: LocalDesk, tmp_path: Path) -> None:
    for column in ("source", "init_image"):
        with pytest.raises(Refused, match="does not exist") as refusal:
            desk.source(column, str(tmp_path / "none"))
        assert refusal.value.column == column


def test_only_allowed_places_are_read(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    desk = LocalDesk(Settings(allowed_stores=[str(tmp_path / "in")]), tmp_path)
    desk.source("source", write(tmp_path / "in" / "a", b"a"))
    with pytest.raises(Refused, match="outside the places"):
        desk.source("source", write(tmp_path / "out", b"a"))


def test_a_source_that_changed_since_the_plan_stops_the_shard(desk: LocalDesk, tmp_path: Path) -> None:
    uri = write(tmp_path / "table.csv", b"one")
    planned = desk.source_digest("source", uri)
    at_work = desk.at_work(tmp_path, {})
    at_work.sources[uri] = planned
    assert at_work.source("source", uri)
    write(tmp_path / "table.csv", b"two")
    later = desk.at_work(tmp_path, {})
    later.sources[uri] = planned
    with pytest.raises(Refused, match="has changed since the run was planned"):
        later.source("source", uri)


def test_a_model_that_changed_since_the_plan_stops_the_shard(desk: LocalDesk, tmp_path: Path, model: Path) -> None:
    planned = desk.model_digest("copy", str(model))
    assert desk.models_used() == {str(model): planned}
    at_work = desk.at_work(tmp_path, desk.models_used())
    assert at_work.engine_spec("copy", "a:b", str(model), {}).ref == str(model)
    write(model / "model.safetensors", b"other weights")
    with pytest.raises(Refused, match="has changed since the run was planned"):
        at_work.engine_spec("copy", "a:b", str(model), {})
    (model / "model.safetensors").unlink()
    (model / "config.json").unlink()
    with pytest.raises(Refused, match="no such model folder"):
        at_work.engine_spec("copy", "a:b", str(model), {})


def test_what_is_no_model_is_refused_once_and_for_all(desk: LocalDesk, model: Path) -> None:
    write(model / "weights.bin", b"pickle")
    with pytest.raises(Refused, match="may run code") as refusal:
        desk.model_digest("copy", str(model))
    assert refusal.value.column == "model"
    (model / "weights.bin").unlink()
    with pytest.raises(Refused, match="may run code"):
        desk.model_digest("copy", str(model))
    assert desk.models_used() == {}


def test_options_that_change_output_change_the_digest(tmp_path: Path, model: Path) -> None:
    def digest(**settings: object) -> str:
        return LocalDesk(Settings(**settings), tmp_path).model_digest("copy", str(model))

    plain = digest()
    assert digest(engine_options={"image": {"a": 1}}) == plain
    assert digest(engine_options={"copy": {"api_key": "x"}}) == plain
    others = [
        digest(engine_options={"copy": {"a": 1}}),
        digest(engine_options={"copy": {"a": 2}}),
        digest(engines={"copy": "tests.support.engines:echo"}),
        digest(engines={"copy": "tests.support.engines:slow"}),
    ]
    assert len({plain, *others}) == 5


def test_so_many_files_are_remembered_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desks, "REMEMBERED", 3)
    desk = LocalDesk(Settings(), tmp_path / "scratch")
    uris = [write(tmp_path / f"{n}", b"x") for n in range(10)]
    for uri in uris:
        desk.source("source", uri)
    assert len(desk._sources) == 3
    assert all(Path(uri).exists() for uri in uris), "other people's files were removed"


def test_a_store_that_fails_for_a_moment_sets_no_row_aside(s3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    bucket = s3.bucket()
    open_store(bucket).put("table.csv", b"a,b\n1,2\n")
    with FaultProxy(s3.endpoint, lambda *_: "slow_down") as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        with open_desk(Settings()) as desk, pytest.raises(Transient):
            desk.source("source", f"{bucket}/table.csv")
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.endpoint)
    with open_desk(Settings()) as desk:
        assert desk.source("source", f"{bucket}/table.csv").read_bytes() == b"a,b\n1,2\n"
