"""What passes between a workflow and its activities: ids, codes and times, never personal data."""

from ordertrail.domain.base import Instant, Stored


class RawSignal(Stored):
    """A signal as it came, undecoded: `body` is the payload's bytes as base64. `number` counts signals of the run.

    `cut`: it was too long to be an event, and only its beginning is kept.
    """

    number: int
    name: str
    encoding: str
    body: str
    received_at: Instant
    cut: bool = False


class OrderStart(Stored):
    """What a run is started with; everything in it may be missing, the state is in SQL.

    `signals` were received but not yet advanced when the last run continued as new.
    """

    signals: tuple[RawSignal, ...] = ()


class AdvanceInput(Stored):
    """One step of an order.

    `step` names this step for ever (run id and count), so that a retry finds what it already did. `expected_seq` is
    what the last step of this run returned; None when the run begins. `received` is how many signals the run had
    received when the step was asked for. `now` is the workflow's aware UTC time.
    """

    workflow_id: str
    step: str
    expected_seq: int | None
    received: int
    now: Instant
    signals: tuple[RawSignal, ...] = ()


class SendOrder(Stored):
    """A delivery to be sent by its provider, useful until `not_after`. `summary` is shown to operators."""

    delivery_id: str
    provider: str
    critical: bool
    not_after: Instant
    summary: str


class Attributes(Stored):
    """The search attributes of an order's run."""

    brand: str
    status: str
    conditions: tuple[str, ...] = ()
    queue: str | None = None
    promise_ends_at: Instant | None = None


class Outcome(Stored):
    """What a step decided. Stored with the step; a retry returns it verbatim.

    `received` repeats the input's: what came later must be advanced again. `closed`: nothing is open once the sends
    are done. `known` is False when there is no such order. `deadline_for` says what `deadline` is about.
    """

    seq: int
    received: int
    known: bool = True
    sends: tuple[SendOrder, ...] = ()
    cancels: tuple[str, ...] = ()
    deadline: Instant | None = None
    deadline_for: str = ""
    closed: bool = False
    attributes: Attributes | None = None
    story: str = ""


class SendInput(Stored):
    """One attempt to send one delivery."""

    delivery_id: str


class SendResult(Stored):
    """How sending ended. `needs_advance`: the order must decide what to do about it."""

    state: str
    reason: str = ""
    needs_advance: bool = False
