"""Inputs that lie outside the store: spec files, source tables, pictures; by path or `s3://` URI."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from tasks.store import AccessDenied, NotFound, S3Options, StoreError, is_s3, local_path, open_store, split_s3

ANYTHING = "*"


def fetch(uri: str, scratch: Path, *, options: S3Options | None = None) -> Path:
    """A local file with the content of `uri`: the path itself, or a download into the folder `scratch`.

    The same URI always lands under the same name. Raises `NotFound` and the store's other errors.
    """
    if not is_s3(uri):
        path = local_path(uri)
        if not path.exists():
            raise NotFound(f"{path} does not exist. Relative paths start at {Path.cwd()}.")
        return path
    root, key = _object(uri)
    ending = re.sub(r"[^A-Za-z0-9._-]", "_", key.rpartition("/")[2])[-80:].lstrip(".")
    path = scratch / f"{hashlib.sha256(uri.encode()).hexdigest()[:16]}-{ending}"
    open_store(root, options=options).download(key, path)
    return path


def exists(uri: str, *, options: S3Options | None = None) -> bool:
    """Whether a file or an object (for a path: or a folder) stands at `uri`."""
    if not is_s3(uri):
        return local_path(uri).exists()
    root, key = _object(uri)
    return open_store(root, options=options).head(key) is not None


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_allowed(uri: str, allowed: Sequence[str]) -> None:
    """Raise `AccessDenied` unless `uri` lies at or below one of the places `allowed` (paths, `s3://` URIs, or `*`).

    Spec files come from other people; what they name is read with our permissions. An empty list allows nothing.
    Symbolic links count as the place they lead to.
    """
    if ANYTHING in allowed or any(_below(uri, place) for place in allowed):
        return
    raise AccessDenied(f"{uri} is outside the places that may be read: {', '.join(allowed) or 'none are set'}.")


def _below(uri: str, place: str) -> bool:
    if is_s3(uri) != is_s3(place):
        return False
    if not is_s3(uri):
        return local_path(uri).expanduser().resolve().is_relative_to(local_path(place).expanduser().resolve())
    (bucket, key), (home, prefix) = split_s3(uri), split_s3(place)
    folder = prefix.strip("/")
    return bucket == home and (not folder or key == folder or key.startswith(f"{folder}/"))


def _object(uri: str) -> tuple[str, str]:
    bucket, key = split_s3(uri)
    if not key or key.endswith("/"):
        raise StoreError(f"{uri} names a bucket or folder. Name one object, s3://BUCKET/FOLDER/FILE.")
    return f"s3://{bucket}", key
