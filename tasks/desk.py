"""The desk: what kinds ask of their surroundings while they plan and judge. Implements `tasks.kinds.base.Desk`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models import folder
from models.engine import EngineSpec
from tasks import identity
from tasks.kinds.base import Filed, Refused
from tasks.settings import Settings, without_secrets
from tasks.store import StoreError, Transient
from tasks.store import source as sources

STARTERS = {
    "starter-copy": Path(__file__).parents[1] / "models/starters/copy",
    "starter-image": Path(__file__).parents[1] / "models/starters/image",
}
# Record models are fitted, not loaded: their code's version stands in their kind's inputs instead.
FITTED = "table"
# A million jobs may name a million pictures: so many files are remembered at once, and kept where they were fetched.
REMEMBERED = 1_024


@dataclass(slots=True)
class LocalDesk:
    """A desk with a scratch folder of its own, for one thread; models and sources are fetched once and remembered.

    `models` and `sources` hold the digests that a plan was made with. What is found to be another is refused, so that
    work never goes on with files that the plan does not know.
    """

    settings: Settings
    scratch: Path
    model_fitted: Path | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    jobs: dict[str, Filed] = field(default_factory=dict)
    parents: dict[int, Path] = field(default_factory=dict)
    _sources: dict[str, tuple[Path, str] | Refused] = field(default_factory=dict)
    _models: dict[str, tuple[Path, str] | Refused] = field(default_factory=dict)

    def at_work(self, scratch: Path, models: Mapping[str, str]) -> LocalDesk:
        """A desk for one shard of a plan with these `models`. Sources are looked at again: they may have changed."""
        return LocalDesk(self.settings, scratch, models=models, _models=self._models)

    def engine_spec(self, kind: str, factory: str, model: str, options: dict[str, Any]) -> EngineSpec:
        """The engine of a kind: `factory` and `options` unless the settings name others."""
        settings = self.settings
        if override := settings.engines.get(kind):
            factory, ref, options = override, model, {}
        else:
            ref = model if model == FITTED else str(self._unchanged_model(model))
        return EngineSpec(
            factory=factory,
            ref=ref,
            device=settings.device,
            dtype=settings.dtype,
            threads=settings.threads or len(os.sched_getaffinity(0)),
            options={**options, **settings.engine_options.get(kind, {})},
        )

    def model_digest(self, kind: str, ref: str) -> str:
        """Digest of a model. An engine that the settings name answers for itself: its name and options count."""
        options = without_secrets(self.settings.engine_options.get(kind, {}))
        if factory := self.settings.engines.get(kind):
            return identity.digest([factory, options, ref])
        digest = FITTED if ref == FITTED else self._model(ref)[1]
        return identity.digest([digest, options]) if options else digest

    def models_used(self) -> dict[str, str]:
        """Digests of the models asked for so far, by the reference they were asked for with."""
        found = sorted(self._models.items())
        return {ref: model[1] for ref, model in found if not isinstance(model, Refused)}

    def source(self, column: str, uri: str) -> Path:
        """A local copy of somebody's file. Raises `Refused`."""
        return self._source(column, uri)[0]

    def source_digest(self, column: str, uri: str) -> str:
        """SHA-256 of somebody's file, 64 hex digits. Raises `Refused`."""
        return self._source(column, uri)[1]

    def fitted(self) -> Path:
        """The folder of the record model that the current shard samples from."""
        if self.model_fitted is None:
            raise RuntimeError("a records shard was started without its fitted model")
        return self.model_fitted

    def _source(self, column: str, uri: str) -> tuple[Path, str]:
        if uri not in self._sources:
            if len(self._sources) >= REMEMBERED:
                self._forget(next(iter(self._sources)))
            self._sources[uri] = self._look_at(column, uri)
        found = self._sources[uri]
        if isinstance(found, Refused):
            raise Refused(column, str(found)) from found
        return found

    def _look_at(self, column: str, uri: str) -> tuple[Path, str] | Refused:
        try:
            if self.settings.allowed_stores:
                sources.check_allowed(uri, self.settings.allowed_stores)
            path = sources.fetch(uri, self.scratch)
            digest = sources.digest(path)
        except Transient:
            raise  # the row is not at fault, and another attempt may find the file
        except (StoreError, OSError) as error:
            return Refused(column, str(error))
        planned = self.sources.get(uri)
        if planned is not None and planned != digest:
            return Refused(column, _changed(uri, planned, digest))
        return path, digest

    def _forget(self, uri: str) -> None:
        found = self._sources.pop(uri)
        if not isinstance(found, Refused) and found[0].parent == self.scratch:
            found[0].unlink(missing_ok=True)

    def _model(self, ref: str) -> tuple[Path, str]:
        if ref not in self._models:
            try:
                path = folder.resolve(ref, starters=STARTERS, cache=self.settings.cache)
                self._models[ref] = path, folder.digest(path)
            except folder.ModelError as error:
                self._models[ref] = Refused("model", str(error))
        found = self._models[ref]
        if isinstance(found, Refused):
            raise Refused("model", str(found)) from found
        return found

    def _unchanged_model(self, ref: str) -> Path:
        """The model's folder. Its digest is taken again, which costs little while no file's size or time changes."""
        path, digest = self._model(ref)
        planned = self.models.get(ref)
        if planned is not None:
            try:
                digest = folder.digest(path)
            except folder.ModelError as error:
                raise Refused("model", str(error)) from error
            if digest != planned:
                raise Refused("model", _changed(ref, planned, digest))
        return path


def _changed(what: str, planned: str, found: str) -> str:
    return (
        f"{what} has changed since the run was planned (SHA-256 {planned[:12]}… then, {found[:12]}… now). "
        "Put the planned one back and start the same command again, or start another run with a new --run-id."
    )


@contextmanager
def open_desk(settings: Settings) -> Iterator[LocalDesk]:
    """A desk whose scratch folder goes when the work is done."""
    with tempfile.TemporaryDirectory(prefix="pressrun-") as scratch:
        yield LocalDesk(settings, Path(scratch))
