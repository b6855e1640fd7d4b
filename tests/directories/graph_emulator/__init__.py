"""An Entra ID tenant for tests: sign-in and Microsoft Graph v1.0, faithful where a reader could stumble."""

from tests.directories.graph_emulator.emulator import GraphEmulator
from tests.directories.graph_emulator.sign_in import Application
from tests.directories.graph_emulator.tenant import Tenant
from tests.directories.graph_emulator.transport import ORIGIN, EmulatorAdapter, serve, settings_for

__all__ = ["ORIGIN", "Application", "EmulatorAdapter", "GraphEmulator", "Tenant", "serve", "settings_for"]
