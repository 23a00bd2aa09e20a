"""`ordertrail db`: the schema of the database."""

from typing import Annotated

import typer

from ordertrail.cli.session import data_dir, database_at, settings_beside, upgraded
from ordertrail.db import migrate

app = typer.Typer(help="The database's schema.", no_args_is_help=True)


@app.command()
def upgrade() -> None:
    """Create or update the tables. Safe to run from several processes at once, and when there is nothing to do."""
    before, after = upgraded(settings_beside())
    if before == after:
        typer.echo(f"The database is up to date ({after}).")
    else:
        typer.echo(f"The database is upgraded: {before or 'empty'} -> {after}.")


@app.command(hidden=True)
def revision(message: Annotated[str, typer.Argument(help="What changed, in a few words.")]) -> None:
    """Write a migration from the difference between the last revision and the tables in code. For developers."""
    draft = data_dir() / "revision.db"
    draft.unlink(missing_ok=True)
    database = database_at(f"sqlite:///{draft.absolute()}")
    migrate.upgrade(database)
    migrate.revise(database, message)
    database.close()
    draft.unlink()
