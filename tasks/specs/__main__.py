"""Writes docs/spec-columns.md from the job models."""

from pathlib import Path

from tasks.specs.describe import markdown

page = Path(__file__).parents[2] / "docs" / "spec-columns.md"
page.parent.mkdir(exist_ok=True)
page.write_text(markdown(), "utf-8")
