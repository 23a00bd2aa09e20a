"""Weeks of deadlines in seconds: holds, promises, silence, quiet hours, receipts and support's own clock."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ordertrail.db.tables import cases, deliveries, orders
from tests.fakes.faults import Fault, Rate
from tests.fakes.sendgrid import API_KEY, FakeSendGrid
from tests.workflows import shop
from tests.workflows.system import Order, eventually, run
from tests.workflows.travel import travelling

BERLIN = ZoneInfo("Europe/Berlin")


def conditions(order: Order) -> list[str]:
    return list(order.rows(orders.c.conditions)[0])


CONFIRMED = ["order_confirmation/email"]
SHIPPED = [*CONFIRMED, "shipped/email", "shipped/sms"]
DELAYED = ["delay/email", "delay/sms"]


def test_a_held_update_is_released_or_dropped_for_what_overtook_it(sqlite_url: str) -> None:
    async def story() -> None:
        async with travelling(sqlite_url, policy={"imminence_hold": "PT2M"}) as travel:
            order = await travel.place()
            await travel.tell(order, lambda: order.event("processing"))
            await travel.pass_time(timedelta(minutes=1))
            await travel.told(order, CONFIRMED)
            await travel.pass_time(timedelta(minutes=2))
            await travel.told(order, [*CONFIRMED, "order_update/email"])
            await travel.tell(order, lambda: order.event("packed"))
            await travel.pass_time(timedelta(minutes=1))
            await travel.tell(order, order.ship)
            await travel.pass_time(timedelta(minutes=5))
            await travel.told(order, [*SHIPPED, "order_update/email"])

    run(story())


def test_weeks_of_an_order_that_comes_late(sqlite_url: str) -> None:
    """Ship-by missed, promise missed, a new date, that one missed too, and delivered in the end."""

    async def story() -> None:
        async with travelling(sqlite_url) as travel:
            now = travel.system.now()
            order = await travel.place(
                ship_by=(now + timedelta(days=2)).isoformat(), promise=shop.promise_in(now, days=5)
            )
            await travel.pass_time(timedelta(days=1))
            await travel.told(order, CONFIRMED)
            await travel.pass_time(timedelta(days=1, hours=5))
            await travel.told(order, [*CONFIRMED, *DELAYED])
            assert conditions(order) == ["delayed"]
            assert order.cases() == []
            await travel.tell(order, order.ship)
            await travel.pass_time(timedelta(days=5))
            late = [kind for kind, _ in order.cases()]
            assert late == ["late"]
            seen = len(order.messages())
            await travel.tell(
                order, lambda: order.event("promise_changed", promise=shop.promise_in(travel.system.now(), days=7))
            )
            await eventually(lambda: len(order.messages()) == seen + 2, "the new date is told")
            assert sorted(order.messages()[-2:]) == DELAYED
            await travel.pass_time(timedelta(days=6))
            assert len(order.messages()) == seen + 2
            await travel.tell(order, lambda: order.scan("out_for_delivery"))
            await travel.tell(order, lambda: order.scan("delivered"))
            assert sorted(order.messages()[-2:]) == ["delivered/email", "delivered/sms"]
            assert conditions(order) == []
            assert "unknown" not in order.rows(deliveries.c.state)

    run(story())


def test_a_delay_that_is_taken_back_is_told_as_such(sqlite_url: str) -> None:
    async def story() -> None:
        async with travelling(sqlite_url) as travel:
            order = await travel.place()
            await travel.tell(order, order.ship)

            def moved(days: int) -> dict[str, Any]:
                return shop.promise_in(travel.system.now(), days=days)

            await travel.tell(order, lambda: order.event("promise_changed", promise=moved(9)))
            await travel.told(order, [*SHIPPED, *DELAYED])
            await travel.pass_time(timedelta(hours=3))
            await travel.tell(order, lambda: order.event("promise_changed", promise=moved(3)))
            await travel.told(order, [*SHIPPED, *DELAYED, "back_on_track/email", "back_on_track/sms"])
            assert conditions(order) == []

    run(story())


def test_a_parcel_nobody_scans_is_stale_until_it_moves_again(sqlite_url: str) -> None:
    async def story() -> None:
        async with travelling(sqlite_url) as travel:
            order = await travel.place(promise=shop.promise_in(travel.system.now(), days=30))
            await travel.tell(order, order.ship)
            await travel.tell(order, lambda: order.scan("in_transit"))
            before = len(order.messages())
            await travel.pass_time(timedelta(hours=71))
            assert conditions(order) == []
            await travel.pass_time(timedelta(hours=2))
            await eventually(lambda: conditions(order) == ["stale"], "silence is noticed")
            assert sorted(order.messages()[before:]) == DELAYED
            await travel.tell(order, lambda: order.scan("in_transit", milestone="local_facility"))
            assert conditions(order) == []

    run(story())


def next_clock_change(now: datetime) -> datetime:
    """Noon on the eve of the next night in which Berlin's clocks change."""
    day = now.astimezone(BERLIN).date()
    while True:
        eve, noon = (datetime.combine(day + timedelta(days=n), time(12), tzinfo=BERLIN) for n in (0, 1))
        if eve.utcoffset() != noon.utcoffset() and eve > now:
            return eve
        day += timedelta(days=1)


