"""S3-compatible storage as a store, through boto3. Settings come from the standard AWS environment and config files."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tasks.store import S3Options
from tasks.store.base import (
    TEMP_PREFIX,
    Entry,
    NotFound,
    Probe,
    StoreError,
    Transient,
    check_key,
    check_prefix,
    is_key,
)
from tasks.store.local import explained
from tasks.store.race import race
from tasks.store.s3_client import client, md5
from tasks.store.s3_errors import TRANSIENT, NotImplementedThere, OutOfRange, Precondition, ShortBody, persist
from tasks.store.s3_parts import copy, in_order, spans, upload

COPY_LIMIT = 5 * 2**30  # what one CopyObject may copy, in bytes
DELETE_BATCH = 1000
MARK = "write-id"  # metadata by which a write recognises its own object


class S3Store:
    """The store at `s3://bucket/prefix`."""

    def __init__(self, bucket: str, prefix: str, options: S3Options) -> None:
        self.bucket, self.prefix, self.options = bucket, prefix, options
        self.client = client(options, self.uri)
        self._bucket_seen = False

    def __repr__(self) -> str:
        return f"S3Store({self.uri!r})"

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def join(self, key: str) -> str:
        return f"{self.uri}/{check_key(key)}"

    def get(self, key: str) -> bytes:
        return self._call(key, lambda: self._body(key), "Reading")

    def get_range(self, key: str, start: int, length: int) -> bytes:
        if start < 0 or length < 0:
            raise ValueError(f"a range starts and ends at or after 0, not at {start} with length {length}")
        if length == 0:
            return b""
        try:
            return self._call(key, lambda: self._body(key, start, length), "Reading")
        except OutOfRange:
            return b""

    def download(self, key: str, path: Path) -> None:
        answer = self._head(key)
        if answer is None:
            raise NotFound(f"{self.join(key)} does not exist.")
        temp = path.parent / f"{TEMP_PREFIX}{uuid.uuid4().hex}"
        try:
            with explained(path):
                self._download(key, answer, temp)
                temp.replace(path)
        except Precondition:
            raise Transient(f"{self.join(key)} was replaced while it was read. Try again.") from None
        finally:
            temp.unlink(missing_ok=True)

    def put(self, key: str, data: bytes | Path) -> None:
        if isinstance(data, bytes):
            self._put(key, data)
            return
        with explained(data):
            if data.stat().st_size <= self.options.part_bytes:
                self._put(key, data.read_bytes())
                return
            call, mark = partial(self._call, key), {MARK: uuid.uuid4().hex}
            upload(self.client, call, self._at(key), data, self.options.part_bytes, mark)

    def create(self, key: str, data: bytes) -> bool:
        # Asking first is for stores that ignore the condition: there, at least one writer alone is served right.
        return self._head(key) is None and self._create(key, data)

    def copy(self, src_key: str, dst_key: str) -> None:
        answer = self._head(src_key)
        if answer is None:
            raise NotFound(f"{self.join(src_key)} does not exist, so it cannot be copied.")
        if src_key == dst_key:
            return
        source, target = self._at(src_key), self._at(dst_key)
        call = partial(self._call, dst_key)
        if answer["ContentLength"] > COPY_LIMIT:
            size, part = answer["ContentLength"], min(COPY_LIMIT, 32 * self.options.part_bytes)
            copy(self.client, call, source, target, size, part, answer["ETag"])
        else:
            call(lambda: self.client.copy_object(**target, CopySource=source), "Copying to")

    def head(self, key: str) -> Entry | None:
        answer = self._head(key)
        return None if answer is None else Entry(key, answer["ContentLength"], answer["LastModified"].astimezone(UTC))

    def list(self, prefix: str = "") -> Iterator[Entry]:
        begin = self._full(check_prefix(prefix))
        cut = len(self._full(""))
        more: dict[str, str] = {}
        while True:
            asked = {"Bucket": self.bucket, "Prefix": begin, "MaxKeys": self.options.page_size, **more}
            page = self._call(None, partial(self.client.list_objects_v2, **asked), "Listing")
            for item in page.get("Contents", []):
                key = item["Key"][cut:]
                if is_key(key):  # folder marks, and what other programs put here under names that are no keys
                    yield Entry(key, item["Size"], item["LastModified"].astimezone(UTC))
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def delete(self, keys: Iterable[str]) -> None:
        names = (self._full(check_key(key)) for key in keys)
        while batch := [{"Key": name} for name in islice(names, DELETE_BATCH)]:
            self._call(None, partial(self._delete, batch), "Deleting below")

    def sweep(self, older_than: timedelta, *, dry_run: bool = False) -> Sequence[str]:
        limit = datetime.now(UTC) - older_than
        found = []
        more: dict[str, str] = {}
        while True:
            asked = {"Bucket": self.bucket, "Prefix": self._full(""), **more}
            page = self._call(None, partial(self.client.list_multipart_uploads, **asked), "Listing")
            for item in page.get("Uploads", []):
                if item["Initiated"] >= limit:
                    continue
                found.append(f"s3://{self.bucket}/{item['Key']} (upload {item['UploadId']})")
                if not dry_run:
                    named = {"Bucket": self.bucket, "Key": item["Key"], "UploadId": item["UploadId"]}
                    self._call(None, partial(self.client.abort_multipart_upload, **named), "Cleaning")
            if not page.get("IsTruncated"):
                return sorted(found)
            more = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}

    def probe(self) -> Probe:
        return race(self, self._create)

    def _full(self, key: str) -> str:
        return f"{self.prefix}/{key}" if self.prefix else key

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": self._full(check_key(key))}

    def _call(self, key: str | None, action: Callable[[], Any], doing: str) -> Any:
        where = self.uri if key is None else self.join(key)
        return persist(action, doing=doing, where=where, attempts=self.options.attempts)

    def _head(self, key: str) -> dict[str, Any] | None:
        try:
            return self._call(key, lambda: self.client.head_object(**self._at(key)), "Looking for")
        except NotFound:
            if not self._bucket_seen:  # the answer to HEAD has no body to tell a missing key from a missing bucket
                asked = {"Bucket": self.bucket, "Prefix": self._full(""), "MaxKeys": 1}
                self._call(None, partial(self.client.list_objects_v2, **asked), "Listing")
                self._bucket_seen = True
            return None

    def _body(self, key: str, start: int = 0, length: int | None = None, **conditions: str) -> bytes:
        """The object's bytes, or those of a range of it, never fewer than the server announced."""
        if length is not None:
            conditions["Range"] = f"bytes={start}-{start + length - 1}"
        answer = self.client.get_object(**self._at(key), **conditions)
        with answer["Body"] as body:
            data: bytes = body.read()
        if len(data) != answer["ContentLength"]:
            raise ShortBody
        if length is not None and not answer.get("ContentRange", "").startswith(f"bytes {start}-"):
            return data[start : start + length]  # the server may ignore a range and send the whole
        return data

    def _download(self, key: str, head: dict[str, Any], path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:

            def fetch(span: tuple[int, int]) -> None:
                start, length = span
                data = self._call(key, lambda: self._body(key, start, length, IfMatch=head["ETag"]), "Reading")
                written = os.pwrite(file.fileno(), data, start)
                if not written == len(data) == length:
                    raise StoreError(f"{path}: {written} of {length} bytes were written. Is the disk full?")

            in_order(fetch, spans(head["ContentLength"], self.options.part_bytes))

    def _put(self, key: str, data: bytes, **conditions: Any) -> None:
        sent = {"Body": data, "ContentMD5": md5(data), **conditions}
        self._call(key, lambda: self.client.put_object(**self._at(key), **sent), "Writing")

    def _create(self, key: str, data: bytes) -> bool:
        mark = uuid.uuid4().hex
        try:
            self._put(key, data, IfNoneMatch="*", Metadata={MARK: mark})
        except Precondition:
            # Perhaps it is this very write that stands there: an answer was lost, and the repeated request refused.
            head = self._head(key)
            return head is not None and head["Metadata"].get(MARK) == mark
        except NotImplementedThere:
            if self._head(key) is not None:
                return False
            self._put(key, data, Metadata={MARK: mark})
        return True

    def _delete(self, batch: Sequence[dict[str, str]]) -> None:
        answer = self.client.delete_objects(Bucket=self.bucket, Delete={"Objects": batch, "Quiet": True})
        errors = [e for e in answer.get("Errors", []) if e.get("Code") != "NoSuchKey"]
        if errors:
            # One that cannot pass comes before those that can: the whole batch is repeated for the latter.
            worst = min(errors, key=lambda e: e.get("Code") in TRANSIENT)
            status = answer["ResponseMetadata"]["HTTPStatusCode"]
            raise ClientError({"Error": worst, "ResponseMetadata": {"HTTPStatusCode": status}}, "DeleteObjects")
