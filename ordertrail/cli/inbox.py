"""`ordertrail inbox`: what was received and not understood, or waits for its order; and taking it again."""

from typing import Annotated

import typer

from ordertrail.cli.session import now, opened_database, settings_beside
from ordertrail.cli.tables import show
from ordertrail.db import inbox
from ordertrail.db.inbox import InboxState
from ordertrail.domain.failures import OrdertrailError
from ordertrail.frontdoor.door import FrontDoor
from ordertrail.frontdoor.receipts import Receipts
from ordertrail.frontdoor.replay import NotDead, Replay, Replayed, StillDead

app = typer.Typer(help="What was received: dead letters, unmatched events.", no_args_is_help=True)

_NEEDS_AN_EYE = [InboxState.DEAD, InboxState.UNMATCHED]
_COLUMNS = ("id", "state", "priority", "reason", "kind", "brand", "connection", "received_at", "replays", "order_id")


@app.command("list")
def list_rows(
    state: Annotated[list[InboxState] | None, typer.Option(help="In this state; may be repeated.")] = None,
    brand: Annotated[str | None, typer.Option(help="Of this brand only.")] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=1000)] = 50,
) -> None:
    """Show dead letters and unmatched events, most urgent first."""
    with opened_database(settings_beside()) as database, database.read() as c:
        rows = inbox.listing(c, states=state or _NEEDS_AN_EYE, brand=brand, limit=limit)
    show("Inbox", _COLUMNS, [tuple(getattr(row, column) for column in _COLUMNS) for row in rows])


@app.command("replay")
def replay_row(inbox_id: Annotated[int, typer.Argument(help="Its id, as shown by 'inbox list'.")]) -> None:
    """Take a dead letter again, now that what was wrong is mended."""
    settings = settings_beside()
    with opened_database(settings) as database:
        front_door = FrontDoor(database, secret=settings.secret())
        outcome = Replay(database, front_door, Receipts(database, secret=settings.secret())).replay(inbox_id, now())
    match outcome:
        case Replayed():
            typer.echo(f"{inbox_id} was understood this time.")
        case StillDead(reason=reason):
            raise OrdertrailError("still_dead", f"{inbox_id} is still not understood: {reason}")
        case NotDead(state=None):
            raise OrdertrailError("not_dead", f"there is no dead letter {inbox_id}")
        case NotDead(state=state):
            raise OrdertrailError("not_dead", f"{inbox_id} is no dead letter: it is {state}")
