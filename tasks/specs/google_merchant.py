"""Google Merchant Center's product feed (CSV or TSV) as a catalogue. Rows of one `item_group_id` are one product."""

from __future__ import annotations

import re
from pathlib import Path

from tasks.specs.catalogue import Catalogue, Product, describe, fact, rows_of
from tasks.specs.problems import SpecError

_REQUIRED = ("id", "title")
_FACTS = ("color", "material", "pattern", "size", "product_length", "product_width", "product_height", "product_weight")
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_AUDIENCES = {"male": "men", "female": "women", "newborn": "newborns", "infant": "infants", "toddler": "toddlers"}


def import_google_merchant(path: Path) -> Catalogue:
    """The products of a Merchant Center feed. Raises `SpecError`."""
    grouped: dict[str, list[dict[str, str]]] = {}
    for number, cells in rows_of(path, _REQUIRED):
        row = {re.sub(r"[ _]+", "_", name.lower().removeprefix("g:")): cell for name, cell in cells.items()}
        if not row["id"]:
            raise SpecError(f"{path}, row {number:,}: has no id. Every product of a feed has one")
        grouped.setdefault(row.get("item_group_id") or row["id"], []).append(row)
    catalogue = Catalogue([])
    untitled = 0
    for key, rows in grouped.items():
        if rows[0].get("title"):
            catalogue.products.append(_product(key, rows))
        else:
            untitled += 1
    if untitled:
        catalogue.notes.append(f"{untitled:,} products were left out because they have no title")
    return catalogue


def _product(key: str, rows: list[dict[str, str]]) -> Product:
    first = rows[0]
    features, found = describe(first.get("description", ""))
    highlights = [text.strip() for text in re.split(r"[,;|]\s*", first.get("product_highlight", "")) if text.strip()]
    facts = {}
    for name in _FACTS:
        values = dict.fromkeys(value.replace("/", ", ") for row in rows if (value := row.get(name)))
        if values:
            facts[name.removeprefix("product_")] = ", ".join(values)
    facts |= found
    if prices := dict.fromkeys(_price(price) for row in rows if (price := row.get("sale_price") or row.get("price"))):
        facts["price"] = next(iter(prices)) if len(prices) == 1 else ", ".join(prices)
    return Product(
        key=key,
        name=first["title"],
        brand=first.get("brand", ""),
        category=_category(first),
        features=[*dict.fromkeys(highlights + features)],
        facts=dict(fact(name, value) for name, value in facts.items()),
        audience=_AUDIENCES.get(first.get("age_group", "").lower())
        or _AUDIENCES.get(first.get("gender", "").lower(), ""),
        tags=first.get("custom_label_0", ""),
    )


def _category(row: dict[str, str]) -> str:
    for column in ("product_type", "google_product_category"):
        text = row.get(column, "").rpartition(">")[2].strip()
        if text and not text.isdigit():
            return text
    return ""


def _price(text: str) -> str:
    """`15.00 USD` as `$15.00`; other currencies as they stand."""
    amount, _, code = text.partition(" ")
    return f"{_SYMBOLS[code]}{amount}" if code in _SYMBOLS else text
