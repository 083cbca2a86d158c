"""Where a single table goes that is not part of a run: files named by people, made once and never replaced."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from tasks.store import Store, StoreError, is_s3, local_path, open_store, split_s3

ENDINGS = (".parquet", ".pq")


@dataclass(frozen=True, slots=True)
class Destination:
    """One file to be: `key` in `store`."""

    store: Store
    key: str

    @property
    def uri(self) -> str:
        return self.store.join(self.key)

    def check_free(self) -> None:
        """Raise `StoreError` if something stands there."""
        if self.store.head(self.key) is not None:
            raise self._taken()

    def create(self, data: bytes) -> None:
        """Write the file. Raises `StoreError` if something stands there by now."""
        if not self.store.create(self.key, data):
            raise self._taken()

    def _taken(self) -> StoreError:
        return StoreError(f"{self.uri} stands already. Name another file with --to.")


def destination(to: str, files: int) -> list[Destination]:
    """The files that `to` names, a path or s3:// URI that ends in .parquet.

    Several are numbered before the ending: `a.parquet` stands for `a-1.parquet`, `a-2.parquet`, … Raises `StoreError`
    when it names no such file.
    """
    if is_s3(to):
        bucket, key = split_s3(to)
        root, name = f"s3://{bucket}", PurePosixPath(key)
    else:
        path = local_path(to).expanduser()
        if path.is_dir():
            raise StoreError(f"{to} is a folder. Name a file in it, such as {path / 'filled.parquet'}.")
        root, name = str(path.parent), PurePosixPath(path.name)
    if name.suffix.lower() not in ENDINGS:
        raise StoreError(f"{to}: Parquet is written. Name a file that ends in {ENDINGS[0]}.")
    if files == 1:
        names = [name]
    else:
        names = [name.with_name(f"{name.stem}-{number}{name.suffix}") for number in range(1, files + 1)]
    store = open_store(root)
    return [Destination(store, str(one)) for one in names]
