"""What the provider tests share: a message with personal data in it, a callback receiver, and a search for leaks."""

import queue
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ordertrail.domain.brand import Brand, Sender
from ordertrail.domain.message import OutgoingMessage, Rendered
from ordertrail.domain.vocabulary import Channel, MessageKind

PAYLOADS = Path(__file__).resolve().parents[3] / "shared" / "data" / "payloads"

EMAIL = "rosalind.quill@example.com"
PHONE = "+34612345678"
TEXT = "Your order 1001 is out for delivery today, Rosalind."
PERSONAL = (EMAIL, "rosalind", PHONE, PHONE.lstrip("+"), "out for delivery today", "secret-token", "SG.secret")

BRAND = Brand(
    id="north",
    name="North",
    zone="Europe/Madrid",
    sender=Sender(email="orders@north.example", name="North", reply_to="help@north.example", sms_from="+15005550006"),
)


def email_message(**changes: Any) -> OutgoingMessage:
    message = OutgoingMessage(
        delivery_id="dlv_1",
        key="o1:s1:out_for_delivery:1:customer:email",
        brand=BRAND,
        kind=MessageKind.OUT_FOR_DELIVERY,
        channel=Channel.EMAIL,
        to=EMAIL,
        to_name="Rosalind Quill",
        rendered=Rendered(subject="Out for delivery", html=f"<p>{TEXT} ☂</p>", text=TEXT),
    )
    return message.model_copy(update=changes)


def sms_message(**changes: Any) -> OutgoingMessage:
    return email_message(**{"channel": Channel.SMS, "to": PHONE, "rendered": Rendered(text=TEXT)} | changes)


def assert_tells_nothing_personal(error: BaseException) -> None:
    """Neither the error, nor what it wraps, nor its printed traceback names the person, the text or a secret."""
    told = [str(error), repr(error), repr(vars(error)), "".join(traceback.format_exception(error))]
    for wrapped in (error.__cause__, error.__context__):
        told += [str(wrapped), repr(wrapped)] if wrapped is not None else []
    for word in PERSONAL:
        assert not any(word.lower() in text.lower() for text in told), word


@dataclass(frozen=True, kw_only=True)
class Callback:
    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """A real HTTP server that takes callbacks and answers 204, or what `answers` holds first."""

    def __init__(self) -> None:
        self.received: queue.Queue[Callback] = queue.Queue()
        self.answers: queue.Queue[int] = queue.Queue()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.received.put(Callback(path=self.path, headers=headers, body=body))
                self.send_response(204 if receiver.answers.empty() else receiver.answers.get())
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def next(self) -> Callback:
        return self.received.get(timeout=10)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def payload(*parts: str) -> bytes:
    """A real vendor payload from the collection beside the checkout."""
    file = PAYLOADS.joinpath(*parts)
    if not file.exists():
        pytest.skip("the payload collection is not beside the checkout")
    return file.read_bytes()
