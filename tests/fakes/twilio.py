"""A stand-in for Twilio: Messages (create and list), and signed status callbacks."""

import base64
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from twilio.request_validator import RequestValidator

from tests.fakes import process
from tests.fakes.faults import Fault
from tests.fakes.memory import Kept
from tests.fakes.openapi import SpecCheck
from tests.fakes.server import FakeProvider

ACCOUNT_SID = "AC" + "0" * 31 + "1"
AUTH_TOKEN = "fake-auth-token"
PATH = "/2010-04-01/Accounts/{AccountSid}/Messages.json"

E164 = re.compile(r"\+[1-9]\d{6,14}")
_UNSENT = frozenset({"queued"})


class FakeTwilio(FakeProvider):
    """Reports go to a message's StatusCallback, else to `settings.callback_url`, signed with `auth_token`.

    `rejects` maps a number to the code it is refused with. `fates` maps one to "delivered", "nothing" (it stays
    queued), an error code (undelivered) or "failed:<code>".
    """

    check = SpecCheck("twilio_api_v2010.json", PATH)

    def __init__(self, *, account_sid: str = ACCOUNT_SID, auth_token: str = AUTH_TOKEN, **settings: Any) -> None:
        self.account_sid = account_sid
        self.auth_token = auth_token
        super().__init__(**settings)

    def info(self) -> dict[str, Any]:
        return super().info() | {"account_sid": self.account_sid, "auth_token": self.auth_token}

    def routes(self) -> list[Route]:
        return [Route(PATH, self.handle, methods=["POST", "GET"])]

    def error(self, fault: Fault, request: Request, body: bytes) -> Response:
        code = 20429 if fault.status == 429 and fault.code is None else fault.code
        recipient = form_of(body).get("To") or request.query_params.get("To")
        response = error(fault.status, code, f"The request for {recipient} failed.")
        if fault.retry_after is not None:
            response.headers["Retry-After"] = fault.retry_after
        return response

    def answer(self, request: Request, body: bytes) -> Response:
        if request.headers.get("Authorization") != self._authorization():
            return error(401, 20003, "Authenticate")
        if self.settings.check_requests:
            violation = self.check.violation(request, body)
            if violation:
                self.violations.append(violation)
                return error(400, 20001, f"{violation} (recipient {form_of(body).get('To')})")
        return self._list(request) if request.method == "GET" else self.create(body)

    def _authorization(self) -> str:
        return "Basic " + base64.b64encode(f"{self.account_sid}:{self.auth_token}".encode()).decode()

    def create(self, body: bytes) -> Response:
        form = form_of(body)
        refusal = self.refusal(form)
        if refusal is not None:
            return error(400, *refusal)
        kept = Kept(
            number=len(self.messages),
            provider_id=f"SM{uuid4().hex}",
            to=form["To"],
            delivery_id=None,
            fields=form,
            raw=body,
            received_at=datetime.now(UTC),
            received_monotonic=time.monotonic(),
            state="queued",
        )
        self.messages.append(kept)
        answer = JSONResponse(self.resource(kept), status_code=201)
        statuses = list(_statuses(self.settings.fates.get(kept.to, "delivered")))
        url = form.get("StatusCallback") or self.settings.callback_url
        if url and statuses:
            self.later(kept, self._report(kept, url, statuses))
        elif statuses:
            kept.state = statuses[-1][0]
        return answer

    def refusal(self, form: dict[str, str]) -> tuple[int, str] | None:
        """The rules that Twilio has and its document does not tell."""
        to, sender = form.get("To", ""), form.get("From") or form.get("MessagingServiceSid")
        rejected = self.settings.rejects.get(to)
        rules = (
            (not to, 21604, "A 'To' phone number is required."),
            (not E164.fullmatch(to), 21211, f"The 'To' number {to} is not a valid phone number."),
            (not sender, 21603, f"A 'From' phone number is required to message {to}."),
            (not form.get("Body"), 21602, f"Message body is required to message {to}."),
            (len(form.get("Body", "")) > 1600, 21617, f"The message body to {to} exceeds 1600 characters."),
            (rejected is not None, int(rejected or 0), f"The message to {to} was refused."),
        )
        return next(((code, message) for broken, code, message in rules if broken), None)

    async def _report(self, kept: Kept, url: str, statuses: list[tuple[str, str | None]]) -> None:
        for status, error_code in statuses:
            kept.state = status
            params = {
                "MessageSid": kept.provider_id,
                "SmsSid": kept.provider_id,
                "MessageStatus": status,
                "SmsStatus": status,
                "To": kept.to,
                "From": kept.fields.get("From", "+15005550006"),
                "AccountSid": self.account_sid,
                "ApiVersion": "2010-04-01",
            }
            if error_code is not None:
                params |= {"ErrorCode": error_code, "ErrorMessage": f"Could not reach {kept.to}"}
            await self.post(kept, url, urlencode(params).encode(), self.signed(url, params))

    def signed(self, url: str, params: dict[str, str]) -> dict[str, str]:
        """The headers of a status callback."""
        signature = RequestValidator(self.auth_token).compute_signature(url, params)
        return {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}

    def _list(self, request: Request) -> Response:
        """Newest first, by recipient, sender and time of sending; a message not sent yet has none and matches none."""
        query = request.query_params
        found = [kept for kept in reversed(self.messages) if self.matches(kept, dict(query))]
        size, page = int(query.get("PageSize", "50")), int(query.get("Page", "0"))
        shown = found[page * size : (page + 1) * size]
        path = request.url.path
        more = (page + 1) * size < len(found)
        following = f"{path}?{urlencode(dict(query) | {'Page': page + 1, 'PageSize': size})}" if more else None
        return JSONResponse(
            {
                self.listed_as(): [self.resource(kept) for kept in shown],
                "page": page,
                "page_size": size,
                "start": page * size,
                "end": page * size + max(len(shown) - 1, 0),
                "uri": path,
                "first_page_uri": path,
                "next_page_uri": following,
                "previous_page_uri": None,
            }
        )

    def listed_as(self) -> str:
        """Under what name the list stands in its page."""
        return "messages"

    def matches(self, kept: Kept, query: dict[str, str]) -> bool:
        sent = None if kept.state in _UNSENT else kept.received_at
        tests: dict[str, Callable[[str], bool]] = {
            "To": lambda value: kept.to == value,
            "From": lambda value: kept.fields.get("From") == value,
            "DateSent": lambda value: sent is not None and sent.date() == moment(value).date(),
            "DateSent>": lambda value: sent is not None and sent >= moment(value),
            "DateSent<": lambda value: sent is not None and sent <= moment(value),
        }
        return all(test(query[name]) for name, test in tests.items() if name in query)

    def resource(self, kept: Kept) -> dict[str, Any]:
        uri = f"/2010-04-01/Accounts/{self.account_sid}/Messages/{kept.provider_id}"
        when = format_datetime(kept.received_at)
        return {
            "sid": kept.provider_id,
            "account_sid": self.account_sid,
            "api_version": "2010-04-01",
            "body": kept.fields.get("Body"),
            "date_created": when,
            "date_sent": None if kept.state in _UNSENT else when,
            "date_updated": when,
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": kept.fields.get("From"),
            "messaging_service_sid": kept.fields.get("MessagingServiceSid"),
            "num_media": "0",
            "num_segments": "1",
            "price": None,
            "price_unit": None,
            "status": kept.state,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": kept.to,
            "uri": f"{uri}.json",
        }


def moment(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _statuses(fate: str) -> Iterator[tuple[str, str | None]]:
    if fate == "nothing":
        return
    yield "sent", None
    if fate == "delivered":
        yield "delivered", None
    elif fate.startswith("failed:"):
        yield "failed", fate.removeprefix("failed:")
    else:
        yield "undelivered", fate


def form_of(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))


def error(status: int, code: int | None, message: str) -> Response:
    shown = status if code is None else code
    more = f"https://www.twilio.com/docs/errors/{shown}"
    return JSONResponse({"code": shown, "message": message, "more_info": more, "status": status}, status_code=status)


def main() -> None:
    parser = process.options("A stand-in for Twilio.")
    parser.add_argument("--account-sid", default=ACCOUNT_SID)
    parser.add_argument("--auth-token", default=AUTH_TOKEN)
    arguments = parser.parse_args()
    keys = {"account_sid": arguments.account_sid, "auth_token": arguments.auth_token}
    process.run(lambda: FakeTwilio(**keys, **process.settings(arguments)))


if __name__ == "__main__":
    main()
