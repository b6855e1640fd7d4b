"""``scim-server token``: bearer tokens of provisioning clients."""

import click

from scim_server.admin.tokens import Token
from scim_server.cli.context import Context, pass_context
from scim_server.cli.options import parse_expiry
from scim_server.cli.output import json_option, print_json, print_table, tenant_option, to_json
from scim_server.domain.clients import Scope


@click.group()
def token() -> None:
    """Let provisioning clients in, and shut them out."""


@token.command("create")
@click.argument("name", default="")
@click.option("--source", default="entra-push", show_default=True, help="Source whose client presents the token.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="What it may do; both if left out.",
)
@click.option("--expires", help="90d, 12h, 2027-01-31 or an ISO 8601 time; never if left out.")
@click.option("--strict", is_flag=True, help="Turn off every tolerance towards particular clients.")
@click.option("--user", "user_id", help="SCIM id of the user that /Me means.")
@tenant_option
@json_option
@pass_context
def create_token(
    context: Context,
    name: str,
    source: str,
    scopes: tuple[str, ...],
    expires: str | None,
    strict: bool,
    user_id: str | None,
    tenant: str,
    as_json: bool,
) -> None:
    """Create a token called NAME (the source's name if left out).

    It is shown once and stored nowhere; others of the source stay valid.
    """
    created, text = context.tokens.create(
        context.tenant_id(tenant),
        source,
        name or source,
        scopes=[Scope(scope) for scope in scopes] or list(Scope),
        strict=strict,
        user_id=user_id,
        expires_at=parse_expiry(expires, context.now()),
    )
    if as_json:
        print_json({**to_json(created), "token": text})
    else:
        click.echo(text)
        click.echo(f"Token {created.name!r} for {source}. Keep it now: it cannot be shown again.", err=True)


@token.command("list")
@click.option("--all", "with_revoked", is_flag=True, help="Include revoked and expired ones.")
@tenant_option
@json_option
@pass_context
def list_tokens(context: Context, with_revoked: bool, tenant: str, as_json: bool) -> None:
    """List tokens, never their text."""
    now = context.now()
    tokens = [each for each in context.tokens.list(context.tenant_id(tenant)) if with_revoked or each.is_valid(now)]
    if as_json:
        print_json(tokens)
    else:
        columns = ("Id", "Name", "Source", "Scopes", "Strict", "Created", "Expires", "Last used", "Revoked")
        print_table(columns, [_row(each) for each in tokens], empty="There is no valid token.")


@token.command("revoke")
@click.argument("name_or_id")
@tenant_option
@json_option
@pass_context
def revoke_token(context: Context, name_or_id: str, tenant: str, as_json: bool) -> None:
    """Make a token worthless, within five seconds everywhere."""
    revoked = context.tokens.revoke(context.tenant_id(tenant), name_or_id)
    if as_json:
        print_json(revoked)
    else:
        click.echo(f"Revoked {revoked.name!r} ({revoked.id}).")


def _row(each: Token) -> tuple[object, ...]:
    return (
        each.id,
        each.name,
        each.source,
        each.scopes,
        each.strict,
        each.created_at,
        each.expires_at,
        each.last_used_at,
        each.revoked_at,
    )
