"""The boto3 client: one for each set of settings, shared by every store and thread that uses them."""

from __future__ import annotations

import base64
import hashlib
import os
import threading
from typing import Any

import boto3
import botocore.exceptions
import botocore.session
from botocore.config import Config

from tasks.store import S3Options
from tasks.store.base import AccessDenied, StoreError
from tasks.store.s3_errors import NO_CREDENTIALS, explain

CONNECTIONS = 64
TRIES_PER_REQUEST = 3

_clients: dict[tuple[Any, ...], Any] = {}
_lock = threading.Lock()


def client(options: S3Options, where: str) -> Any:
    """A client for `options` and the AWS environment as it is now. `where` is the URI that messages name."""
    key = (os.getpid(), options, *sorted(item for item in os.environ.items() if item[0].startswith("AWS_")))
    with _lock:
        if key not in _clients:
            try:
                _clients[key] = _build(options, where)
            except botocore.exceptions.BotoCoreError as error:
                raise explain(error, "Opening", where) from error
            except ValueError as error:
                raise StoreError(f"The S3 endpoint for {where} is no URL. Check AWS_ENDPOINT_URL.") from error
        return _clients[key]


def _build(options: S3Options, where: str) -> Any:
    core = botocore.session.Session()
    session = boto3.session.Session(botocore_session=core, region_name=options.region)
    if session.get_credentials() is None:
        raise AccessDenied(f"No S3 credentials for {where}. {NO_CREDENTIALS}")
    settings: dict[str, Any] = {
        "connect_timeout": options.connect_timeout,
        "read_timeout": options.read_timeout,
        "max_pool_connections": CONNECTIONS,
        "retries": {"mode": "standard", "total_max_attempts": TRIES_PER_REQUEST},
        # Many compatible stores break on the checksums that boto3 sends by default.
        "request_checksum_calculation": "when_required",
        "response_checksum_validation": "when_required",
        "tcp_keepalive": True,
    }
    made = session.client("s3", endpoint_url=options.endpoint_url, config=Config(**settings))
    chosen = (core.get_scoped_config().get("s3") or {}).get("addressing_style")
    if ".amazonaws.com" not in made.meta.endpoint_url and chosen is None:
        # Elsewhere, bucket names are rarely host names.
        settings["s3"] = {"addressing_style": "path"}
        made = session.client("s3", endpoint_url=options.endpoint_url, config=Config(**settings))
    made.meta.events.register("before-call.s3.DeleteObjects", _with_md5)
    return made


def md5(data: bytes) -> str:
    """The Content-MD5 header, by which the server refuses bytes that were damaged on the way."""
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def _with_md5(params: dict[str, Any], **_: Any) -> None:
    """Compatible stores want the classic Content-MD5 on a bulk delete, where boto3 now sends a CRC32."""
    params["context"].pop("checksum", None)
    params["headers"] = {k: v for k, v in params["headers"].items() if k.lower() != "x-amz-sdk-checksum-algorithm"}
    params["headers"]["Content-MD5"] = md5(params["body"])
