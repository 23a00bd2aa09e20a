"""A run may be ended at any moment and started again: each message is sent once, and beginning announces nothing."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from ordertrail.db.tables import deliveries, timeline
from ordertrail.dispatcher import rebuild
from tests.fakes.faults import Fault
from tests.fakes.sendgrid import API_KEY, FakeSendGrid
from tests.fakes.twilio import ACCOUNT_SID, AUTH_TOKEN, FakeTwilio
from tests.workflows import scenarios, shop
from tests.workflows.server import SUGGEST_CONTINUE_AS_NEW, DevServer
from tests.workflows.system import Order, System, assembled, eventually, run

STEPS = ("placed", "processing", "shipped", "out_for_delivery", "delivered")
MESSAGES = {
    "order_confirmation/email": 1,
    "order_update/email": 1,
    "shipped/email": 1,
    "shipped/sms": 1,
    "out_for_delivery/email": 1,
    "out_for_delivery/sms": 1,
    "delivered/email": 1,
    "delivered/sms": 1,
}
_FATE = (deliveries.c.state, deliveries.c.overtaken, deliveries.c.ambiguous)
POINTS = [(step, moment) for step in STEPS for moment in ("at once", "while sending", "when idle")]


@pytest.fixture
def sendgrid() -> Iterator[FakeSendGrid]:
    with FakeSendGrid(latency=0.25, check_requests=False) as fake:
        yield fake


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    with FakeTwilio(latency=0.25, check_requests=False) as fake:
        yield fake


def real_channels(sendgrid: FakeSendGrid, twilio: FakeTwilio) -> dict[str, Any]:
    return {
        "email_provider": "sendgrid", "sendgrid_api_key": API_KEY, "sendgrid_base_url": sendgrid.url,
        "sms_provider": "twilio", "twilio_account_sid": ACCOUNT_SID, "twilio_auth_token": AUTH_TOKEN,
        "twilio_base_url": twilio.url,
    }  # fmt: skip


def at_providers(order: Order, sendgrid: FakeSendGrid, twilio: FakeTwilio) -> dict[str, int]:
    """What the providers took for this order, counted on their side."""
    found = order.rows(deliveries.c.id, deliveries.c.kind, deliveries.c.channel)
    names = {delivery_id: f"{kind}/{channel}" for delivery_id, kind, channel in found}
    taken = [message.delivery_id for message in sendgrid.messages]
    taken += [message.fields["StatusCallback"].rsplit("/", 1)[-1] for message in twilio.messages]
    return dict(Counter(names[delivery_id] for delivery_id in taken if delivery_id in names))


def report(order: Order, step: str) -> None:
    match step:
        case "processing":
            order.event("processing")
        case "shipped":
            order.ship()
        case "out_for_delivery" | "delivered":
            order.scan(step)


async def is_sending(order: Order, step: str) -> None:
    kind = {"placed": "order_confirmation", "processing": "order_update"}.get(step, step)

    def claimed() -> bool:
        found = order.rows(deliveries.c.kind, deliveries.c.state)
        return any(k == kind and state in ("claimed", "accepted") for k, state in found)

    await eventually(claimed, f"{kind} is on its way")


async def terminate(order: Order) -> None:
    try:
        await order.handle.terminate("test")
    except Exception as error:  # there may be no run at this very moment
        assert "not found" in str(error) or "already completed" in str(error), error


async def live_and_die(system: System, step: str, moment: str, *, by_rebuild: bool) -> Order:
    """An order's whole life; at `step` its run is ended, and started again by a rebuild or by what comes next."""
    order = system.place()
    for current in STEPS:
        report(order, current)
        if current == step:
            if moment == "while sending":
                await is_sending(order, step)
            elif moment == "when idle":
                await order.settled()
            await terminate(order)
            if by_rebuild or step == STEPS[-1]:
                await rebuild(system.database, system.client, system.settings.task_queue, system.brand.id)
            else:
                continue
        await order.settled()
    return order


@pytest.mark.parametrize("by_rebuild", [True, False], ids=["by a rebuild", "by the next event"])
def test_a_run_ended_at_any_point_and_started_again_sends_each_message_once(
    server: DevServer, sqlite_url: str, sendgrid: FakeSendGrid, twilio: FakeTwilio, by_rebuild: bool
) -> None:
    async def story() -> None:
        channels = real_channels(sendgrid, twilio)
        async with assembled(await server.connect(), sqlite_url, policy={"daily_cap": 1000}, **channels) as system:
            lives = [live_and_die(system, step, moment, by_rebuild=by_rebuild) for step, moment in POINTS]
            orders = await asyncio.gather(*lives)
            for point, order in zip(POINTS, orders, strict=True):
                expected = dict(MESSAGES)
                if not by_rebuild and point[0] != STEPS[-1]:
                    # Until the next event nobody looks: what it overtakes may rightly never be told.
                    sent = at_providers(order, sendgrid, twilio)
                    assert all(number == 1 for number in sent.values()), (point, sent)
                    expected = {name: 1 for name in MESSAGES if name in sent or name.startswith("delivered")}
                assert at_providers(order, sendgrid, twilio) == expected, point

    run(story())


