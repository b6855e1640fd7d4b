"""Fixtures of the emulator; test modules import them by name."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import stamina.instrumentation

from connectors.entra.config import parse_config
from connectors.entra.connection import Patience
from connectors.entra.reader import EntraReader
from tests.contract.reader_contract import TELLS_DELETIONS, TELLS_MOVES
from tests.directories.graph_emulator.emulator import HANG_UP, GraphEmulator
from tests.directories.graph_emulator.tenant import Tenant
from tests.directories.graph_emulator.transport import EmulatorAdapter, serve, settings_for

AT_ONCE = Patience(longest_pause=0, jitter=0)
"""Retries without pauses."""
NEVER_SET = ("givenName", "surname", "jobTitle", "department", "employeeId", "mobilePhone")


@pytest.fixture
def quiet_retries() -> Iterator[None]:
    """Nothing is logged about retries."""
    hooks = stamina.instrumentation.get_on_retry_hooks()
    stamina.instrumentation.set_on_retry_hooks([])
    yield
    stamina.instrumentation.set_on_retry_hooks(hooks)


@pytest.fixture
def emulator() -> GraphEmulator:
    """An empty tenant."""
    return GraphEmulator(Tenant(domain="example.test"))


@dataclass
class EntraDirectory:
    """The emulator as the reader contract wants to handle it, over TLS; guests are out of scope."""

    emulator: GraphEmulator
    origin: str
    ca_file: str
    tells: frozenset[str] = field(default=frozenset((TELLS_DELETIONS, TELLS_MOVES)))

    def reader(self) -> EntraReader:
        values, secrets = settings_for(self.emulator, self.origin, ca_file=self.ca_file)
        return EntraReader(parse_config(values, secrets), patience=AT_ONCE)

    def add_user(self, name: str) -> str:
        address = f"{name}@example.test"
        unset = dict.fromkeys(NEVER_SET)
        return self.emulator.tenant.add_user(
            name, displayName=name, mail=address, proxyAddresses=[f"SMTP:{address}"], businessPhones=[], **unset
        )

    def rename_user(self, user: str, name: str) -> None:
        address = f"{name}@example.test"
        self.emulator.tenant.change(
            user, userPrincipalName=address, displayName=name, mail=address, proxyAddresses=[f"SMTP:{address}"]
        )

    def set_title(self, user: str, title: str | None) -> None:
        self.emulator.tenant.change(user, jobTitle=title)

    def set_enabled(self, user: str, enabled: bool) -> None:
        self.emulator.tenant.change(user, accountEnabled=enabled)

    def set_manager(self, user: str, manager: str | None) -> None:
        self.emulator.tenant.set_manager(user, manager)

    def delete_user(self, user: str) -> None:
        self.emulator.tenant.delete(user)

    def move_out_of_scope(self, user: str) -> None:
        self.emulator.tenant.change(user, userType="Guest")

    def move_into_scope(self, user: str) -> None:
        self.emulator.tenant.change(user, userType="Member")

    def add_group(self, name: str) -> str:
        return self.emulator.tenant.add_group(name)

    def rename_group(self, group: str, name: str) -> None:
        self.emulator.tenant.change(group, displayName=name)

    def delete_group(self, group: str) -> None:
        self.emulator.tenant.delete(group)

    def add_member(self, group: str, member: str) -> None:
        self.emulator.tenant.add_member(group, member)

    def remove_member(self, group: str, member: str) -> None:
        self.emulator.tenant.remove_member(group, member)

    def make_unreachable(self) -> None:
        self.emulator.break_next("", HANG_UP, times=10**6)


@pytest.fixture
def entra_directory(emulator: GraphEmulator, tmp_path: Path, quiet_retries: None) -> Iterator[EntraDirectory]:
    """An empty tenant behind TLS on loopback."""
    with serve(emulator, tmp_path) as (origin, ca_file):
        yield EntraDirectory(emulator, origin, ca_file)


def reader_of(emulator: GraphEmulator, **settings: str) -> EntraReader:
    """A reader that reaches the emulator by a function call and never pauses."""
    values, secrets = settings_for(emulator, **settings)
    return EntraReader(parse_config(values, secrets), patience=AT_ONCE, adapter=EmulatorAdapter(emulator))
