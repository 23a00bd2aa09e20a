"""The order's clock and hands: it listens, has each change advanced in SQL, and starts and cancels sends."""

import asyncio
import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import Priority, RawValue, SearchAttributeKey, SearchAttributeUpdate, TypedSearchAttributes
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.advance import AdvanceActivity
    from activities.send import SendActivity
    from ordertrail.domain.outcome import AdvanceInput, Attributes, OrderStart, Outcome, RawSignal, SendInput, SendOrder
    from workflows.options import ADVANCE_ELSEWHERE, ADVANCE_HERE, SEND

BRAND = SearchAttributeKey.for_keyword("OrdertrailBrand")
STATUS = SearchAttributeKey.for_keyword("OrdertrailStatus")
CONDITIONS = SearchAttributeKey.for_keyword_list("OrdertrailConditions")
QUEUE = SearchAttributeKey.for_keyword("OrdertrailQueue")
PROMISE = SearchAttributeKey.for_datetime("OrdertrailPromise")

CRITICAL_FIRST = Priority(priority_key=1)
ORDINARY = Priority(priority_key=3)

LONGEST_SIGNAL = 256 * 1024
"""Bytes of a signal that are kept; no event is as long, and what is cut ends as a dead letter that says so."""
SIGNALS_PER_STEP = 200
STEP_BUDGET = 1024 * 1024
"""Characters of signals in one step: Temporal refuses an activity's input, and a continued run's, above 2 MB."""


NO_INPUT = RawValue(Payload())


