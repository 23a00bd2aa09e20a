"""Providers' callbacks split into single events, each with the bytes that are kept of it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import parse_qsl

from ordertrail.channels.receipts import Report
from ordertrail.channels.sendgrid import parse_sendgrid
from ordertrail.channels.twilio_sms import parse_twilio
from ordertrail.channels.twilio_voice import parse_twilio_call

SENDGRID = "sendgrid"
TWILIO = "twilio"


@dataclass(frozen=True, kw_only=True)
class Callback:
    """One event of a provider. `reference` is the delivery its address named, if it named one."""

    report: Report
    payload: bytes
    reference: str | None = None


def read_sendgrid(raw: bytes, _reference: str | None = None) -> list[Callback]:
    """The events of a batch, or of a single one as it was kept. A body that is no batch is one unreadable event."""
    try:
        batch = json.loads(raw)
    except (ValueError, RecursionError):
        batch = None
    if isinstance(batch, dict):
        batch, raw = [batch], b"[" + raw + b"]"
    reports = parse_sendgrid(raw)
    if not isinstance(batch, list):
        return [Callback(report=report, payload=raw) for report in reports]
    pairs = zip(reports, batch, strict=True)
    return [Callback(report=report, payload=json.dumps(event).encode()) for report, event in pairs]


def read_twilio(raw: bytes, delivery_id: str | None = None) -> list[Callback]:
    """The one event of a status callback (a form), of a text or a call, for the delivery its address named."""
    fields = form_fields(raw)
    parse = parse_twilio_call if "CallSid" in fields else parse_twilio
    return [Callback(report=parse(delivery_id, fields), payload=raw, reference=delivery_id)]


def form_fields(raw: bytes) -> dict[str, str]:
    """The fields of a form body; bytes that are not UTF-8 are replaced. Empty when there are too many fields."""
    try:
        return dict(parse_qsl(raw.decode(errors="replace"), keep_blank_values=True, max_num_fields=200))
    except ValueError:
        return {}


READERS: Mapping[str, Callable[[bytes, str | None], list[Callback]]] = MappingProxyType(
    {SENDGRID: read_sendgrid, TWILIO: read_twilio}
)
"""By connection: how its stored payloads are read again."""
