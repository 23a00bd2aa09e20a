"""What a fake provider does wrong on demand: a queue of faults for the next requests, then faults by probability."""

import threading
import zlib
from collections import deque
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class FaultKind(StrEnum):
    ANSWER = "answer"  # an error answer in the vendor's format
    HANG = "hang"  # no answer for a while
    DROP = "drop"  # the connection is closed without an answer


class Fault(BaseModel):
    """One way to fail. `accepts`: the message is taken nevertheless, which is what makes an attempt ambiguous."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: FaultKind
    status: int = 500
    code: int | None = Field(None, description="Twilio's error code")
    retry_after: str | None = Field(None, description="The Retry-After header, as it is")
    rate_limit_reset: int | None = Field(None, description="SendGrid's X-RateLimit-Reset header, Unix seconds")
    seconds: float = 0
    accepts: bool = False

    @classmethod
    def answer(cls, status: int, *, code: int | None = None, retry_after: str | None = None) -> "Fault":
        return cls(kind=FaultKind.ANSWER, status=status, code=code, retry_after=retry_after)

    @classmethod
    def too_many(cls, *, retry_after: str | None = "1", rate_limit_reset: int | None = None) -> "Fault":
        return cls(kind=FaultKind.ANSWER, status=429, retry_after=retry_after, rate_limit_reset=rate_limit_reset)

    @classmethod
    def server_error(cls) -> "Fault":
        return cls(kind=FaultKind.ANSWER, status=500)

    @classmethod
    def hang(cls, seconds: float, *, accepts: bool = True) -> "Fault":
        return cls(kind=FaultKind.HANG, seconds=seconds, accepts=accepts, status=503)

    @classmethod
    def drop_after_accept(cls) -> "Fault":
        return cls(kind=FaultKind.DROP, accepts=True)

    @classmethod
    def refuse(cls) -> "Fault":
        """Close the connection and take nothing. The caller cannot tell this from `drop_after_accept`."""
        return cls(kind=FaultKind.DROP, accepts=False)


class Rate(BaseModel):
    """A fault that befalls this share of the requests."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    probability: float = Field(ge=0, le=1)
    fault: Fault


def chance(*parts: object) -> float:
    """A number in [0, 1) that depends on `parts` alone, so that a run with the same seed fails in the same places."""
    return zlib.crc32(":".join(map(str, parts)).encode()) / 2**32


class Faults:
    """Thread-safe. Each request takes one fault, or none: the queue's next, else by the rates."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self._queue: deque[Fault] = deque()
        self._rates: tuple[Rate, ...] = ()
        self._asked = 0

    def push(self, *faults: Fault) -> None:
        with self._lock:
            self._queue.extend(faults)

    def set_rates(self, *rates: Rate) -> None:
        with self._lock:
            self._rates = rates

    def clear(self) -> None:
        with self._lock:
            self._queue.clear()
            self._rates = ()

    def take(self) -> Fault | None:
        """The fault of this request."""
        with self._lock:
            self._asked += 1
            if self._queue:
                return self._queue.popleft()
            drawn = chance("fault", self._seed, self._asked)
            for rate in self._rates:
                if drawn < rate.probability:
                    return rate.fault
                drawn -= rate.probability
            return None
