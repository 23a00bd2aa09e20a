"""Anybody may signal a run with anything: the right effect or a dead letter with a reason, never a wedged run."""

import uuid
from typing import Any

import pytest
from sqlalchemy import select
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle
from temporalio.common import RawValue

from ordertrail.db.tables import inbox, timeline
from ordertrail.domain.clock import system_clock
from ordertrail.domain.outcome import OrderStart
from tests.workflows import shop
from tests.workflows.server import DevServer
from tests.workflows.system import Order, System, assembled, eventually, run

ABSENT = object()


def raw(data: bytes, encoding: str = "json/plain") -> RawValue:
    return RawValue(Payload(metadata={"encoding": encoding.encode()}, data=data))


def event(event_id: str, kind: str = "processing", **facts: Any) -> dict[str, Any]:
    return shop.order_event(event_id, kind, system_clock(), **facts)


BAD: dict[str, tuple[str, list[Any], str]] = {
    "malformed JSON": ("order_event", [raw(b'{"event_id": "x", ')], "not_understood"),
    "bytes that are no text": ("order_event", [b"\xff\xfe\x00\x01"], "not_understood"),
    "an encoding nobody knows": ("order_event", [raw(b"\x00secret", "binary/encrypted")], "not_understood"),
    "a payload without any encoding": ("tracking_event", [RawValue(Payload(data=b"?"))], "not_understood"),
    "a number": ("order_event", [17], "not_understood"),
    "null": ("order_event", [None], "not_understood"),
    "a list": ("tracking_event", [[1, 2]], "not_understood"),
    "no argument": ("tracking_event", [], "not_understood"),
    "a field too many": ("order_event", [event("x1", colour="red")], "not_understood"),
    "a kind nobody knows": ("order_event", [event("x2", "teleported")], "not_understood"),
    "a missing id": ("order_event", [{"kind": "processing", "occurred_at": "2026-01-01T00:00:00Z"}], "not_understood"),
    "a time without a zone": ("order_event", [event("x3") | {"occurred_at": "2026-01-01T00:00:00"}], "not_understood"),
    "NUL in a name": ("order_event", [raw(b'{"a\\u0000b": 1}')], "not_understood"),
    "brackets without end": ("order_event", [raw(b"[" * 100_000)], "not_understood"),
    "a misspelt name": ("order_evnt", [event("x4")], "unknown_signal"),
    "a misspelt name without argument": ("please", [], "unknown_signal"),
    "an event longer than any": ("order_event", [event("x5") | {"kind": "k" * 700_000}], "too_long"),
}


async def dead_letters(system: System, brand: str) -> list[tuple[str, str]]:
    with system.database.read() as c:
        found = c.execute(select(inbox.c.reason, inbox.c.detail).where(inbox.c.brand == brand, inbox.c.state == "dead"))
        return [(row.reason, row.detail) for row in found]


async def failed_tasks(handle: WorkflowHandle[Any, Any]) -> int:
    failed = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
    return len([event async for event in handle.fetch_history_events() if event.event_type == failed])


def test_every_bad_signal_is_a_dead_letter_and_the_order_goes_on(server: DevServer, database_url: str) -> None:
    async def story() -> None:
        async with assembled(await server.connect(), database_url) as system:
            order = system.place()
            await order.settled()
            for count, (what, (name, arguments, reason)) in enumerate(BAD.items(), start=1):
                await order.handle.signal(name, args=arguments)
                await eventually(lambda count=count: len(order.dead_letters()) == count, what)  # type: ignore[misc]
                assert order.dead_letters()[-1] == reason, what
            assert await failed_tasks(order.handle) == 0
            order.event("cancelled")
            await order.closed()
            assert sorted(order.messages()) == ["cancelled/email", "cancelled/sms", "order_confirmation/email"]

    run(story())


@pytest.mark.parametrize("arguments", [[], ["please"], [raw(b"\xff", "binary/plain")]], ids=["none", "text", "bytes"])
def test_a_run_started_by_hand_with_any_input_works_like_any_other(
    server: DevServer, sqlite_url: str, arguments: list[Any]
) -> None:
    async def story() -> None:
        async with assembled(await server.connect(), sqlite_url) as system:
            order = system.place()
            await order.settled()
            await order.handle.terminate()
            handle = await system.client.start_workflow(
                "OrderWorkflow", args=arguments, id=order.handle.id, task_queue=system.settings.task_queue
            )
            order.event("cancelled")
            await order.closed()
            assert await failed_tasks(handle) == 0
            assert "cancelled/email" in order.messages()

    run(story())


