"""The Entra ID reader keeps what every reader promises, against an emulated tenant over TLS."""

import pytest

from tests.contract.reader_contract import ReaderContract
from tests.directories.graph_emulator.fixtures import EntraDirectory, emulator, entra_directory, quiet_retries

__all__ = ["emulator", "entra_directory", "quiet_retries"]


class TestEntraReader(ReaderContract):
    @pytest.fixture
    def directory(self, entra_directory: EntraDirectory) -> EntraDirectory:
        return entra_directory
