"""The channels of marketing copy, with the fields of each and their limits. Data lives in channels.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

import yaml


@dataclass(frozen=True, slots=True)
class FieldLimit:
    """Bounds of one field: graphemes, and for an SMS the number of segments."""

    max: int
    min: int = 1
    segments: int | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """Where a text stands: what it is called in a prompt, and its fields in order."""

    name: str
    about: str
    fields: dict[str, FieldLimit]


def _load() -> dict[str, Channel]:
    table = yaml.safe_load(files(__package__).joinpath("channels.yaml").read_text("utf-8"))
    return {
        name: Channel(name, entry["about"], {field: FieldLimit(**limit) for field, limit in entry["fields"].items()})
        for name, entry in table.items()
    }


CHANNELS: dict[str, Channel] = _load()
