"""Product catalogues to job specs: what every import shares, whatever the shop system it came from."""

from __future__ import annotations

import csv
import hashlib
import html
import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.kinds.base import MAX_VARIANTS
from tasks.kinds.copy.channels import CHANNELS
from tasks.specs.files import csv_reader
from tasks.specs.problems import SpecError, listed, nearest, quote, show

CHANNELS_WANTED = ("product_page", "social")

_MOST_FEATURES = 12
_MOST_FACTS = 30
_LONGEST = {"name": 200, "brand": 100, "category": 200, "feature": 400, "key": 40, "fact": 200}
# What can be seen, and so enters a picture's prompt.
_VISIBLE = ("color", "colour", "material", "fabric", "pattern", "finish")

_SPECS = pa.schema(
    [
        ("job_id", pa.string()),
        ("kind", pa.string()),
        ("variants", pa.int64()),
        ("channel", pa.string()),
        ("product_name", pa.string()),
        ("brand_name", pa.string()),
        ("category", pa.string()),
        ("features", pa.list_(pa.string())),
        ("facts", pa.map_(pa.string(), pa.string())),
        ("audience", pa.string()),
        ("meta_product", pa.string()),
        ("meta_tags", pa.string()),
    ]
)


@dataclass(slots=True)
class Product:
    """A product as a catalogue describes it. `key` is the shop's own name for it."""

    key: str
    name: str
    brand: str = ""
    category: str = ""
    features: list[str] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    audience: str = ""
    tags: str = ""


@dataclass(slots=True)
class Catalogue:
    """What an import found: products, and in plain words what it left out."""

    products: list[Product]
    notes: list[str] = field(default_factory=list)

    def jobs(self, channels: Sequence[str] = CHANNELS_WANTED, variants: int = 3) -> Iterator[dict[str, Any]]:
        """One copy job for each product and channel, and one image job for each product, as spec rows.

        Raises `SpecError` for an unknown channel and a number of variants that no job may have.
        """
        if not 1 <= variants <= MAX_VARIANTS:
            raise SpecError(f"{variants:,} variants are asked for. Use 1 to {MAX_VARIANTS:,}")
        for channel in channels:
            if channel not in CHANNELS:
                near = nearest(channel, CHANNELS)
                advice = f"Did you mean {near}?" if near else f"Use {listed(CHANNELS)}"
                raise SpecError(f"there is no channel {quote(channel)}. {advice}")
        for product in self.products:
            stem = _job_stem(product.key)
            common = {
                "product_name": _cut(product.name, "name"),
                "brand_name": _cut(product.brand, "brand") or None,
                "category": _cut(product.category, "category") or None,
                "meta_product": product.key,
                "meta_tags": product.tags or None,
            }
            for channel in dict.fromkeys(channels):
                yield {
                    "job_id": f"{stem}-{channel}",
                    "kind": "copy",
                    "variants": variants,
                    "channel": channel,
                    "features": product.features[:_MOST_FEATURES],
                    "facts": dict(itertools.islice(product.facts.items(), _MOST_FACTS)),
                    "audience": product.audience or None,
                    **common,
                }
            yield {
                "job_id": f"{stem}-image",
                "kind": "image",
                "variants": 1,
                "features": product.features[:1],
                "facts": {key: value for key, value in product.facts.items() if key in _VISIBLE},
                **common,
            }


def write(jobs: Iterator[dict[str, Any]], path: Path) -> int:
    """Write spec rows as Parquet; the number of rows. Raises `SpecError` when there are none or the place is wrong."""
    table = pa.Table.from_pylist(
        [{**job, "facts": list(job["facts"].items()) or None, "features": job["features"] or None} for job in jobs],
        schema=_SPECS,
    )
    if not table.num_rows:
        raise SpecError("the catalogue holds no product to make jobs of. Look at its Published column")
    try:
        pq.write_table(table, path)
    except OSError as error:
        raise SpecError(
            f"{path}: cannot be written: {error.strerror or error}. Name a file in a folder that exists"
        ) from error
    return int(table.num_rows)


