"""`ordertrail keys`: API keys."""

from typing import Annotated

import typer
from pydantic import ValidationError

from ordertrail.channels.vapid import new_vapid_key
from ordertrail.cli.session import now, opened_database, settings_beside
from ordertrail.cli.tables import show
from ordertrail.db import brands as stored_brands
from ordertrail.db import keys
from ordertrail.db.keys import Scope
from ordertrail.domain.failures import OrdertrailError

app = typer.Typer(help="API keys: one per connection, for one brand.", no_args_is_help=True)

_FOR_AN_OMS = [Scope.ORDERS_WRITE, Scope.EVENTS_WRITE, Scope.ORDERS_READ]


@app.command()
def create(
    brand: Annotated[str, typer.Option(help="The brand it opens.")],
    name: Annotated[str, typer.Option(help="Who uses it, such as 'oms'; a rotated key keeps its name.")] = "oms",
    scope: Annotated[list[Scope] | None, typer.Option(help="What it may do; may be repeated.")] = None,
) -> None:
    """Make a key and print its secret, which is shown this once only."""
    with opened_database(settings_beside()) as database, database.write() as c:
        if brand not in {known.id for known in stored_brands.listing(c)}:
            raise OrdertrailError("unknown_brand", f"there is no brand '{brand}'; see: ordertrail brands list")
        try:
            key, secret = keys.create(c, brand=brand, name=name, scopes=scope or _FOR_AN_OMS, now=now())
        except ValidationError:
            raise OrdertrailError("name", f"'{name}' is no name: use lower-case letters, digits, '-' and '_'") from None
    scopes = ", ".join(sorted(key.scopes))
    typer.echo(f"{key.id} ({scopes}) for {brand}; keep its secret, it is not shown again:", err=True)
    typer.echo(secret)


@app.command("list")
def list_keys(brand: Annotated[str | None, typer.Option(help="Of this brand only.")] = None) -> None:
    """Show all keys, without their secrets."""
    with opened_database(settings_beside()) as database, database.read() as c:
        found = keys.listing(c, brand=brand)
    rows = [
        (key.id, key.brand, key.name, ", ".join(sorted(key.scopes)), key.created_at, key.revoked_at) for key in found
    ]
    show("API keys", ("id", "brand", "name", "scopes", "created", "revoked"), rows)


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(help="Its id, as shown by 'keys list'.")]) -> None:
    """Make a key useless for ever. Running processes forget it within half a minute."""
    with opened_database(settings_beside()) as database, database.write() as c:
        done = keys.revoke(c, key_id, now())
    if not done:
        raise OrdertrailError("unknown_key", f"there is no key '{key_id}' that is still valid")
    typer.echo(f"{key_id} is revoked.")


@app.command()
def vapid() -> None:
    """Print a new key pair for web push, as settings. Keep it: devices subscribe to this very key."""
    private, public = new_vapid_key()
    typer.echo(f"The public key, which browsers are given by GET /v1/push/key: {public}", err=True)
    typer.echo(f"ORDERTRAIL_VAPID_PRIVATE_KEY={private}")
