"""What commands print: tables for people, one JSON document for programs, and the options every command shares."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, TypeVar

import click
import orjson
from rich.console import Console
from rich.table import Table

from scim_server.domain.times import to_text

Command = TypeVar("Command", bound=Callable[..., Any])


class Exit(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    BLOCKED = 3
    DONE_IN_PART = 4


def json_option(command: Command) -> Command:
    """``--json``: one JSON document on stdout and nothing else."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


def tenant_option(command: Command) -> Command:
    """``--tenant``: whoever has one tenant never needs it."""
    return click.option("--tenant", default="default", show_default=True, help="Name of the tenant.")(command)


def to_json(value: Any) -> Any:
    """Dataclasses, named tuples, sets, enums and times as JSON values; names stay as they are in the code."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: to_json(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_json(each) for key, each in value.items()}
    if isinstance(value, datetime):
        return to_text(value)
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, frozenset | set):
        return sorted(to_json(each) for each in value)
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return to_json(value._asdict())
    if isinstance(value, list | tuple):
        return [to_json(each) for each in value]
    return value


def print_json(value: Any) -> None:
    """The value as one indented JSON document."""
    click.echo(orjson.dumps(to_json(value), option=orjson.OPT_INDENT_2).decode())


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str) -> None:
    """A table on a terminal, tab-separated lines elsewhere; ``empty`` is said where there are no rows."""
    lines = [[_cell(value) for value in row] for row in rows]
    if not lines:
        click.echo(empty)
    elif sys.stdout.isatty():
        table = Table(*columns, header_style="bold")
        for line in lines:
            table.add_row(*line)
        Console().print(table, markup=False)
    else:
        for line in (list(columns), *lines):
            click.echo("\t".join(line))


def print_pairs(pairs: Mapping[str, Any]) -> None:
    """One line for each name and its value."""
    width = max(map(len, pairs), default=0)
    for name, value in pairs.items():
        click.echo(f"{name:<{width}}  {_cell(value)}")


def _cell(value: Any) -> str:
    """The value in one line; control characters are shown, never sent to the terminal."""
    plain = to_json(value)
    if plain is None:
        return "-"
    if isinstance(plain, bool):
        return "yes" if plain else "no"
    if isinstance(plain, list):
        return " ".join(map(_cell, plain)) or "-"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in str(plain))
