"""A provider that costs next to nothing: it takes what SendGrid and Twilio take, and tells when each message came."""

import argparse
import asyncio
import re
import sys
import time
from itertools import count
from typing import cast

import httptools
import uvloop

_NUMBER = count(1)
_EMAIL_TO = re.compile(rb'"to": ?\[\{"email": ?"([^"]+)"')
_SMS_TO = re.compile(rb"(?:^|&)To=(?:%2B|\+)(\d+)")


class Provider(asyncio.Protocol):
    """One connection. Writes a line `<recipient> <monotonic seconds>` to standard output for each message."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are not registered as such
        self._parser = httptools.HttpRequestParser(self)
        self._url, self._body = b"", b""
        self._came = 0.0

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._url, self._body = b"", b""
        self._came = time.monotonic()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        number = next(_NUMBER)
        if self._url.endswith(b"/v3/mail/send"):
            self._tell(_EMAIL_TO.search(self._body))
            self._answer(b"202 Accepted", b"", b"X-Message-Id: bench-%d\r\n" % number)
        elif self._url.endswith(b"/Messages.json"):
            self._tell(_SMS_TO.search(self._body))
            body = b'{"sid": "SM%032d", "status": "queued", "to": "+1", "body": ""}' % number
            self._answer(b"201 Created", body, b"Content-Type: application/json\r\n")
        else:
            self._answer(b"200 OK", b"", b"")

    def _tell(self, recipient: re.Match[bytes] | None) -> None:
        name = recipient[1].decode() if recipient else "?"
        sys.stdout.write(f"{name} {self._came:.6f}\n")
        sys.stdout.flush()

    def _answer(self, status: bytes, body: bytes, more: bytes) -> None:
        head = b"HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n" % (status, len(body), more)
        self._transport.write(head + body)
        if not self._parser.should_keep_alive():
            self._transport.close()


async def serve(port: int) -> None:
    """Serve on the loopback interface until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    uvloop.run(serve(parser.parse_args().port))
