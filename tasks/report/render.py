"""From a gathered page to one HTML file: no request leaves it, and no script runs in it but its own."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tasks.report import charts
from tasks.report.gather import Page


def render(page: Page) -> bytes:
    """The report as UTF-8 HTML. Every value is escaped; style and script are allowed by their hashes alone."""
    style, script = _own("style.css"), _own("script.js")
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    html = (
        _environment()
        .get_template("template.html.jinja")
        .render(
            page=page,
            policy=policy,
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            charts=charts,
            now=datetime.now(UTC),
        )
    )
    return html.encode()


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("tasks.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        day=_day,
        between=_between,
        span=_span,
        count=_count,
        percent=_percent,
        beside=_beside,
        said=_said,
        clip=_clip,
        words=_words,
    )
    return environment


def _own(name: str) -> str:
    return files("tasks.report").joinpath(name).read_text("utf-8").strip()


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _day(when: datetime | None) -> str:
    return f"{when.astimezone(UTC):%-d %B %Y, %H:%M} UTC" if when else "–"


def _between(start: datetime, end: datetime) -> str:
    """Two times, the day said once if it is one."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if start.date() != end.date():
        return f"{_day(start)} to {_day(end)}"
    first, last = f"{start:%H:%M}", f"{end:%H:%M}"
    return f"{start:%-d %B %Y}, {first if first == last else f'{first} to {last}'} UTC"


def _span(seconds: float) -> str:
    """A time span as people say it."""
    if seconds < 60:
        if seconds < 0.95:
            return f"{1000 * seconds:.0f} ms"
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _count(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:,.4g}"


def _percent(part: float, whole: float) -> str:
    """`part` of `whole`; never rounded up to all nor down to nothing."""
    if not whole:
        return "–"
    share = 100 * part / whole
    if 0 < share < 0.1:
        return "<0.1 %"
    if 99.9 < share < 100:
        return ">99.9 %"
    return f"{share:.1f} %".replace(".0 %", " %")


def _beside(key: str) -> str:
    """The link from the report to another object of the run. It starts with `../`, so it is never another scheme."""
    return f"../{quote(key)}"


def _said(value: Any) -> str:
    """A column of a job as people read it."""
    if isinstance(value, list):
        return ", ".join(str(entry) for entry in value)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {entry}" for name, entry in value.items())
    return str(value)


def _clip(text: Any, most: int) -> str:
    text = str(text)
    return text if len(text) <= most else text[: most - 1] + "…"


def _words(name: str) -> str:
    """A name from code as words."""
    return name.replace("_", " ")
