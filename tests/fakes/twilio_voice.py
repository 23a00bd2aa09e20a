"""A stand-in for Twilio's calls: create and list, and signed reports of how they went."""

import time
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, urlencode
from uuid import uuid4

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.memory import Kept
from tests.fakes.openapi import SpecCheck
from tests.fakes.twilio import E164, FakeTwilio, error, form_of, moment

PATH = "/2010-04-01/Accounts/{AccountSid}/Calls.json"
_WAITING = frozenset({"queued"})


class FakeTwilioVoice(FakeTwilio):
    """`fates` maps a number to "completed", "nothing" (it stays queued), "busy", "no-answer", "canceled", "failed" or
    "failed:<SIP code>"; by default a call is answered. Each call's `fields["events"]` holds what it wants reported."""

    check = SpecCheck("twilio_api_v2010.json", PATH)

    def routes(self) -> list[Route]:
        return [Route(PATH, self.handle, methods=["POST", "GET"])]

    def create(self, body: bytes) -> Response:
        form = form_of(body)
        refusal = self.refusal(form)
        if refusal is not None:
            return error(400, *refusal)
        kept = Kept(
            number=len(self.messages),
            provider_id=f"CA{uuid4().hex}",
            to=form["To"],
            delivery_id=None,
            fields=form | {"events": parse_qs(body.decode()).get("StatusCallbackEvent", [])},
            raw=body,
            received_at=datetime.now(UTC),
            received_monotonic=time.monotonic(),
            state="queued",
        )
        self.messages.append(kept)
        answer = JSONResponse(self.resource(kept), status_code=201)
        fate = self.settings.fates.get(kept.to, "completed")
        if fate != "nothing":
            self.later(kept, self._tell(kept, fate))
        return answer

    def refusal(self, form: dict[str, str]) -> tuple[int, str] | None:
        to, sender, rejected = form.get("To", ""), form.get("From", ""), self.settings.rejects.get(form.get("To", ""))
        twiml = form.get("Twiml", "")
        rules = (
            (not E164.fullmatch(to), 21211, f"The 'To' number {to} is not a valid phone number."),
            (not E164.fullmatch(sender), 21212, f"The 'From' number to call {to} is not a valid phone number."),
            (not twiml, 21205, f"Url parameter is required to call {to}."),
            (len(twiml) > 4000, 21205, f"Twiml for {to} is too long."),
            (rejected is not None, int(rejected or 0), f"The call to {to} was refused."),
        )
        return next(((code, message) for broken, code, message in rules if broken), None)

    async def _tell(self, kept: Kept, fate: str) -> None:
        final, _, sip = fate.partition(":")
        reports = [("in-progress", "answered")] if final == "completed" else []
        for number, (status, event) in enumerate([*reports, (final, "completed")]):
            kept.state = status
            if event not in kept.fields["events"]:
                continue
            params = {
                "CallSid": kept.provider_id,
                "CallStatus": status,
                "To": kept.to,
                "Called": kept.to,
                "From": kept.fields["From"],
                "AccountSid": self.account_sid,
                "ApiVersion": "2010-04-01",
                "Direction": "outbound-api",
                "Timestamp": format_datetime(datetime.now(UTC)),
                "CallbackSource": "call-progress-events",
                "SequenceNumber": str(number),
            } | ({"SipResponseCode": sip} if sip else {})
            url = kept.fields["StatusCallback"]
            await self.post(kept, url, urlencode(params).encode(), self.signed(url, params))

    def listed_as(self) -> str:
        return "calls"

    def matches(self, kept: Kept, query: dict[str, str]) -> bool:
        started = None if kept.state in _WAITING else kept.received_at
        return (
            query.get("To", kept.to) == kept.to
            and query.get("From", kept.fields["From"]) == kept.fields["From"]
            and ("StartTime>" not in query or (started is not None and started >= moment(query["StartTime>"])))
        )

    def resource(self, kept: Kept) -> dict[str, Any]:
        when = format_datetime(kept.received_at)
        return {
            "sid": kept.provider_id,
            "account_sid": self.account_sid,
            "api_version": "2010-04-01",
            "date_created": when,
            "date_updated": when,
            "start_time": None if kept.state in _WAITING else when,
            "end_time": None,
            "direction": kept.fields.get("direction", "outbound-api"),
            "duration": None,
            "from": kept.fields["From"],
            "parent_call_sid": None,
            "status": kept.state,
            "to": kept.to,
            "subresource_uris": {},
            "uri": f"/2010-04-01/Accounts/{self.account_sid}/Calls/{kept.provider_id}.json",
        }

    def calls_from_elsewhere(self, to: str, **fields: Any) -> None:
        """A call that stands in the account's list and was not made by the adapter."""
        self.messages.append(
            Kept(
                number=len(self.messages), provider_id=f"CA{uuid4().hex}", to=to, delivery_id=None, fields=fields,
                raw=b"", received_at=datetime.now(UTC), received_monotonic=time.monotonic(), state="completed",
            )
        )  # fmt: skip
