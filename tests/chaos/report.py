"""The report of a run, as text."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from tests.chaos.running import Result


def told(result: Result, *, incidents: bool = False) -> str:
    """The whole report; `incidents`: with every kill, fault and restart."""
    return "\n".join(_lines(result, incidents=incidents))


def _lines(result: Result, *, incidents: bool) -> Iterator[str]:
    form, found, verdict = result.form, result.evidence, result.verdict
    again = f"--seed {form.seed} --orders {form.orders} --database {form.database}"
    yield f"Crash suite: {form.orders} orders on {form.database}, seed {form.seed}"
    yield f"  again         python -m tests.chaos {again}"
    yield f"  seconds       {_listed({phase: f'{seconds:.0f}' for phase, seconds in result.timings.items()})}"
    yield f"  plots         {_listed(Counter(life.plot for life in found.lives))}"
    yield f"  monkey        {_listed(Counter(act.what for act in result.acts))}"
    yield f"  killed        {_listed(result.kills)}"
    yield f"  faults        {_listed(Counter(fault for act in result.acts for fault in act.faults))}"
    yield f"  api answered  {_listed(found.ledger.statuses)}"
    yield f"  events        {len(found.ledger.accepted)} accepted, {sum(found.appended.values())} on timelines"
    yield f"  inbox         {_listed(_inbox(found.inbox))}"
    yield f"  deliveries    {_listed(Counter(d.state for d in found.deliveries))}"
    yield f"  at providers  {_listed(Counter(message.provider for message in found.messages))}"
    yield f"  callbacks     {_listed(Counter('lost' if r.lost else str(r.status) for r in found.reports))}"
    yield f"  runs          {_listed(found.runs)}"
    yield from _section("Incidents", result.incidents if incidents else ())
    yield from _section("Attempts whose end nobody saw, and what became of them", verdict.ambiguous)
    allowed = f"{verdict.doubles} twice and {verdict.untold} not at all, as a provider that cannot be asked allows"
    yield from _section("VIOLATIONS", verdict.violations)
    yield "FAILED" if verdict.violations else f"Every expected message was there exactly once; {allowed}."


def _inbox(inbox: Mapping[tuple[str, str], int]) -> Counter[str]:
    return Counter({f"{state} {reason}".strip(): number for (state, reason), number in inbox.items()})


def _listed(counted: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counted.items()) or "none"


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    shown = list(lines)
    if shown:
        yield f"{title} ({len(shown)})"
        yield from (f"  {line}" for line in shown)
