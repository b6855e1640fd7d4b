"""The command line in process, over a fresh SQLite database."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import orjson
import pytest
from structlog.testing import capture_logs

from scim_server.cli.context import Context
from scim_server.cli.main import cli, run
from scim_server.settings import Settings


@dataclass(frozen=True)
class Outcome:
    """What a command left: its exit code, stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """stdout as the one JSON document it has to be."""
        return orjson.loads(self.out)


Run = Callable[..., Outcome]


@pytest.fixture
def settings(sqlite_url: str, tmp_path: Path) -> Settings:
    return Settings(database_url=sqlite_url, data_dir=tmp_path)


@pytest.fixture
def scim_server(settings: Settings, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run one command."""

    def run_command(*arguments: str) -> Outcome:
        capsys.readouterr()  # what the test itself caused to be said
        with capture_logs():  # unless set up, as main() does, events go to stdout
            code = run(arguments, Context(settings))
        out, err = capsys.readouterr()
        return Outcome(code, out, err)

    return run_command


def every_command(group: Any = cli, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The words of every command."""
    if not isinstance(group, click.Group):
        return [path]
    context = click.Context(group)
    return [
        each
        for name in group.list_commands(context)
        for each in every_command(group.get_command(context, name), (*path, name))
    ]


def find_command(path: tuple[str, ...]) -> Any:
    """The click command of these words."""
    command: Any = cli
    for name in path:
        command = command.get_command(click.Context(command), name)
    return command