def test_a_late_event_starts_a_new_run_which_announces_only_that_event(server: DevServer, sqlite_url: str) -> None:
    async def story() -> None:
        async with assembled(await server.connect(), sqlite_url) as system:
            order = await scenarios.straight_line(system)
            told = order.messages()
            first = (await order.handle.describe()).run_id
            order.event("refunded", refund_id="r1", amount="4.00", currency="EUR")
            await order.closed()
            assert (await order.handle.describe()).run_id != first
            assert order.messages() == [*told, "refunded/email"]
            order.scan("in_transit")  # a stray scan long after delivery
            await order.closed()
            await system.hand_on(order)  # a run that begins for no reason at all
            await order.closed()
            assert order.messages() == [*told, "refunded/email"]

    run(story())


def test_continuing_as_new_loses_no_signal(server: DevServer, sqlite_url: str) -> None:
    waves, size = 4, SUGGEST_CONTINUE_AS_NEW // 2

    async def story() -> None:
        async with assembled(await server.connect(), sqlite_url) as system:
            order = system.place()
            await order.settled()
            first = (await order.handle.describe()).run_id
            for wave in range(waves):
                signals = [
                    order.handle.signal("order_event", shop.order_event(f"w{wave}-{n}", "processing", system.now()))
                    for n in range(size)
                ]
                await asyncio.gather(*signals)
            everything = 1 + waves * size
            await eventually(
                lambda: len(order.rows(timeline.c.event_id)) == everything, "every signal is on the timeline"
            )
            await scenarios.until_continued(order, first)
            order.event("cancelled")
            await order.closed()
            assert order.dead_letters() == []
            assert order.messages().count("order_update/email") == 1

    run(story())


def test_what_a_closed_order_has_not_sent_yet_is_found_by_a_rebuild(
    server: DevServer, sqlite_url: str, sendgrid: FakeSendGrid, twilio: FakeTwilio
) -> None:
    """The last message of an order is planned by the very step that closes it."""

    async def story() -> None:
        async with assembled(await server.connect(), sqlite_url, **real_channels(sendgrid, twilio)) as system:
            order = system.place()
            order.ship()
            await order.settled()
            await order.handle.terminate("test")
            order.scan("delivered")
            await eventually(lambda: len(order.rows(deliveries.c.id)) == 5, "delivered is planned")
            await terminate(order)
            with system.database.write() as c:  # as if the worker had died before it claimed them
                last = select(deliveries.c.id).where(deliveries.c.kind == "delivered", deliveries.c.state == "planned")
                unsent = list(c.execute(last).scalars())
            woken = await rebuild(system.database, system.client, system.settings.task_queue, system.brand.id)
            assert woken == 1 or not unsent
            await order.settled()
            sent = at_providers(order, sendgrid, twilio)
            assert (sent["delivered/email"], sent["delivered/sms"]) == (1, 1)

    run(story())


def test_an_unclear_message_is_not_sent_again_once_the_parcel_is_delivered(
    server: DevServer, sqlite_url: str, sendgrid: FakeSendGrid, twilio: FakeTwilio
) -> None:
    async def story() -> None:
        channels = real_channels(sendgrid, twilio) | {"sendgrid_callback_window_s": 3}
        async with assembled(await server.connect(), sqlite_url, **channels) as system:
            order = system.place()
            order.ship()
            await order.settled()
            sendgrid.faults.push(Fault.drop_after_accept())
            order.scan("delivery_attempted", reason_code="nobody_home")

            def email() -> tuple[str, bool, int] | None:
                found = order.rows(deliveries.c.kind, deliveries.c.channel, *_FATE)
                ours = [fate for kind, by, *fate in found if (kind, by) == ("delivery_attempted", "email")]
                return tuple(ours[0]) if ours else None

            await eventually(lambda: email() == ("claimed", False, 1), "its email is unclear")
            order.scan("delivered")
            await eventually(lambda: email() == ("superseded", True, 1), "it is let go")
            await order.settled()
            assert at_providers(order, sendgrid, twilio)["delivery_attempted/email"] == 1

    run(story())
