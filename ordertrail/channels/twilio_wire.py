"""How all of Twilio's products are reached, and how its error codes are read."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from twilio.http.http_client import TwilioHttpClient

from ordertrail.channels import twilio_codes as codes
from ordertrail.channels.verdict import wait_asked_for

CLOCK_SKEW = timedelta(minutes=2)
"""How far Twilio's clock may be behind ours."""
_POOLED_CONNECTIONS = 64


class TwilioWire:
    """The library's own HTTP client, aimed at `base_url`, which raises a refusal as a failure of ours.

    It sees the headers that the library's exceptions lose, and keeps the provider's text out of any exception.
    """

    is_async = False

    def __init__(self, base_url: str, timeout: float) -> None:
        self._base_url = base_url.rstrip("/")
        self._http = TwilioHttpClient(timeout=timeout)
        # The library keeps only a handful of connections, fewer than there are threads that send.
        for scheme in ("https://", "http://"):
            self._http.session.mount(scheme, HTTPAdapter(pool_maxsize=_POOLED_CONNECTIONS))

    def request(self, method: str, uri: str, **options: Any) -> Any:
        """As the library's HttpClient: make one request and return its response. Raises Transient and kin."""
        target = urlsplit(uri)
        query = f"?{target.query}" if target.query else ""
        response = self._http.request(method, f"{self._base_url}{target.path}{query}", **options)
        if response.status_code >= 300:
            verdict = codes.by_answer(response.status_code, _twilio_code(response.text))
            raise verdict.failure(wait_asked_for(response.headers, datetime.now(UTC)))
        return response


def _twilio_code(body: str) -> int | None:
    try:
        code = json.loads(body)["code"]
    except (ValueError, RecursionError, LookupError, TypeError):
        return None
    return code if isinstance(code, int) else None


def reason_of(error_code: str | None, *, otherwise: str) -> tuple[str, bool]:
    """The word for a callback's error code, and whether it closes the channel; `otherwise` where there is no code."""
    if not error_code or not (error_code.isascii() and error_code.isdigit() and len(error_code) <= 6):
        return otherwise, False
    verdict = codes.BY_CODE.get(int(error_code))
    return (verdict.code, verdict.closes_channel) if verdict else (f"twilio_{int(error_code)}", False)
