"""A stand-in for SendGrid: Mail Send, and signed events posted in batches."""

import base64
import json
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes import process
from tests.fakes.faults import Fault
from tests.fakes.memory import Kept
from tests.fakes.openapi import SpecCheck
from tests.fakes.server import FakeProvider

API_KEY = "SG.fake-key"

# What becomes of a message, by the fate of its address; the events of one fate are one batch.
FATES: dict[str, tuple[dict[str, str], ...]] = {
    "delivered": ({"event": "processed"}, {"event": "delivered", "response": "250 OK"}),
    "bounce": (
        {"event": "processed"},
        {"event": "bounce", "type": "bounce", "status": "5.1.1", "reason": "550 5.1.1 no such user"},
    ),
    "blocked": ({"event": "processed"}, {"event": "bounce", "type": "blocked", "reason": "451 try later"}),
    "deferred": ({"event": "processed"}, {"event": "deferred", "attempt": "1", "response": "400 try again"}),
    "dropped": ({"event": "dropped", "reason": "Bounced Address"},),
    "spamreport": ({"event": "processed"}, {"event": "delivered"}, {"event": "spamreport"}),
    "unsubscribe": ({"event": "processed"}, {"event": "delivered"}, {"event": "unsubscribe"}),
    "opened": ({"event": "processed"}, {"event": "delivered"}, {"event": "open"}, {"event": "click"}),
    "nothing": (),
}


class FakeSendGrid(FakeProvider):
    """Events go to `settings.callback_url`; verify them with `public_key`. `rejects` maps an address to a message."""

    check = SpecCheck("tsg_mail_v3.json", "/v3/mail/send")

    def __init__(self, *, api_key: str = API_KEY, **settings: Any) -> None:
        self.api_key = api_key
        self._key = ec.generate_private_key(ec.SECP256R1())
        super().__init__(**({"callback_tries": 20} | settings))

    @property
    def public_key(self) -> str:
        """As SendGrid shows it: base64 of the DER public key."""
        der = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(der).decode()

    def info(self) -> dict[str, Any]:
        return super().info() | {"public_key": self.public_key, "api_key": self.api_key}

    def routes(self) -> list[Route]:
        return [Route("/v3/mail/send", self.handle, methods=["POST"])]

    def error(self, fault: Fault, request: Request, body: bytes) -> Response:
        response = _errors(fault.status, f"The request for {_recipient(body)} failed.", None)
        if fault.retry_after is not None:
            response.headers["Retry-After"] = fault.retry_after
        if fault.rate_limit_reset is not None:
            response.headers["X-RateLimit-Reset"] = str(fault.rate_limit_reset)
        return response

    def answer(self, request: Request, body: bytes) -> Response:
        if request.headers.get("Authorization") != f"Bearer {self.api_key}":
            return _errors(401, "The provided authorization grant is invalid, expired, or revoked", None)
        if self.settings.check_requests:
            violation = self.check.violation(request, body)
            if violation:
                self.violations.append(violation)
                return _errors(400, f"{violation} (recipient {_recipient(body)})", None)
        try:
            mail = json.loads(body)
            addressed = mail["personalizations"][0]
            to = addressed["to"][0]["email"]
        except (ValueError, LookupError, TypeError):
            return _errors(400, "Bad Request", None)
        refusal = self._refusal(mail, to)
        if refusal is not None:
            return _errors(400, *refusal)
        kept = self._keep(mail, to, addressed.get("custom_args", {}), body)
        return Response(status_code=202, headers={"X-Message-Id": kept.provider_id})

    def _refusal(self, mail: dict[str, Any], to: str) -> tuple[str, str] | None:
        """The rules that SendGrid has and its document does not tell."""
        types = [part["type"] for part in mail.get("content", ())]
        rules = (
            (to in self.settings.rejects, f"{to}: {self.settings.rejects.get(to)}", "personalizations.0.to.0.email"),
            ("@" not in to, f"Does not contain a valid address: {to}", "personalizations.0.to.0.email"),
            (not mail.get("subject"), f"The subject is required (to {to})", "subject"),
            (not types, f"The content value must be a string at least one character in length (to {to})", "content"),
            ("text/plain" in types[1:], f"If present, text/plain must be first (to {to})", "content"),
        )
        return next(((message, field) for broken, message, field in rules if broken), None)

    def _keep(self, mail: dict[str, Any], to: str, custom_args: dict[str, str], body: bytes) -> Kept:
        kept = Kept(
            number=len(self.messages),
            provider_id=base64.urlsafe_b64encode(uuid4().bytes).decode().rstrip("="),
            to=to,
            delivery_id=custom_args.get("delivery_id"),
            fields=mail,
            raw=body,
            received_at=datetime.now(UTC),
            received_monotonic=time.monotonic(),
        )
        self.messages.append(kept)
        fate = FATES[self.settings.fates.get(to, "delivered")]
        if self.settings.callback_url and fate:
            self.later(kept, self._report(kept, custom_args, fate))
        return kept

    async def _report(self, kept: Kept, custom_args: dict[str, str], fate: tuple[dict[str, str], ...]) -> None:
        assert self.settings.callback_url is not None
        now = datetime.now(UTC)
        common = {
            "email": kept.to,
            "timestamp": int(now.timestamp()),
            "sg_message_id": f"{kept.provider_id}.recvd-fake-{kept.number}-0",
            "smtp-id": f"<{kept.provider_id}@fake>",
        }
        batch = [custom_args | common | event | {"sg_event_id": uuid4().hex} for event in fate]
        kept.state = fate[-1]["event"]
        content = json.dumps(batch, separators=(",", ":")).encode() + b"\r\n"
        await self.post(kept, self.settings.callback_url, content, self.signed(content, now))

    def signed(self, content: bytes, now: datetime) -> dict[str, str]:
        """The headers of an event post: ECDSA over the time and the exact bytes."""
        timestamp = str(int(now.timestamp()))
        signature = self._key.sign(timestamp.encode() + content, ec.ECDSA(hashes.SHA256()))
        return {
            "Content-Type": "application/json",
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        }


def _errors(status: int, message: str, field: str | None) -> Response:
    return JSONResponse({"errors": [{"message": message, "field": field, "help": None}]}, status_code=status)


def _recipient(body: bytes) -> str:
    try:
        return str(json.loads(body)["personalizations"][0]["to"][0]["email"])
    except (ValueError, LookupError, TypeError):
        return "nobody"


def main() -> None:
    parser = process.options("A stand-in for SendGrid.")
    parser.add_argument("--api-key", default=API_KEY)
    arguments = parser.parse_args()
    process.run(lambda: FakeSendGrid(api_key=arguments.api_key, **process.settings(arguments)))


if __name__ == "__main__":
    main()
