"""Charts: what they draw, what they must not, and thumbnails."""

from __future__ import annotations

import base64
import io
import xml.etree.ElementTree as ElementTree
from typing import Any

import numpy as np
import pytest
from markupsafe import Markup
from PIL import Image

from tasks.report import charts
from tasks.report.pictures import MAX_BYTES, thumbnail


def drawn(markup: Markup) -> ElementTree.Element:
    """The markup, which must be well-formed, below one root."""
    return ElementTree.fromstring(f"<root>{markup}</root>")


def widths(markup: Markup, name: str) -> list[float]:
    return [float(shape.get("width", "nan")) for shape in drawn(markup).iter("rect") if shape.get("class") == name]


def test_stacked_bar_divides_its_length() -> None:
    bar = charts.stacked([("ok", "made", 30), ("reused", "made before", 10), ("bad", "given up", 0)], 50)
    assert widths(bar, "ok") == [600]
    assert widths(bar, "reused") == [200]
    assert widths(bar, "bad") == []
    assert "30 made, 10 made before" in bar


def test_bars_of_nothing_are_empty() -> None:
    assert widths(charts.stacked([("ok", "made", 0)], 0), "ok") == []
    assert widths(charts.bar(0, 0), "accent") == [0]
    assert widths(charts.bar(7, 5), "accent") == [1000]


@pytest.mark.parametrize(("value", "floor", "ceiling"), [(0.9, 0.8, 0.95), (0.7, 0.8, 0.95), (0, None, 0), (1, 1, 1)])
def test_bullet_keeps_its_marks_on_the_line(value: float, floor: float | None, ceiling: float | None) -> None:
    for shape in drawn(charts.bullet(value, floor, ceiling)).iter("rect"):
        left = float(shape.get("x", 0))
        assert -10 <= left <= left + float(shape.get("width", "nan")) <= 1010


def test_few_rows_are_not_drawn() -> None:
    column: dict[str, Any] = {"name": "city", "labels": ["Ulm", "Bonn", "Rare"], "source": [100, 50, 9]}
    chart = charts.column(column | {"synthetic": [90, 60, 3]})
    assert "Ulm" in chart
    assert "Rare" not in chart
    assert len(widths(chart, "source")) == len(widths(chart, "synthetic")) == 2


def test_outer_cells_of_few_rows_take_their_edges_with_them() -> None:
    column = {"edges": [0.0, 10.0, 20.0, 30.0, 987654.0], "source": [4, 100, 80, None], "synthetic": [1, 90, 85, 1]}
    chart = charts.column(column)
    assert "<span>10</span><span>30</span>" in chart
    assert "987" not in chart


def test_shares_are_not_taken_for_counts() -> None:
    assert (
        len(widths(charts.column({"labels": ["a", "b"], "source": [1.0, 0.0], "synthetic": [0.9, 0.1]}), "source")) == 2
    )


def test_columns_without_cells_say_so() -> None:
    assert "Made anew" in charts.column({"name": "id"})
    assert "Too few rows" in charts.column({"edges": [], "source": [], "synthetic": []})
    assert "Too few rows" in charts.column({"labels": ["x"], "source": [2], "synthetic": [2]})


def test_many_categories_are_cut() -> None:
    labels = [f"label {i}" for i in range(30)]
    chart = charts.column({"labels": labels, "source": list(range(40, 70)), "synthetic": list(range(40, 70))})
    assert len(widths(chart, "source")) == charts.MAX_LABELS
    assert "and 22 more" in chart


def test_names_in_charts_are_escaped() -> None:
    name = """</svg><script>alert('1')</script>"x"""
    labelled = charts.column({"name": name, "labels": [name], "source": [50], "synthetic": [50]})
    ranged = charts.column({"name": name, "edges": [name, name], "source": [50], "synthetic": [50]})
    for chart in (labelled, ranged, charts.bar(1, 2, "accent", name), charts.stacked([("ok", name, 1)], 1)):
        assert "<script" not in chart
        assert list(drawn(chart).iter("script")) == []


@pytest.mark.parametrize("size", [(64, 64), (1024, 1024), (2000, 300)])
@pytest.mark.parametrize("form", ["PNG", "WEBP", "JPEG"])
def test_thumbnails_are_small_even_of_noise(size: tuple[int, int], form: str) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form)
    made = thumbnail(buffer.getvalue())
    assert made is not None
    uri, width, height = made
    data = base64.b64decode(uri.removeprefix("data:image/webp;base64,"), validate=True)
    assert len(data) <= MAX_BYTES
    with Image.open(io.BytesIO(data)) as shown:
        assert shown.size == (width, height)
        assert shown.format == "WEBP"
    assert abs(width / height - size[0] / size[1]) < 0.2 * size[0] / size[1]


def test_what_is_no_picture_has_no_thumbnail() -> None:
    bomb = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    gif = io.BytesIO()
    Image.new("RGB", (8, 8)).save(gif, "GIF")
    for data in (b"", b"<svg onload=alert(1)>", b"\x89PNG\r\n\x1a\n" + bytes(40), gif.getvalue(), bomb.getvalue()):
        assert thumbnail(data) is None
