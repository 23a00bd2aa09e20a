"""Watches for carriers that fall silent as a whole, so that their customers are not alarmed one by one."""

from datetime import datetime, timedelta

import structlog
from prometheus_client import Gauge
from sqlalchemy import Connection

from ordertrail.db import carriers
from ordertrail.domain.brand import Brand
from ordertrail.domain.policy.delay import MOVING

log = structlog.get_logger(__name__)

ENOUGH = 20
"""Fewer moving shipments than this say nothing about their carrier."""
NEARLY_ALL = 0.8
FRESH = timedelta(minutes=1)

# Metrics live as long as their process, like its loggers.
_SILENT = Gauge(
    "ordertrail_carrier_silent",
    "1 while nearly all shipments of a carrier have had no scan for longer than the brand allows.",
    ("brand", "carrier"),
)


class CarrierWatch:
    """Remembers for a minute per brand. The operator is told by a log line and the metric, on each change."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[datetime, frozenset[str]]] = {}

    def silent(self, c: Connection, brand: Brand, now: datetime) -> frozenset[str]:
        """The carriers of which over four in five moving shipments have had no scan for the brand's silence span."""
        read_at, before = self._known.get(brand.id, (None, frozenset()))
        if read_at is not None and abs(now - read_at) < FRESH:
            return before
        counts = carriers.moving_by_carrier(
            c, brand.id, statuses=sorted(MOVING), silent_since=now - brand.policy.silence
        )
        found = frozenset(
            carrier for carrier, (total, quiet) in counts.items() if total >= ENOUGH and quiet > NEARLY_ALL * total
        )
        self._known[brand.id] = (now, found)
        self._tell(brand.id, before, found)
        return found

    def _tell(self, brand: str, before: frozenset[str], found: frozenset[str]) -> None:
        for carrier in sorted(found - before):
            _SILENT.labels(brand=brand, carrier=carrier).set(1)
            log.warning("carrier_silent", brand=brand, carrier=carrier)
        for carrier in sorted(before - found):
            _SILENT.labels(brand=brand, carrier=carrier).set(0)
            log.info("carrier_heard_again", brand=brand, carrier=carrier)
