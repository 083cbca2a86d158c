"""Identity: which item this is, which seed an attempt gets, where a job is filed. Versioned, in one place.

`content_key` covers everything that can change an item's output, and nothing else. Resume, reuse and deduplication all
rest on it, so any change to what enters must raise `KEY_VERSION`. docs/identity.md publishes the list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

KEY_VERSION = 1
BUCKETS = 256


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and shortest floats: equal values give equal bytes."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of `value`, as 64 hex digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def sha256(data: bytes) -> str:
    """SHA-256 of `data`, as 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def inputs_digest(kind: str, job_id: str, inputs: Mapping[str, Any]) -> str:
    """Digest of all that enters a job's identity: seeds, template inputs, files, model and rules, sampling."""
    return digest({"key_version": KEY_VERSION, "kind": kind, "job_id": job_id, **inputs})


def content_key(inputs: str, variant: int) -> str:
    """The key of one item: `inputs` is the job's `inputs_digest`."""
    return hashlib.sha256(f"{inputs}\0variant\0{variant}".encode()).hexdigest()


def candidate_seed(content_key: str, attempt: int) -> int:
    """The seed of one attempt: 63 bits of H(content_key, attempt). Neighbours, order and time do not enter."""
    return int.from_bytes(hashlib.sha256(f"{content_key}\0{attempt}".encode()).digest()[:8], "big") >> 1


def bucket(job_id: str) -> int:
    """The hash bucket (0 … 255) a job is filed in; it decides the job's plan partition at any size."""
    return hashlib.blake2b(job_id.encode(), digest_size=1).digest()[0]


def combine(digests: Iterable[str]) -> str:
    """One digest of many, in the order given."""
    total = hashlib.sha256()
    for one in digests:
        total.update(bytes.fromhex(one))
    return total.hexdigest()
