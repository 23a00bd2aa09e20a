"""What each shipment status may become, as one explicit table, and whose word counts at the same instant."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field

from ordertrail.domain.base import Value
from ordertrail.domain.vocabulary import ShipmentStatus

_S = ShipmentStatus

STAGE: Mapping[ShipmentStatus, int] = MappingProxyType(
    {
        _S.UNKNOWN: 0,
        _S.LABEL_CREATED: 1,
        _S.PICKED_UP: 2,
        _S.IN_TRANSIT: 3,
        _S.OUT_FOR_DELIVERY: 4,
        _S.DELIVERY_ATTEMPTED: 4,
        _S.READY_FOR_PICKUP: 4,
        _S.ON_HOLD: 5,
        _S.EXCEPTION: 5,
        _S.RETURNING: 6,
        _S.DELIVERED: 7,
        _S.RETURNED: 7,
        _S.CANCELLED: 7,
    }
)
"""How far along a status is: 1-4 forward, 5 aside, 6 on the way back, 7 an end. Orders scans of the same instant."""


class Move(Value):
    """The shipment becomes what was reported."""

    kind: Literal["move"] = "move"


class Stay(Value):
    """The report is recorded and changes nothing."""

    kind: Literal["stay"] = "stay"


class Reinterpret(Value):
    """The shipment becomes `as_status`, because here the reported word means something else."""

    kind: Literal["reinterpret"] = "reinterpret"
    as_status: ShipmentStatus


Transition = Annotated[Move | Stay | Reinterpret, Field(discriminator="kind")]

_go = Move()
_no = Stay()
_home = Reinterpret(as_status=_S.RETURNED)

# fmt: off
_ROWS: Mapping[ShipmentStatus, tuple[Move | Stay | Reinterpret, ...]] = {
    # reported:             unkn label pick tran  out  att  ready hold exc  deliv retng retd  canc
    _S.UNKNOWN:            (_no, _go, _go, _go, _go, _go, _go, _go, _go, _go,   _go, _go, _go),
    # Column `unknown`, in every row: a code nobody understands is counted and shown to the operator, never guessed.

    _S.LABEL_CREATED:      (_no, _no, _go, _go, _go, _go, _go, _go, _go, _go,   _go, _go, _go),
    # Anything may follow a label: carriers skip scans, and the first we hear may well be `delivered`.

    _S.PICKED_UP:          (_no, _no, _no, _go, _go, _go, _go, _go, _go, _go,   _go, _go, _go),
    # label: paperwork that came after the parcel; it does not put it back on the shelf. So in every row below.
    # canc: the carrier stops its job; should the parcel be scanned again, row `cancelled` tells.

    _S.IN_TRANSIT:         (_no, _no, _no, _no, _go, _go, _go, _go, _go, _go,   _go, _go, _go),
    # pick: the origin facility's receipt is often keyed in after the first leg's scan; no step back.

    _S.OUT_FOR_DELIVERY:   (_no, _no, _no, _go, _no, _go, _go, _go, _go, _go,   _go, _go, _go),
    # tran: returned to the depot, to go out again. pick: the driver loading the van, no news.
    # hold, exc: damaged or held on the van.

    _S.DELIVERY_ATTEMPTED: (_no, _no, _no, _go, _go, _no, _go, _go, _go, _go,   _go, _go, _go),
    # tran, out: back at the depot, and out again. att: whether it is another attempt is the fold's to say.

    _S.READY_FOR_PICKUP:   (_no, _no, _no, _go, _go, _go, _no, _go, _go, _go,   _go, _go, _go),
    # tran, out, att: taken away from the pickup point again (moved, or redelivery asked for).

    _S.ON_HOLD:            (_no, _no, _go, _go, _go, _go, _go, _no, _go, _go,   _go, _go, _go),
    # pick .. ready: any scan of the parcel being handled is the end of the hold.

    _S.EXCEPTION:          (_no, _no, _go, _go, _go, _go, _go, _go, _no, _go,   _go, _go, _go),
    # pick .. ready: it goes on after all (found, re-labelled, address mended). hold: kept while it is looked into.

    _S.DELIVERED:          (_no, _no, _no, _no, _no, _no, _no, _no, _go, _no,   _go, _go, _no),
    # pick .. ready: late or stray scans; delivered stays delivered. hold: there is nothing left to hold.
    # exc, retng, retd: a true reversal, announced as a correction. canc: nobody can call off what has been handed over.

    _S.RETURNING:          (_no, _no, _no, _no, _no, _no, _no, _no, _go, _home, _no, _go, _no),
    # pick .. ready: legs of the way back. hold: concerns the sender's depot, not the customer.
    # exc: lost or damaged on the way back; a person must know. deliv: to the SENDER, never a congratulation.
    # canc: the delivery was given up already; the goods are still on their way.

    _S.RETURNED:           (_no, _no, _no, _no, _no, _no, _no, _no, _no, _no,   _no, _no, _no),
    # The sender has it: the end. deliv: the sender's own receipt again. A new journey is a new shipment.

    _S.CANCELLED:          (_no, _no, _go, _go, _go, _go, _go, _go, _go, _go,   _go, _go, _no),
    # pick .. retd: a carrier has it after all; follow it, and tell a person. label: paper only.
}
# fmt: on

TRANSITIONS: Mapping[ShipmentStatus, Mapping[ShipmentStatus, Transition]] = MappingProxyType(
    {current: MappingProxyType(dict(zip(ShipmentStatus, row, strict=True))) for current, row in _ROWS.items()}
)
"""`TRANSITIONS[current][reported]`, complete for all 13 x 13 pairs."""

ON_THE_WAY_BACK: Mapping[ShipmentStatus, ShipmentStatus] = MappingProxyType(
    {
        _S.PICKED_UP: _S.RETURNING,
        _S.IN_TRANSIT: _S.RETURNING,
        _S.OUT_FOR_DELIVERY: _S.RETURNING,
        _S.DELIVERY_ATTEMPTED: _S.RETURNING,
        _S.READY_FOR_PICKUP: _S.RETURNING,
        _S.DELIVERED: _S.RETURNED,
    }
)
"""What a carrier's forward words mean of a parcel whose destination is its sender."""


def transition(
    current: ShipmentStatus, reported: ShipmentStatus, *, to_sender: bool, going_back: bool
) -> Move | Stay | Reinterpret:
    """What a report makes of a shipment.

    `to_sender`: the report itself says its destination is the sender. `going_back`: the shipment was `returning` at
    some time before. Either turns forward words into those of the way back before the table is asked.
    """
    meant = ON_THE_WAY_BACK.get(reported, reported) if to_sender or going_back else reported
    answer = TRANSITIONS[current][meant]
    if isinstance(answer, Move) and meant is not reported:
        return Reinterpret(as_status=meant)
    return answer


SOURCE_PRECEDENCE: Mapping[str, int] = MappingProxyType(
    {
        "driver": 4,
        "fleet": 4,
        "own-fleet": 4,
        "own_fleet": 4,
        "carrier": 3,
        "aggregator": 2,
        "17track": 2,
        "aftership": 2,
        "easypost": 2,
        "karrio": 2,
        "ship24": 2,
        "shippo": 2,
        "oms": 1,
    }
)
"""How near a source is to the parcel, by the beginning of its name; of one instant the nearer has the last word."""

UNKNOWN_SOURCE = 0


def source_precedence(source: str) -> int:
    """The precedence of a source, by its name's beginning in lower case; a name not listed is trusted least."""
    name = source.lower()
    return next((rank for prefix, rank in SOURCE_PRECEDENCE.items() if name.startswith(prefix)), UNKNOWN_SOURCE)
