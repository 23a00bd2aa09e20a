"""What the HTTP layer is given; it constructs nothing of this itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ordertrail.channels.base import Provider
from ordertrail.db.brands import Brands
from ordertrail.db.engine import Database
from ordertrail.domain.clock import Clock
from ordertrail.domain.vocabulary import Channel
from ordertrail.frontdoor.acceptance import Wake
from ordertrail.frontdoor.door import FrontDoor
from ordertrail.frontdoor.keyring import KeyRing
from ordertrail.frontdoor.receipts import Receipts
from ordertrail.frontdoor.replay import Replay
from ordertrail.messages.gallery import Gallery
from ordertrail.messages.links import Links
from ordertrail.messages.pages import Pages
from ordertrail.settings import Settings


class Waker(Protocol):
    """Whoever hands stored rows on to their orders."""

    @property
    def healthy(self) -> bool:
        """Whether the last attempt to reach Temporal succeeded."""
        ...

    def wake(self, wakes: Sequence[Wake]) -> None:
        """Hand on soon. Returns at once, may be called from any thread."""
        ...

    async def run(self) -> None:
        """Work until cancelled."""
        ...


@dataclass(frozen=True, kw_only=True)
class ApiParts:
    """Everything the routes use. `clock` gives aware UTC; `monotonic` gives seconds that only grow.

    `providers` builds those of each channel, for tests that operators send to themselves; it raises ConfigurationError
    where this process has no credentials.
    """

    settings: Settings
    database: Database
    front_door: FrontDoor
    receipts: Receipts
    replay: Replay
    keyring: KeyRing
    dispatcher: Waker
    brands: Brands
    pages: Pages
    gallery: Gallery
    providers: Callable[[], Mapping[tuple[str, Channel], Provider]]
    links: Links
    static_dir: Path
    clock: Clock
    monotonic: Callable[[], float]