def test_quiet_hours_end_by_the_recipient_s_clock_in_the_night_it_changes(sqlite_url: str) -> None:
    async def story() -> None:
        async with travelling(sqlite_url, policy={"quiet_hours": {"starts": "21:00", "ends": "08:00"}}) as travel:
            eve = next_clock_change(travel.system.now())
            await travel.until(eve)
            order = await travel.place()
            await travel.until(datetime.combine(eve.date(), time(22), tzinfo=BERLIN))
            await travel.tell(order, order.ship)
            await travel.told(order, [*CONFIRMED, "shipped/email"])
            morning = datetime.combine(eve.date() + timedelta(days=1), time(8), tzinfo=BERLIN)
            await travel.until(morning - timedelta(minutes=5))
            await travel.told(order, [*CONFIRMED, "shipped/email"])
            await travel.until(morning + timedelta(minutes=1))
            await travel.told(order, SHIPPED)
            held = order.rows(deliveries.c.channel, deliveries.c.not_before)
            assert held[-1] == ("sms", morning.astimezone(UTC))

    run(story())


def test_support_s_clock_runs_in_business_hours_and_then_raises_the_case(sqlite_url: str) -> None:
    async def story() -> None:
        async with travelling(sqlite_url) as travel:
            friday = travel.system.now().astimezone(BERLIN)
            while friday.weekday() != 4 or friday.hour != 17:
                friday += timedelta(hours=1)
            await travel.until(friday)
            order = await travel.place(promise=shop.promise_in(travel.system.now(), days=60))
            await travel.tell(order, order.ship)
            await travel.tell(order, lambda: order.scan("exception", reason_code="damaged"))
            assert order.cases() == [("damaged", "high")]
            due = order.rows(cases.c.due_at)[0].astimezone(BERLIN)
            assert (due.weekday(), due.hour) in {(0, 15), (0, 16)}  # an hour of Friday, and seven of Monday
            await travel.until(due - timedelta(minutes=5))
            assert order.cases() == [("damaged", "high")]
            await travel.until(due + timedelta(minutes=1))
            await eventually(lambda: order.cases() == [("damaged", "urgent")], "nobody answered")
            await travel.pass_time(timedelta(days=3))
            assert order.cases() == [("damaged", "urgent")]  # once

    run(story())


def by_sendgrid(fake: FakeSendGrid) -> dict[str, Any]:
    return {"email_provider": "sendgrid", "sendgrid_api_key": API_KEY, "sendgrid_base_url": fake.url}


PREFERS_EMAIL = {"name": shop.NAME, "email": shop.EMAIL, "phone": shop.PHONE, "consents": {"sms": True}} | {
    "preferred_channel": "email"
}


def test_a_critical_message_without_a_receipt_takes_another_channel(sqlite_url: str) -> None:
    async def story(sendgrid: FakeSendGrid) -> None:
        async with travelling(sqlite_url, policy={"receipt_window": "PT4H"}, **by_sendgrid(sendgrid)) as travel:
            order = await travel.place(customer=PREFERS_EMAIL, promise=shop.promise_in(travel.system.now(), days=30))
            await travel.tell(order, order.ship)
            await travel.tell(order, lambda: order.scan("delivery_attempted", reason_code="nobody_home"))
            assert [message.delivery_id for message in sendgrid.messages][-1] in order.rows(deliveries.c.id)
            await travel.pass_time(timedelta(hours=3, minutes=50))
            await travel.told(order, [])
            await travel.pass_time(timedelta(minutes=20))
            await travel.told(order, ["delivery_attempted/sms"])
            await travel.pass_time(timedelta(days=2))
            assert "delivery_attempted/sms" in order.messages()

    with FakeSendGrid(check_requests=False) as fake:
        run(story(fake))


def test_when_its_useful_life_ends_unsent_a_critical_message_takes_another_channel(sqlite_url: str) -> None:
    """And a provider that asks for patience is not asked more often for it."""

    async def story(sendgrid: FakeSendGrid) -> None:
        async with travelling(sqlite_url, policy={"useful_life": "PT1H"}, **by_sendgrid(sendgrid)) as travel:
            order = await travel.place(customer=PREFERS_EMAIL, promise=shop.promise_in(travel.system.now(), days=30))
            await travel.tell(order, order.ship)
            sendgrid.faults.set_rates(Rate(probability=1, fault=Fault.too_many(retry_after="3000")))
            before = sendgrid.memory.refused
            order.scan("delivery_attempted", reason_code="nobody_home")
            await travel.system.hand_on(order)
            await eventually(lambda: sendgrid.memory.refused > before, "the provider is asked")
            await travel.pass_time(timedelta(minutes=50))
            assert order.messages() == []
            await travel.pass_time(timedelta(minutes=15))
            await travel.told(order, ["delivery_attempted/sms"])
            assert order.rows(deliveries.c.state)[-2] == "expired"
            assert sendgrid.memory.refused - before == 2  # now, and after the fifty minutes it asked for

    with FakeSendGrid(check_requests=False) as fake:
        run(story(fake))


def test_when_nothing_reaches_the_customer_a_person_is_asked(sqlite_url: str) -> None:
    async def story(sendgrid: FakeSendGrid) -> None:
        async with travelling(sqlite_url, policy={"useful_life": "PT1H"}, **by_sendgrid(sendgrid)) as travel:
            only_email = {"name": shop.NAME, "email": shop.EMAIL}
            order = await travel.place(customer=only_email)
            sendgrid.faults.set_rates(Rate(probability=1, fault=Fault.too_many(retry_after="1000")))
            order.event("cancelled")
            await travel.system.hand_on(order)
            await eventually(lambda: "cancelled" in order.rows(deliveries.c.kind), "the step is taken")
            await travel.pass_time(timedelta(hours=2))
            await eventually(lambda: order.cases() == [("unreachable", "low")], "a person is asked")
            assert order.dead_letters() == ["undeliverable"]

    with FakeSendGrid(check_requests=False) as fake:
        run(story(fake))
