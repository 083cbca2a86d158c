"""Where things are: spec files fetched from a store, and the paths that spec rows name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tasks.specs.columns import families
from tasks.specs.problems import Problem, SpecError, quote, show
from tasks.store import StoreError, Transient, is_s3
from tasks.store.source import fetch


def local_copy(name: str, scratch: Path) -> Path:
    """The spec file `name` (a path or s3:// URI) on this machine, fetched into `scratch` if need be.

    Raises `SpecError` for what another attempt would not mend, and the store's `Transient`.
    """
    if "://" not in name:
        return Path(name)
    if not is_s3(name):
        raise SpecError(f"{show(name)}: cannot be read. Use a path or an s3:// URI")
    try:
        return fetch(name, scratch)
    except Transient:
        raise
    except StoreError as error:
        raise SpecError(f"{name}: {error}") from error


class Places:
    """Resolves the paths in one spec file: against its folder if they exist there, else the working directory."""

    def __init__(self, name: str, path: Path) -> None:
        self._remote = name.rpartition("/")[0] if "://" in name else None
        self._folder = path.absolute().parent
        self._seen: dict[str, str | Problem] = {}

    def resolve(self, values: dict[str, Any], columns: list[str]) -> list[Problem]:
        """Make the paths in `values` absolute, in place; the problems of those that cannot be."""
        problems = []
        for column in columns:
            if (given := values.get(column)) is None or _is_json(column, given):
                continue
            if given not in self._seen:
                if len(self._seen) > 10_000:  # a path of its own in every row of a large file
                    self._seen.clear()
                self._seen[given] = self._find(column, str(given).strip())
            found = self._seen[given]
            if isinstance(found, Problem):
                problems.append(Problem(column, found.reason, found.suggestion))
            else:
                values[column] = found
        return problems

    def _find(self, column: str, given: str) -> str | Problem:
        scheme, separator, _ = given.partition("://")
        if separator:
            if scheme.lower() == "s3":
                return given
            return Problem(column, f"is {quote(given)}; {scheme[:20]}:// cannot be read", "use a path or an s3:// URI")
        if "\0" in given or len(given) > 4_000:
            return Problem(column, f"is {quote(given)}, which is no path", "write a path or an s3:// URI")
        if self._remote is not None and not given.startswith("/"):
            return f"{self._remote}/{given}"
        for folder in (self._folder, Path.cwd()):
            candidate = folder / given
            try:
                if candidate.is_file():
                    return str(candidate)
                if candidate.is_dir():
                    return Problem(column, f"{quote(given)} is a folder", "name one file")
            except OSError:
                break
        return Problem(column, f"there is no file {quote(given)}", f"put it beside the spec file, in {self._folder}")


def _is_json(column: str, given: Any) -> bool:
    """Whether the cell of a JSON column that may name a file holds the JSON itself."""
    return families().get(column) == "json" and str(given).lstrip().startswith("{")
