"""Where settings come from, which of them wins, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tasks.settings import Settings, SettingsError, load, parse_overrides, without_secrets


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pressrun.toml"
    path.write_text('copy_batch = 3\nimage_batch = 3\nseed = 3\n[engines]\ncopy = "a:b"\nimage = "c:d"\n')
    return path


def test_flags_over_environment_over_file_over_profile(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRESSRUN_IMAGE_BATCH", "4")
    monkeypatch.setenv("PRESSRUN_SEED", "4")
    chosen = load("gpu", {"seed": 5}, file)
    assert (chosen.image_size, chosen.copy_batch, chosen.image_batch, chosen.seed) == (1024, 3, 4, 5)
    assert chosen.profile == "gpu"


def test_without_a_file_there_are_defaults(tmp_path: Path) -> None:
    assert load(file=tmp_path / "none.toml") == Settings(profile="starter")


def test_maps_are_merged(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRESSRUN_ENGINE_OPTIONS", '{"copy": {"a": 1}}')
    overrides = parse_overrides(["engines.copy=e:f", "engine_options.copy.b=0.5", "engine_options.image.c=text"])
    chosen = load("starter", overrides, file)
    assert chosen.engines == {"copy": "e:f", "image": "c:d"}
    assert chosen.engine_options == {"copy": {"a": 1, "b": 0.5}, "image": {"c": "text"}}
    assert load("starter", {}, file).engines["copy"] == "a:b"


def test_values_of_flags() -> None:
    flags = ["copy_batch=8", 'allowed_stores=["s3://a", "/b"]', "copy_model=123", "cache=/models", "threads=2"]
    chosen = load(overrides=parse_overrides(flags), file=Path("none"))
    assert (chosen.copy_batch, chosen.allowed_stores, chosen.copy_model) == (8, ["s3://a", "/b"], "123")
    assert (chosen.cache, chosen.threads) == (Path("/models"), 2)


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        (["copy_bach=8"], "did you mean copy_batch"),
        (["copy_batch"], "KEY=VALUE"),
        (["=8"], "KEY=VALUE"),
        (["engines=a", "engines.copy=b"], "single value"),
    ],
)
def test_flags_that_mean_nothing(pairs: list[str], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        parse_overrides(pairs)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"copy_batch": 0}, "copy_batch"),
        ({"dtype": "float8"}, "dtype"),
        ({"shape": 3}, "shape"),
        ({"engines": "a:b"}, "engines"),
    ],
)
def test_values_that_do_not_fit(overrides: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        load(overrides=overrides, file=Path("none"))


def test_a_name_in_the_file_that_does_not_exist(tmp_path: Path) -> None:
    path = tmp_path / "pressrun.toml"
    path.write_text("worker = 3\n")
    with pytest.raises(SettingsError, match=r"pressrun\.toml: there is no setting 'worker'; did you mean workers"):
        load(file=path)
    path.write_text("worker = = 3\n")
    with pytest.raises(SettingsError, match="not valid TOML"):
        load(file=path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="not valid TOML"):
        load(file=path)


def test_a_name_in_the_environment_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRESSRUN_TRACEBACK", "1")
    load(file=Path("none"))
    monkeypatch.setenv("PRESSRUN_WORKER", "3")
    with pytest.raises(SettingsError, match="PRESSRUN_WORKER"):
        load(file=Path("none"))


def test_environment_that_is_no_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRESSRUN_ENGINES", "a:b")
    with pytest.raises(SettingsError, match="engines"):
        load(file=Path("none"))


def test_no_such_profile() -> None:
    with pytest.raises(SettingsError, match="starter, gpu"):
        load("cluster9")


def test_what_affects_output_enters_the_identity_and_nothing_else_does() -> None:
    plain = Settings().affecting_output()
    aside = Settings(
        workers=9, threads=3, shard_items=7, engine_timeout=1.0, fit_timeout=1.0, cache=Path("/x"), device="cuda",
        allowed_stores=["/a"], profile="gpu",
    )  # fmt: skip
    assert aside.affecting_output() == plain
    changes: list[dict[str, Any]] = [
        {"seed": 1}, {"copy_model": "x"}, {"image_model": "x"}, {"dtype": "float16"}, {"max_attempts": 5},
        {"copy_batch": 1}, {"copy_drafts": 1}, {"image_batch": 1}, {"image_steps": 1}, {"image_guidance": 1.0},
        {"image_size": 32},
        {"engines": {"copy": "a:b"}}, {"engine_options": {"copy": {"a": 1}}},
    ]  # fmt: skip
    assert {name for change in changes for name in change} == set(plain)
    for change in changes:
        assert Settings(**change).affecting_output() != plain


def test_credentials_of_an_engine_stay_out_of_plans() -> None:
    options = {"api_key": "s3cret", "HF_TOKEN": "s3cret", "client_secret": "s3cret", "password": "s3cret"}
    kept = {"pad_token": "</s>", "max_tokens": 5, "sort_key": "a"}
    assert without_secrets({**options, **kept}) == kept
    assert "s3cret" not in str(Settings(engine_options={"copy": {**options, **kept}}).affecting_output())
