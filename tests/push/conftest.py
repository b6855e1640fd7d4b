"""Installations over a fresh database of each kind, and their clients."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.push.installation import Client, Installation


@pytest.fixture
def installation(database_url: str, tmp_path: Path) -> Iterator[Installation]:
    """The tenant ``default`` and nobody in it."""
    installation = Installation(database_url, tmp_path)
    yield installation
    installation.close()


@pytest.fixture
def entra(installation: Installation) -> Client:
    """A client of the default source of pushes."""
    return installation.client()


@pytest.fixture
def hr(installation: Installation) -> Client:
    """A client of another source of the same tenant."""
    return installation.client(installation.add_source("hr-push"))
