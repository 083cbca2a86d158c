"""A folder as a store. Writes go to a temporary file first, are synced, and appear under their name in one step."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tasks.store.base import (
    PROBE_PREFIX,
    TEMP_PREFIX,
    AccessDenied,
    Entry,
    NotFound,
    Probe,
    StoreError,
    check_key,
    check_prefix,
)
from tasks.store.race import race

# A concurrent delete may remove a folder that just became empty between our mkdir and our write.
MAKE_ATTEMPTS = 20
NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}


class LocalStore:
    """The store below the folder `root`, which is made by the first write. Symbolic links below it are refused."""

    def __init__(self, root: Path) -> None:
        try:
            self.root = root.expanduser().resolve()
            wrong = self.root.exists() and not self.root.is_dir()
        except (OSError, RuntimeError, ValueError) as error:
            raise StoreError(f"{str(root)!r} cannot be a store: {error}. Name a folder.") from error
        if wrong:
            raise StoreError(f"{self.root} is a file, not a folder. Name a folder for the store.")

    def __repr__(self) -> str:
        return f"LocalStore({self.uri!r})"

    @property
    def uri(self) -> str:
        return str(self.root)

    def join(self, key: str) -> str:
        return str(self.root / check_key(key))

    def get(self, key: str) -> bytes:
        path = self._path(key)
        with explained(path), _readable(path):
            return path.read_bytes()

    def get_range(self, key: str, start: int, length: int) -> bytes:
        if start < 0 or length < 0:
            raise ValueError(f"a range starts and ends at or after 0, not at {start} with length {length}")
        path = self._path(key)
        with explained(path), _readable(path), path.open("rb") as file:
            file.seek(start)
            return file.read(length)

    def download(self, key: str, path: Path) -> None:
        source = self._path(key)
        with explained(source), _readable(source), source.open("rb"):
            pass
        with explained(path):
            self._write(path, lambda temp: shutil.copyfile(source, temp), os.replace)

    def put(self, key: str, data: bytes | Path) -> None:
        path = self._path(key)
        with explained(path):
            self._write(path, _filler(data), os.replace)

    def create(self, key: str, data: bytes) -> bool:
        path = self._path(key)
        if path.exists():
            return False
        try:
            with explained(path):
                self._write(path, _filler(data), _appear)
        except _Taken:
            return False
        return True

    def copy(self, src_key: str, dst_key: str) -> None:
        source, target = self._path(src_key), self._path(dst_key)
        if self.head(src_key) is None:
            raise NotFound(f"{source} does not exist, so it cannot be copied.")
        if source == target:
            return

        def fill(temp: Path) -> None:
            # Objects are only ever replaced, never changed in place, so that two names may share one file.
            temp.unlink()
            try:
                os.link(source, temp)
            except OSError as error:
                if error.errno not in NO_HARD_LINKS:
                    raise
                shutil.copyfile(source, temp)

        with explained(target):
            self._write(target, fill, os.replace)

    def head(self, key: str) -> Entry | None:
        path = self._path(key)
        try:
            with explained(path):
                return _entry(key, path.stat()) if path.is_file() else None
        except NotFound:
            return None

    def list(self, prefix: str = "") -> Iterator[Entry]:
        folder, _, _ = check_prefix(prefix).rpartition("/")
        if (self.root / folder).resolve() != self.root / folder:
            return  # behind a symbolic link
        yield from self._walk(f"{folder}/" if folder else "", prefix)

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            path = self._path(key)
            with explained(path), contextlib.suppress(FileNotFoundError, NotADirectoryError):
                if not path.is_dir():
                    path.unlink()
            for parent in path.parents:
                if parent == self.root:
                    break
                try:
                    parent.rmdir()
                except OSError:
                    break

    def sweep(self, older_than: timedelta, *, dry_run: bool = False) -> Sequence[str]:
        limit = time.time() - older_than.total_seconds()
        found = []
        for folder, _, names in os.walk(self.root):
            for name in names:
                path = Path(folder, name)
                if not name.startswith(TEMP_PREFIX):
                    continue
                with contextlib.suppress(FileNotFoundError), explained(path):
                    if path.lstat().st_ctime < limit:
                        found.append(str(path))
                        if not dry_run:
                            path.unlink(missing_ok=True)
        return sorted(found)

    def probe(self) -> Probe:
        key = f"{PROBE_PREFIX}{uuid.uuid4().hex}"
        path, other = self._path(key), self._path(f"{key}-linked")
        try:
            self.put(key, b"")
            os.link(path, other)
        except OSError as error:
            return Probe(False, f"the file system of {self.root} has no hard links ({error.strerror})")
        finally:
            self.delete([key, f"{key}-linked"])
        return race(self, self.create)

    def _path(self, key: str) -> Path:
        path = self.root / check_key(key)
        with explained(path):
            if path.resolve() != path:
                raise AccessDenied(f"{path} is, or goes through, a symbolic link, which a store does not follow.")
        return path

    def _write(self, path: Path, fill: Callable[[Path], object], settle: Callable[[Path, Path], None]) -> None:
        """Fill a temporary file beside `path`, sync it, let `settle` give it its name, and sync the folder."""
        temp = path.parent / f"{TEMP_PREFIX}{uuid.uuid4().hex}"
        for attempt in range(MAKE_ATTEMPTS):
            try:
                _make_folder(path.parent)
                os.close(os.open(temp, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
                break
            except FileNotFoundError:
                if attempt == MAKE_ATTEMPTS - 1:
                    raise
        try:
            fill(temp)
            _sync(temp)
            settle(temp, path)
        finally:
            temp.unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):  # a delete may already have taken all of it away
            _sync(path.parent)

    def _walk(self, folder: str, prefix: str) -> Iterator[Entry]:
        place = self.root / folder
        try:
            with explained(place), os.scandir(place) as scan:
                # A folder sorts as "name/", so that the walk as a whole comes in the order of the keys.
                found = sorted((f"{e.name}/" if e.is_dir(follow_symlinks=False) else e.name, e) for e in scan)
        except NotFound:
            return
        for name, item in found:
            key = folder + name
            if name.endswith("/"):
                if key.startswith(prefix) or prefix.startswith(key):
                    yield from self._walk(key, prefix)
            elif key.startswith(prefix) and not name.startswith(TEMP_PREFIX) and item.is_file(follow_symlinks=False):
                with contextlib.suppress(FileNotFoundError):  # removed since the folder was read
                    yield _entry(key, item.stat())


class _Taken(Exception):
    """Something stands under the name already."""


def _appear(temp: Path, path: Path) -> None:
    """Give `temp` the name `path` unless that is taken: a hard link is the one step that every POSIX file system
    does atomically. Without hard links the check and the step are two, which `probe` reports."""
    try:
        os.link(temp, path)
    except FileExistsError:
        if temp.stat().st_nlink == 1:  # 2: the link is ours, and a network file system lost the first answer
            raise _Taken from None
    except OSError as error:
        if error.errno not in NO_HARD_LINKS:
            raise
        if path.exists():
            raise _Taken from None
        temp.replace(path)


def _filler(data: bytes | Path) -> Callable[[Path], object]:
    if isinstance(data, Path):
        return lambda temp: shutil.copyfile(data, temp)
    return lambda temp: temp.write_bytes(data)


def _entry(key: str, stat: os.stat_result) -> Entry:
    # A copy by hard link keeps the time of its source; only the inode's own time tells that something is new here.
    return Entry(key, stat.st_size, datetime.fromtimestamp(max(stat.st_mtime, stat.st_ctime), UTC))


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    with contextlib.suppress(FileExistsError):
        folder.mkdir()
        _sync(folder.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some file systems cannot sync a folder
            raise
    finally:
        os.close(handle)


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    """To a reader, a folder is no object, and below an object there is none, as on S3."""
    try:
        yield
    except (IsADirectoryError, NotADirectoryError) as error:
        raise NotFound(f"{path} does not exist as a file.") from error


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the operating system's errors about `path` into the store's, for people."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound(f"{error.filename or path} does not exist.") from error
    except PermissionError as error:
        raise AccessDenied(f"No permission for {error.filename or path}. Check its owner and mode.") from error
    except (IsADirectoryError, NotADirectoryError, FileExistsError) as error:
        raise StoreError(f"{path} cannot be a file: a folder and a file would share one name there.") from error
    except OSError as error:
        advice = {errno.ENOSPC: " Free some space.", errno.EROFS: " Choose a folder that can be written to."}
        raise StoreError(f"{path}: {error.strerror or error}.{advice.get(error.errno or 0, '')}") from error
