"""The domain controller and the Entra ID tenant in reach of these tests, and no log line for every retry."""

import pytest

from tests.directories.graph_emulator.fixtures import emulator, quiet_retries
from tests.directories.samba import samba

__all__ = ["emulator", "quiet_retries", "samba"]


@pytest.fixture(autouse=True)
def _quiet(quiet_retries: None) -> None:
    return None
