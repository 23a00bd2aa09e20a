"""How requests name an order: by the id minted for it, or as `channel:external id` within the brand."""

import re
from typing import Annotated

from pydantic import Field, StringConstraints

from ordertrail.domain.events import TrackingEvent
from ordertrail.domain.ids import NaturalKey

_NATURAL = re.compile(r"(?P<channel>[a-z0-9][a-z0-9_-]{0,49}):(?P<external_id>[^\x00]{1,120})", re.DOTALL)

_MINTED = re.compile(r"ord_[0-9a-z]{26}")

Reference = Annotated[str, StringConstraints(min_length=1, max_length=171, pattern=r"^[^\x00]+$")]


class TrackingReport(TrackingEvent):
    """A tracking event as it is posted: the event, and the order it belongs to where that is needed."""

    order: Reference | None = Field(
        None, description="The order `shipment_ref` is a shipment of: its id, or `channel:external id`"
    )


def natural_key(brand: str, reference: str) -> NaturalKey | None:
    """The natural key in a reference such as `web:10-442`, or None where it cannot be one of any order."""
    found = _NATURAL.fullmatch(reference)
    external_id = found["external_id"].strip() if found else ""
    if found is None or not external_id:
        return None
    return NaturalKey(brand=brand, channel=found["channel"], external_id=external_id)


def is_reference(reference: str) -> bool:
    """Whether this is of the form of an order's id or natural key at all; if not, no order can be meant."""
    return _MINTED.fullmatch(reference) is not None or natural_key("", reference) is not None
