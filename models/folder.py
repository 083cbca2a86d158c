"""Model folders: from a reference to a folder, and whether that folder may be trusted and opened.

Model folders come from other people. Only safetensors are read: a pickle runs code when it is loaded, and so does a
model that brings its own Python files. Both are refused by name, whether or not a loader would have picked them.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

# What makes a folder a model: transformers, diffusers, and the record models of models.table.
MARKERS = ("config.json", "model_index.json", "model.json")
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".bin.index.json")
CODE = (".py", ".pyc", ".so")

# What is fetched of a hub model, and the copies of the same weights that are not: other precisions and other formats.
# A pipeline's parts lie in folders; safetensors beside them are the whole model once more.
_FILES = ("*.safetensors", "*.json", "*.txt", "*.model", "*.jinja")
_COPIES = ["*.fp16[.-]*", "*.bf16[.-]*", "*.non_ema[.-]*", "consolidated*", "original/*", "onnx/*", "openvino/*"]
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_REVISION = re.compile(r"[\w./-]{1,200}")
_MAX_CONFIG = 16 << 20
_CHUNK = 1 << 20

_digests: dict[Path, tuple[tuple[tuple[str, int, int], ...], str]] = {}
_digests_lock = threading.Lock()


class ModelError(ValueError):
    """A model that cannot be had or must not be opened; the message says which, why, and what to do."""


def resolve(ref: str, *, starters: Mapping[str, Path], cache: Path | None = None) -> Path:
    """The checked folder of the model that `ref` names: a starter, a folder, or a hub id with an optional @REVISION.

    Hub models are downloaded (weights as safetensors only) into `cache`, by default the hub's own.
    """
    ref = ref.strip()
    if not ref:
        raise ModelError("the model is empty: give a name, a folder, or a hub id like owner/name")
    folder = starters.get(ref)
    if folder is None:
        path = Path(ref).expanduser()
        folder = path if path.exists() or _looks_like_path(ref) else _download(ref, starters, cache)
    check(folder)
    return folder.resolve()


def is_model_folder(folder: Path) -> bool:
    """Whether the folder looks like a model at all; `check` tells whether it may be used."""
    return folder.is_dir() and any((folder / name).is_file() for name in MARKERS)


def check(folder: Path) -> None:
    """Refuse, with `ModelError`, what is no model, what holds pickled weights, and what brings its own code."""
    if not folder.exists():
        raise ModelError(f"{folder}: there is no such model folder")
    if not folder.is_dir():
        raise ModelError(f"{folder}: a model is a folder, and this is a file")
    if not is_model_folder(folder):
        raise ModelError(f"{folder}: not a model: it has none of {', '.join(MARKERS)}")
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    for path in files:
        name = path.relative_to(folder)
        if path.name.lower().endswith(PICKLES):
            raise ModelError(
                f"{folder}: {name} may run code when it is loaded, and only safetensors are read. Convert it where you "
                "trust it (load it there, call save_pretrained with safe_serialization=True), then remove it"
            )
        if path.name.lower().endswith(CODE):
            raise ModelError(f"{folder}: {name} is code; models that bring their own code are not run")
    for path in files:
        _check_config(folder, path)
    if not (folder / "model.json").is_file() and not any(path.suffix == ".safetensors" for path in files):
        raise ModelError(f"{folder}: a model without weights: no .safetensors file is in it")


def digest(folder: Path) -> str:
    """SHA-256 over names and contents of a model's files; README and *.md and hidden files don't count.

    Remembered as long as no file's size or modification time changes.
    """
    folder = folder.resolve()
    paths = list(_files_that_count(folder))
    if not paths:
        raise ModelError(f"{folder}: there is no such model folder, or it is empty")
    stats = tuple((path.relative_to(folder).as_posix(), *_size_and_time(path)) for path in paths)
    with _digests_lock:
        known = _digests.get(folder)
    if known is not None and known[0] == stats:
        return known[1]
    total = hashlib.sha256()
    for path, (name, size, _) in zip(paths, stats, strict=True):
        total.update(
            f"{len(name.encode())}:{name}:{size}:".encode()
        )  # lengths first, so that no two folders read alike
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                total.update(chunk)
    value = total.hexdigest()
    with _digests_lock:
        _digests[folder] = (stats, value)
    return value


def _files_that_count(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*"), key=lambda p: p.relative_to(folder).as_posix()):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        described = path.suffix.lower() == ".md" or path.stem.upper() == "README"
        if path.is_file() and not hidden and not described:
            yield path


def _size_and_time(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _check_config(folder: Path, path: Path) -> None:
    """Refuse a configuration that cannot be read or that has a loader import code of the model's choice."""
    if path.suffix != ".json" or not (path.name in MARKERS or "config" in path.name):
        return
    name = path.relative_to(folder)
    if path.stat().st_size > _MAX_CONFIG:
        raise ModelError(f"{folder}: {name} is too large for a configuration")
    try:
        values: Any = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as e:
        raise ModelError(f"{folder}: {name} cannot be read as JSON: {e}") from e
    if not isinstance(values, dict):
        raise ModelError(f"{folder}: {name} is no JSON object")
    if "auto_map" in values:
        raise ModelError(
            f"{folder}: {name} asks for code of its own (auto_map); models that bring their own code are not run. "
            "Use a model that transformers or diffusers knows, or remove auto_map if it is one"
        )
    if path.name == "model_index.json":
        for part, entry in values.items():
            library = entry[0] if isinstance(entry, list) and entry and not part.startswith("_") else None
            if library is not None and _importable_elsewhere(str(library)):
                raise ModelError(
                    f"{folder}: {name} takes its {part} from {library!r}; only diffusers and transformers may be named"
                )


