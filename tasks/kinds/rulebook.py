"""Rules as data: the entries of a kind's rules.yaml."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict


class Rule(BaseModel):
    """One rule. `least` and `most` are thresholds in the unit that `says` names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    version: int
    on_fail: Literal["retry", "reject"]
    says: str
    least: float | None = None
    most: float | None = None


def load_rules(path: Path) -> dict[str, Rule]:
    """The rules of a file by their ids."""
    return {rule.id: rule for rule in (Rule(**entry) for entry in yaml.safe_load(path.read_text(encoding="utf-8")))}


def digest_of(path: Path) -> str:
    """SHA-256 of a file of rules."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
