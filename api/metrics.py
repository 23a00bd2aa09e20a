"""Prometheus figures of this process and of the database; no label ever holds personal data."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Connection

from ordertrail.db import deliveries, inbox
from ordertrail.db.engine import Database
from ordertrail.domain.clock import Clock
from ordertrail.domain.failures import Transient

_CACHE_S = 5.0
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The figures of one application; each has a registry of its own."""

    def __init__(self, database: Database, clock: Clock, monotonic: Callable[[], float]) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "ordertrail_http_requests",
            "Requests by route template, method and status.",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self.seconds = Histogram(
            "ordertrail_http_seconds",
            "Time to the first byte of the answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.accepted = Counter(
            "ordertrail_accepted",
            "Payloads stored for the first time, by brand, kind of connection and kind of payload.",
            ("brand", "source", "kind"),
            registry=self._registry,
        )
        self.dead_letters = Counter(
            "ordertrail_dead_letters",
            "Payloads this process kept as dead letters, by brand, kind of connection and reason.",
            ("brand", "source", "reason"),
            registry=self._registry,
        )
        self._registry.register(_Stored(database, clock, monotonic))

    def text(self) -> bytes:
        """The exposition format. Reads the database at most every few seconds; never raises when it is away."""
        return generate_latest(self._registry)


@dataclass(frozen=True, kw_only=True)
class _Figures:
    backlog: int
    oldest_s: float
    waiting: dict[str, int]
    deliveries: dict[tuple[str, str], int]
    unclear: dict[str, tuple[int, int]]


class _Stored(Collector):
    """What the database knows, looked up when somebody scrapes."""

    def __init__(self, database: Database, clock: Clock, monotonic: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._monotonic = monotonic
        self._figures: _Figures | None = None
        self._read_at = 0.0

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing ahead of time, so that registering does not read the database."""
        return ()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The families; when the database is away, `ordertrail_database_up` 0 and nothing else."""
        up = GaugeMetricFamily("ordertrail_database_up", "Whether the database answered.")
        figures = self._fresh()
        up.add_metric([], 0.0 if figures is None else 1.0)
        return [up, *(_families(figures) if figures is not None else ())]

    def _fresh(self) -> _Figures | None:
        now = self._monotonic()
        if self._figures is None or now - self._read_at > _CACHE_S:
            try:
                with self._database.read() as c:
                    self._figures = self._read(c)
            except Transient:
                return None
            self._read_at = now
        return self._figures

    def _read(self, c: Connection) -> _Figures:
        backlog, oldest_s = inbox.backlog(c, now=self._clock())
        return _Figures(
            backlog=backlog,
            oldest_s=oldest_s,
            waiting=inbox.counts(c),
            deliveries=deliveries.counts(c),
            unclear=deliveries.unclear_counts(c),
        )


def _families(figures: _Figures) -> Iterable[GaugeMetricFamily]:
    backlog = GaugeMetricFamily("ordertrail_backlog", "Accepted rows their orders have not consumed yet.")
    backlog.add_metric([], figures.backlog)
    oldest = GaugeMetricFamily("ordertrail_backlog_oldest_seconds", "Age of the oldest of them.")
    oldest.add_metric([], figures.oldest_s)
    waiting = GaugeMetricFamily("ordertrail_inbox_rows", "Rows that need an eye, by state.", labels=("state",))
    for state, number in sorted(figures.waiting.items()):
        waiting.add_metric([state], number)
    sent = GaugeMetricFamily("ordertrail_deliveries", "Deliveries by state.", labels=("channel", "state"))
    for (channel, state), number in sorted(figures.deliveries.items()):
        sent.add_metric([channel, state], number)
    return (backlog, oldest, waiting, sent, *_unclear(figures))


def _unclear(figures: _Figures) -> Iterable[GaugeMetricFamily]:
    """What was sent without anybody seeing the end of it."""
    unclear = GaugeMetricFamily(
        "ordertrail_sends_ambiguous", "Attempts to send whose end nobody saw.", labels=("provider",)
    )
    doubled = GaugeMetricFamily(
        "ordertrail_sends_unresolved",
        "Of those, sent again with nobody to ask: what may be doubled.",
        labels=("provider",),
    )
    for provider, (attempts, again) in sorted(figures.unclear.items()):
        unclear.add_metric([provider], attempts)
        doubled.add_metric([provider], again)
    return (unclear, doubled)