@workflow.defn(name="OrderWorkflow")
class OrderWorkflow:
    """One run of one order; its id is `order:{brand}:{channel}:{external order id}`.

    The truth is in SQL: a run can be ended and started again at any time. It ends when nothing is open; a later event
    starts a new one.
    """

    # Optional and taken raw: a run started by hand with no input, or with something else, must not get stuck.
    @workflow.init
    def __init__(self, start: RawValue = NO_INPUT) -> None:
        self._queue: list[RawSignal] = [
            signal.model_copy(update={"number": number}) for number, signal in enumerate(_carried(start), start=1)
        ]
        self._received = len(self._queue)
        self._advanced = -1  # a run begins by attaching to the state in SQL
        self._steps = 0
        self._seq: int | None = None
        self._outcome: Outcome | None = None
        self._attributes: Attributes | None = None
        self._sends: dict[str, asyncio.Task[None]] = {}
        self._sent: set[str] = set()
        self._look_again = False
        self._timer: asyncio.Task[None] | None = None
        self._timer_at: datetime | None = None

    @workflow.run
    async def run(self, start: RawValue = NO_INPUT) -> None:
        """Advance whenever something has come or fallen due, until nothing is open."""
        del start
        while not self._finished():
            if self._may_continue_as_new():
                workflow.continue_as_new(OrderStart(signals=tuple(self._queue)))
            if self._must_advance():
                self._apply(await self._advance())
            else:
                await workflow.wait_condition(lambda: self._must_advance() or self._finished())

    @workflow.signal(dynamic=True)
    def signalled(self, name: str, args: Sequence[RawValue]) -> None:
        """All signals: `inbox` is the dispatcher's wake-up, the others are kept; see docs/temporal-contract.md.

        One handler for every name, because a named one is only called with the number of arguments it declares: with
        fewer the workflow task fails for ever, with more the SDK decodes them and drops what it cannot.
        """
        if name == "inbox":
            self._received += 1  # what has come is in SQL; the inbox id is for the operator's eyes only
            return
        for value in args or (None,):
            self._keep(name, value)

    @workflow.query(name="state")
    def state(self) -> dict[str, Any]:
        """Where the run stands, for operators and tools; customers are served from the read model."""
        outcome = self._outcome
        return {
            "seq": outcome.seq if outcome else 0,
            "status": outcome.attributes.status if outcome and outcome.attributes else None,
            "conditions": list(outcome.attributes.conditions) if outcome and outcome.attributes else [],
            "queue": outcome.attributes.queue if outcome and outcome.attributes else None,
            "deadline": outcome.deadline.isoformat() if outcome and outcome.deadline else None,
            "deadline_for": outcome.deadline_for if outcome else "",
            "sending": sorted(self._sends),
            "story": outcome.story if outcome else "",
        }

    def _keep(self, name: str, value: RawValue | None) -> None:
        self._received += 1
        payload = value.payload if value is not None else None
        data = payload.data if payload else b""
        self._queue.append(
            RawSignal(
                number=self._received,
                name=name,
                encoding=payload.metadata.get("encoding", b"").decode("ascii", "replace") if payload else "",
                body=base64.b64encode(data[:LONGEST_SIGNAL]).decode(),
                cut=len(data) > LONGEST_SIGNAL,
                received_at=workflow.now(),
            )
        )

    def _batch(self) -> tuple[RawSignal, ...]:
        """As many of the signals, oldest first, as one step takes."""
        batch: list[RawSignal] = []
        size = 0
        for signal in self._queue[:SIGNALS_PER_STEP]:
            size += len(signal.body)
            if batch and size > STEP_BUDGET:
                break
            batch.append(signal)
        return tuple(batch)

    def _must_advance(self) -> bool:
        return self._received > self._advanced or self._look_again

    def _finished(self) -> bool:
        return not self._must_advance() and not self._sends and self._outcome is not None and self._outcome.closed

    def _may_continue_as_new(self) -> bool:
        if self._sends or self._steps == 0 or not workflow.info().is_continue_as_new_suggested():
            return False
        return len(self._batch()) == len(self._queue)  # what is carried must be small enough for one step

    async def _advance(self) -> Outcome:
        self._look_again = False
        while True:
            try:
                return await self._advance_hybrid(self._next_step())
            except FailureError as error:
                if not _is_stale(error):
                    raise
                # Somebody else advanced this order (an attempt of a run that was ended): attach to its state anew.
                self._seq = None

    def _next_step(self) -> AdvanceInput:
        self._steps += 1
        batch = self._batch()
        return AdvanceInput(
            workflow_id=workflow.info().workflow_id,
            step=f"{workflow.info().run_id}:{self._steps}",
            expected_seq=self._seq,
            received=batch[-1].number if len(batch) < len(self._queue) else self._received,
            now=workflow.now(),
            signals=batch,
        )

    async def _advance_hybrid(self, step: AdvanceInput) -> Outcome:
        try:
            return await workflow.execute_local_activity_method(AdvanceActivity.advance, step, **ADVANCE_HERE)
        except FailureError as error:  # what a local activity raises comes as it is, not inside an ActivityError
            if is_cancelled_exception(error) or _is_stale(error):
                raise
            return await workflow.execute_activity_method(AdvanceActivity.advance, step, **ADVANCE_ELSEWHERE)

    def _apply(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self._seq = outcome.seq
        self._advanced = outcome.received
        self._queue = [signal for signal in self._queue if signal.number > outcome.received]
        for delivery_id in outcome.cancels:
            if task := self._sends.get(delivery_id):
                task.cancel()
        for send in outcome.sends:
            if send.delivery_id not in self._sends and send.delivery_id not in self._sent:
                self._sends[send.delivery_id] = asyncio.create_task(self._send(send))
        self._arm()
        self._tell_operator(outcome)

    async def _send(self, send: SendOrder) -> None:
        options = SEND | workflow.ActivityConfig(
            task_queue=f"{workflow.info().task_queue}-{send.provider}",
            schedule_to_close_timeout=max(send.not_after - workflow.now(), timedelta(seconds=1)),
            summary=send.summary,
            priority=CRITICAL_FIRST if send.critical else ORDINARY,
        )
        try:
            order = SendInput(delivery_id=send.delivery_id)
            result = await workflow.execute_activity_method(SendActivity.send, order, **options)
            self._sent.add(send.delivery_id)
            self._look_again |= result.needs_advance
        except ActivityError as error:
            if is_cancelled_exception(error):
                return  # overtaken: the step that cancelled it has settled it
            # Temporal gives up as soon as the next try would come too late. It is only over when its useful life is:
            # looked at earlier it would be started again at once, against the wait its provider asked for.
            await workflow.sleep(max(send.not_after - workflow.now(), timedelta(0)), summary="useful life of a message")
            self._look_again = True
        finally:
            self._sends.pop(send.delivery_id, None)

    def _arm(self) -> None:
        """One lazy timer: re-armed only for an earlier deadline, and checked against the deadline when it fires."""
        deadline = self._outcome.deadline if self._outcome else None
        if deadline is None or (self._timer_at is not None and self._timer_at <= deadline):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = deadline
        self._timer = asyncio.create_task(self._wake_at(deadline, self._outcome.deadline_for if self._outcome else ""))

    async def _wake_at(self, at: datetime, what: str) -> None:
        await workflow.sleep(max(at - workflow.now(), timedelta(0)), summary=what)
        self._timer = self._timer_at = None
        deadline = self._outcome.deadline if self._outcome else None
        if deadline is not None and deadline <= workflow.now():
            self._look_again = True
        else:
            self._arm()

    def _tell_operator(self, outcome: Outcome) -> None:
        workflow.set_current_details(outcome.story)
        if outcome.attributes is None or outcome.attributes == self._attributes:
            return
        updates = _changes(self._attributes, outcome.attributes)
        self._attributes = outcome.attributes
        present = workflow.info().typed_search_attributes
        if fresh := [update for update in updates if not _already(present, update)]:
            workflow.upsert_search_attributes(fresh)


def _carried(start: RawValue) -> tuple[RawSignal, ...]:
    """The signals the last run carried over; none when the input is not one of ours."""
    try:
        return OrderStart.model_validate_json(start.payload.data).signals
    except ValueError:
        return ()


def _is_stale(error: FailureError) -> bool:
    failure = error.cause if isinstance(error, ActivityError) else error
    return isinstance(failure, ApplicationError) and failure.type == "stale_advance"


def _changes(before: Attributes | None, after: Attributes) -> list[SearchAttributeUpdate[Any]]:
    pairs: list[tuple[bool, SearchAttributeUpdate[Any]]] = [
        (before is None, BRAND.value_set(after.brand)),
        (before is None or before.status != after.status, STATUS.value_set(after.status)),
        (
            before.conditions != after.conditions if before else bool(after.conditions),
            CONDITIONS.value_set(list(after.conditions)),
        ),
        (
            before.queue != after.queue if before else after.queue is not None,
            QUEUE.value_set(after.queue) if after.queue else QUEUE.value_unset(),
        ),
        (
            before.promise_ends_at != after.promise_ends_at if before else after.promise_ends_at is not None,
            PROMISE.value_set(after.promise_ends_at) if after.promise_ends_at else PROMISE.value_unset(),
        ),
    ]
    return [update for changed, update in pairs if changed]


def _already(present: TypedSearchAttributes, update: SearchAttributeUpdate[Any]) -> bool:
    """Whether a run already has it, set at its start."""
    return present.get(update.key) == update.value
