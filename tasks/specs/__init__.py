"""Job specs: reading, checking and describing them, and importing catalogues into them."""

from tasks.specs.checking import check
from tasks.specs.describe import kinds, schema, template
from tasks.specs.importing import import_catalogue
from tasks.specs.problems import Quarantined, SpecError, duplicate
from tasks.specs.reading import numbered, read

__all__ = [
    "Quarantined",
    "SpecError",
    "check",
    "duplicate",
    "import_catalogue",
    "kinds",
    "numbered",
    "read",
    "schema",
    "template",
]
