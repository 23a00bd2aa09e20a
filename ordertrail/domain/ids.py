"""Every composed id and key, built in one place each."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta

from ordertrail.domain.vocabulary import Channel, MessageKind

ORDER_SCOPE = ""
"""The shipment part of keys about the whole order."""
TRIAL_PREFIX = "test_"
"""How the ids of test messages begin; deliveries have `dlv_`. Reports on them concern no order."""


@dataclass(frozen=True, kw_only=True)
class NaturalKey:
    """How the outside names an order. Brand and channel are slugs without a colon, so keys are unambiguous."""

    brand: str
    channel: str
    external_id: str


def order_workflow_id(key: NaturalKey) -> str:
    """`order:{brand}:{channel}:{external order id}`; the contract with anybody who signals the workflow."""
    return f"order:{key.brand}:{key.channel}:{key.external_id}"


def parse_order_workflow_id(workflow_id: str) -> NaturalKey | None:
    """The natural key inside a workflow id, or None if it was not built by the rule."""
    parts = workflow_id.split(":", 3)
    if len(parts) != 4 or parts[0] != "order" or not all(parts):
        return None
    return NaturalKey(brand=parts[1], channel=parts[2], external_id=parts[3])


def delivery_key(
    *, order_id: str, shipment_ref: str, kind: MessageKind, occurrence: int, recipient: str, channel: Channel
) -> str:
    """`order:shipment:kind:occurrence:recipient:channel`; at most one delivery ever has it."""
    return f"{order_id}:{shipment_ref}:{kind}:{occurrence}:{recipient}:{channel}"


def push_address(person_id: str, order_id: str) -> str:
    """The address of a person's devices that follow an order; it names no device, and is resolved when it is used."""
    return f"{person_id}/{order_id}"


def parse_push_address(address: str) -> tuple[str, str]:
    """The person's and the order's id in a push address."""
    person_id, _, order_id = address.partition("/")
    return person_id, order_id


def tracker_key(brand: str, carrier: str, tracking_number: str) -> str:
    """What an unmatched scan waits for; numbers compare without spaces and case."""
    return f"tracker:{brand}:{carrier}:{normal_tracking_number(tracking_number)}"


def natural_match_key(key: NaturalKey) -> str:
    """What an event for an order not yet known waits for."""
    return order_workflow_id(key)


def normal_tracking_number(tracking_number: str) -> str:
    """Upper case, no spaces or hyphens."""
    return tracking_number.replace(" ", "").replace("-", "").upper()


def keyed_hash(secret: bytes, *parts: str) -> str:
    """A pseudonym for personal data used in a key: HMAC-SHA-256, not to be guessed back without the secret."""
    return hmac.new(secret, "\x00".join(parts).encode(), hashlib.sha256).hexdigest()


def jitter(seed: str, span: timedelta) -> timedelta:
    """A delay within `span`, always the same for the same seed: ten thousand deadlines must not fall due at once."""
    fraction = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4], "big") / 2**32
    return span * fraction
