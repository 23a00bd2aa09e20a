"""Send one delivery: claim it, hand it to its provider, mark it; and find out what an unclear attempt came to."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection
from temporalio import activity
from temporalio.exceptions import CancelledError

from activities.failures import coded_failures
from ordertrail.channels.base import Accepted, Provider
from ordertrail.db import sending
from ordertrail.db.brands import Brands
from ordertrail.db.contacts import address_key
from ordertrail.db.engine import Database
from ordertrail.db.sending import SendRow
from ordertrail.domain.brand import Brand
from ordertrail.domain.clock import Clock
from ordertrail.domain.failures import Ambiguous, Permanent, Transient
from ordertrail.domain.message import MessageFacts, OutgoingMessage, Rendered
from ordertrail.domain.outcome import SendInput, SendResult
from ordertrail.domain.vocabulary import Channel, DeliveryState, MessageKind
from ordertrail.messages.preflight import Blocked, preflight, without_past_dates
from ordertrail.messages.render import Renderer

log = structlog.get_logger(__name__)

_S = DeliveryState
SETTLE = timedelta(seconds=3)
"""An unclear request may still be on its way; the provider is asked only after it must have arrived."""
IN_FLIGHT = timedelta(seconds=21)
"""How long an attempt of whose end nothing is known may still be at its provider: connecting and waiting, 10 s each.

