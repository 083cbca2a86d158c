"""Objects that travel in parts: large uploads, and copies above what one request may copy."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from tasks.store.base import StoreError, Transient
from tasks.store.s3_client import md5
from tasks.store.s3_errors import NoSuchUpload

MAX_PARTS = 10_000
THREADS = 4

T = TypeVar("T")
Call = Callable[[Callable[[], Any], str], Any]  # runs a request for a key, with retries and explained errors
Span = tuple[int, int]  # first byte, number of bytes


def spans(size: int, part_bytes: int) -> list[Span]:
    """`size` bytes cut into parts of `part_bytes`, or larger ones where S3's limit on their number asks for it."""
    step = max(part_bytes, -(-size // MAX_PARTS))
    return [(start, min(step, size - start)) for start in range(0, size, step)]


def in_order(work: Callable[[T], Any], items: list[T]) -> list[Any]:
    """`work` on each item by a few threads, never far ahead of the first failure."""
    done: list[Any] = []
    todo = iter(items)
    with ThreadPoolExecutor(THREADS) as pool:
        while batch := list(islice(todo, THREADS * 4)):
            done += pool.map(work, batch)
    return done


def upload(client: Any, call: Call, target: dict[str, str], path: Path, part_bytes: int, mark: dict[str, str]) -> None:
    """Upload the file `path` to `target` (`Bucket` and `Key`), with `mark` as its metadata."""
    size = path.stat().st_size
    with path.open("rb") as file:

        def send(upload_id: str, number: int, span: Span) -> str:
            data = os.pread(file.fileno(), span[1], span[0])
            if len(data) != span[1]:
                raise StoreError(f"{path} became shorter while it was uploaded.")
            named = {"UploadId": upload_id, "PartNumber": number, "ContentMD5": md5(data)}
            return call(lambda: client.upload_part(**target, **named, Body=data), "Writing")["ETag"]

        _in_parts(client, call, target, size, part_bytes, mark, send)


def copy(
    client: Any, call: Call, source: dict[str, str], target: dict[str, str], size: int, part_bytes: int, etag: str
) -> None:
    """Copy `source` to `target` server-side, part by part, if it is still the object with this `etag`."""

    def send(upload_id: str, number: int, span: Span) -> str:
        named = {"UploadId": upload_id, "PartNumber": number, "CopySource": source, "CopySourceIfMatch": etag}
        reach = f"bytes={span[0]}-{span[0] + span[1] - 1}"
        answer = call(lambda: client.upload_part_copy(**target, **named, CopySourceRange=reach), "Copying to")
        return answer["CopyPartResult"]["ETag"]

    _in_parts(client, call, target, size, part_bytes, {}, send)


def _in_parts(
    client: Any,
    call: Call,
    target: dict[str, str],
    size: int,
    part_bytes: int,
    mark: dict[str, str],
    send: Callable[[str, int, Span], str],
) -> None:
    upload_id = call(lambda: client.create_multipart_upload(**target, Metadata=mark), "Writing")["UploadId"]
    try:
        numbered = list(enumerate(spans(size, part_bytes), start=1))
        tags = in_order(lambda part: send(upload_id, *part), numbered)
        parts = [{"PartNumber": number, "ETag": tag} for (number, _), tag in zip(numbered, tags, strict=True)]
        finished = {"UploadId": upload_id, "MultipartUpload": {"Parts": parts}}
        try:
            call(lambda: client.complete_multipart_upload(**target, **finished), "Writing")
        except NoSuchUpload as error:
            # A repeated completion after a lost answer finds its upload gone. Only then is the object in place.
            head = call(lambda: client.head_object(**target), "Reading")
            if head["ContentLength"] != size or any(head["Metadata"].get(k) != v for k, v in mark.items()):
                raise Transient(f"{error} Another write replaced it.") from error
    except BaseException:
        with contextlib.suppress(Exception):
            client.abort_multipart_upload(**target, UploadId=upload_id)
        raise
