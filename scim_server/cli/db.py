"""``scim-server db``: the database schema."""

import click

from scim_server.cli.context import Context, pass_context
from scim_server.cli.output import Exit, json_option, print_json
from scim_server.store import migration, revisions
from scim_server.store.engine import Database


@click.group()
def db() -> None:
    """Bring the database to this version, or see where it is."""


@db.command()
@json_option
@pass_context
def upgrade(context: Context, as_json: bool) -> None:
    """Bring the database to this version. Safe to run from several machines at once."""
    applied = migration.upgrade(context.settings.database)
    if as_json:
        print_json({"applied": applied, "revision": revisions.newest()})
    elif applied:
        click.echo(f"Applied {', '.join(applied)}.")
    else:
        click.echo(f"Nothing to do: the database is at {revisions.newest()}.")


@db.command()
@json_option
@pass_context
def check(context: Context, as_json: bool) -> int:
    """Compare the database with what this version needs; exit code 1 where they differ."""
    differences = migration.differences(context.settings.database)
    if as_json:
        print_json({"differences": differences})
    else:
        click.echo("\n".join(differences) or "The database fits this version.")
    return Exit.FAILED if differences else Exit.DONE


@db.command()
@json_option
@pass_context
def current(context: Context, as_json: bool) -> None:
    """Show the revision of the database and the one this version needs."""
    database = Database(context.settings.database, pool_size=1)
    try:
        at = revisions.current(database)
    finally:
        database.close()
    if as_json:
        print_json({"revision": at, "needed": revisions.newest()})
    else:
        click.echo(f"{at or 'none'} (this version needs {revisions.newest()})")