Temporal retries a killed attempt after its heartbeat timeout of 20 s; only a run started anew meets a younger claim.
"""
ASK_AGAIN = timedelta(seconds=10)
MARK_TRIES = 8
OPEN_STATES = frozenset({_S.PLANNED, _S.CLAIMED})
NEEDS_ADVANCE = frozenset({_S.FAILED, _S.EXPIRED, _S.UNKNOWN})


class SendActivity:
    """One attempt per call; Temporal retries. Raises ApplicationError with a code, never a provider's text.

    `callback_window`: how long to wait for a callback that resolves an unclear send, where it cannot be asked.
    """

    def __init__(
        self, database: Database, providers: Mapping[tuple[str, Channel], Provider], renderer: Renderer, brands: Brands,
        *, secret: bytes, clock: Clock, callback_window: timedelta,
    ) -> None:  # fmt: skip
        self._database = database
        self._providers = providers
        self._renderer = renderer
        self._brands = brands
        self._secret = secret
        self._clock = clock
        self._callback_window = callback_window

    # No exception may be thrown into the thread: between the provider's answer and its mark it would double a message.
    @activity.defn(name="send", no_thread_cancel_exception=True)
    def send(self, order: SendInput) -> SendResult:
        """Bring one delivery to an end, or raise so that it is tried again."""
        if activity.info().attempt > 1:
            # Each heartbeat is a billed action, and a first attempt is over before an answer to it could come.
            activity.heartbeat()
        if activity.is_cancelled():
            raise CancelledError("overtaken")
        with coded_failures(delivery_id=order.delivery_id):
            return self._attempt(order.delivery_id)

    def _attempt(self, delivery_id: str) -> SendResult:
        rendered = self._rendered(delivery_id, self._clock())
        with self._database.write() as c:
            step = self._claim(c, delivery_id, rendered, self._clock())  # the lock may have taken long to get
        match step:
            case Settled(result=result):
                return result
            case Unclear(row=row, message=message):
                return self._resolve(row, message, self._clock())
            case Claimed(row=row, message=message):
                return self._deliver(row, message)

    def _rendered(self, delivery_id: str, now: datetime) -> str | None:
        """A fresh message, rendered before it is claimed: while one transaction writes, all others must wait."""
        with self._database.read() as c:
            row = sending.load(c, delivery_id)
            if row is None or row.state != _S.PLANNED or row.rendered:
                return None
            brand = self._brands.get(c, row.brand).brand
        facts = MessageFacts.model_validate_json(row.facts)
        if _blocked(row, facts, now):
            return None
        return self._render(brand, facts, row, now)

    def _render(self, brand: Brand, facts: MessageFacts, row: SendRow, now: datetime) -> str:
        return self._renderer.render(brand, without_past_dates(facts, now), Channel(row.channel)).model_dump_json()

    def _claim(
        self, c: Connection, delivery_id: str, fresh: str | None, now: datetime
    ) -> "Settled | Unclear | Claimed":
        row = sending.load(c, delivery_id, lock=True)
        if row is None:
            return Settled(result=SendResult(state="gone"))
        if row.state not in OPEN_STATES:
            return Settled(result=_result(DeliveryState(row.state), row.reason or ""))
        brand = self._brands.get(c, row.brand).brand
        if row.state == _S.CLAIMED:
            return self._claimed_before(c, row, brand, now)
        facts = MessageFacts.model_validate_json(row.facts)
        if blocked := _blocked(row, facts, now):
            state, reason = blocked
            sending.settle(c, row, state, reason=reason, now=now)
            return Settled(result=_result(state, reason))
        rendered = row.rendered or fresh or self._render(brand, facts, row, now)
        return _claimed(sending.claim(c, row, rendered=rendered, now=now), brand)

    def _claimed_before(self, c: Connection, row: SendRow, brand: Brand, now: datetime) -> "Unclear":
        """An earlier attempt has not told its end; it may even be running still, in a worker cut off from Temporal."""
        if row.unclear_since is None:
            if (wait := (row.claimed_at or now) + IN_FLIGHT - now) > timedelta(0):
                raise Transient("unclear_in_flight", retry_after=wait)
            sending.mark_unclear(c, row, now=now)
        return Unclear(row=row, message=_message(row, brand, row.rendered or ""))

    def _resolve(self, row: SendRow, message: OutgoingMessage, now: datetime) -> SendResult:
        """An earlier attempt ended unseen: find out, wait for word, or decide by what the message is worth."""
        provider = self._provider(row)
        claimed_at = row.claimed_at or now
        if provider.can_be_asked:
            if (wait := (row.unclear_since or claimed_at) + SETTLE - now) > timedelta(0):
                raise Transient("unclear_settling", retry_after=wait)
            with self._database.read() as c:
                others = sending.others_of_order(c, row)
            if accepted := provider.find(message.model_copy(update={"others": others}), claimed_at):
                return self._found(row, accepted)
            return self._again(row, message, now)
        window = self._callback_window if provider.reports_receipts else SETTLE
        if (wait := claimed_at + window - now) > timedelta(0):
            raise Transient("unclear_awaiting_callback", retry_after=min(wait, ASK_AGAIN))
        if row.critical:
            return self._again(row, message, now)
        return self._settle(row, _S.UNKNOWN, "unclear_no_callback")

    def _again(self, row: SendRow, message: OutgoingMessage, now: datetime) -> SendResult:
        if row.overtaken:
            return self._settle(row, _S.SUPERSEDED, "overtaken")
        if now >= row.not_after:
            return self._settle(row, _S.EXPIRED, "useful_life_over")
        with self._database.write() as c:
            if not self._provider(row).can_be_asked:
                sending.count_unresolved(c, row)
            again = sending.claim(c, row, rendered=row.rendered or "", now=self._clock())  # asking may have taken long
            claimed = _claimed(again, message.brand)
        return self._deliver(claimed.row, message)

    def _deliver(self, row: SendRow, message: OutgoingMessage) -> SendResult:
        try:
            accepted = self._provider(row).send(message)
        except Transient:
            self._mark(lambda c: sending.release(c, row))
            raise
        except Ambiguous as error:
            self._mark(lambda c: sending.mark_unclear(c, row, now=self._clock()))
            log.warning("send_unclear", delivery_id=row.id, code=error.code)
            raise Transient("unclear", retry_after=SETTLE) from None
        except Permanent as error:
            return self._refused(row, error)
        return self._accepted(row, accepted)

    def _accepted(self, row: SendRow, accepted: Accepted) -> SendResult:
        self._mark(lambda c: sending.mark_accepted(c, row, provider_id=accepted.provider_id, now=self._clock()))
        return _result(_S.ACCEPTED, "")

    def _found(self, row: SendRow, accepted: Accepted) -> SendResult:
        """One message proves one attempt: of two unclear ones with the same words only one may claim it."""
        with self._database.write() as c:
            if accepted.provider_id in sending.others_of_order(c, row):
                raise Transient("found_for_another", retry_after=SETTLE)
            sending.mark_accepted(c, row, provider_id=accepted.provider_id, now=self._clock())
        return _result(_S.ACCEPTED, "")

    def _refused(self, row: SendRow, error: Permanent) -> SendResult:
        now = self._clock()

        def settle(c: Connection) -> None:
            sending.settle(c, row, _S.FAILED, reason=error.code, now=now)
            if error.closes_channel and row.address:
                key = address_key(self._secret, row.brand, Channel(row.channel), row.address)
                sending.close_contact(c, row, address_key=key, reason=error.code, now=now)

        self._mark(settle)
        log.info("send_refused", delivery_id=row.id, code=error.code)
        return _result(_S.FAILED, error.code)

    def _mark(self, write: Callable[[Connection], None]) -> None:
        """Write what the provider said. This must not fail for a short outage: a mark that is lost makes a sure thing
        unclear, and what is unclear may have to be sent twice."""
        for attempt in range(MARK_TRIES):
            try:
                with self._database.write() as c:
                    write(c)
                return
            except Transient:
                activity.heartbeat()
                time.sleep(min(0.1 * 2**attempt, 3.0))
        raise Transient("mark_failed", retry_after=SETTLE)

    def _settle(self, row: SendRow, state: DeliveryState, reason: str) -> SendResult:
        with self._database.write() as c:
            moved = sending.settle(c, row, state, reason=reason, now=self._clock())
            current = None if moved else sending.load(c, row.id)
        return _result(DeliveryState(current.state), current.reason or "") if current else _result(state, reason)

    def _provider(self, row: SendRow) -> Provider:
        return self._providers[(row.provider, Channel(row.channel))]


@dataclass(frozen=True, kw_only=True)
class Settled:
    """Nothing to do any more."""

    result: SendResult


@dataclass(frozen=True, kw_only=True)
class Unclear:
    """An earlier attempt may have got through."""

    row: SendRow
    message: OutgoingMessage


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """This attempt may hand the message over."""

    row: SendRow
    message: OutgoingMessage


def _claimed(row: SendRow | None, brand: Brand) -> Claimed:
    """Raises Transient when another attempt was faster, or the order has moved on: the next one finds out."""
    if row is None:
        raise Transient("claimed_elsewhere", retry_after=SETTLE)
    return Claimed(row=row, message=_message(row, brand, row.rendered or ""))


def _blocked(row: SendRow, facts: MessageFacts, now: datetime) -> tuple[DeliveryState, str] | None:
    if row.overtaken:
        return _S.SUPERSEDED, "overtaken"
    if now >= row.not_after:
        return _S.EXPIRED, "useful_life_over"
    if not row.address:
        return _S.FAILED, "no_address"
    match preflight(facts, now):
        case Blocked(reason=reason):
            return _S.FAILED, f"preflight_{reason}"
    return None


def _message(row: SendRow, brand: Brand, rendered: str) -> OutgoingMessage:
    facts = MessageFacts.model_validate_json(row.facts)
    return OutgoingMessage(
        delivery_id=row.id,
        key=row.key,
        brand=brand,
        kind=MessageKind(row.kind),
        channel=Channel(row.channel),
        to=row.address or "",
        to_name=facts.recipient_name,
        rendered=Rendered.model_validate_json(rendered),
        not_after=row.not_after,
    )


def _result(state: DeliveryState, reason: str) -> SendResult:
    return SendResult(state=state, reason=reason, needs_advance=state in NEEDS_ADVANCE)
