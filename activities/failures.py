"""Turns every failure of an activity into a code, so that no text of ours or a provider's reaches Temporal."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from temporalio.exceptions import ApplicationError, FailureError

from ordertrail.domain.failures import OrdertrailError, Transient
from ordertrail.observability import describe_exception

log = structlog.get_logger(__name__)


@contextmanager
def coded_failures(**ids: str) -> Iterator[None]:
    """Raises ApplicationError with a code only. `ids` go into the log line; a Transient's delay is kept.

    The code carries neither cause nor context: Temporal would record their messages, and the customer's data in them.
    """
    failure: ApplicationError
    try:
        yield
    except FailureError:
        raise
    except Transient as error:
        log.info("activity_retried", code=error.code, **ids)
        failure = ApplicationError(error.code, type=error.code, next_retry_delay=error.retry_after)
    except OrdertrailError as error:
        log.error("activity_failed", code=error.code, **ids)
        failure = ApplicationError(error.code, type=error.code)
    except Exception as error:
        log.error("activity_failed", **describe_exception(error), **ids)
        failure = ApplicationError("unexpected", type=type(error).__name__)
    else:
        return
    # `from None`, because the failure at hand is its context otherwise, and Temporal records contexts like causes.
    raise failure from None
