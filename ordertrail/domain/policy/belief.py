"""What the customer knows of a shipment already, and so need not be told again."""

from datetime import datetime
from itertools import takewhile
from zoneinfo import ZoneInfo

from ordertrail.domain.order_state import ShipmentState
from ordertrail.domain.policy.memory import ShipmentMemory
from ordertrail.domain.policy.situation import Situation
from ordertrail.domain.vocabulary import ReasonCode, ShipmentStatus

_S = ShipmentStatus
PROBLEMS = frozenset({_S.ON_HOLD, _S.EXCEPTION})


def is_settled(shipment: ShipmentState, memory: ShipmentMemory) -> bool:
    """Whether the present episode has been decided on before, however its first report may since have moved."""
    fold = shipment.fold
    if fold.status != memory.told_status or memory.told_until is None or fold.since is None:
        return False
    return fold.since <= memory.told_until and (fold.status not in PROBLEMS or _same_problem(shipment, memory))


def is_believed(situation: Situation, shipment: ShipmentState, memory: ShipmentMemory) -> bool:
    """Whether the last thing the customer was told is what is true now, whatever happened unseen in between.

    Carriers' clocks differ and depots scan twice: a van that seems to have come back for a minute is no second tour.
    """
    status = shipment.fold.status
    if status in PROBLEMS:
        return memory.believes in PROBLEMS and _same_problem(shipment, memory)
    if status is _S.DELIVERY_ATTEMPTED:
        return shipment.fold.attempt_no <= memory.told_attempt
    if status is not memory.believes:
        return False
    return status is not _S.OUT_FOR_DELIVERY or _same_day(situation, shipment, memory)


def reasons(shipment: ShipmentState) -> frozenset[ReasonCode | None]:
    """The reasons of the problem a shipment has now; empty when it has none."""
    stretch = takewhile(lambda episode: episode.status in PROBLEMS, reversed(shipment.fold.episodes))
    return frozenset(episode.reason_code for episode in stretch)


def _same_problem(shipment: ShipmentState, memory: ShipmentMemory) -> bool:
    fold = shipment.fold
    reason = fold.episodes[-1].reason_code if fold.episodes else None
    return reason in memory.told_reasons and memory.told_action >= fold.action_required


def _same_day(situation: Situation, shipment: ShipmentState, memory: ShipmentMemory) -> bool:
    since, before = shipment.fold.since, memory.believes_since
    return since is not None and before is not None and _day(situation, since) == _day(situation, before)


def _day(situation: Situation, at: datetime) -> str:
    return at.astimezone(ZoneInfo(situation.contacts[-1].zone)).date().isoformat()