def rows_of(path: Path, required: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows of a CSV or TSV export by column name, with row numbers from 1. Raises `SpecError`."""
    if path.suffix.lower() in (".xml", ".rss", ".atom"):
        raise SpecError(f"{path}: XML feeds are not read. Export the catalogue as CSV or TSV")
    if not path.is_file():
        raise SpecError(f"{path}: there is no such file. Check the path")
    try:
        with path.open(encoding=_encoding(path), newline="") as file:
            reader = csv_reader(file)
            names = [name.strip().removeprefix("g:") for name in next(reader, [])]
            if missing := [name for name in required if name.lower() not in {n.lower() for n in names}]:
                found = ", ".join(show(n, 30) for n in names[:12]) or "none"
                raise SpecError(f"{path}: has no column {listed(missing)}; its columns are {found}. Export it again")
            for number, cells in enumerate((row for row in reader if any(row)), 1):
                if len(cells) > len(names):
                    raise SpecError(
                        f"{path}, row {number:,}: has {len(cells)} cells where the header has {len(names)}. "
                        "Look for text that lacks its quotation marks"
                    )
                yield number, dict(zip(names, (cell.strip() for cell in cells), strict=False))
    except UnicodeDecodeError as error:
        raise SpecError(f"{path}: is neither UTF-8 nor UTF-16 text. Save it as CSV UTF-8") from error
    except csv.Error as error:
        raise SpecError(f"{path}: is not CSV ({error}). Look for a quotation mark that is never closed") from error
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror or error}. Check its permissions") from error


def describe(body: str) -> tuple[list[str], dict[str, str]]:
    """What a product's description holds: sentences and list entries as features, `Name: value` lines as facts."""
    features: dict[str, str] = {}
    facts: dict[str, str] = {}
    for line in _lines(body):
        pair = re.fullmatch(r"([^\W\d][\w /-]{1,30}):\s+(\S.{0,120})", line)
        if pair and len(pair[1].split()) <= 3:
            facts.setdefault(pair[1].strip().lower(), pair[2].rstrip(" ."))
            continue
        for sentence in re.split(r"(?<=[.!?…])\s+(?=[^\Wa-z])|(?<=[。！？])", line):
            for phrase in _phrases(sentence.strip()):
                if any(c.isalnum() for c in phrase):
                    features.setdefault(phrase.casefold(), _cut(phrase[:1].upper() + phrase[1:], "feature"))
    return list(features.values()), facts


def fact(key: str, value: str) -> tuple[str, str]:
    """A name and value short enough for a fact."""
    return _cut(key, "key"), _cut(value, "fact")


def _phrases(sentence: str) -> list[str]:
    """A sentence without its full stop; one that lists parts between commas as those parts."""
    sentence = re.sub(r"\s+", " ", sentence).rstrip(" .。")
    parts = re.split(r",\s+", sentence)
    joined = [parts[0]]
    for part in parts[1:]:
        words = part.split()
        # “in thin, polyester fabric” is one thing, and so is a clause that goes on after its comma.
        goes_on = re.search(r"\b(a|an|the|in|of|for|from|on|by|to|is|are|and|very) \S+$", joined[-1], re.I)
        dependent = re.match(r"(or|but|so|which|that|who|where|while|when|if|in|of|for|on|by|as)\b", part, re.I)
        if goes_on or dependent or len(words) < 2 or len(joined[-1].split()) < 2:
            joined[-1] += f", {part}"
        else:
            joined.append(part)
    if len(joined) == 1:
        return joined
    return [re.sub(r"^(and |with |plus )+(an? |the )?", "", part, flags=re.I) for part in joined]


class _Text(HTMLParser):
    """The text of an HTML body, a line for each block; scripts and styles are left out."""

    _BLOCKS = frozenset({"p", "div", "br", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "table", "tr", "hr"})
    _SILENT = frozenset({"script", "style", "template", "noscript", "svg", "iframe"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        if tag in self._SILENT:
            self._silent += 1
        self.parts.append("\n" if tag in self._BLOCKS else " " if tag in ("td", "th") else "")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._SILENT:
            self._silent = max(0, self._silent - 1)
        self.parts.append("\n" if tag in self._BLOCKS else " " if tag in ("td", "th") else "")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def _lines(body: str) -> list[str]:
    if "<" in body:
        parser = _Text()
        # A line break in HTML source is a blank.
        parser.feed(re.sub(r"\s+", " ", body))
        parser.close()
        body = "".join(parser.parts)
    lines = (re.sub(r"\s+", " ", html.unescape(line)).strip(" \u200b•*–-·") for line in body.splitlines())
    return [line for line in lines if line]


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(4)
    return "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _cut(text: str, what: str) -> str:
    """The text within its bound, cut between words."""
    most = _LONGEST[what]
    if len(text) <= most:
        return text
    head, blank, _ = text[: most - 1].rpartition(" ")
    return (head if blank and len(head) > most // 2 else text[: most - 1]).rstrip(" ,;:") + "…"


def _job_stem(key: str) -> str:
    """A product's key as the head of its job ids: what cannot stand in one is replaced, and a hash keeps it unique."""
    plain = unicodedata.normalize("NFKD", key).encode("ascii", "ignore").decode()
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip(".-")[:100]
    if safe == key:
        return safe
    return f"{safe or 'product'}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"
