"""``scim-server demo``: provisioning clients at work against a running server."""

import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta

import click
import orjson

from scim_server.admin.tenants import PUSH_SOURCE
from scim_server.cli.context import Context, pass_context
from scim_server.cli.demo_directory import play_directory
from scim_server.cli.demo_entra import Entra
from scim_server.cli.demo_steps import Step, Unplayable, Wire
from scim_server.cli.output import Exit, json_option, print_json, tenant_option

_FROM_STDIN = "-"
_LENGTH = 600  # characters of a body that are shown; --json has all


@click.group()
def demo() -> None:
    """Watch provisioning at work."""


demo.add_command(play_directory)


@demo.command("entra")
@click.option("--url", help="Tenant URL of the server; that of the settings if left out.")
@click.option(
    "--token",
    help="Secret token, or - to read it from standard input; if left out, one for ten minutes is made in the database "
    "of the settings.",
)
@click.option("--keep", is_flag=True, help="Leave the users and the group in place, to look at them.")
@tenant_option
@json_option
@pass_context
def play_entra(context: Context, url: str | None, token: str | None, keep: bool, tenant: str, as_json: bool) -> int:
    """Play a whole provisioning cycle of Entra ID and judge every answer.

    Creates two users and a group with invented names, changes, disables, restores and deletes them. Fails when an
    answer is not what Entra needs.
    """
    base = url or context.settings.tenant_url
    with _token(context, url, token, tenant) as text:
        wire = Wire(base, text, {"ADSCIMVersion": "5.0"})
        try:
            steps, stopped = _play(Entra(wire, secrets.token_hex(3)), keep, quiet=as_json)
        finally:
            wire.close()
    passed = stopped is None and not any(step.complaints for step in steps)
    if as_json:
        print_json({"url": base, "passed": passed, "stopped": stopped, "steps": [asdict(step) for step in steps]})
    else:
        _conclude(steps, stopped)
    return Exit.DONE if passed else Exit.FAILED


@contextmanager
def _token(context: Context, url: str | None, token: str | None, tenant: str) -> Iterator[str]:
    """The token to present; one made here is revoked in the end."""
    if token:
        yield sys.stdin.readline().strip() if token == _FROM_STDIN else token
        return
    if url:
        raise click.UsageError("--url needs --token: the token that was entered in the client")
    until = context.now() + timedelta(minutes=10)
    tenant_id = context.tenant_id(tenant)
    made, text = context.tokens.create(tenant_id, PUSH_SOURCE, "demo", expires_at=until)
    try:
        yield text
    finally:
        context.tokens.revoke(tenant_id, made.id)


def _play(client: Entra, keep: bool, *, quiet: bool) -> tuple[list[Step], str | None]:
    """Every step that was made, and why it ended early if it did; what was made is deleted in any case."""
    steps: list[Step] = []

    def follow(act: Iterator[Step]) -> str | None:
        try:
            for step in act:
                steps.append(step)
                if not quiet:
                    _show(len(steps), step)
        except Unplayable as error:
            return str(error)
        return None

    stopped = left = None
    try:
        stopped = follow(client.cycle())
    finally:  # also when somebody stops the command
        if not keep:
            left = follow(client.clean_up())
    return steps, stopped or left


def _show(number: int, step: Step) -> None:
    """One step in words, with what was sent and answered."""
    click.echo(f"{number:>2}. {step.about}.")
    click.echo(f"    > {step.method} {step.path}")
    if step.body is not None:
        click.echo(f"      {_text(step.body)}")
    click.echo(f"    < {step.status}  ({step.milliseconds} ms)")
    if step.answer is not None:
        click.echo(f"      {_text(step.answer)}")
    for complaint in step.complaints:
        click.secho(f"    ! {complaint}", fg="red")
    click.echo()


def _text(body: object) -> str:
    text = orjson.dumps(body).decode()
    return text if len(text) <= _LENGTH else f"{text[:_LENGTH]}... ({len(text)} characters)"


def _conclude(steps: list[Step], stopped: str | None) -> None:
    complaints = sum(bool(step.complaints) for step in steps)
    if stopped is not None:
        click.secho(f"Stopped after {len(steps)} requests: {stopped}.", fg="red")
    elif complaints:
        click.secho(f"{complaints} of {len(steps)} answers are not what Entra ID needs.", fg="red")
    else:
        click.secho(f"All {len(steps)} answers are what Entra ID needs.", fg="green")
