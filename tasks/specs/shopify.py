"""Shopify's product export (CSV) as a catalogue.

A product is one or more rows of a `Handle`: the first has its title and body, further ones its variants and pictures.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from pathlib import Path

from tasks.specs.catalogue import Catalogue, Product, describe, fact, rows_of
from tasks.specs.problems import SpecError, show

_REQUIRED = ("Handle", "Title")
_METAFIELD = re.compile(r"(.+?) \(product\.metafields\..+\)")
_PEOPLE = {"men", "women", "kids", "children", "girls", "boys", "babies", "teens", "unisex", "male", "female", "adult"}
_CALLED = {"male": "men", "female": "women", "mens": "men", "womens": "women", "men's": "men", "women's": "women"}


def import_shopify(path: Path, currency: str = "$") -> Catalogue:
    """The published products of a Shopify product export.

    `currency` goes before prices, which the export gives as bare numbers. Raises `SpecError`.
    """
    grouped: dict[str, list[dict[str, str]]] = {}
    for number, row in rows_of(path, _REQUIRED):
        handle = row["Handle"]
        if not handle:
            raise SpecError(f"{path}, row {number:,}: has no Handle. Every row of a product export has one")
        grouped.setdefault(handle, []).append(row)
    catalogue = Catalogue([])
    unpublished = untitled = 0
    for handle, rows in grouped.items():
        if rows[0].get("Published", "").lower() == "false":
            unpublished += 1
        elif not (title := _first(rows, "Title")):
            untitled += 1
        else:
            try:
                catalogue.products.append(_product(handle, title, rows, currency))
            except InvalidOperation:
                raise SpecError(
                    f"{path}, product {show(handle)}: has a price that is no number. Export it again"
                ) from None
    if unpublished:
        catalogue.notes.append(f"{unpublished:,} products were left out because they are not published")
    if untitled:
        catalogue.notes.append(f"{untitled:,} products were left out because they have no title")
    return catalogue


def _product(handle: str, title: str, rows: list[dict[str, str]], currency: str) -> Product:
    features, facts = describe(_first(rows, "Body (HTML)"))
    facts = {**facts, **_metafields(rows[0]), **_options(rows)}
    if price := _prices((row.get("Variant Price", "") for row in rows), currency):
        facts["price"] = price
    tags = _first(rows, "Tags")
    return Product(
        key=handle,
        name=title,
        brand=_first(rows, "Vendor"),
        category=_category(rows),
        features=features,
        facts=dict(fact(key, value) for key, value in facts.items()),
        audience=_audience(_first(rows, "Google Shopping / Gender"), tags),
        tags=tags,
    )


def _first(rows: list[dict[str, str]], column: str) -> str:
    return next((row[column] for row in rows if row.get(column)), "")


def _category(rows: list[dict[str, str]]) -> str:
    for column in ("Type", "Custom Product Type", "Product Category", "Google Shopping / Google Product Category"):
        text = _first(rows, column).rpartition(">")[2].strip()
        if text and not text.isdigit():
            return text
    return ""


def _options(rows: list[dict[str, str]]) -> dict[str, str]:
    """Options as facts: every value of one, in order. A product without variants has the option Title."""
    facts = {}
    for number in (1, 2, 3):
        name = _first(rows, f"Option{number} Name")
        values = dict.fromkeys(value for row in rows if (value := row.get(f"Option{number} Value")))
        if name and values and (name, [*values]) != ("Title", ["Default Title"]):
            facts[name.lower()] = ", ".join(values)
    return facts


def _metafields(row: dict[str, str]) -> dict[str, str]:
    """Metafields as facts, such as `Color (product.metafields.shopify.color-pattern)`."""
    facts = {}
    for column, value in row.items():
        named = _METAFIELD.fullmatch(column)
        if named and value and len(value) <= 120 and not value.startswith(("http", "{", "[", "gid:")):
            facts[named[1].strip().lower()] = re.sub(r"\s*;\s*", ", ", value)
    return facts


def _prices(texts: Iterable[str], currency: str) -> str:
    """One price, or the lowest and the highest. Raises `InvalidOperation` for what is no number."""
    prices = sorted({value for text in texts if text and (value := Decimal(text)).is_finite() and value > 0})
    shown = [f"{currency}{p:,.0f}" if p == p.to_integral() else f"{currency}{p:,.2f}" for p in prices]
    return "–".join(dict.fromkeys((shown[0], shown[-1]))) if shown else ""


def _audience(gender: str, tags: str) -> str:
    for word in (gender, *tags.split(",")):
        word = word.strip().lower()
        word = _CALLED.get(word, word)
        if word in _PEOPLE and word not in ("unisex", "adult"):
            return word
    return ""
