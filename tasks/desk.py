"""The desk: what kinds ask of their surroundings while they plan and judge. Implements `tasks.kinds.base.Desk`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models import folder
from models.engine import EngineSpec
from tasks import identity
from tasks.kinds.base import Refused
from tasks.settings import Settings
from tasks.store import StoreError
from tasks.store import source as sources

STARTERS = {
    "starter-copy": Path(__file__).parents[1] / "models/starters/copy",
    "starter-image": Path(__file__).parents[1] / "models/starters/image",
}
# Record models are fitted, not loaded: their code's version stands in their kind's inputs instead.
FITTED = "table"


@dataclass(slots=True)
class LocalDesk:
    """A desk with a scratch folder of its own; models and sources are fetched once and remembered."""

    settings: Settings
    scratch: Path
    model_fitted: Path | None = None
    _sources: dict[str, tuple[Path, str]] = field(default_factory=dict)
    _models: dict[str, tuple[Path, str]] = field(default_factory=dict)

    def engine_spec(self, kind: str, factory: str, model: str, options: dict[str, Any]) -> EngineSpec:
        """The engine of a kind: `factory` and `options` unless the settings name others."""
        settings = self.settings
        if override := settings.engines.get(kind):
            factory, ref, options = override, model, {}
        else:
            ref = model if model == FITTED else str(self._model(model)[0])
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
        if factory := self.settings.engines.get(kind):
            return identity.digest([factory, self.settings.engine_options.get(kind, {}), ref])
        return FITTED if ref == FITTED else self._model(ref)[1]

    def models_used(self) -> dict[str, str]:
        """Digests of the models asked for so far, by the reference they were asked for with."""
        return {ref: digest for ref, (_, digest) in sorted(self._models.items())}

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
            try:
                if self.settings.allowed_stores:
                    sources.check_allowed(uri, self.settings.allowed_stores)
                path = sources.fetch(uri, self.scratch)
                self._sources[uri] = path, sources.digest(path)
            except (StoreError, OSError) as error:
                raise Refused(column, str(error)) from error
        return self._sources[uri]

    def _model(self, ref: str) -> tuple[Path, str]:
        if ref not in self._models:
            try:
                path = folder.resolve(ref, starters=STARTERS, cache=self.settings.cache)
                folder.check(path)
                self._models[ref] = path, folder.digest(path)
            except folder.ModelError as error:
                raise Refused("model", str(error)) from error
        return self._models[ref]


@contextmanager
def open_desk(settings: Settings) -> Iterator[LocalDesk]:
    """A desk whose scratch folder goes when the work is done."""
    with tempfile.TemporaryDirectory(prefix="pressrun-") as scratch:
        yield LocalDesk(settings, Path(scratch))
