"""Builds the worker's parts: one queue for orders, one per provider, so that nothing waits for a slow provider."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities import AdvanceActivity, Loader, Saver, SendActivity
from ordertrail.db.brands import Brands
from ordertrail.db.engine import Database
from ordertrail.domain.clock import Clock
from ordertrail.messages.links import Links
from ordertrail.messages.render import Renderer
from ordertrail.settings import Settings
from ordertrail.wiring.providers import build_providers, rates
from ordertrail.wiring.shared import templates_dir
from workflows import WORKFLOWS

DRAIN = timedelta(seconds=15)
STICKY_TIMEOUT = timedelta(seconds=2)
"""How long an order waits for a worker that died before another one takes it."""
ADVANCE_THREADS = 4
SEND_THREADS = 16


def build_workers(settings: Settings, client: Client, database: Database, clock: Clock) -> list[Worker]:
    """The workers of one process. Raises ConfigurationError for a provider without credentials."""
    providers = build_providers(settings, database, clock)
    renderer = Renderer(templates_dir(), settings.templates_dir)
    brands = Brands()
    loader = Loader(
        brands,
        secret=settings.secret(),
        providers={channel: name for name, channel in providers},
        receipts=frozenset(channel for (_, channel), p in providers.items() if p.reports_receipts),
    )
    saver = Saver(Links(settings.secret(), str(settings.public_url)), templates_version=renderer.versions())
    advance = AdvanceActivity(database, loader, saver)
    send = SendActivity(
        database, providers, renderer, brands, secret=settings.secret(), clock=clock,
        callback_window=timedelta(seconds=settings.sendgrid_callback_window_s),
    )  # fmt: skip
    orders = Worker(
        client,
        task_queue=settings.task_queue,
        workflows=WORKFLOWS,
        # The sandbox would guard one small file whose imports all pass through it, and cost as much as all the rest of
        # the worker. Linting and replayed histories guard its determinism instead.
        workflow_runner=UnsandboxedWorkflowRunner(),
        activities=[advance.advance],
        activity_executor=ThreadPoolExecutor(ADVANCE_THREADS, thread_name_prefix="advance"),
        max_concurrent_activities=ADVANCE_THREADS,
        max_concurrent_local_activities=ADVANCE_THREADS,
        sticky_queue_schedule_to_start_timeout=STICKY_TIMEOUT,
        graceful_shutdown_timeout=DRAIN,
    )
    limits = rates(settings)
    return [orders] + [
        Worker(
            client,
            task_queue=f"{settings.task_queue}-{name}",
            activities=[send.send],
            activity_executor=ThreadPoolExecutor(SEND_THREADS, thread_name_prefix=f"send-{name}"),
            max_concurrent_activities=SEND_THREADS,
            max_task_queue_activities_per_second=limits.get(name),
            graceful_shutdown_timeout=DRAIN,
        )
        for name in sorted({name for name, _ in providers})
    ]
