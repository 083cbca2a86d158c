"""Job specs: reading, checking and describing them, and importing catalogues into them."""

from tasks.specs.problems import Quarantined, SpecError, duplicate
from tasks.specs.reading import numbered, read

__all__ = ["Quarantined", "SpecError", "duplicate", "numbered", "read"]
