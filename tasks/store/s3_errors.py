"""What S3 and the way to it can answer, in the words of the store's errors; and trying again where that helps."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

import botocore.exceptions as boto
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from tasks.store.base import AccessDenied, NoSuchBucket, NotFound, StoreError, Transient

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 8.0  # seconds

TRANSIENT = {
    "SlowDown": "the server is overloaded",
    "ServiceUnavailable": "the server is unavailable",
    "InternalError": "the server failed",
    "InternalServerError": "the server failed",
    "RequestTimeout": "the server waited too long for the request",
    "RequestTimeoutException": "the server waited too long for the request",
    "Throttling": "the server asks to slow down",
    "ThrottlingException": "the server asks to slow down",
    "TooManyRequests": "the server asks to slow down",
    "RequestLimitExceeded": "the server asks to slow down",
    "BandwidthLimitExceeded": "the server asks to slow down",
    "ConditionalRequestConflict": "another write to the same key was under way",
    "OperationAborted": "another write to the same key was under way",
    "BadDigest": "the bytes were damaged on the way",
    "IncompleteBody": "the bytes were cut off on the way",
    "XAmzContentSHA256Mismatch": "the bytes were damaged on the way",
}
DENIED = {
    "AccessDenied": "Access is denied. Check the bucket's policy and what these credentials may do.",
    "Forbidden": "Access is denied. Check the credentials and the bucket's policy.",
    # AWS says this, too, of a missing object where listing is not allowed.
    "403": "Access is denied. Check the credentials and the bucket's policy (s3:ListBucket is needed, too).",
    "401": "Access is denied. Check the credentials.",
    "AllAccessDisabled": "All access to this bucket is switched off.",
    "AccountProblem": "The account behind these credentials has a problem.",
    "SignatureDoesNotMatch": "The secret key is wrong. Check AWS_SECRET_ACCESS_KEY or the profile.",
    "InvalidAccessKeyId": "The access key is unknown. Check AWS_ACCESS_KEY_ID or the profile.",
    "InvalidToken": "The session token is not valid. Check AWS_SESSION_TOKEN or log in again.",
    "ExpiredToken": "The credentials have expired. Log in again.",
    "RequestTimeTooSkewed": "This machine's clock is too far off for the server. Set it right.",
}
NO_CREDENTIALS = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."


class Precondition(StoreError):
    """A conditional request found its condition unmet."""


class NoSuchUpload(StoreError):
    """A multipart upload is unknown: ended, aborted, or never begun."""


class OutOfRange(StoreError):
    """A range begins behind the object's end."""


class NotImplementedThere(StoreError):
    """The server does not know what was asked."""


class ShortBody(Exception):
    """A response ended before its announced length."""


FAILURES = (boto.BotoCoreError, boto.ClientError, ResponseParserError, HTTPError, ConnectionError, ShortBody)


def persist(action: Callable[[], T], *, doing: str, where: str, attempts: int) -> T:
    """What `action` returns, tried up to `attempts` times while it fails in passing; else the failure, explained.

    botocore repeats requests by itself; this repeats what it gives up on, and what it cannot see: broken bodies.
    """
    for attempt in range(attempts):
        try:
            return action()
        except FAILURES as error:
            problem = explain(error, doing, where)
            if not isinstance(problem, Transient) or attempt == attempts - 1:
                raise problem from error
            # Jitter keeps many workers from coming back at the same moment.
            time.sleep(min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt) * random.uniform(0.5, 1.5))  # noqa: S311
    raise ValueError("attempts must be at least 1")


def explain(error: Exception, doing: str, where: str) -> StoreError:
    """The store's error for what botocore or the network raised. Never holds a secret or a signed header."""
    if isinstance(error, boto.ClientError):
        return _answered(error, doing, where)
    if isinstance(error, boto.NoCredentialsError | boto.PartialCredentialsError):
        return AccessDenied(f"No complete S3 credentials for {where}. {NO_CREDENTIALS}")
    if isinstance(error, boto.CredentialRetrievalError | boto.TokenRetrievalError | boto.SSOError):
        return AccessDenied(
            f"The S3 credentials for {where} could not be fetched ({type(error).__name__}). Log in again."
        )
    if isinstance(error, boto.ProfileNotFound):
        return AccessDenied(f"{error}. Check AWS_PROFILE and the AWS config files.")
    if isinstance(error, boto.SSLError):
        return StoreError(f"No trusted TLS connection for {where}. Check AWS_ENDPOINT_URL and AWS_CA_BUNDLE.")
    if isinstance(error, boto.EndpointConnectionError | boto.ConnectTimeoutError | boto.ProxyConnectionError):
        return Transient(f"{doing} {where}: the server cannot be reached. Check AWS_ENDPOINT_URL, and that it is up.")
    if isinstance(error, boto.ParamValidationError | boto.InvalidRegionError | boto.InvalidDNSNameError):
        return StoreError(f"{doing} {where}: {' '.join(str(error).split())[:200]}")
    if isinstance(error, ShortBody | boto.IncompleteReadError | boto.ResponseStreamingError | ResponseParserError):
        return Transient(f"{doing} {where}: the answer was cut off. Try again later.")
    if isinstance(error, boto.HTTPClientError | boto.ConnectionError | HTTPError | ConnectionError):
        return Transient(f"{doing} {where}: the connection broke ({type(error).__name__}). Try again later.")
    return StoreError(f"{doing} {where}: {' '.join(str(error).split())[:200]}")


def _answered(error: boto.ClientError, doing: str, where: str) -> StoreError:
    """What an answer with an error code means."""
    code = str(error.response.get("Error", {}).get("Code", "")) or "an error without a code"
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    bucket = "/".join(where.split("/")[:3])
    if code == "NoSuchBucket":
        return NoSuchBucket(f"The bucket {bucket} does not exist. Create it, or check its name and the endpoint.")
    if code == "NoSuchUpload":
        return NoSuchUpload(f"{doing} {where}: the upload was ended from elsewhere. Try again.")
    if code in ("NoSuchKey", "NotFound", "404"):
        return NotFound(f"{where} does not exist.")
    if code in ("InvalidRange", "416"):
        return OutOfRange(f"{doing} {where}: the range begins behind its end.")
    if code in ("PreconditionFailed", "412") or status == 412:
        return Precondition(f"{doing} {where}: its condition does not hold.")
    if code in TRANSIENT:
        return Transient(f"{doing} {where}: {TRANSIENT[code]} ({code}). Try again later.")
    if code in DENIED:
        return AccessDenied(f"{doing} {where}: {DENIED[code]} ({code})")
    if code in ("NotImplemented", "501"):
        return NotImplementedThere(f"{doing} {where}: the server does not offer this (501 {code}).")
    if code in ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "301"):
        return StoreError(f"{doing} {where}: the bucket is in another region. Set AWS_REGION to it. ({code})")
    if status in (408, 429) or status >= 500:
        return Transient(f"{doing} {where}: the server failed ({status} {code}). Try again later.")
    if status in (401, 403):
        return AccessDenied(f"{doing} {where}: Access is denied. Check credentials and policy. ({code})")
    message = " ".join(str(error.response.get("Error", {}).get("Message", "")).split())[:200]
    return StoreError(f"{doing} {where}: the server answered {status} {code} {message}".rstrip())
