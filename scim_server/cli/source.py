"""``scim-server source``: where users and groups come from."""

from pathlib import Path

import click

from scim_server.admin.sources import Source, SourceKind
from scim_server.cli.context import Context, pass_context
from scim_server.cli.options import parse_settings, password_option, read_password, settings_option
from scim_server.cli.output import json_option, print_json, print_pairs, print_table, tenant_option

_KINDS = [kind.value for kind in SourceKind if kind is not SourceKind.LOCAL]


@click.group()
def source() -> None:
    """Manage the directories and clients that users and groups come from."""


@source.command("add")
@click.argument("name")
@click.option("--kind", required=True, type=click.Choice(_KINDS), help="What the source is.")
@click.option("--rank", type=click.IntRange(0, 1000), help="The smaller has the say; by default that of the kind.")
@settings_option
@password_option
@tenant_option
@json_option
@pass_context
def add_source(
    context: Context,
    name: str,
    kind: str,
    rank: int | None,
    settings: tuple[str, ...],
    ask: bool,
    password_file: Path | None,
    tenant: str,
    as_json: bool,
) -> None:
    """Add a source."""
    secrets = read_password(ask, password_file)
    added = context.sources.add(
        context.tenant_id(tenant),
        name,
        SourceKind(kind),
        rank=rank,
        settings=parse_settings(settings),
        secrets=secrets,
    )
    _show(added, as_json)


@source.command("list")
@tenant_option
@json_option
@pass_context
def list_sources(context: Context, tenant: str, as_json: bool) -> None:
    """List the sources, the highest authority first."""
    sources = context.sources.list(context.tenant_id(tenant))
    if as_json:
        print_json(sources)
    else:
        rows = [(each.name, each.kind, each.rank, each.created_at) for each in sources]
        print_table(("Name", "Kind", "Rank", "Created"), rows, empty="There is no source.")


@source.command("show")
@click.argument("name")
@tenant_option
@json_option
@pass_context
def show_source(context: Context, name: str, tenant: str, as_json: bool) -> None:
    """Show a source with its settings; of secrets only which are set."""
    _show(context.sources.get(context.tenant_id(tenant), name), as_json)


@source.command("edit")
@click.argument("name")
@click.option("--rank", type=click.IntRange(0, 1000), help="The smaller has the say.")
@settings_option
@password_option
@tenant_option
@json_option
@pass_context
def edit_source(
    context: Context,
    name: str,
    rank: int | None,
    settings: tuple[str, ...],
    ask: bool,
    password_file: Path | None,
    tenant: str,
    as_json: bool,
) -> None:
    """Change settings, rank or password of a source."""
    secrets = read_password(ask, password_file)
    edited = context.sources.edit(
        context.tenant_id(tenant), name, rank=rank, settings=parse_settings(settings), secrets=secrets
    )
    _show(edited, as_json)


@source.command("remove")
@click.argument("name")
@tenant_option
@json_option
@pass_context
def remove_source(context: Context, name: str, tenant: str, as_json: bool) -> None:
    """Remove a source that nothing comes from any more, and its tokens."""
    context.sources.remove(context.tenant_id(tenant), name)
    if as_json:
        print_json({"removed": name})
    else:
        click.echo(f"Removed {name}.")


@source.command("reseal")
@tenant_option
@json_option
@pass_context
def reseal_sources(context: Context, tenant: str, as_json: bool) -> None:
    """Seal every stored password anew with the first key of SCIM_SERVER_SECRET_KEY."""
    number = context.sources.reseal(context.tenant_id(tenant))
    if as_json:
        print_json({"resealed": number})
    else:
        click.echo(f"Sealed the passwords of {number} sources with the newest key.")


def _show(shown: Source, as_json: bool) -> None:
    if as_json:
        print_json(shown)
        return
    pairs = {"Name": shown.name, "Kind": shown.kind, "Rank": shown.rank, "Created": shown.created_at}
    print_pairs({**pairs, "Secrets set": shown.secrets, **shown.settings})
