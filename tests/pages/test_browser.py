"""The tracking page in a real browser: on a phone, with and without JavaScript, under its strict policy."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from ordertrail.domain.vocabulary import Channel
from ordertrail.messages.brand_css import brand_css
from ordertrail.messages.pages import CONTENT_SECURITY_POLICY, EMAIL_CONTENT_SECURITY_POLICY, OutboxItem, Pages
from ordertrail.messages.render import Renderer
from tests.messages import documents
from tests.messages.conftest import TEMPLATES
from tests.messages.facts import CASA_VERDE, FORNO, HAPPENED, K, facts

CHROMIUM = Path("/usr/bin/chromium")
PHONE = {"width": 360, "height": 740}
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}"),
]


class Site:
    """A small server with the pages as the product serves them; `pages` maps a path to (html, policy)."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[str, str]] = {}
        self.changed = threading.Event()
        self._stopped = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()
        self.changed.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                """Quiet: the test's own output matters."""

            def do_GET(self) -> None:
                path = self.path.split("?")[0]
                if path == "/stream":
                    self._stream()
                elif path in site.pages:
                    html, policy = site.pages[path]
                    self._answer(html.encode(), "text/html", policy)
                elif path.startswith("/static/brand/"):
                    brand = FORNO if "forno" in path else CASA_VERDE
                    self._answer(brand_css(brand).encode(), "text/css", CONTENT_SECURITY_POLICY)
                elif path.startswith("/static/") and (file := TEMPLATES / "portal" / path[1:]).is_file():
                    self._answer(file.read_bytes(), TYPES[file.suffix], CONTENT_SECURITY_POLICY)
                else:
                    self.send_error(404)

            def _answer(self, body: bytes, kind: str, policy: str) -> None:
                self.send_response(200)
                self.send_header("Content-Type", f"{kind}; charset=utf-8")
                self.send_header("Content-Security-Policy", policy)
                self.end_headers()
                self.wfile.write(body)

            def _stream(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                self.wfile.write(b": open\n\n")
                self.wfile.flush()
                site.changed.wait(30)
                if not site._stopped.is_set():
                    self.wfile.write(b"id: 1\nevent: change\ndata: {}\n\n")
                    self.wfile.flush()
                    site._stopped.wait(30)

        return Handler


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as engine:
        chromium = engine.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def complaints() -> list[str]:
    return []


def visit(browser: Browser, complaints: list[str], url: str, **options: Any) -> Page:
    """Open the address on a phone; what the browser complains about (policy violations too) is collected."""
    page = browser.new_context(**{"viewport": PHONE, "reduced_motion": "reduce", **options}).new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(f"failed {request.url}"))
    page.goto(url)
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", documents.ALL)
def test_it_reads_well_without_javascript(
    site: Site, browser: Browser, complaints: list[str], pages: Pages, name: str, scheme: str
) -> None:
    view = documents.ALL[name]
    brand = FORNO if view["brand"] == "forno" else CASA_VERDE
    site.pages["/t/x"] = (
        pages.tracking(view, brand, stream_url="/stream", updated_at=documents.UPDATED),
        CONTENT_SECURITY_POLICY,
    )
    page = visit(browser, complaints, f"{site.url}/t/x", java_script_enabled=False, color_scheme=scheme)
    assert page.locator("h1").is_visible() and page.locator("#updated").inner_text().endswith("(CET)")
    header = page.locator("header.top").bounding_box()
    lead = page.locator(".lead").bounding_box()
    assert header is not None and lead is not None
    assert header["width"] == PHONE["width"] and lead["width"] <= PHONE["width"], "nothing wider than the phone"
    assert complaints == []
    page.context.close()


def test_it_is_no_wider_than_the_phone_with_long_words(
    site: Site, browser: Browser, complaints: list[str], pages: Pages
) -> None:
    long = "Donaudampfschifffahrtsgesellschaft" * 4
    line = {"sku": "S", "name": long, "quantity": "1", "unit_price": "123456.78"}
    view = documents.document(number="N" * 80, lines=[line], shipping_method=long, conditions=["delayed"])
    html = pages.tracking(view, CASA_VERDE, stream_url=None, updated_at=documents.UPDATED)
    site.pages["/t/x"] = (html, CONTENT_SECURITY_POLICY)
    page = visit(browser, complaints, f"{site.url}/t/x")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert complaints == []
    page.context.close()


def test_it_follows_the_order_live_and_keeps_the_readers_place(
    site: Site, browser: Browser, complaints: list[str], pages: Pages
) -> None:
    def show(view: dict[str, object]) -> None:
        html = pages.tracking(view, CASA_VERDE, stream_url="/stream", updated_at=documents.UPDATED)
        site.pages["/t/x"] = (html, CONTENT_SECURITY_POLICY)

    show(documents.TWO_PARCELS)
    page = visit(browser, complaints, f"{site.url}/t/x")
    page.locator("#promises summary").click()
    page.locator("#promises summary").focus()
    show({**documents.TWO_PARCELS, "status": "out_for_delivery"})
    site.changed.set()
    page.get_by_role("heading", name="Your order is out for delivery").wait_for(timeout=5000)
    assert page.evaluate("document.activeElement.textContent") == "How the expected date changed"
    assert page.locator("#promises").get_attribute("open") is not None, "what was opened stays open"
    expect(page.locator("#announce")).to_have_text("This page has just been updated.")
    assert complaints == []
    page.context.close()


def test_an_email_in_the_outbox_is_shown_under_its_own_policy(
    site: Site, browser: Browser, complaints: list[str], pages: Pages, renderer: Renderer
) -> None:
    rendered = renderer.render(CASA_VERDE, facts(K.DELAY), Channel.EMAIL)
    item = OutboxItem(
        id=1, brand="casa-verde", channel=Channel.EMAIL, kind=K.DELAY, recipient="ana@example.com", at=HAPPENED,
        rendered=rendered,
    )  # fmt: skip
    site.pages["/outbox/1"] = (pages.outbox_message(item), CONTENT_SECURITY_POLICY)
    site.pages["/outbox/1/html"] = (rendered.html or "", EMAIL_CONTENT_SECURITY_POLICY)
    page = visit(browser, complaints, f"{site.url}/outbox/1", viewport={"width": 1200, "height": 800})
    heading = page.frame_locator("iframe").get_by_role("heading", name="Sorry, your order is late")
    heading.wait_for(timeout=5000)
    assert page.frame_locator("iframe").locator(".card").evaluate("node => node.offsetWidth") > 300
    assert complaints == []
    page.context.close()
