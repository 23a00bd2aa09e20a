"""The fake providers as processes of their own, and what is asked of them over HTTP."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from ordertrail.cli.children import Piece
from tests.fakes.faults import Fault

SENDGRID, TWILIO = "sendgrid", "twilio"


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message a provider took. `text`: the subject of an email, the words of an SMS. `at`: its own clock."""

    provider: str
    number: int
    provider_id: str
    to: str
    delivery_id: str
    text: str
    at: float


@dataclass(frozen=True, kw_only=True)
class Report:
    """One attempt to deliver a callback. `status` None: nobody answered, or it was lost on purpose."""

    provider: str
    message: int
    status: int | None
    lost: bool
    at: float


class FakeProviderProcess:
    """One fake: how it is started and ready, and its control interface. It is never killed: it is who counts."""

    def __init__(self, name: str, port: int, *, seed: int, env: Mapping[str, str]) -> None:
        self.name = name
        self.url = f"http://127.0.0.1:{port}"
        # A kept connection may be closed by the other side just when it is used again.
        unkept = httpx.Limits(max_keepalive_connections=0)
        self._http = httpx.AsyncClient(base_url=self.url, timeout=20, trust_env=False, limits=unkept)
        argv = (
            sys.executable, "-P", "-m", f"tests.fakes.{name}", "--port", str(port), "--seed", str(seed), "--no-check",
        )  # fmt: skip
        self.piece = Piece(name=name, argv=argv, env=env, ready=self._ready)

    async def _ready(self) -> bool:
        try:
            return (await self._http.get("/_fake/info")).is_success
        except httpx.TransportError:
            return False

    async def info(self) -> dict[str, Any]:
        """Where it is and the keys it signs with."""
        return dict((await self._http.get("/_fake/info")).raise_for_status().json())

    async def settings(self, **changes: Any) -> None:
        """Change how it behaves towards everybody."""
        (await self._http.post("/_fake/settings", json=changes)).raise_for_status()

    async def push(self, *faults: Fault) -> None:
        """Let the next requests fail so."""
        body = {"push": [fault.model_dump(mode="json") for fault in faults]}
        (await self._http.post("/_fake/faults", json=body)).raise_for_status()

    async def heal(self) -> None:
        """No more faults; callbacks at once and none lost."""
        (await self._http.post("/_fake/faults", json={"clear": True})).raise_for_status()
        await self.settings(callback_delay=0, callback_loss=0)

    async def messages(self) -> list[Message]:
        """Everything it took."""
        answer = (await self._http.get("/_fake/messages")).raise_for_status().json()
        return [_message(self.name, kept) for kept in answer]

    async def reports(self) -> list[Report]:
        """Every attempt to deliver a callback."""
        answer = (await self._http.get("/_fake/callbacks")).raise_for_status().json()
        return [
            Report(provider=self.name, message=p["message"], status=p["status"], lost=p["lost"], at=p["at"])
            for p in answer
        ]

    async def close(self) -> None:
        """Close the connections to it."""
        await self._http.aclose()


def _message(provider: str, kept: Mapping[str, Any]) -> Message:
    fields = kept["fields"]
    return Message(
        provider=provider,
        number=kept["number"],
        provider_id=kept["provider_id"],
        to=kept["to"],
        # A text names its delivery in the address its status is reported to.
        delivery_id=kept["delivery_id"] or str(fields.get("StatusCallback", "")).rsplit("/", 1)[-1],
        text=fields["subject"] if provider == SENDGRID else fields["Body"],
        at=kept["received_monotonic"],
    )


async def heal(providers: Sequence[FakeProviderProcess]) -> None:
    """Make all of them well."""
    for provider in providers:
        await provider.heal()
