"""The life of an order that is measured: seven milestones, and whom each of them is told to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

BRAND = "bench"
ZONE = "Europe/Berlin"


class Milestone(StrEnum):
    PLACED = "placed"
    PROCESSING = "processing"
    PACKED = "packed"
    SHIPPED = "shipped"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"


MILESTONES = tuple(Milestone)
TEXTED = frozenset({Milestone.SHIPPED, Milestone.OUT_FOR_DELIVERY, Milestone.DELIVERED})
"""What customers who agreed to texts get by SMS as well."""

BRAND_DOCUMENT: Mapping[str, Any] = MappingProxyType(
    {
        "id": BRAND,
        "name": "Bench & Sons",
        "zone": ZONE,
        "sender": {"email": "orders@bench-shop.com", "name": "Bench & Sons", "sms_from": "+491701234567"},
        "support": {"email": "help@bench-shop.com"},
        "policy": {"imminence_hold": "PT0S", "quiet_hours": None},
    }
)


@dataclass(frozen=True, kw_only=True)
class Life:
    """One order. Every third customer agreed to texts, so an order has eight sends on average: seven or ten."""

    number: int
    series: str

    @property
    def external_id(self) -> str:
        """The shop's id of the order."""
        return f"{self.series}-{self.number}"

    @property
    def email(self) -> str:
        """Nobody else's address, so that a message tells its order."""
        return f"{self.external_id}@bench-mail.com"

    @property
    def phone(self) -> str:
        """Nobody else's number, without the plus: a German mobile number."""
        return f"491512{hash_of(self.series) % 90 * 100_000 + self.number:07d}"

    @property
    def texts(self) -> bool:
        """Whether the customer agreed to texts."""
        return self.number % 3 == 0

    def sends(self, milestone: Milestone) -> tuple[str, ...]:
        """The providers a milestone is told through."""
        return ("sendgrid", "twilio") if self.texts and milestone in TEXTED else ("sendgrid",)


def hash_of(series: str) -> int:
    """The same small number for the same series in every process."""
    return sum(ord(letter) * 31**place for place, letter in enumerate(series))


def order(life: Life) -> dict[str, Any]:
    """The body of POST /v1/orders."""
    now = datetime.now(UTC)
    line = {"sku": "LAMP-1", "name": "Desk lamp", "quantity": "1", "unit_price": "39.90"}
    return {
        "brand": BRAND, "channel": "web", "external_id": life.external_id, "placed_at": now.isoformat(),
        "customer": {"name": "Ada Lovelace", "email": life.email, "phone": f"+{life.phone}",
                     "zone": ZONE, "consents": {"sms": life.texts}},
        "lines": [line, {"sku": "BULB-2", "name": "Bulb", "quantity": "2", "unit_price": "4.50"}],
        "currency": "EUR", "totals": {"items": "48.90", "shipping": "4.90", "total": "53.80"},
        "payment": {"state": "paid"}, "shipping_method": "Standard",
        "promise": {"kind": "date", "on": str((now + timedelta(days=2)).date()), "zone": ZONE},
        "shipping_address": {"lines": ["1 Example Street"], "city": "Berlin", "postal_code": "10115", "country": "DE"},
    }  # fmt: skip


def change(life: Life, number: int) -> tuple[str, dict[str, Any]]:
    """The path and the body of a change of the order; each one is told by one email."""
    event = {
        "event_id": f"{life.external_id}-change-{number}", "occurred_at": datetime.now(UTC).isoformat(),
        "kind": "changed", "changes": [{"what": "quantity", "sku": "BULB-2", "before": "2", "after": str(number + 3)}],
    }  # fmt: skip
    return f"/v1/orders/web:{life.external_id}/events", event


def report(life: Life, milestone: Milestone) -> tuple[str, dict[str, Any]]:
    """The path and the body by which a later milestone is reported."""
    number = f"JD{hash_of(life.series) % 10**6:06d}{life.number:08d}"
    event: dict[str, Any] = {
        "event_id": f"{life.external_id}-{milestone}", "occurred_at": datetime.now(UTC).isoformat(),
    }  # fmt: skip
    match milestone:
        case Milestone.PROCESSING | Milestone.PACKED:
            return f"/v1/orders/web:{life.external_id}/events", event | {"kind": milestone.value}
        case Milestone.SHIPPED:
            shipment = {"ref": "S1", "carrier": "dhl", "tracking_number": number,
                        "tracking_url": f"https://carrier.example/{number}"}  # fmt: skip
            return f"/v1/orders/web:{life.external_id}/events", event | {"kind": "shipped", "shipment": shipment}
        case _:
            scan = {"status": milestone.value, "carrier": "dhl", "tracking_number": number, "place": {"city": "Berlin"}}
            return "/v1/tracking-events", event | scan
