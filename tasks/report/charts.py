"""Charts as inline SVG. Shapes carry classes, colours come from the style sheet, so light, dark and print follow.

Everything from outside goes through `escape`; what is returned is `Markup`, which the template does not escape again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup, escape

FEW = 10  # cells of fewer source rows are not drawn
MAX_LABELS = 8
LABEL_LENGTH, MAX_EDGE = 17, 24
WIDTH, HEIGHT = 280, 96
NOTHING = Markup('<p class="quiet few">Too few rows to draw.</p>')
ROW = 20
LABELS = 120  # where bars of categories begin


def stacked(values: Sequence[tuple[str, str, int]], total: int) -> Markup:
    """One bar of several parts, each (class, label, number)."""
    said = ", ".join(f"{number:,} {label}" for _, label, number in values if number)
    parts, x = Markup(""), 0.0
    for name, label, number in values:
        width = 1000 * number / total if total else 0.0
        if width:
            parts += Markup(
                '<rect class="{}" x="{:.2f}" y="0" width="{:.2f}" height="10"><title>{}</title></rect>'
            ).format(name, x, width, f"{number:,} {label}")
        x += width
    return Markup(
        '<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<rect class="track" width="1000" height="10"/>{}</svg>'
    ).format(said or "nothing yet", parts)


def bar(value: float, most: float, name: str = "accent", said: str = "") -> Markup:
    """A bar of `value` on a scale that ends at `most`."""
    width = 1000 * min(1.0, value / most) if most else 0.0
    return Markup(
        '<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<rect class="track" width="1000" height="10"/><rect class="{}" width="{:.2f}" height="10"/></svg>'
    ).format(said or f"{value:,} of {most:,}", name, width)


def bullet(value: float, floor: float | None, ceiling: float | None) -> Markup:
    """A figure between its floor and its ceiling, on a line that ends at 1; without a floor, one that starts at 0."""
    known = [number for number in (value, floor, ceiling) if number is not None]
    low, high = (0.0, max(known) or 1.0) if floor is None else (min(known), max(1.0, *known))
    pad = (high - low) * 0.08 or 1.0

    def at(number: float) -> float:
        return 1000 * (number - low + pad) / (high - low + 2 * pad)

    band = ticks = Markup("")
    if floor is not None and ceiling is not None:
        left, right = sorted((at(floor), at(ceiling)))
        band = Markup('<rect class="band" x="{:.1f}" y="8" width="{:.1f}" height="8"/>').format(left, right - left)
    for number in (floor, ceiling):
        if number is not None:
            ticks += Markup('<rect class="tick" x="{:.1f}" y="5" width="4" height="14"/>').format(at(number) - 2)
    return Markup(
        '<svg class="bullet" viewBox="0 0 1000 24" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<rect class="track" y="8" width="1000" height="8"/>{}{}'
        '<rect class="mark" x="{:.1f}" y="2" width="16" height="20" rx="4"/></svg>'
    ).format(f"{value:g}, floor {floor}, ceiling {ceiling}", band, ticks, at(value) - 8)


def column(drawn: dict[str, Any]) -> Markup:
    """One column of a synthetic table over its source: a histogram of numbers, or paired bars of categories.

    `source` and `synthetic` are counts or shares of the same cells; `edges` (one more than there are cells) or `labels`
    say what the cells are. A source cell of None, or of a few rows, is not drawn.
    """
    if drawn.get("kind") == "formula":
        return Markup('<p class="quiet few">Worked out from other columns.</p>')
    if "source" not in drawn:
        return Markup('<p class="quiet few">Made anew, so there is nothing to compare.</p>')
    cells = list(zip(_cells(drawn.get("source")), _cells(drawn.get("synthetic")), strict=False))
    labels, edges = drawn.get("labels"), drawn.get("edges")
    hidden = _hidden([source for source, _ in cells])
    name = str(drawn.get("name", ""))
    total = sum(source or 0.0 for source, _ in cells) or 1.0
    made = sum(synthetic or 0.0 for _, synthetic in cells) or 1.0
    shares = [
        (0.0 if hide else (source or 0.0) / total, (synthetic or 0.0) / made)
        for (source, synthetic), hide in zip(cells, hidden, strict=True)
    ]
    if isinstance(labels, list) and len(labels) >= len(cells):
        named = [(str(label), *share) for label, share, hide in zip(labels, shares, hidden, strict=False) if not hide]
        return _categories(named, name) if named else NOTHING
    # The outermost cells are cut off when few rows are in them: their edges are somebody's values.
    seen = [i for i, hide in enumerate(hidden) if not hide]
    if not seen:
        return NOTHING
    first, last = seen[0], seen[-1] + 1
    return _histogram(shares[first:last], edges[first : last + 1] if isinstance(edges, list) else [], name)


def _cells(cells: Any) -> list[float | None]:
    return [None if cell is None else float(cell) for cell in cells] if isinstance(cells, list) else []


def _hidden(cells: Sequence[float | None]) -> list[bool]:
    """Which cells may not be drawn: those left out already, and counts of a few."""
    counts = sum(cell or 0.0 for cell in cells) > 1.5  # shares add up to 1
    return [cell is None or (counts and 0 < cell < FEW) for cell in cells]


def _histogram(shares: Sequence[tuple[float, float]], edges: Sequence[Any], name: str) -> Markup:
    top = max(1e-9, *(max(pair) for pair in shares))
    step = WIDTH / len(shares)

    def outline(which: int) -> str:
        points = [
            f"L{i * step:.1f} {HEIGHT - 4 - (HEIGHT - 10) * pair[which] / top:.1f}H{(i + 1) * step:.1f}"
            for i, pair in enumerate(shares)
        ]
        return f"M0 {HEIGHT - 4}" + "".join(points) + f"V{HEIGHT - 4}"

    ends = Markup("")
    if len(edges) >= 2:
        ends = Markup('<div class="ends"><span>{}</span><span>{}</span></div>').format(
            _edge(edges[0]), _edge(edges[-1])
        )
    return (
        Markup(
            '<svg class="hist" viewBox="0 0 {w} {h}" preserveAspectRatio="none" role="img" aria-label="{said}">'
            '<path class="source" d="{a}"/><path class="synthetic" d="{b}"/><path class="axis" d="M0 {y}H{w}"/></svg>'
        ).format(
            w=WIDTH,
            h=HEIGHT,
            y=HEIGHT - 4,
            a=outline(0),
            b=outline(1),
            said=f"{name}: synthetic values over source values",
        )
        + ends
    )


def _categories(cells: Sequence[tuple[str, float, float]], name: str) -> Markup:
    shown = sorted(cells, key=lambda cell: -max(cell[1:]))[:MAX_LABELS]
    top = max(1e-9, *(max(cell[1:]) for cell in shown))
    rows = Markup("")
    for line, (label, source, synthetic) in enumerate(shown):
        y = line * ROW
        rows += Markup(
            '<g><title>{whole}</title><text class="label" x="0" y="{ty}">{label}</text>'
            '<rect class="source" x="{left}" y="{y}" width="{a:.1f}" height="13" rx="1.5"/>'
            '<rect class="synthetic" x="{left}" y="{ys}" width="{b:.1f}" height="4" rx="1.5"/></g>'
        ).format(
            ty=y + 13,
            label=_short(label),
            whole=f"{label:.200}: source {source:.1%}, synthetic {synthetic:.1%}",
            left=LABELS,
            y=y + 2,
            ys=y + 6.5,
            a=(WIDTH - LABELS) * source / top,
            b=(WIDTH - LABELS) * synthetic / top,
        )
    more = len(cells) - len(shown)
    note = Markup('<p class="quiet few">and {} more</p>').format(more) if more else Markup("")
    return (
        Markup('<svg class="cats" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
            WIDTH, ROW * len(shown) + 2, f"{name}: shares of categories, synthetic beside source", rows
        )
        + note
    )


def _edge(value: Any) -> str:
    """The end of an axis: a number, or a date without an empty time of day."""
    return f"{value:,.4g}" if isinstance(value, float) else str(value).removesuffix(" 00:00:00")[:MAX_EDGE]


def _short(value: Any) -> Markup:
    text = str(value)
    return escape(text if len(text) <= LABEL_LENGTH else text[: LABEL_LENGTH - 1] + "…")