def _importable_elsewhere(library: str) -> bool:
    """Whether diffusers, asked for a part of this library, would import a module other than its own."""
    if library in ("diffusers", "transformers"):
        return False
    return not library.isidentifier() or importlib.util.find_spec(library) is not None


def _looks_like_path(ref: str) -> bool:
    return ref.startswith(("/", ".", "~")) or ref.partition("@")[0].count("/") > 1


def _wanted(*, pipeline: bool) -> list[str]:
    """Patterns of the files to fetch of a hub model."""
    return ["model_index.json", *(f"*/{name}" for name in _FILES)] if pipeline else list(_FILES)


def _download(ref: str, starters: Mapping[str, Path], cache: Path | None) -> Path:
    """A hub model's folder. Network trouble and unknown models become one sentence each."""
    hub_id, _, revision = ref.partition("@")
    if not _HUB_ID.fullmatch(hub_id) or ("@" in ref and not _REVISION.fullmatch(revision)):
        raise ModelError(
            f"{ref!r}: no such model. Give one of {', '.join(sorted(starters)) or '(no starter models here)'}, "
            "a folder, or a hub id like owner/name, with @REVISION if wanted"
        )
    # The hub's client is slow to import, and most runs use a folder.
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        fetch = partial(snapshot_download, hub_id, revision=revision or None, cache_dir=cache)
        kind = Path(fetch(allow_patterns=list(MARKERS)))
        wanted = _wanted(pipeline=(kind / "model_index.json").is_file())
        return Path(fetch(allow_patterns=wanted, ignore_patterns=_COPIES))
    except GatedRepoError as e:
        raise ModelError(f"{ref}: the hub asks you to accept its terms and log in first (`hf auth login`)") from e
    except RevisionNotFoundError as e:
        raise ModelError(f"{ref}: the model {hub_id} has no revision {revision!r}") from e
    except RepositoryNotFoundError as e:
        raise ModelError(f"{ref}: there is no folder and no hub model of this name (or it is private)") from e
    except LocalEntryNotFoundError as e:
        raise ModelError(
            f"{ref}: no folder of this name, not in the hub's cache, and the hub cannot be reached. "
            "Check the network, or download the model elsewhere and give its folder"
        ) from e
    except (HfHubHTTPError, OSError) as e:
        raise ModelError(f"{ref}: the download from the hub failed: {str(e).splitlines()[0][:200]}") from e
