"""A token bucket per API key, in this process."""

from collections.abc import Callable


class RateLimit:
    """Lets `per_second` requests through on average, and `burst` at once. For the event loop's thread only."""

    def __init__(self, per_second: float, burst: int, monotonic: Callable[[], float]) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._monotonic = monotonic
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, key_id: str) -> float:
        """0.0 if the request may pass, which it then has; else the seconds until one may."""
        now = self._monotonic()
        tokens, then = self._buckets.get(key_id, (self._burst, now))
        tokens = min(self._burst, tokens + (now - then) * self._per_second)
        if tokens < 1.0:
            return (1.0 - tokens) / self._per_second
        self._buckets[key_id] = (tokens - 1.0, now)
        return 0.0
