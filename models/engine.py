"""The engine seam: what an engine is asked, what it answers, and how it is opened.

An engine is a loaded model that turns requests into results. It knows nothing of jobs, rules or storage. A request's
answer depends on the request alone: not on its neighbours, its slot in a batch, or the order of submission. Engines
reach that by running every batch at one fixed shape per bucket and by drawing randomness from the request's own seed.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRequest:
    """One completion of a chat. `messages` are role/content pairs; lengths are in tokens.

    `brief` is what the engine's reader, if it has one, must know to proof-read the text while it is written. `names`
    are phrases that the text should quote word for word where it quotes them, `points` such that it should make once;
    those of them that are `due` are what a text should bring where it announces a point.
    """

    id: str
    messages: list[dict[str, str]]
    seed: int
    max_tokens: int = 160
    temperature: float = 0.8
    top_p: float = 0.95
    brief: dict[str, Any] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    points: list[str] = field(default_factory=list)
    due: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextResult:
    """`finish` is `stop` or `length`. With `error` set, the request itself was at fault and `text` is empty."""

    id: str
    text: str = ""
    prompt_tokens: int = 0
    tokens: int = 0
    finish: str = "stop"
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """One picture of `width` × `height` pixels; with `init_image` (an encoded picture) image-to-image at `strength`."""

    id: str
    prompt: str
    seed: int
    negative_prompt: str = ""
    width: int = 64
    height: int = 64
    steps: int = 8
    guidance: float = 3.0
    init_image: bytes | None = None
    strength: float = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageResult:
    """`pixels` are `height` × `width` × 3 bytes, RGB. `flags` tell what pixels cannot: `nan`, `safety`."""

    id: str
    pixels: bytes = b""
    width: int = 0
    height: int = 0
    flags: list[str] = field(default_factory=list)
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FitRequest:
    """Fit a record model on the Parquet file `source`; write it to the folder `out`.

    Values of the column `primary_key` (none when empty) name a row: they are made anew and never repeat. Columns are
    drawn in `order` (empty: the source's own); `together` are JSON lists of columns that samples may have to keep
    together as they stand in the source. With `parents`, a Parquet file, the records are children of its rows, and
    `link` is `{"child": COLUMN, "parent": COLUMN, "order": COLUMN or null}`, see `models.table.related`. `preset` is
    `default` or `fast`. With `privacy` (JSON, see `models.table.private.settings`) the fit is differentially private:
    then `seed`, `steps`, `family` and `preset` decide nothing.
    """

    id: str
    source: str
    out: str
    seed: int
    steps: int
    family: str = "transformer"
    preset: str = "default"
    primary_key: str = ""
    order: list[str] = field(default_factory=list)
    together: list[str] = field(default_factory=list)
    parents: str = ""
    link: str = ""
    privacy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRequest:
    """Draw `rows` records from the model folder `model` into the Parquet file `out`; of a model of children, those of
    the rows of the Parquet file `parents`, however many that makes. With a `schema` (JSON, see
    `models.table.declared.schema`) there is no model: they are drawn as it declares.

    `constraints` and `conditions` are JSON, see `models.table.constraints` and `models.table.conditions`.
    """

    id: str
    model: str
    out: str
    rows: int
    seed: int
    constraints: str = ""
    conditions: str = ""
    parents: str = ""
    schema: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FillRequest:
    """Fill the nulls of `columns` of the table at `source` (Parquet or CSV) by draws from the model folder `model`.

    The table goes to the Parquet file `out`, its rows in their order and all other values as they are.
    """

    id: str
    model: str
    source: str
    out: str
    seed: int
    columns: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableResult:
    """What a fit, a sampling or a filling left at `path`; `info` holds its figures (losses, seconds, row counts)."""

    id: str
    path: str = ""
    rows: int = 0
    info: dict[str, Any] = field(default_factory=dict)
    error: str | None = None


Request = TextRequest | ImageRequest | FitRequest | SampleRequest | FillRequest
Result = TextResult | ImageResult | TableResult


class Engine(Protocol):
    """A loaded model. `submit` may be called from another thread while `results` runs."""

    def submit(self, requests: Sequence[Any]) -> None:
        """Queue requests. Never blocks on the model."""

    def results(self) -> Iterator[Any]:
        """Yield each result as it finishes, including those of requests submitted meanwhile; end when none is left."""

    def close(self) -> None:
        """Free the device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSpec:
    """How to open an engine: `factory` is `module:function`, called as `function(ref, device, dtype, **options)`.

    `options` are JSON values. `threads` bounds the CPU threads of an engine that runs in a process of its own.
    """

    factory: str
    ref: str
    device: str = "cpu"
    dtype: str = "float32"
    options: dict[str, Any] = field(default_factory=dict)
    threads: int | None = None


def open_engine(spec: EngineSpec) -> Engine:
    """Load the model that `spec` names in this process."""
    opener: Callable[..., Engine] = named(spec.factory)
    return opener(spec.ref, spec.device, spec.dtype, **spec.options)


def named(reference: str) -> Any:
    """What `module:function` names."""
    module, _, function = reference.partition(":")
    return getattr(importlib.import_module(module), function)
