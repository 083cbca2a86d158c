"""The report as people open it: from `file://`, in a real browser, and on a run whose texts try to break out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from report_runs import showcase

from tasks import report
from tasks.store import open_store

HOSTILE = (
    "<script>document.title = 'taken'; alert('script')</script>",
    '"><img src=x onerror="alert(1)">',
    "'><svg onload=alert(2)>",
    "</style><style>* { display: none }</style>",
    "</title></head><body onload=alert(3)>",
    "</script><script>alert(4)</script>",
    "javascript:alert(5)",
    "--><!-- ]]> {{ 7 * 7 }} {% raw %}",
    "</textarea></template></svg></dialog><iframe src=https://example.org></iframe>",
    '<a href="javascript:alert(6)">click</a>',
    "\u202egnp.elif\u2066 \u0000 \U0001f600 data:text/html,<b>bold</b>",
)

# Red, green and blue, 0 to 255, of one colour of the page.
CHANNELS = "(name) => getComputedStyle(document.body)[name].match(/[0-9.]+/g).slice(0, 3).map(Number)"


@dataclass(slots=True)
class Opened:
    """A page, and what it did while it was open."""

    page: Any
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)


Opener = Callable[..., Opened]


@pytest.fixture
def opened(chromium: Any) -> Iterator[Opener]:
    """Open a file in a fresh browser context."""
    contexts = []

    def open_(path: str, **options: Any) -> Opened:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        seen = Opened(context.new_page())
        seen.page.on("console", lambda message: seen.console.append(message.text))
        seen.page.on("pageerror", lambda error: seen.console.append(str(error)))
        seen.page.on("request", lambda request: seen.requests.append(request.url))
        seen.page.on("dialog", lambda dialog: (seen.dialogs.append(dialog.message), dialog.dismiss()))
        seen.page.goto(Path(path).as_uri())
        return seen

    yield open_
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("plain")
    store = open_store(str(folder / "store"))
    return report.write(store, showcase(store, jobs=30).run_id, folder)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("hostile")
    store = open_store(str(folder / "store"))
    plan = showcase(store, goods=HOSTILE, tag=" ".join(HOSTILE))
    return report.write(store, plan.run_id, folder)


def test_opens_from_a_file_without_a_word_or_a_request(opened: Opener, plain: str) -> None:
    seen = opened(plain)
    seen.page.mouse.wheel(0, 20_000)
    seen.page.wait_for_timeout(200)
    assert seen.console == []
    assert [url for url in seen.requests if not url.startswith("data:")] == [Path(plain).as_uri()]
    assert seen.page.title() == "autumn-2026-11-21 · Pressrun"
    broken = "[...document.images].filter((image) => !image.complete || !image.naturalWidth).length"
    assert seen.page.evaluate("document.images.length") == 14
    assert seen.page.evaluate(broken) == 0


def test_hostile_texts_are_shown_as_text(opened: Opener, hostile: str) -> None:
    seen = opened(hostile)
    page = seen.page
    for details in page.query_selector_all("details"):
        details.evaluate("(element) => { element.open = true }")
    page.locator("[data-open]").first.click()
    page.wait_for_timeout(300)
    assert seen.dialogs == []
    assert seen.console == []
    assert [url for url in seen.requests if not url.startswith("data:")] == [Path(hostile).as_uri()]
    assert page.title() == "autumn-2026-11-21 · Pressrun"
    assert page.locator("script").count() == 1
    assert page.locator("style").count() == 1
    assert page.locator("iframe, object, embed, form, base, [onload], [onerror], [style]").count() == 0
    assert page.locator("img:not([src^='data:image/webp;base64,'])").count() == 0
    hrefs = page.eval_on_selector_all("a[href]", "(links) => links.map((link) => link.getAttribute('href'))")
    assert hrefs
    assert all(href.startswith(("#", "../")) for href in hrefs)
    shown = page.evaluate("document.body.textContent")
    for text in HOSTILE[:-1]:
        assert text in shown
    assert "7 * 7" in shown
    assert page.locator(".hist").first.get_attribute("aria-label").startswith("age<script>")


def test_the_policy_stops_a_script_that_is_not_ours(opened: Opener, plain: str) -> None:
    seen = opened(plain)
    seen.page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.taken = true";
            document.body.append(script);
            const image = new Image();
            image.src = "https://example.org/pixel.png";
            document.body.append(image);
            document.body.insertAdjacentHTML("beforeend", "<b id=late onclick='window.taken = true'>x</b>");
            document.getElementById("late").click();
        }"""
    )
    seen.page.wait_for_timeout(200)
    assert seen.page.evaluate("window.taken") is None
    assert any("Content Security Policy" in text for text in seen.console)


def test_filter_finds_jobs_by_any_word_of_their_card(opened: Opener, plain: str) -> None:
    page = opened(plain).page
    cards, box = page.locator(".job:visible"), page.get_by_label("Filter jobs")
    assert cards.count() == 20
    box.fill("fernway SMS")
    assert cards.count() == len([i for i in range(30) if i % 7 == 1 and i % 4 == 2])
    assert page.locator("[data-found=jobs]").inner_text() == f"{cards.count()} of 30"
    box.fill("no such words anywhere")
    assert cards.count() == 0
    box.fill("")
    page.get_by_role("button", name="Show all 30").click()
    assert cards.count() == 30


def test_pictures_open_and_turn_over_with_the_keyboard(opened: Opener, plain: str) -> None:
    page = opened(plain).page
    viewer = page.locator("#viewer")
    assert not viewer.is_visible()
    page.locator("[data-open]").first.focus()
    page.keyboard.press("Enter")
    assert viewer.get_by_role("heading").inner_text() == "Alder Bag"
    assert "variant 0" in viewer.inner_text()
    page.keyboard.press("ArrowRight")
    assert "variant 1" in viewer.inner_text()
    page.keyboard.press("ArrowLeft")
    assert "variant 0" in viewer.inner_text()
    page.keyboard.press("Escape")
    assert not viewer.is_visible()
    assert page.evaluate("document.activeElement.matches('[data-open]')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_light_and_dark(opened: Opener, plain: str, scheme: str) -> None:
    page = opened(plain, color_scheme=scheme).page
    ink, paper = (_luminance(page.evaluate(CHANNELS, name)) for name in ("color", "backgroundColor"))
    assert (ink < paper) == (scheme == "light")
    assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) > 12


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_overflows_sideways(opened: Opener, hostile: str, width: int) -> None:
    page = opened(hostile, viewport={"width": width, "height": 800}).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_reads_without_scripts_and_prints_every_job(opened: Opener, plain: str) -> None:
    page = opened(plain, java_script_enabled=False).page
    assert page.locator(".job:visible").count() == 30
    assert not page.get_by_label("Filter jobs").is_visible()
    printed = opened(plain, color_scheme="dark").page
    printed.evaluate("dispatchEvent(new Event('beforeprint'))")
    printed.emulate_media(media="print")
    assert printed.locator(".job:visible").count() == 30
    assert not printed.locator("nav.top").is_visible()
    assert printed.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert _luminance(printed.evaluate(CHANNELS, "color")) < 0.05


def _luminance(color: list[float]) -> float:
    linear = [(c / 255 / 12.92) if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in color]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
