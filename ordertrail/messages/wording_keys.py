"""The keys under which a brand may rename what customers read."""

from ordertrail.domain.vocabulary import OrderStatus, ShipmentStatus

WORDING_KEYS = frozenset({*OrderStatus, *ShipmentStatus, "collected", "own_fleet_order"})
"""Every status; `collected` for an order fetched; `own_fleet_order` for what a caterer brings."""
