"""The families of failure; one place each turns them into HTTP problems and into Temporal's errors."""

from datetime import timedelta


class OrdertrailError(Exception):
    """Any failure of ours. `code` is a stable word for machines; the message never holds personal data."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.code = code


class Transient(OrdertrailError):
    """It was certainly not done and may work later, after `retry_after` if the other side said so."""

    def __init__(self, code: str, message: str = "", *, retry_after: timedelta | None = None) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after


class Permanent(OrdertrailError):
    """It was not done and never will be. `closes_channel`: this address must not be used again on this channel."""

    def __init__(self, code: str, message: str = "", *, closes_channel: bool = False) -> None:
        super().__init__(code, message)
        self.closes_channel = closes_channel


class Ambiguous(OrdertrailError):
    """It may or may not have been done: the connection broke, or the answer never came, after we had asked."""


class BadSignature(OrdertrailError):
    """A callback is not what its provider signed, or was signed too long ago: nothing of it may be believed."""


class StaleAdvance(OrdertrailError):
    """Another advance of this order has committed in between; this attempt must not write."""


class ConfigurationError(OrdertrailError):
    """A setting is missing or wrong; told in one clear line at start."""
