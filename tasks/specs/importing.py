"""Catalogues of shop systems to spec files."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tasks.specs.catalogue import CHANNELS_WANTED, Catalogue, write
from tasks.specs.google_merchant import import_google_merchant
from tasks.specs.places import local_copy
from tasks.specs.problems import SpecError, listed, quote
from tasks.specs.shopify import import_shopify

_FORMS: dict[str, Callable[[Path, str], Catalogue]] = {
    "shopify": import_shopify,
    "google-merchant": lambda path, _: import_google_merchant(path),
}


def import_catalogue(
    source: str | Path,
    form: str,
    out: Path,
    *,
    channels: Sequence[str] = CHANNELS_WANTED,
    variants: int = 3,
    currency: str = "$",
) -> str:
    """Write the jobs of a product catalogue as a Parquet spec; what was written and left out, in a sentence.

    `source` is a path or s3:// URI, `form` is `shopify` or `google-merchant`; `currency` goes before Shopify's prices.
    Raises `SpecError`.
    """
    if form not in _FORMS:
        raise SpecError(f"there is no catalogue form {quote(form)}. Use {listed(_FORMS)}")
    with tempfile.TemporaryDirectory(prefix="pressrun-") as scratch:
        catalogue = _FORMS[form](local_copy(str(source), Path(scratch)), currency)
    rows = write(catalogue.jobs(channels, variants), out)
    products = f"{len(catalogue.products):,} product{'' if len(catalogue.products) == 1 else 's'}"
    return ". ".join([f"Wrote {rows:,} jobs for {products} to {out}", *catalogue.notes])
