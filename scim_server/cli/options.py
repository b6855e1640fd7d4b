"""Options that several commands read in the same way."""

import os
import re
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from scim_server.domain.times import from_text
from scim_server.settings import PREFIX

Command = TypeVar("Command", bound=Callable[..., Any])

PASSWORD_VARIABLE = PREFIX + "SOURCE_PASSWORD"

_PERIOD = re.compile(r"(\d{1,5})([dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


def settings_option(command: Command) -> Command:
    """``--set name=value``, as often as needed."""
    return click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="NAME=VALUE",
        help="A setting; given again it gets another line, an empty value takes it away.",
    )(command)


def parse_settings(settings: Sequence[str]) -> dict[str, str]:
    """Names and values of ``--set``, a line each where one is given again; raises UsageError without equals sign."""
    parsed: dict[str, str] = {}
    for each in settings:
        name, separator, value = each.partition("=")
        if not separator or not name:
            raise click.UsageError(f"--set {each}: write NAME=VALUE")
        name = name.strip()
        parsed[name] = f"{parsed[name]}\n{value}" if name in parsed else value
    return parsed


def password_option(command: Command) -> Command:
    """``--password`` asks, ``--password-file`` reads; a password never stands on the command line."""
    command = click.option("--password", "ask", is_flag=True, help="Ask for the password or client secret.")(command)
    return click.option(
        "--password-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help=f"File with the password or client secret; {PASSWORD_VARIABLE} does the same.",
    )(command)


def read_password(ask: bool, file: Path | None) -> str:
    """The password to seal: from the file, the environment or the prompt; "" where none was given."""
    if file is not None:
        return file.read_text().rstrip("\r\n")
    if os.environ.get(PASSWORD_VARIABLE):
        return os.environ[PASSWORD_VARIABLE]
    if not ask:
        return ""
    if not sys.stdin.isatty():
        raise click.UsageError(f"there is no terminal to ask on; use --password-file or {PASSWORD_VARIABLE}")
    password: str = click.prompt("Password", hide_input=True, err=True)
    return password


def parse_expiry(text: str | None, now: datetime) -> datetime | None:
    """When a token ends: ``90d``, ``12h``, ``30m`` from now, a date (its last moment in UTC) or an ISO 8601 time."""
    if text is None:
        return None
    if period := _PERIOD.fullmatch(text):
        return now + timedelta(**{_UNITS[period[2]]: int(period[1])})
    try:
        if len(text) == len("2027-01-31"):
            return datetime.combine(datetime.fromisoformat(text).date(), time.max, UTC)
        return from_text(text)
    except ValueError as error:
        raise click.UsageError(f"--expires {text}: write 90d, 2027-01-31 or 2027-01-31T12:00:00Z") from error
