"""``scim-server users``: what the server holds, as an administrator sees it."""

from typing import Any

import click
import orjson

from scim_server.admin.errors import NotThere
from scim_server.admin.schemas import SchemaCatalog
from scim_server.cli.context import Context, pass_context
from scim_server.cli.output import json_option, print_json, print_table, tenant_option
from scim_server.store.engine import Session
from scim_server.store.reads.administration import links_of
from scim_server.store.reads.listing import Listing, Query, find
from scim_server.store.reads.resources import StoredResource, find_resource, groups_of

_NOBODY = 0  # no source has this id: nothing is hidden from an administrator


@click.group()
def users() -> None:
    """See users and where they come from."""


@users.command("list")
@click.option("--filter", "text", help="""A SCIM filter: 'userName sw "mi" and active eq true'.""")
@click.option("--sort-by", help="A SCIM attribute; the oldest come first if left out.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 100_000))
@tenant_option
@json_option
@pass_context
def list_users(context: Context, text: str | None, sort_by: str | None, limit: int, tenant: str, as_json: bool) -> None:
    """List users."""
    tenant_id = context.tenant_id(tenant)
    with context.database.reading(tenant_id) as session:
        listing = _find(context, session, text, limit, sort_by)
    if as_json:
        print_json({"total": listing.total, "users": [orjson.loads(row.document) for row in listing.rows]})
        return
    columns = ("Id", "Username", "Display name", "Active", "Modified")
    print_table(columns, [_row(row) for row in listing.rows], empty="There is no such user.")
    if listing.total is not None and listing.total > len(listing.rows):
        click.echo(f"{len(listing.rows)} of {listing.total}; --limit shows more.", err=True)


@users.command("show")
@click.argument("name_or_id")
@tenant_option
@json_option
@pass_context
def show_user(context: Context, name_or_id: str, tenant: str, as_json: bool) -> None:
    """Show one user, by userName or id, with its groups and the sources it comes from."""
    with context.database.reading(context.tenant_id(tenant)) as session:
        row = find_resource(session, "User", name_or_id.lower(), _NOBODY) or _named(context, session, name_or_id)
        if row is None:
            raise NotThere(f"there is no user with the userName or id {name_or_id!r}")
        links = links_of(session, row.pk)
        groups = groups_of(session, [row.pk]).get(row.pk, [])
    document = orjson.loads(row.document)
    if as_json:
        print_json({"user": document, "groups": groups, "sources": [link._asdict() for link in links]})
        return
    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    click.echo("\nGroups:")
    print_table(
        ("Id", "Name", "Member"),
        [(each.id, each.display, "direct" if each.direct else "indirect") for each in groups],
        empty="none",
    )
    click.echo("\nComes from:")
    columns = ("Source", "Kind", "There called", "State", "Enabled", "Linked by", "Read")
    print_table(columns, links, empty="nowhere: nobody links it")


def _find(context: Context, session: Session, text: str | None, limit: int, sort_by: str | None) -> Listing:
    registry = SchemaCatalog(context.database, context.clock).registry(session.tenant)
    return find(session, Query((registry.user,), _NOBODY, filter=text, sort_by=sort_by, count=limit))


def _named(context: Context, session: Session, username: str) -> StoredResource | None:
    rows = _find(context, session, f"userName eq {orjson.dumps(username).decode()}", 1, None).rows
    return rows[0] if rows else None


def _row(row: StoredResource) -> tuple[Any, ...]:
    document = orjson.loads(row.document)
    return row.id, document.get("userName"), document.get("displayName"), document.get("active"), row.modified_at
