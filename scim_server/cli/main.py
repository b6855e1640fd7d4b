"""``scim-server``: the command line."""

import sys
from collections.abc import Sequence
from importlib import import_module

import click
import orjson

from scim_server import logs
from scim_server.admin.errors import Refused, StillInUse
from scim_server.cli.context import Context
from scim_server.cli.output import Exit
from scim_server.domain.errors import DomainError, SourceBusy
from scim_server.scim.errors import ScimError
from scim_server.settings import InvalidSettings
from scim_server.store.engine import StoreUnavailable

_COMMANDS = ("serve", "db", "tenant", "token", "source", "sync", "schema", "users", "duplicates", "worker", "demo")


class _Commands(click.Group):
    """Loads the module of the command that is asked for: a third of the time a short command takes."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # the signature is click's
        return [*_COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # the signature is click's
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"scim_server.cli.{cmd_name}"), cmd_name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="scim-server", message="%(prog)s %(version)s")
def cli() -> None:
    """A SCIM 2.0 provisioning server for Microsoft Entra ID and Active Directory."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave the process with its exit code (``Exit``)."""
    logs.set_up("warning")  # stdout belongs to the answer
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    sys.exit(run(arguments, Context()))


def run(arguments: Sequence[str], context: Context) -> int:
    """The exit code of one command; errors go to stderr, as JSON where the command was asked for JSON."""
    as_json = "--json" in arguments
    try:
        result = cli.main(list(arguments), prog_name="scim-server", standalone_mode=False, obj=context)
    except click.exceptions.Abort:
        return _fail("stopped", Exit.FAILED, as_json)
    except click.UsageError as error:
        if not as_json:
            error.show()
            return Exit.USAGE
        return _fail(error.format_message(), Exit.USAGE, as_json)
    except click.ClickException as error:
        return _fail(error.format_message(), Exit.FAILED, as_json)
    except InvalidSettings as error:
        return _fail("\n".join(error.problems), Exit.FAILED, as_json)
    except StillInUse as error:
        return _fail(str(error), Exit.BLOCKED, as_json)
    except (Refused, StoreUnavailable) as error:
        return _fail(str(error), Exit.FAILED, as_json)
    except DomainError as error:
        return _fail(str(error), Exit.BLOCKED if isinstance(error, SourceBusy) else Exit.FAILED, as_json)
    except ScimError as error:
        return _fail(error.detail, Exit.FAILED, as_json)
    finally:
        context.close()
    return int(result) if isinstance(result, int) else Exit.DONE


def _fail(text: str, code: Exit, as_json: bool) -> int:
    message = orjson.dumps({"error": text}).decode() if as_json else f"Error: {text}"
    click.echo(message, err=True)
    return code


if __name__ == "__main__":
    main()
