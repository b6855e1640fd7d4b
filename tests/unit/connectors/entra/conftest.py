"""The emulator in reach of every test here, and no log line for every retry."""

import pytest

from tests.directories.graph_emulator.fixtures import emulator, quiet_retries

__all__ = ["emulator", "quiet_retries"]


@pytest.fixture(autouse=True)
def _quiet(quiet_retries: None) -> None:
    return None
