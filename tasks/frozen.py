"""The base of what is written once and read back by other versions and machines."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A record that does not change; a field that it does not know is an error, not a guess."""

    model_config = ConfigDict(frozen=True, extra="forbid")
