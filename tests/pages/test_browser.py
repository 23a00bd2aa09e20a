"""Every page in a real browser: phone and desktop, light and dark, right to left, with and without JavaScript."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from sqlalchemy import insert, update

from ordertrail.db.engine import Database
from ordertrail.db.tables import orders, outbox_events
from tests.pages import documents
from tests.pages.conftest import CUSTOMER, Place

pytestmark = pytest.mark.browser

PHONE, SMALLEST, DESKTOP = 390, 320, 1280
LOOKS = [(SMALLEST, "light"), (SMALLEST, "dark"), (DESKTOP, "light"), (DESKTOP, "dark")]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
KIND = "/ops/templates/casa-verde/delay"
OPERATOR_PAGES = {
    "outbox": "/outbox",
    "an email": "/outbox/1",
    "a text": "/outbox/2",
    "a notification": "/outbox/3",
    "a call": "/outbox/4",
    "gallery": "/ops/templates",
    "gallery in Arabic": "/ops/templates?language=ar",
    "a kind in Arabic": f"{KIND}?language=ar",
    "gallery, extreme": "/ops/templates?brand=forno&data=long",
    "a kind": KIND,
    "a kind, hostile": f"{KIND}?data=hostile",
}
SMALL_TARGETS = """() => [...document.querySelectorAll('a, button, input, select, summary')].filter((node) => {
    const box = node.getBoundingClientRect();
    const inSentence = node.matches('p a, td .excerpt a') && !node.matches('.buttons a, .line a, nav a');
    return box.width && box.height && !node.classList.contains('skip') && !inSentence
        && (box.width < 24 || box.height < 24) && node.type !== 'hidden';
}).map((node) => node.outerHTML.slice(0, 120))"""


class Visitor:
    """Opens pages and remembers what is wrong with them."""

    def __init__(self, browser: Browser, served: str) -> None:
        self._browser = browser
        self._served = served
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []
        self.push_key: str | None = None

    def open(self, path: str, *, width: int = PHONE, **options: Any) -> Page:
        context = self._browser.new_context(
            viewport={"width": width, "height": 800}, reduced_motion="reduce", **options
        )  # fmt: skip
        self._contexts.append(context)
        page = context.new_page()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog {dialog.message}"))
        page.on("request", self._asked)
        page.route("**/v1/push/key", self._key)
        answer = page.goto(self._served + path)
        assert answer is not None and answer.ok, f"{path} answered {answer and answer.status}"
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    def _console(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self._served, "data:")):
            self.complaints.append(f"another host was asked: {request.url}")

    def _key(self, route: Route) -> None:
        route.fulfill(json={"key": self.push_key})


@pytest.fixture
def visitor(browser: Browser, served: str) -> Iterator[Visitor]:
    visitor = Visitor(browser, served)
    yield visitor
    visitor.close()


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{each['id']}: {[node['html'][:200] for node in each['nodes']]}" for each in found]


def assert_fits(page: Page) -> None:
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "the page scrolls sideways"


def pictured(view: dict[str, Any], served: str) -> dict[str, Any]:
    lines = [{**line, "image_url": f"{served}/static/demo/lamp.png"} for line in view["lines"]]
    return {**view, "lines": lines}


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
@pytest.mark.parametrize("name", documents.ALL)
def test_a_tracking_page_is_for_everybody(
    visitor: Visitor, served: str, place: Place, name: str, width: int, scheme: Any
) -> None:
    page = visitor.open(place(pictured(documents.ALL[name], served)), width=width, color_scheme=scheme)
    assert violations(page) == []
    assert page.evaluate(SMALL_TARGETS) == []
    assert_fits(page)
    assert visitor.complaints == []


@pytest.mark.parametrize("locale", ["ar", "ja", "de"])
@pytest.mark.parametrize("width", [SMALLEST, DESKTOP])
def test_a_tracking_page_in_other_scripts(visitor: Visitor, place: Place, locale: str, width: int) -> None:
    page = visitor.open(place({**documents.TWO_PARCELS, "locale": locale}), width=width)
    html = page.locator("html")
    lang = html.get_attribute("lang") or ""
    assert html.get_attribute("dir") == ("rtl" if lang.startswith("ar") else "ltr")
    assert violations(page) == []
    assert_fits(page)
    assert visitor.complaints == []


def test_right_to_left_begins_on_the_right(visitor: Visitor, place: Place) -> None:
    page = visitor.open(place({**documents.TWO_PARCELS, "locale": "ar"}), width=DESKTOP)
    if page.locator("html").get_attribute("dir") != "rtl":
        pytest.skip("there is no Arabic catalogue here")
    heading, card = page.locator("h1").bounding_box(), page.locator(".hero").bounding_box()
    assert heading and card
    first, last = page.locator(".steps.small").first.locator("li").all()[::4]
    start, end = first.bounding_box(), last.bounding_box()
    assert start and end and start["x"] > end["x"], "progress goes from right to left"


@pytest.mark.parametrize("name", documents.ALL)
def test_a_tracking_page_says_all_without_javascript(visitor: Visitor, place: Place, name: str) -> None:
    page = visitor.open(place(documents.ALL[name]), java_script_enabled=False)
    assert (
        page.locator("h1").is_visible() and page.locator("#items").is_visible() and page.locator("#help").is_visible()
    )
    assert "Updated just now" in " ".join(page.locator(".updated").inner_text().split())
    assert not page.locator("#notify").is_visible()
    assert visitor.complaints == []


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
@pytest.mark.parametrize("name", OPERATOR_PAGES)
def test_an_operators_page_is_for_everybody(visitor: Visitor, name: str, width: int, scheme: Any) -> None:
    page = visitor.open(OPERATOR_PAGES[name], width=width, color_scheme=scheme)
    page.wait_for_load_state("networkidle")
    assert violations(page) == []
    assert page.evaluate(SMALL_TARGETS) == []
    assert_fits(page)
    assert visitor.complaints == []


@pytest.mark.parametrize("width", [SMALLEST, DESKTOP])
def test_hostile_text_stays_text_and_fits(visitor: Visitor, place: Place, width: int) -> None:
    page = visitor.open(place(documents.HOSTILE), width=width)
    assert page.locator("script").count() == 1 and page.locator("img").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
    assert "<script>alert(1)</script>" in page.locator("main").inner_text()
    assert_fits(page)
    assert visitor.complaints == []


def test_the_focus_is_always_seen(visitor: Visitor, place: Place) -> None:
    page = visitor.open(place(documents.TWO_PARCELS), width=DESKTOP)
    seen = []
    for _ in range(8):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                "(() => { const it = document.activeElement, style = getComputedStyle(it);"
                "return [it.textContent.trim(), parseFloat(style.outlineWidth), style.outlineStyle,"
                " it.getBoundingClientRect().top >= 0]; })()"
            )
        )
    assert seen[0][0] == "Skip to content"
    assert len({text for text, *_ in seen}) == len(seen)
    assert all(width >= 2 and style != "none" and on_screen for _, width, style, on_screen in seen), seen


def test_it_follows_the_order_and_keeps_the_readers_place(visitor: Visitor, place: Place, database: Database) -> None:
    page = visitor.open(place(documents.TWO_PARCELS))
    page.locator("#promises summary").click()
    page.locator("#promises summary").focus()
    page.wait_for_timeout(300)
    now = documents.UPDATED + timedelta(seconds=1)
    changed = {**documents.TWO_PARCELS, "status": "out_for_delivery"}
    with database.write() as c:
        c.execute(update(orders).values(document=json.dumps(changed)))
        c.execute(
            insert(outbox_events).values(
                brand="casa-verde", order_id=changed["order_id"], type="order.updated", data={}, at=now
            )
        )
    page.get_by_role("heading", name="Your order is out for delivery").wait_for(timeout=8000)
    assert page.evaluate("document.activeElement.textContent") == "How the expected date changed"
    assert page.locator("#promises").get_attribute("open") is not None, "what was opened stays open"
    expect(page.locator("#announce")).to_have_text("This page has just been updated.")
    assert visitor.complaints == []


@pytest.mark.parametrize(
    "key", [None, "BEl62iUYgUivxIkv69yViEuiBIa-Ib9-SkvMeAtA3LFgDzkrxZJjSgSnfckjBJuBkr3qBUYIHBQFLXYp5Nksh8U"]
)
def test_notifications_are_offered_where_the_server_sends_them(visitor: Visitor, place: Place, key: str | None) -> None:
    visitor.push_key = key
    page = visitor.open(place(documents.TWO_PARCELS), permissions=["notifications"])
    if key is None:
        page.wait_for_timeout(500)
        assert not page.locator("#notify").is_visible()
    else:
        expect(page.get_by_role("button", name="Notify me on this device")).to_be_visible()
        assert violations(page) == []
    assert visitor.complaints == []


def test_it_prints_on_white_without_what_paper_cannot_do(visitor: Visitor, place: Place) -> None:
    page = visitor.open(place(documents.TWO_PARCELS), color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator(".buttons").first.is_hidden() and page.locator("h1").is_visible()


def test_an_email_is_seen_light_and_dark_whatever_the_operator_prefers(visitor: Visitor) -> None:
    page = visitor.open(KIND, width=DESKTOP, color_scheme="dark")
    shade = "() => getComputedStyle(document.querySelector('h1')).color"
    frames = page.locator("iframe")
    expect(frames).to_have_count(4)
    for number in range(4):
        frames.nth(number).scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")
    colours = [
        page.frame_locator("iframe")
        .nth(number)
        .locator("h1")
        .evaluate(shade.replace("document.querySelector('h1')", "node").replace("()", "(node)", 1))
        for number in range(4)
    ]
    assert colours[0] == colours[1] != colours[2] == colours[3]


def test_a_test_goes_to_the_operator_and_never_to_a_customer(visitor: Visitor) -> None:
    page = visitor.open(KIND, width=DESKTOP)

    def send(to: str) -> str:
        page.get_by_label("Your own address or number").fill(to)
        page.get_by_role("button", name="Send test").click()
        return page.get_by_role("status").inner_text()

    assert "Sent by console" in send("me@operator.example")
    assert "belongs to a customer" in send(CUSTOMER)
    assert "not an address" in send("+34612345678")
    page.get_by_text("The last tests").click()
    assert page.get_by_role("cell", name="sent", exact=True).count() == 1
    page.goto(page.url.split("/ops")[0] + "/outbox")
    assert "[Test] " in page.locator("tbody").inner_text()
