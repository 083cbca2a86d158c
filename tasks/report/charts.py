"""Charts as inline SVG. Shapes carry classes, colours come from the style sheet, so light, dark and print follow.

Everything from outside goes through `escape`; what is returned is `Markup`, which the template does not escape again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup, escape

FEW = 10  # cells of fewer source rows are not drawn
MAX_LABELS = 8
LABEL_LENGTH = 22
WIDTH, HEIGHT = 280, 96
ROW = 18


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
    """A figure on the line from its floor to its ceiling."""
    known = [number for number in (value, floor, ceiling) if number is not None]
    low, high = min(known), max(known)
    pad = (high - low) * 0.06 or 1.0

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
        '<rect class="mark" x="{:.1f}" y="2" width="10" height="20" rx="3"/></svg>'
    ).format(f"{value:g}, floor {floor}, ceiling {ceiling}", band, ticks, at(value) - 5)


def column(drawn: dict[str, Any]) -> Markup:
    """One column of a synthetic table over its source: a histogram of numbers, or paired bars of categories.

    `source` and `synthetic` are counts or shares of the same cells; `edges` (one more than cells) or `labels` name them.
    """
    source, synthetic = _cells(drawn.get("source")), _cells(drawn.get("synthetic"))
    size = min(len(source), len(synthetic))
    if not size:
        return Markup('<p class="quiet">Too few rows to draw.</p>')
    hidden = [_hidden(cell) for cell in source]
    source = [0.0 if hide else cell or 0.0 for cell, hide in zip(source, hidden, strict=True)][:size]
    synthetic = [cell or 0.0 for cell in synthetic][:size]
    total, made = sum(source) or 1.0, sum(synthetic) or 1.0
    left, right = [cell / total for cell in source], [cell / made for cell in synthetic]
    labels = drawn.get("labels")
    if isinstance(labels, list) and len(labels) >= size:
        return _categories([str(label) for label in labels[:size]], left, right, str(drawn.get("name", "")))
    return _histogram(left, right, drawn.get("edges") or [], str(drawn.get("name", "")))


def _cells(cells: Any) -> list[float | None]:
    return [None if cell is None else float(cell) for cell in cells] if isinstance(cells, list) else []


def _hidden(cell: float | None) -> bool:
    return cell is None or (cell.is_integer() and 0 < cell < FEW)


def _histogram(source: Sequence[float], synthetic: Sequence[float], edges: Sequence[Any], name: str) -> Markup:
    top = max(*source, *synthetic, 1e-9)
    step = WIDTH / len(source)

    def outline(cells: Sequence[float]) -> str:
        points = [
            f"L{i * step:.1f} {HEIGHT - 4 - (HEIGHT - 10) * cell / top:.1f}H{(i + 1) * step:.1f}"
            for i, cell in enumerate(cells)
        ]
        return f"M0 {HEIGHT - 4}" + "".join(points) + f"V{HEIGHT - 4}"

    ends = Markup("")
    if len(edges) >= 2:
        ends = Markup('<div class="ends"><span>{}</span><span>{}</span></div>').format(
            _short(edges[0]), _short(edges[-1])
        )
    return (
        Markup(
            '<svg class="hist" viewBox="0 0 {w} {h}" preserveAspectRatio="none" role="img" aria-label="{said}">'
            '<path class="source" d="{a}"/><path class="synthetic" d="{b}"/>'
            '<path class="axis" d="M0 {y}H{w}"/></svg>'
        ).format(
            w=WIDTH,
            h=HEIGHT,
            y=HEIGHT - 4,
            a=outline(source),
            b=outline(synthetic),
            said=f"{name}: synthetic values over source values",
        )
        + ends
    )


def _categories(labels: Sequence[str], source: Sequence[float], synthetic: Sequence[float], name: str) -> Markup:
    order = sorted(range(len(labels)), key=lambda i: -max(source[i], synthetic[i]))
    shown = order[:MAX_LABELS]
    top = max(*(source[i] for i in shown), *(synthetic[i] for i in shown), 1e-9)
    rows = Markup("")
    for line, i in enumerate(shown):
        y = line * ROW
        rows += Markup(
            '<text class="label" x="0" y="{ty}">{label}<title>{whole}</title></text>'
            '<rect class="source" x="112" y="{y}" width="{a:.1f}" height="11" rx="1.5"/>'
            '<rect class="synthetic" x="112" y="{ys}" width="{b:.1f}" height="3" rx="1.5"/>'
        ).format(
            ty=y + 12,
            label=_short(labels[i]),
            whole=f"{labels[i]:.200}: source {source[i]:.1%}, synthetic {synthetic[i]:.1%}",
            y=y + 3,
            ys=y + 7,
            a=168 * source[i] / top,
            b=168 * synthetic[i] / top,
        )
    more = len(order) - len(shown)
    note = Markup('<p class="quiet">and {} more</p>').format(more) if more else Markup("")
    return (
        Markup('<svg class="cats" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
            WIDTH, ROW * len(shown) + 2, f"{name}: shares of categories, synthetic beside source", rows
        )
        + note
    )


def _short(value: Any) -> Markup:
    text = f"{value:,.6g}" if isinstance(value, float) else str(value)
    return escape(text if len(text) <= LABEL_LENGTH else text[: LABEL_LENGTH - 1] + "…")
