"""Advance an order by one step: load, decide, save, in one transaction that a retry finds done."""

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.failures import coded_failures
from activities.loading import Loader
from activities.saving import Saver
from ordertrail.db import advancing, orders
from ordertrail.db.engine import Database
from ordertrail.domain.failures import StaleAdvance
from ordertrail.domain.ids import NaturalKey, parse_order_workflow_id
from ordertrail.domain.outcome import AdvanceInput, Outcome
from ordertrail.domain.policy.engine import decide
from ordertrail.frontdoor.signals import refuse_signal, take_signal

log = structlog.get_logger(__name__)

LONGEST_BRAND = 50


class AdvanceActivity:
    """All rules run here and not in the workflow: their answers are history, so a changed rule breaks no replay."""

    def __init__(self, database: Database, loader: Loader, saver: Saver) -> None:
        self._database = database
        self._loader = loader
        self._saver = saver

    @activity.defn(name="advance", no_thread_cancel_exception=True)
    def advance(self, step: AdvanceInput) -> Outcome:
        """One step; idempotent under (order, step). Raises ApplicationError with a code: `stale_advance` for good."""
        with coded_failures(workflow_step=step.step):
            try:
                return self._advance(step)
            except (StaleAdvance, IntegrityError) as error:
                return self._earlier(step, error)

    def _advance(self, step: AdvanceInput) -> Outcome:
        with self._database.write() as c:
            row = self._order(c, step)
            if row is None:
                return self._unknown(c, step)
            if row.seq != step.expected_seq:
                # Either this run has just begun, or this very step was committed before, or somebody else was faster.
                if done := advancing.stored_outcome(c, row.id, step.step):
                    return done
                if step.expected_seq is not None:
                    raise StaleAdvance("stale_advance")
            for signal in step.signals:
                take_signal(c, row.brand, row.id, signal, step.now)
            loaded = self._loader.load(c, row, step.now)
            plan = decide(loaded.situation)
            return self._saver.save(c, step, loaded, plan)

    def _earlier(self, step: AdvanceInput, error: Exception) -> Outcome:
        """Another attempt of this step won: its outcome; or another run did: this one must attach anew.

        Any other failure is raised again, to be retried slowly: attaching anew would only meet it again at once.
        """
        with self._database.read() as c:
            row = self._order(c, step, lock=False)
            done = advancing.stored_outcome(c, row.id, step.step) if row else None
        if done is not None:
            return done
        if not isinstance(error, StaleAdvance):
            raise error
        log.warning("stale_advance", workflow_step=step.step)
        raise ApplicationError("stale_advance", type="stale_advance", non_retryable=True) from None

    def _order(self, c: Connection, step: AdvanceInput, *, lock: bool = True) -> orders.OrderRow | None:
        key = _key(step)
        return orders.by_key(c, key, lock=lock) if key else None

    def _unknown(self, c: Connection, step: AdvanceInput) -> Outcome:
        """Signals for an order that does not exist become dead letters; orders are created over HTTP only."""
        key = _key(step)
        for signal in step.signals:
            refuse_signal(c, key, signal, step.now)
        story = "No such order. Orders are created over HTTP; what was signalled is kept as dead letters."
        return Outcome(seq=0, received=step.received, known=False, closed=True, story=story)


def _key(step: AdvanceInput) -> NaturalKey | None:
    """The order a run is about. Anybody can start a run under any id; one that no order can have names none."""
    key = parse_order_workflow_id(step.workflow_id)
    possible = key is not None and len(key.brand) <= LONGEST_BRAND and "\x00" not in step.workflow_id
    return key if possible else None
