"""The straight line: front door, dispatcher, workflow, advance, send, console; and what an operator sees of it."""

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus

from tests.workflows import scenarios, shop
from tests.workflows.server import DevServer
from tests.workflows.system import assembled, eventually, run

STRAIGHT = [
    "order_confirmation/email",
    "order_update/email",
    "shipped/email",
    "shipped/sms",
    "out_for_delivery/email",
    "out_for_delivery/sms",
    "delivered/email",
    "delivered/sms",
]


def test_an_order_lives_from_placed_to_delivered_and_each_message_arrives_once(
    server: DevServer, database_url: str
) -> None:
    async def story() -> None:
        async with assembled(await server.connect(), database_url) as system:
            order = await scenarios.straight_line(system)
            assert sorted(order.messages()) == sorted(STRAIGHT)
            description = await order.handle.describe()
            assert description.status is WorkflowExecutionStatus.COMPLETED
            events = [event.event_type async for event in order.handle.fetch_history_events()]
            sent = [event for event in events if event == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED]
            assert len(sent) == len(STRAIGHT)  # every advance was a local activity, none fell back

    run(story())


def test_an_operator_sees_the_story_in_temporal(server: DevServer, sqlite_url: str) -> None:
    async def story() -> None:
        async with assembled(await server.connect(), sqlite_url) as system:
            order = system.place()
            order.ship()
            await order.settled()
            order.scan("exception", reason_code="damaged")
            await order.settled()

            async def told() -> bool:
                found = (await order.handle.describe()).search_attributes
                return found.get("OrdertrailQueue") == ["claims"]

            await eventually(told, "search attributes name the queue of the case")
            description = await order.handle.describe()
            found = description.search_attributes
            assert found["OrdertrailBrand"] == [system.brand.id]
            assert found["OrdertrailStatus"] == ["attention"]
            assert "OrdertrailPromise" in found
            assert (
                await description.static_summary() == f"Order {order.key.external_id} of {system.brand.id}, sold on web"
            )
            state = await order.handle.query("state")
            assert state["status"] == "attention"
            assert state["queue"] == "claims"
            assert state["deadline"] is not None
            assert "attention" in state["story"]
            metadata = await order.handle.query("__temporal_workflow_metadata")
            assert "issue" in str(metadata)
            listed = f"OrdertrailBrand = '{system.brand.id}' AND OrdertrailQueue = 'claims'"

            async def is_listed() -> bool:
                return [found.id async for found in system.client.list_workflows(listed)] == [order.handle.id]

            await eventually(is_listed, "the order is found by its queue")
            await order.handle.terminate()

    run(story())


def test_scans_that_came_before_their_shipment_are_told_with_it(server: DevServer, sqlite_url: str) -> None:
    async def story() -> None:
        async with assembled(await server.connect(), sqlite_url) as system:
            order = system.place()
            order.scan("in_transit")
            order.scan("out_for_delivery")
            await order.settled()
            assert order.messages() == ["order_confirmation/email"]
            order.ship()
            await eventually(lambda: "out_for_delivery/sms" in order.messages(), "the newest scan is told")
            await order.settled()
            assert sorted(order.messages()[1:]) == ["out_for_delivery/email", "out_for_delivery/sms"]
            order.scan("delivered")
            await order.closed()

    run(story())


def test_more_events_than_one_round_takes_are_all_consumed_by_one_wake_up(server: DevServer, sqlite_url: str) -> None:
    async def story() -> None:
        async with assembled(await server.connect(), sqlite_url, dispatch=False) as system:
            order = system.place()
            order.ship()
            for number in range(450):
                order.scan("in_transit", event_id=f"many-{number}-{order.number}")
            order.scan("delivered")
            await system.hand_on(order)
            await order.closed()
            assert sorted(order.messages()) == ["delivered/email", "delivered/sms", "order_confirmation/email"]

    run(story())


def test_the_shop_s_own_words_are_in_the_messages(server: DevServer, sqlite_url: str) -> None:
    """That the recognisable values really travel: without this the privacy tests would prove nothing."""

    async def story() -> None:
        async with assembled(await server.connect(), sqlite_url) as system:
            order = await scenarios.straight_line(system)
            bodies = scenarios.bodies(order)
            assert any(shop.NAME in text for text in bodies)
            assert any(shop.LEFT_AT in text for text in bodies)

    run(story())