def test_good_signals_drive_the_order_and_the_same_event_twice_is_one(server: DevServer, sqlite_url: str) -> None:
    async def story() -> None:
        async with assembled(await server.connect(), sqlite_url) as system:
            order = system.place()
            await order.settled()
            twice = event("twice")
            for _ in range(3):
                await order.handle.signal("order_event", twice)
            await order.handle.signal("inbox")  # a wake-up from a shell, without its argument
            await order.handle.signal("inbox", args=["a", "b"])
            await order.handle.signal(
                "order_event", event("ship", "shipped", shipment=shop.shipment(number=order.number))
            )
            tracking = shop.scan("scan-1", "out_for_delivery", system.now(), number=order.number)
            await order.handle.signal("tracking_event", tracking)
            by_shipment = tracking | {"event_id": "scan-2", "status": "delivered", "shipment_ref": "S1"}
            del by_shipment["carrier"], by_shipment["tracking_number"]
            await order.handle.signal("tracking_event", by_shipment)
            await order.closed()
            assert order.rows(timeline.c.event_id).count("twice") == 1
            assert order.dead_letters() == []
            assert order.messages().count("delivered/sms") == 1
            assert len(order.messages()) == len(set(order.messages()))

    run(story())


def test_the_same_id_with_another_body_is_told_about(server: DevServer, sqlite_url: str) -> None:
    async def story() -> None:
        async with assembled(await server.connect(), sqlite_url) as system:
            order = system.place()
            await order.settled()
            await order.handle.signal("order_event", event("same"))
            await order.handle.signal("order_event", event("same", "packed"))
            await eventually(order.dead_letters, "a dead letter")
            assert order.dead_letters() == ["same_id_other_body"]
            assert order.rows(timeline.c.kind) == ["placed", "processing"]

    run(story())


@pytest.mark.parametrize(
    ("workflow_id", "brand"),
    [
        ("order:{brand}:web:never-placed", "{brand}"),
        ("something else", "-"),
        (f"order:{'b' * 200}:web:1", "-"),
        ("order:::", "-"),
    ],
)
def test_an_order_that_does_not_exist_is_a_dead_letter_and_its_run_ends(
    server: DevServer, database_url: str, workflow_id: str, brand: str
) -> None:
    async def story() -> None:
        async with assembled(await server.connect(), database_url) as system:
            handle = await system.client.start_workflow(
                "OrderWorkflow", OrderStart(), id=workflow_id.format(brand=system.brand.id),
                task_queue=system.settings.task_queue, start_signal="order_event", start_signal_args=[event("x")],
            )  # fmt: skip
            await handle.result()
            found = await dead_letters(system, brand.format(brand=system.brand.id))
            assert [reason for reason, _ in found] == ["unknown_order"]

    run(story())


def test_an_order_placed_after_it_was_signalled_is_as_any_other(server: DevServer, sqlite_url: str) -> None:
    async def story() -> None:
        async with assembled(await server.connect(), sqlite_url) as system:
            number = uuid.uuid4().hex[:8]
            handle = await system.client.start_workflow(
                "OrderWorkflow", OrderStart(), id=f"order:{system.brand.id}:web:{number}",
                task_queue=system.settings.task_queue, start_signal="order_event", start_signal_args=[event("early")],
            )  # fmt: skip
            await handle.result()
            order: Order = system.place(external_id=number)
            assert order.id
            await eventually(order.messages, "its confirmation")
            assert order.messages() == ["order_confirmation/email"]

    run(story())


def test_many_long_signals_at_once_are_taken_in_portions(server: DevServer, sqlite_url: str) -> None:
    """Together they are longer than Temporal allows in one activity's input or one continued run's."""

    async def story() -> None:
        async with assembled(await server.connect(), sqlite_url) as system:
            order = system.place()
            await order.settled()
            for number in range(12):
                await order.handle.signal("order_event", event(f"long-{number}") | {"padding": "x" * 200_000})
            await eventually(lambda: len(order.dead_letters()) == 12, "all of them are dead letters")
            order.event("cancelled")
            await order.closed()

    run(story())
