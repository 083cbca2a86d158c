"""Rows that cannot be read are set aside, each with its column and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest
from support.specs import ROW, aside, lines, parquet, rows_parquet

from tasks.kinds.copy.job import CopyJob
from tasks.specs import Quarantined, read


@pytest.mark.parametrize(
    ("row", "column", "reason", "suggestion"),
    [
        ({"variants": 10**9}, "variants", "is 1,000,000,000; at most 1,000", "from 1 to 1,000"),
        ({"variants": -2}, "variants", "is -2; at least 1", "from 1 to 1,000"),
        ({"variants": 0}, "variants", "at least 1", ""),
        ({"variants": 1.5}, "variants", "not a whole number", ""),
        ({"variants": "two"}, "variants", "“two”, not a whole number", "digits"),
        ({"variants": "1" * 5_000}, "variants", "not a whole number", ""),
        ({"variants": True}, "variants", "not a whole number", ""),
        ({"variants": 1e30}, "variants", "", ""),
        ({"seed": 2.0**60}, "seed", "cannot hold so many digits", "64-bit"),
        ({"seed": -1}, "seed", "at least 0", ""),
        ({"temperature": "0,8"}, "temperature", "not a number", "0.8"),
        ({"temperature": 3}, "temperature", "at most 2", "from 0 to 2"),
        ({"top_p": 0}, "top_p", "more than 0", "above 0 and up to 1"),
        ({"channel": "serch_ad"}, "channel", "not one of", "did you mean search_ad?"),
        ({"channel": "fax"}, "channel", "not one of", "write product_page,"),
        ({"channel": None}, "channel", "neither a channel nor", ""),
        ({"product_name": None}, "product_name", "is empty", ""),
        ({"prompt": "x"}, "prompt", "beside a channel", ""),
        ({"system": "x"}, "system", "goes with a free prompt", ""),
        ({"product_name": "x" * 201}, "product_name", "201 characters long; at most 200", "shorten"),
        ({"locale": "en_US"}, "locale", "not a language tag", "write en-US"),
        ({"locale": "../x"}, "locale", "not a language tag", ""),
        ({"features": "soft, warm"}, "features", "not a JSON list", '["soft", "warm"]'),
        ({"features": '{"a": 1}'}, "features", "not a JSON list", ""),
        ({"features": [["x"]]}, "features", "entry 1 holds a list", ""),
        ({"features": ["x"] * 51}, "features", "51 entries; at most 50", ""),
        ({"features": ["x" * 1_001]}, "features", "an entry is 1,001 characters", ""),
        ({"facts": {"size": ["S", "L"]}}, "facts", "“size” holds a list", "one text"),
        ({"facts": "[1]"}, "facts", "not a JSON object", ""),
        ({"facts": ["x"]}, "facts", "holds a list, not a map", ""),
        ({"meta_x": {"a": 1}}, "meta_x", "single values", ""),
        ({"meta_x": "x" * 10_001}, "meta_x", "at most 10,000", ""),
        ({"kind": "copi"}, "kind", "not one of copy, image, records", "did you mean copy?"),
        ({"kind": None}, "kind", "is empty", ""),
        ({"kind": 5}, "kind", "not one of", ""),
        ({"brand": "acme@1"}, "brand", "not supported yet", "empty"),
        ({"job_id": None}, "job_id", "is empty", ""),
        ({"job_id": "  "}, "job_id", "is empty", ""),
        ({"job_id": ["a"]}, "job_id", "holds a list", ""),
        ({"kind": "records", "channel": None, "product_name": None}, "source", "is empty", "fill in source"),
        (
            {"kind": "records", "channel": None, "product_name": None, "source": "s3://b/k", "rows": -5},
            "rows",
            "at least 1",
            "",
        ),
        (
            {"kind": "records", "channel": None, "product_name": None, "source": "s3://b/k", "family": "gam"},
            "family",
            "not one of auto, transformer, diffusion, vae, gan",
            "did you mean gan?",
        ),
        (
            {"kind": "records", "channel": None, "product_name": None, "source": "s3://b/k", "family": "vae"}
            | {"constraints": [{"column": "a", "min": 1}]},
            "constraints",
            "cannot be kept by the family vae",
            "write auto as the family",
        ),
        (
            {"kind": "records", "channel": None, "product_name": None, "source": "s3://b/k", "family": "gan"}
            | {"conditions": {"a": 1}},
            "conditions",
            "cannot be kept by the family gan",
            "write auto as the family",
        ),
        (
            {"kind": "records", "channel": None, "product_name": None, "source": "s3://b/k", "privacy": {"x": 1}},
            "privacy",
            "there is no privacy setting 'x'",
            "",
        ),
        ({"kind": "image", "channel": None, "width": 65, "height": 64}, "width", "not a multiple of 8", "64 would do"),
        ({"kind": "image", "channel": None, "width": 64}, "height", "go together", ""),
        ({"kind": "image", "channel": None, "preset": "sqare"}, "preset", "not one of", "did you mean square?"),
        ({"kind": "image", "channel": None, "format": "gif"}, "format", "not one of png, webp, jpeg", ""),
        ({"kind": "image", "channel": None, "palette": ["#fff"]}, "palette", "not supported yet", ""),
        ({"kind": "image", "channel": None, "mask_image": "x.png"}, "mask_image", "not supported yet", ""),
        ({"kind": "image", "channel": None, "init_image": "x.png"}, "init_image", "there is no file “x.png”", ""),
    ],
)
def test_bad_values_quarantine_their_row(
    tmp_path: Path, row: dict[str, Any], column: str, reason: str, suggestion: str
) -> None:
    path = lines(tmp_path / "s.jsonl", {"job_id": "good"}, row, {"job_id": "better"})
    good, bad, better = read([path], scratch=tmp_path)
    assert isinstance(good, CopyJob)
    assert isinstance(better, CopyJob)
    assert isinstance(bad, Quarantined)
    assert (bad.file, bad.row, bad.column) == (path, 2, column)
    assert reason in bad.reason
    assert suggestion in bad.suggestion
    assert len(str(bad)) < 700 + len(path)
    assert str(bad).isprintable()


@pytest.mark.parametrize(
    "job_id",
    [
        "../x",
        "x" * 10_240,
        ".hidden",
        "a/b",
        "a\x00b",
        "a\x1b[31m",
        "ä",
        "\u202eabc",
        "a b",
        "a\nb",
        "💣",
        "-" * 129,
        "..",
        "%2e",
    ],
)
def test_hostile_job_ids(tmp_path: Path, job_id: str) -> None:
    for path in (
        lines(tmp_path / "s.jsonl", {"job_id": job_id}),
        rows_parquet(tmp_path / "s.parquet", {"job_id": job_id}),
    ):
        bad = aside(path, tmp_path)
        assert bad.column == "job_id"
        assert bad.job_id is not None
        assert bad.job_id.isprintable()
        assert len(bad.job_id) < 400
        assert "letters, digits" in bad.suggestion
        assert str(bad).isprintable()


def test_broken_lines_are_rows_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    good = orjson.dumps(ROW)
    path.write_bytes(b"\n".join([good, b'{"job_id": ', b"[1]", b'{"a": "' + b"x" * (5 << 20) + b'"}', b"\xff{}", good]))
    outcomes = list(read([str(path)], scratch=tmp_path))
    assert [isinstance(o, Quarantined) for o in outcomes] == [False, True, True, True, True, False]
    (tmp_path / "s.csv").write_text("job_id,kind,channel,product_name\na,copy,sms,Mug\na,copy,sms,Mug,9\na\n", "utf-8")
    first, second, third = read([str(tmp_path / "s.csv")], scratch=tmp_path)
    assert isinstance(first, CopyJob)
    assert isinstance(second, Quarantined)
    assert "5 cells where the header has 4" in second.reason
    assert isinstance(third, Quarantined)


def test_text_that_is_not_utf8_in_parquet(tmp_path: Path) -> None:
    names = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(np.array([0, 3, 5], np.int32)), pa.py_buffer(b"Mug\xff\xfe")]
    )
    table = {k: [v, v] for k, v in ROW.items()} | {"product_name": names, "job_id": ["a", "b"]}
    first, second = read([parquet(tmp_path / "s.parquet", table)], scratch=tmp_path)
    assert isinstance(first, CopyJob)
    assert isinstance(second, Quarantined)
    assert "UTF-8" in second.reason


def test_a_key_named_twice(tmp_path: Path) -> None:
    facts = pa.array([[("size", "S"), ("size", "L")]], pa.map_(pa.string(), pa.string()))
    table = {k: [v] for k, v in ROW.items()} | {"facts": facts}
    assert "twice" in aside(parquet(tmp_path / "s.parquet", table), tmp_path).reason
