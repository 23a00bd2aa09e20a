"""The floor: a hand-written workflow that only receives the same signals and makes the same sends; `-m bench.floor`."""

import asyncio
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    from pydantic import SecretStr

    from bench.life import BRAND_DOCUMENT
    from ordertrail.channels.base import Provider
    from ordertrail.channels.sendgrid import SendGridEmail
    from ordertrail.channels.twilio_sms import TwilioSms
    from ordertrail.domain.brand import Brand
    from ordertrail.domain.message import OutgoingMessage, Rendered
    from ordertrail.domain.vocabulary import Channel, MessageKind

QUEUE = "floor"
SEND_THREADS = 16
_BODY = "<p>Your order is on its way, and this is all a hand-written workflow would say about it.</p>\n" * 60


@dataclass(frozen=True, kw_only=True)
class Send:
    """One message: by which provider, to whom."""

    provider: str
    to: str


@dataclass(frozen=True, kw_only=True)
class Signal:
    """One milestone, with the sends it means; `last`: the order ends with it."""

    name: str
    sends: list[Send]
    last: bool


@workflow.defn
class FloorOrder:
    """Receives and sends; decides nothing, remembers nothing."""

    def __init__(self) -> None:
        self._queue: list[Signal] = []

    @workflow.signal
    def milestone(self, told: Signal) -> None:
        """A milestone was reached."""
        self._queue.append(told)

    @workflow.run
    async def run(self) -> None:
        """Until the last milestone is told."""
        sending: list[asyncio.Task[None]] = []
        over = False
        while not over:
            await workflow.wait_condition(lambda: bool(self._queue))
            told = self._queue.pop(0)
            sending += [asyncio.create_task(self._send(send)) for send in told.sends]
            over = told.last
        await asyncio.gather(*sending)

    async def _send(self, send: Send) -> None:
        await workflow.execute_activity_method(
            FloorSender.send, send, task_queue=f"{QUEUE}-{send.provider}", start_to_close_timeout=timedelta(seconds=30)
        )


class FloorSender:
    """Sends a constant message with the same libraries as the product."""

    def __init__(self, providers: dict[str, Provider]) -> None:
        self._providers = providers
        self._brand = Brand.model_validate(dict(BRAND_DOCUMENT))

    @activity.defn(name="floor_send")
    def send(self, send: Send) -> str:
        """One attempt; the provider's id."""
        provider = self._providers[send.provider]
        message = OutgoingMessage(
            delivery_id=activity.info().activity_id, key="floor", brand=self._brand, kind=MessageKind.SHIPPED,
            channel=provider.channel, to=send.to, to_name="Ada Lovelace", rendered=_rendered(provider.channel),
        )  # fmt: skip
        return provider.send(message).provider_id


def _rendered(channel: Channel) -> Rendered:
    if channel is Channel.SMS:
        return Rendered(text="Your order is on its way.")
    return Rendered(subject="Your order", html=_BODY, text="Your order is on its way.\n" * 20)


async def start(client: Client, workflow_id: str, told: Signal) -> None:
    """Begin an order with its first milestone, as one signal-with-start."""
    await client.start_workflow(
        FloorOrder.run, id=workflow_id, task_queue=QUEUE, start_signal="milestone", start_signal_args=[told]
    )


async def _serve() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    url = os.environ["BENCH_PROVIDER_URL"]
    email = SendGridEmail(api_key=SecretStr("SG.bench"), base_url=url, timeout=10)
    sms = TwilioSms(
        account_sid="AC" + "0" * 32, auth_token=SecretStr("bench"), base_url=url, default_from=None, timeout=10,
        status_callback=lambda message: f"{url}/callbacks/{message.delivery_id}",
    )  # fmt: skip
    sender = FloorSender({email.name: email, sms.name: sms})
    client = await Client.connect(os.environ["TEMPORAL_ADDRESS"])
    workers = [Worker(client, task_queue=QUEUE, workflows=[FloorOrder])]
    workers += [
        Worker(
            client, task_queue=f"{QUEUE}-{name}", activities=[sender.send], max_concurrent_activities=SEND_THREADS,
            activity_executor=ThreadPoolExecutor(SEND_THREADS),
        )
        for name in (email.name, sms.name)
    ]  # fmt: skip
    running = [asyncio.create_task(worker.run()) for worker in workers]
    await stop.wait()
    await asyncio.gather(*(worker.shutdown() for worker in workers), *running)


if __name__ == "__main__":
    asyncio.run(_serve())
    os._exit(0)  # the SDK's threads may abort an interpreter that winds down (sdk-python#300)
