"""API keys in memory for a short while, so that a request does not pay for a look into the database."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from ordertrail.db import keys
from ordertrail.db.engine import Database
from ordertrail.db.keys import PREFIX, ApiKey, secret_sha256

_REMEMBERED = 4096
"""How many secrets, right or wrong, are remembered; the oldest is forgotten first."""
_SECRET_LENGTH = len(PREFIX) + 43


class KeyRing:
    """Finds keys by their secret. Thread-safe.

    What was found, or not found, is trusted for `ttl_s` seconds of `monotonic`: so long may a revoked key still work.
    Only hashes are compared and remembered, never secrets, so timing tells nothing about a secret.
    """

    def __init__(self, database: Database, *, monotonic: Callable[[], float], ttl_s: float = 30.0) -> None:
        self._database = database
        self._monotonic = monotonic
        self._ttl_s = ttl_s
        self._known: OrderedDict[str, tuple[float, ApiKey | None]] = OrderedDict()
        self._lock = threading.Lock()

    def cached(self, secret: str) -> tuple[bool, ApiKey | None]:
        """(whether the answer is known without the database, the key). Never blocks."""
        if len(secret) != _SECRET_LENGTH or not secret.startswith(PREFIX):
            return True, None
        entry = self._known.get(secret_sha256(secret))
        if entry is None or entry[0] < self._monotonic():
            return False, None
        return True, entry[1]

    def find(self, secret: str) -> ApiKey | None:
        """The key this secret opens, or None. Raises Transient when the database is needed and away."""
        known, key = self.cached(secret)
        if known:
            return key
        sha256 = secret_sha256(secret)
        with self._database.read() as c:
            key = keys.find(c, sha256)
        with self._lock:
            self._known[sha256] = (self._monotonic() + self._ttl_s, key)
            self._known.move_to_end(sha256)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return key
