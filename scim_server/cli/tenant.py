"""``scim-server tenant``: worlds of their own within one server."""

import click

from scim_server.admin.tenants import Tenant
from scim_server.cli.context import Context, pass_context
from scim_server.cli.options import parse_settings, settings_option
from scim_server.cli.output import json_option, print_json, print_pairs, print_table, to_json


@click.group()
def tenant() -> None:
    """Keep several organizations apart on one server."""


@tenant.command("create")
@click.argument("name")
@settings_option
@json_option
@pass_context
def create_tenant(context: Context, name: str, settings: tuple[str, ...], as_json: bool) -> None:
    """Create a tenant with a source of local edits and one for pushes (entra-push)."""
    _show(context.tenants.create(name, parse_settings(settings)), as_json)


@tenant.command("list")
@json_option
@pass_context
def list_tenants(context: Context, as_json: bool) -> None:
    """List all tenants."""
    tenants = context.tenants.list()
    if as_json:
        print_json(tenants)
    else:
        rows = [(each.name, each.created_at) for each in tenants]
        print_table(("Name", "Created"), rows, empty="There is no tenant yet; the first start creates `default`.")


@tenant.command("edit")
@click.argument("name")
@settings_option
@json_option
@pass_context
def edit_tenant(context: Context, name: str, settings: tuple[str, ...], as_json: bool) -> None:
    """Change settings of a tenant: email_unique, cross_login, group_name_unique."""
    _show(context.tenants.edit(name, parse_settings(settings)), as_json)


def _show(shown: Tenant, as_json: bool) -> None:
    if as_json:
        print_json(shown)
    else:
        print_pairs({"Name": shown.name, "Created": shown.created_at, **to_json(shown.settings)})
