"""No name, email, phone, address or word of a message leaves SQL: not to Temporal, not to logs, not to metrics."""

import base64
import io
import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import structlog
from prometheus_client import generate_latest
from sqlalchemy import update
from temporalio.client import WorkflowHandle

from ordertrail.db.tables import deliveries, orders
from ordertrail.observability import configure_logging
from tests.fakes.faults import Fault
from tests.fakes.sendgrid import API_KEY, FakeSendGrid
from tests.fakes.twilio import ACCOUNT_SID, AUTH_TOKEN, FakeTwilio
from tests.workflows import scenarios, shop
from tests.workflows.leaks import assert_tells_nothing, leaks_in
from tests.workflows.record import runs_of
from tests.workflows.scenarios import SCENARIOS
from tests.workflows.server import DevServer, free_port
from tests.workflows.system import Order, assembled, eventually, run

WORTH_SEARCHING = 25
"""Characters from which on a line of a message is its own, and not a word that code uses as well."""


@pytest.fixture
def written(capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """Everything the process wrote, with logging as a process configures it and at its most talkative."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging("json", "DEBUG")
    lines = io.StringIO()
    for handler in root.handlers:
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(lines)
    yield lambda: lines.getvalue() + "".join(capfd.readouterr())
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


async def everything_about(handle: WorkflowHandle[Any, Any], order: Order) -> str:
    """All Temporal knows of an order: each run's history, search attributes, memo, summaries, pending activities."""
    client = order.system.client
    told = []
    for run_id in await runs_of(client, order):
        one = client.get_workflow_handle(handle.id, run_id=run_id)
        history = await one.fetch_history()
        description = await one.describe()
        told += [history.to_json(), *(str(event) for event in history.events), str(description.raw_description)]
        told += [str(await description.static_summary()), str(await description.static_details())]
    return "\n".join(told)


def words_of(order: Order) -> list[str]:
    """The personal values, and the lines of the order's own messages."""
    lines = [line.strip() for text in scenarios.bodies(order) for line in text.splitlines()]
    assert lines
    return [*shop.PERSONAL, *(line for line in lines if len(line) >= WORTH_SEARCHING and " " in line)]


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name != "continued_as_new"])
def test_a_scenario_leaves_nothing_personal_behind(
    server: DevServer, sqlite_url: str, written: Callable[[], str], name: str
) -> None:
    port = free_port()

    async def story() -> tuple[str, list[str]]:
        scenario = SCENARIOS[name]
        client = await server.connect(metrics_port=port)
        async with assembled(client, sqlite_url, policy=dict(scenario.policy), **scenario.settings) as system:
            order = await scenario.play(system)
            metrics = httpx.get(f"http://127.0.0.1:{port}/metrics").text
            assert "temporal_" in metrics
            return await everything_about(order.handle, order) + metrics + generate_latest().decode(), words_of(order)

    told, words = run(story())
    lines = written()
    assert_tells_nothing(told, words)
    assert_tells_nothing(lines, words)
    assert '"level": "debug"' in lines


def test_providers_that_echo_the_customer_in_their_errors_are_not_quoted(
    server: DevServer, sqlite_url: str, written: Callable[[], str]
) -> None:
    async def story(sendgrid: FakeSendGrid, twilio: FakeTwilio) -> tuple[str, list[str]]:
        channels: dict[str, Any] = {
            "email_provider": "sendgrid", "sendgrid_api_key": API_KEY, "sendgrid_base_url": sendgrid.url,
            "sms_provider": "twilio", "twilio_account_sid": ACCOUNT_SID, "twilio_auth_token": AUTH_TOKEN,
            "twilio_base_url": twilio.url,
        }  # fmt: skip
        async with assembled(await server.connect(), sqlite_url, **channels) as system:
            order = system.place()
            await order.settled()
            sendgrid.faults.push(Fault.server_error(), Fault.too_many(), Fault.drop_after_accept())
            twilio.faults.push(Fault.server_error(), Fault.drop_after_accept())
            order.ship()
            await eventually(lambda: len(sendgrid.messages) >= 2 and twilio.messages, "both came through")
            sendgrid.settings.rejects = {shop.EMAIL: "550 no such user"}
            twilio.settings.rejects = {shop.PHONE: "21211"}
            order.event("cancelled")
            await eventually(lambda: ("unreachable", "low") in order.cases(), "a person is asked")
            assert order.rows(deliveries.c.state).count("failed") == 2
            told = await everything_about(order.handle, order)
            assert "rejected" in told or "invalid" in told or "unclear" in told
            await order.handle.terminate()
            return told, words_of(order)

    with FakeSendGrid(check_requests=False) as sendgrid, FakeTwilio(check_requests=False) as twilio:
        told, words = run(story(sendgrid, twilio))
    lines = written()
    assert_tells_nothing(told, words)
    assert_tells_nothing(lines, words)
    assert "send_unclear" in lines


def test_a_defect_that_quotes_the_customer_is_told_as_a_code(
    server: DevServer, sqlite_url: str, written: Callable[[], str]
) -> None:
    """A stored order that today's code cannot read: pydantic's error would quote it."""

    async def story() -> str:
        async with assembled(await server.connect(), sqlite_url) as system:
            order = system.place()
            await order.settled()
            broken = '{"customer": "' + shop.NAME + " " + shop.EMAIL + '"}'
            with system.database.write() as c:
                c.execute(update(orders).where(orders.c.id == order.id).values(canonical=broken))
            order.event("processing")

            async def has_failed() -> bool:
                pending = (await order.handle.describe()).raw_description.pending_activities
                return any(activity.HasField("last_failure") for activity in pending)

            await eventually(has_failed, "the step fails and is retried")
            told = await everything_about(order.handle, order)
            await order.handle.terminate()
            return told

    told = run(story())
    lines = written()
    assert "ValidationError" in told
    assert "activity_failed" in lines
    assert_tells_nothing(told)
    assert_tells_nothing(lines)


def test_the_search_would_find_what_is_hidden() -> None:
    hidden = base64.b64encode(b'{"deep": "' + base64.b64encode(shop.NAME.encode()) + b'"}').decode()
    assert leaks_in(f"x {hidden} y") == [word for word in shop.PERSONAL if word in shop.NAME]
