"""Identity is pinned: another value here is another key in every store, and then KEY_VERSION must be raised."""

from __future__ import annotations

import numpy as np

from tasks import identity

INPUTS = {"seeds": [0, 7], "columns": {"product_name": "Harbour Mug", "temperature": 0.8}, "rules": "ab"}
DIGEST = "927c019519fa8173b4a5a6b8f8900a7001aff74363df9ffbb2239f5b2b8c2b13"
KEY = "f2df20408fee8777c051ea54e926b4d06ef69098d7483aec6d41976efc3cca11"


def test_pinned_values_of_key_version_1() -> None:
    assert identity.KEY_VERSION == 1
    assert identity.BUCKETS == 256
    assert identity.inputs_digest("copy", "mug-1", INPUTS) == DIGEST
    assert identity.content_key(DIGEST, 2) == KEY
    assert identity.candidate_seed(KEY, 3) == 7131540159283083064
    assert identity.bucket("mug-1") == 30
    assert identity.combine([DIGEST, KEY]) == "29c3e2eb79865669f7b9c43f3f5f8e02eb7a23206dd2338d981cc1610bfb38a2"
    assert (
        identity.digest({"b": 1, "a": [0.1, None, "é"]})
        == "4ff9a3ccf91d284621e48d88227d526ee1915e7fa9808bed6e974c91bd250bf9"
    )


def test_the_order_of_members_does_not_enter() -> None:
    turned = {name: INPUTS[name] for name in reversed(INPUTS)}
    assert identity.inputs_digest("copy", "mug-1", turned) == DIGEST


def test_everything_else_enters() -> None:
    assert len(
        {
            DIGEST,
            identity.inputs_digest("image", "mug-1", INPUTS),
            identity.inputs_digest("copy", "mug-2", INPUTS),
            identity.inputs_digest("copy", "mug-1", {**INPUTS, "rules": "ac"}),
            identity.inputs_digest("copy", "mug-1", {**INPUTS, "seeds": [7, 0]}),
        }
    ) == 5  # fmt: skip
    keys = {identity.content_key(DIGEST, variant) for variant in range(1000)}
    assert len({identity.candidate_seed(key, attempt) for key in keys for attempt in range(10)}) == 10_000


def test_seeds_fit_into_63_bits_and_spread() -> None:
    seeds = [identity.candidate_seed(KEY, attempt) for attempt in range(5_000)]
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert 0.47 < np.mean([seed / 2**63 for seed in seeds]) < 0.53


def test_buckets_are_even() -> None:
    filled = np.bincount([identity.bucket(f"job-{n}") for n in range(50_000)], minlength=256)
    assert len(filled) == 256
    assert filled.min() > 120
    assert filled.max() < 290
