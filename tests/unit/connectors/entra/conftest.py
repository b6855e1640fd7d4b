"""The emulator in reach of every test here, and no log line for every retry."""

from types import SimpleNamespace

import pytest

from tests.directories.graph_emulator.fixtures import emulator, quiet_retries

__all__ = ["emulator", "quiet_retries"]


@pytest.fixture(autouse=True)
def _quiet(quiet_retries: None) -> None:
    return None


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What would have been slept between tries."""
    slept: list[float] = []
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=slept.append))
    return slept
