"""Prefect artifacts of a run: a summary table and a link to the report."""

from __future__ import annotations

from typing import Any

from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact


def publish(manifest: dict[str, Any], report: str) -> None:
    """Show a finished run in Prefect's UI."""
    run = manifest["run_id"].lower().replace(".", "-").replace("_", "-")
    rows = [{"kind": kind, **counts} for kind, counts in manifest["items"]["kinds"].items()]
    # Without `_sync`, Prefect gives coroutines where an event loop runs, and publishes nothing.
    create_table_artifact(table=rows, key=f"items-{run}"[:200], description=in_a_line(manifest), _sync=True)  # type: ignore[call-arg]
    create_markdown_artifact(markdown=_summary(manifest), key=f"summary-{run}"[:200], _sync=True)  # type: ignore[call-arg]
    create_link_artifact(link=report, link_text="Report", key=f"report-{run}"[:200], _sync=True)  # type: ignore[call-arg]


def in_a_line(manifest: dict[str, Any]) -> str:
    """The run in one line."""
    items = manifest["items"]
    line = f"{items['accepted']:,} of {items['requested']:,} items accepted"
    if items["reused"]:
        line += f" ({items['reused']:,} made before)"
    if items["shortfall"]:
        line += f", {items['shortfall']:,} given up"
    if manifest["specs"]["quarantined"]:
        line += f", {manifest['specs']['quarantined']:,} spec rows set aside"
    return line


def _summary(manifest: dict[str, Any]) -> str:
    candidates = manifest["candidates"]
    return (
        f"**{manifest['run_id']}**: {in_a_line(manifest)}.\n\n"
        f"{candidates['made']} candidates made, {candidates['rejected']} refused; "
        f"{manifest['tokens']:,} tokens, {manifest['seconds']:.0f} s of work."
    )
