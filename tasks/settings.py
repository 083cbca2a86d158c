"""Settings: one model, read from a TOML file, the environment and flags, in rising order of precedence.

A field marked `output=True` changes what is made, and therefore enters the run's identity; the others do not.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as Unreadable

PREFIX = "PRESSRUN_"
SWITCH = "PRESSRUN_TRACEBACK"  # read by the command, no setting
_SECRET = re.compile(
    r"(?i)(^|_)(api_?key|access_key|secret|secret_key|password|credentials?)$|^((auth|access|hf)_)?token$"
)


class SettingsError(ValueError):
    """A setting that does not exist or does not fit. The message says which."""


def _setting(default: Any, description: str, *, output: bool = False, **bounds: Any) -> Any:
    return Field(default, description=description, json_schema_extra={"output": output}, **bounds)


class Settings(BaseSettings):
    """Everything a run can be told that is not a job. Environment variables are `PRESSRUN_<NAME>`, any case."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    profile: str = _setting("starter", "The named set of settings this one began from.")
    seed: int = _setting(0, "Seed of the whole run; each job adds its own.", output=True, ge=0)
    copy_model: str = _setting("starter-copy", "Model of copy jobs that name none.", output=True)
    image_model: str = _setting("starter-image", "Model of image jobs that name none.", output=True)
    device: str = _setting("cpu", "Where engines run: cpu, cuda, cuda:1 …")
    dtype: Literal["float32", "bfloat16", "float16"] = _setting("float32", "Engines' arithmetic.", output=True)
    threads: int | None = _setting(None, "CPU threads of an engine; default: all cores.", ge=1)
    max_attempts: int = _setting(4, "Candidates per item before it counts as a shortfall.", output=True, ge=1, le=100)
    copy_batch: int = _setting(32, "Texts generated at once; one fixed shape.", output=True, ge=1, le=4096)
    copy_drafts: int = _setting(
        6, "Drafts of a text at most, of which the best is judged; 1: no choice.", output=True, ge=1, le=64
    )
    image_batch: int = _setting(8, "Pictures generated at once; one fixed shape.", output=True, ge=1, le=1024)
    image_steps: int = _setting(8, "Denoising steps of jobs that name none.", output=True, ge=1, le=200)
    image_guidance: float = _setting(3.0, "Guidance of jobs that name none.", output=True, ge=0, le=30)
    image_size: int = _setting(128, "Side in pixels of jobs that name no size.", output=True, ge=16, le=4096)
    shard_items: int = _setting(256, "Items generated and committed together.", ge=1, le=100_000)
    workers: int = _setting(2, "Shards in work at once in one process.", ge=1, le=256)
    engine_timeout: float = _setting(300.0, "Seconds without any result before a hung engine is killed.", gt=0)
    engines: dict[str, str] = _setting({}, "Engine factory by kind, `module:function`.", output=True)
    engine_options: dict[str, dict[str, Any]] = _setting({}, "Extra options of the factory, by kind.", output=True)
    fit_timeout: float = _setting(7200.0, "The same for fitting and sampling record models.", gt=0)
    allowed_stores: list[str] = _setting([], "URI prefixes that sources and images may come from; empty: any.")
    cache: Path | None = _setting(None, "Folder for downloaded models and sources; default: the user's cache.")

    def affecting_output(self) -> dict[str, Any]:
        """The settings that change what is made, as JSON values: part of the run's identity."""
        values = self.model_dump(mode="json")
        values["engine_options"] = {kind: without_secrets(options) for kind, options in self.engine_options.items()}
        return {
            name: values[name]
            for name, field in type(self).model_fields.items()
            if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("output")
        }


def without_secrets(options: Mapping[str, Any]) -> dict[str, Any]:
    """An engine's options without its credentials: they change no output, and must not stand in plans."""
    return {name: value for name, value in options.items() if not _SECRET.search(name)}


PROFILES: dict[str, dict[str, Any]] = {
    "starter": {},
    "gpu": {"device": "cuda", "dtype": "bfloat16", "copy_batch": 128, "copy_drafts": 1, "image_batch": 16,
            "image_size": 1024, "image_steps": 30, "image_guidance": 5.0, "shard_items": 1024},
}  # fmt: skip


def load(
    profile: str = "starter", overrides: dict[str, Any] | None = None, file: Path = Path("pressrun.toml")
) -> Settings:
    """Settings of `profile`, then of `file` if it stands, then of the environment, then `overrides`."""
    if profile not in PROFILES:
        raise SettingsError(f"there is no profile {profile!r}; choose one of {', '.join(PROFILES)}")
    values: dict[str, Any] = {"profile": profile, **PROFILES[profile]}
    if file.is_file():
        try:
            _merge(values, tomllib.loads(file.read_text("utf-8")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f"{file} is not valid TOML: {error}") from error
        for name in values:
            _check_name(name, f"{file}")
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX) and name.upper() != SWITCH:
            _check_name(name[len(PREFIX) :].lower(), f"environment variable {name}")
    try:
        _merge(values, Settings().model_dump(exclude_unset=True))
        _merge(values, overrides or {})
        return Settings.model_validate(values)
    except Unreadable as error:
        raise SettingsError(f"environment: {error}") from error
    except ValidationError as error:
        problem = error.errors()[0]
        name = ".".join(str(part) for part in problem["loc"])
        raise SettingsError(f"setting {name!r}: {problem['msg']}") from error


def parse_overrides(pairs: list[str]) -> dict[str, Any]:
    """`KEY=VALUE` flags as overrides; a dotted key reaches into a map (`engines.copy=module:function`).

    Values of lists and of engines' options may be JSON.
    """
    overrides: dict[str, Any] = {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator or not name:
            raise SettingsError(f"--set {pair!r}: expected KEY=VALUE")
        top, _, inner = name.partition(".")
        _check_name(top, f"--set {pair!r}")
        plain = not inner and not value.startswith(("[", "{"))
        target = overrides
        while inner:
            target = target.setdefault(top, {})
            if not isinstance(target, dict):
                raise SettingsError(f"--set {pair!r}: {top} was given a single value before")
            top, _, inner = inner.partition(".")
        target[top] = value if plain else _json(value)
    return overrides


def _check_name(name: str, where: str) -> None:
    if name not in Settings.model_fields:
        near = get_close_matches(name, Settings.model_fields, n=1)
        advice = f"did you mean {near[0]}?" if near else f"settings are {', '.join(Settings.model_fields)}"
        raise SettingsError(f"{where}: there is no setting {name!r}; {advice}")


def _merge(values: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Put `more` over `values`; maps are merged, not replaced."""
    for name, value in more.items():
        if isinstance(value, Mapping) and isinstance(values.get(name), Mapping):
            values[name] = dict(values[name])
            _merge(values[name], value)
        else:
            values[name] = value


def _json(value: str) -> Any:
    """A value as JSON has it, or as text where it is none."""
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value
