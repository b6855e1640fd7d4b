"""``scim-server schema``: extension schemas added at run time."""

from typing import BinaryIO

import click
import orjson

from scim_server.cli.context import Context, pass_context
from scim_server.cli.output import json_option, print_json, print_table, tenant_option
from scim_server.scim.schemas.document import to_document

_TYPES = click.Choice(["User", "Group"], case_sensitive=False)


@click.group()
def schema() -> None:
    """Add attributes of your own to users and groups."""


@schema.command("add")
@click.argument("file", type=click.File("rb"))
@click.option("--resource-type", type=_TYPES, default="User", show_default=True, help="What the schema extends.")
@tenant_option
@json_option
@pass_context
def add_schema(context: Context, file: BinaryIO, resource_type: str, tenant: str, as_json: bool) -> None:
    """Add the extension schema in FILE: JSON as of RFC 7643 section 7 (- reads stdin)."""
    try:
        document = orjson.loads(file.read())
    except orjson.JSONDecodeError as error:
        raise click.ClickException(f"{file.name} is not JSON: {error}") from error
    added = context.schemas.add(context.tenant_id(tenant), document, resource_type.capitalize())
    if as_json:
        print_json({"resource_type": added.resource_type, "schema": to_document(added.schema)})
    else:
        names = ", ".join(attribute.name for attribute in added.schema)
        click.echo(f"Added {added.schema.id} to {added.resource_type}: {names}.")


@schema.command("list")
@tenant_option
@json_option
@pass_context
def list_schemas(context: Context, tenant: str, as_json: bool) -> None:
    """List the schemas that were added."""
    added = context.schemas.list(context.tenant_id(tenant))
    if as_json:
        print_json([{"resource_type": each.resource_type, "schema": to_document(each.schema)} for each in added])
    else:
        rows = [(each.schema.id, each.resource_type, each.schema.name, each.created_at) for each in added]
        print_table(("URN", "Extends", "Name", "Added"), rows, empty="No schema was added.")


@schema.command("remove")
@click.argument("urn")
@click.option("--resource-type", type=_TYPES, help="From which resource type; from both if left out.")
@tenant_option
@json_option
@pass_context
def remove_schema(context: Context, urn: str, resource_type: str | None, tenant: str, as_json: bool) -> None:
    """Remove an extension schema that no resource has values of."""
    context.schemas.remove(context.tenant_id(tenant), urn, resource_type.capitalize() if resource_type else None)
    if as_json:
        print_json({"removed": urn})
    else:
        click.echo(f"Removed {urn}.")
