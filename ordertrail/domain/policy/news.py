"""What a piece of news is, and the marks by which memory keeps it from being told twice."""

from collections.abc import Callable
from dataclasses import dataclass

from ordertrail.domain.base import Instant
from ordertrail.domain.decisions import Why
from ordertrail.domain.policy.memory import Memory, ShipmentMemory
from ordertrail.domain.policy.situation import Hints
from ordertrail.domain.vocabulary import CaseKind, MessageKind

Mark = Callable[[Memory], Memory]
"""How memory changes."""


def unchanged(memory: Memory) -> Memory:
    """The mark that leaves nothing."""
    return memory


@dataclass(frozen=True, kw_only=True)
class News:
    """One thing to tell. News is read off the state, so it cannot depend on the order of arrival.

    `name` tells it apart while it waits. `unsaid`: the reason not to tell it, if there is one. `mark`: what memory
    keeps once it is told or deliberately not told; `believe`: what it keeps besides when it is really told.
    `instead`: what to say in place of `back_on_track` while the order is still late.
    """

    kind: MessageKind
    name: str
    shipment_ref: str
    hints: Hints
    mark: Mark
    believe: Mark = unchanged
    event_ids: tuple[str, ...] = ()
    unsaid: Why | None = None
    ready: bool = True
    case: CaseKind | None = None
    case_reason: Why | None = None
    instead: MessageKind | None = None

    @property
    def occurred_at(self) -> Instant:
        """When it happened."""
        return self.hints.happened_at

    @property
    def key(self) -> str:
        """Under which it waits."""
        return f"{self.topic}{self.name}"

    @property
    def topic(self) -> str:
        """The beginning that the keys of all news of this kind about this shipment share."""
        return f"{self.shipment_ref}|{self.kind}|"


def told(*anchors: str) -> Mark:
    """Remember order-level anchors."""
    return lambda memory: memory.model_copy(update={"told": memory.told | set(anchors)})


def shipment_told(ref: str, **changes: object) -> Mark:
    """Remember changes of one shipment's memory."""

    def mark(memory: Memory) -> Memory:
        updated = memory.shipments.get(ref, ShipmentMemory()).model_copy(update=changes)
        return memory.model_copy(update={"shipments": {**memory.shipments, ref: updated}})

    return mark
