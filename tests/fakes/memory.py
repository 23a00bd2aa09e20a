"""What a fake provider remembers, and how it can be set from outside."""

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


@dataclass(kw_only=True)
class Kept:
    """A message the provider took, as it came in. `fields` is the parsed body, `raw` its bytes."""

    number: int
    provider_id: str
    to: str
    delivery_id: str | None
    fields: dict[str, Any]
    raw: bytes
    received_at: datetime
    received_monotonic: float
    state: str = "accepted"

    def as_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "provider_id": self.provider_id,
            "to": self.to,
            "delivery_id": self.delivery_id,
            "fields": self.fields,
            "received_at": self.received_at.isoformat(),
            "received_monotonic": self.received_monotonic,
            "state": self.state,
        }


@dataclass(frozen=True, kw_only=True)
class Posted:
    """One attempt to deliver a callback; `status` None: nobody answered, or it was lost on purpose (`lost`).

    `at`: when it was answered, by the clock of `Kept.received_monotonic`.
    """

    url: str
    message: int
    status: int | None
    lost: bool = False
    at: float = field(default_factory=time.monotonic)


class Settings(BaseModel):
    """How the fake behaves towards everybody; changed while it runs, also over HTTP."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    check_requests: bool = True
    latency: float = Field(0, ge=0, description="Seconds before any answer")
    callback_url: str | None = Field(None, description="Where events go if the message does not say it itself")
    callback_delay: float = Field(0, ge=0, description="Seconds until a callback is posted")
    callback_loss: float = Field(0, ge=0, le=1, description="Share of messages whose callbacks are lost")
    callback_tries: int = Field(1, ge=1)
    callback_pause: float = Field(0.5, ge=0, description="Seconds between the tries of one callback")
    rejects: dict[str, str] = Field(default_factory=dict, description="Address -> why it is refused at once")
    fates: dict[str, str] = Field(default_factory=dict, description="Address -> what becomes of messages to it")


@dataclass
class Memory:
    messages: list[Kept] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    callbacks: list[Posted] = field(default_factory=list)
    refused: int = 0
    """Requests that were answered with an error or dropped before anything was taken."""

    def clear(self) -> None:
        self.messages.clear()
        self.violations.clear()
        self.callbacks.clear()
        self.refused = 0
