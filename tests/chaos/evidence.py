"""Everything that is counted at the end, gathered from the providers, the database, Temporal and the senders."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, func, select
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus

from ordertrail.db.tables import deliveries, handoffs, inbox, orders, timeline
from ordertrail.domain.vocabulary import DeliveryState
from tests.chaos.client import Ledger
from tests.chaos.lives import Life
from tests.chaos.providers import Message, Report
from tests.chaos.system import System

OPEN_DELIVERIES = (DeliveryState.HELD, DeliveryState.PLANNED, DeliveryState.CLAIMED)
_SOON = timedelta(seconds=30)
_HARMLESS_FAILURES = frozenset({WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND})
"""A signal came while the task was being completed; the server asks again."""
_HEALTHY_ENDS = frozenset(
    {WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.COMPLETED, WorkflowExecutionStatus.CONTINUED_AS_NEW}
)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A delivery as the product's database has it at the end."""

    id: str
    key: str
    order_id: str
    kind: str
    channel: str
    provider: str
    critical: bool
    state: str
    reason: str | None
    address: str | None
    attempts: int
    ambiguous: int


@dataclass(kw_only=True)
class Evidence:
    """What was found. `appended`: how often each (order id, source, event id) stands on a timeline."""

    lives: Sequence[Life]
    ledger: Ledger
    messages: list[Message] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    appended: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    handoffs: int = 0
    inbox: Counter[tuple[str, str]] = field(default_factory=Counter)
    undeliverable: Counter[str] = field(default_factory=Counter)
    open_orders: set[str] = field(default_factory=set)
    runs: Counter[str] = field(default_factory=Counter)
    wedged: list[str] = field(default_factory=list)
    unsettled: str = ""


def unsettled(system: System) -> str:
    """What is still to be done, in words; empty when the system has come to rest."""
    soon = datetime.now(UTC) + _SOON
    questions = {
        "handoffs": select(func.count()).select_from(handoffs),
        "open deliveries": select(func.count()).where(deliveries.c.state.in_(OPEN_DELIVERIES)),
        "unmatched rows": select(func.count()).where(inbox.c.state == "unmatched"),
        "orders with a deadline soon": select(func.count()).where(orders.c.open, orders.c.deadline < soon),
    }
    with system.opened() as database, database.read() as c:
        counted = {what: c.execute(question).scalar_one() for what, question in questions.items()}
    return ", ".join(f"{number} {what}" for what, number in counted.items() if number)


async def at_work(client: Client) -> bool:
    """Whether Temporal has anything in hand but timers: a retry may still wait to find that it has nothing to do."""
    async for run in client.list_workflows("ExecutionStatus = 'Running'"):
        if await _pending(client, run):
            return True
    return False


async def gather(system: System, lives: Sequence[Life], ledger: Ledger, still_open: str) -> Evidence:
    """Look everywhere. `still_open` is what `unsettled` said last."""
    found = Evidence(lives=lives, ledger=ledger, unsettled=still_open)
    for provider in system.providers.values():
        found.messages += await provider.messages()
        found.reports += await provider.reports()
    with system.opened() as database, database.read() as c:
        _read_database(c, found)
    await _look_at_runs(await system.temporal(), found)
    return found


def _read_database(c: Connection, found: Evidence) -> None:
    columns = [deliveries.c[name] for name in Delivery.__annotations__]
    found.deliveries = [Delivery(**row._mapping) for row in c.execute(select(*columns))]
    for row in c.execute(select(timeline.c.order_id, timeline.c.source, timeline.c.event_id)):
        found.appended[row.order_id, row.source, row.event_id] += 1
    found.handoffs = c.execute(select(func.count()).select_from(handoffs)).scalar_one()
    for row in c.execute(select(inbox.c.state, inbox.c.reason, inbox.c.order_id)):
        found.inbox[row.state, row.reason or ""] += 1
        if (row.state, row.reason) == ("dead", "undeliverable"):
            found.undeliverable[row.order_id] += 1
    found.open_orders = set(c.execute(select(orders.c.id).where(orders.c.open)).scalars())


async def _look_at_runs(client: Client, found: Evidence) -> None:
    """Every run must have ended well or be waiting calmly, and no workflow task may have failed for our fault."""
    running: Counter[str] = Counter()
    async for run in client.list_workflows():
        status = run.status.name if run.status else "UNKNOWN"
        found.runs[status] += 1
        running[run.id] += status == "RUNNING"
        if run.status not in _HEALTHY_ENDS:
            found.wedged.append(f"{run.id} has ended as {status}")
        found.wedged += await _troubles(client, run)
    by_id = {order_id: f"order:{life.brand}:{life.reference}" for life, order_id in _placed(found)}
    for order_id, workflow_id in by_id.items():
        wanted = int(order_id in found.open_orders)
        if running[workflow_id] != wanted:
            found.wedged.append(f"{workflow_id} has {running[workflow_id]} open runs, expected {wanted}")


def _placed(found: Evidence) -> list[tuple[Life, str]]:
    ids = found.ledger.order_ids
    return [(life, ids[life.number]) for life in found.lives if life.number in ids]


async def _troubles(client: Client, run: WorkflowExecution) -> list[str]:
    handle = client.get_workflow_handle(run.id, run_id=run.run_id)
    troubles = await _pending(client, run)
    async for event in handle.fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            cause = event.workflow_task_failed_event_attributes.cause
            if cause not in _HARMLESS_FAILURES:
                troubles.append(f"{run.id}: a workflow task failed, {WorkflowTaskFailedCause.Name(cause)}")
    return troubles


async def _pending(client: Client, run: WorkflowExecution) -> list[str]:
    if run.status is not WorkflowExecutionStatus.RUNNING:
        return []  # what it called off may still be listed
    described = (await client.get_workflow_handle(run.id, run_id=run.run_id).describe()).raw_description
    pending = [
        f"{run.id} has the activity {waiting.activity_type.name} pending, attempt {waiting.attempt}"
        for waiting in described.pending_activities
    ]
    if described.HasField("pending_workflow_task"):
        pending.append(f"{run.id} has a workflow task pending, attempt {described.pending_workflow_task.attempt}")
    return pending
