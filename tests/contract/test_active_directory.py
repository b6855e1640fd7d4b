"""The Active Directory reader against a real domain controller (Samba)."""

from collections.abc import Iterator

import pytest

from connectors.active_directory.config import Config, parse_config
from connectors.active_directory.reader import ActiveDirectoryReader
from tests.contract.reader_contract import TELLS_DELETIONS, TELLS_MOVES, ReaderContract
from tests.directories.proxy import Proxy
from tests.directories.samba import PASSWORD, Domain

ENABLED, DISABLED = 512, 514


def config(domain: Domain, base: str, *, bind_as: str = "lister", password: str = PASSWORD, **values: str) -> Config:
    """The settings of a source that reads one organizational unit."""
    given = {
        "urls": domain.controller.url,
        "bind_dn": f"ADTEST\\{bind_as}",
        "base_dns": base,
        "ca_file": str(domain.controller.ca_file),
        "read_timeout": "20",
        **values,
    }
    return parse_config(given, {"password": password})


class ActiveDirectoryHand:
    """The directory of the reader contract: an organizational unit of its own."""

    def __init__(self, domain: Domain, bind_as: str, tells: frozenset[str]) -> None:
        self.tells = tells
        self._domain = domain
        self._bind_as = bind_as
        self.base = domain.add_unit()
        self._outside = domain.add_unit()
        self._proxy = Proxy(domain.controller.address, 636)

    def reader(self) -> ActiveDirectoryReader:
        return ActiveDirectoryReader(config(self._domain, self.base, bind_as=self._bind_as, urls=self._proxy.url))

    def add_user(self, name: str) -> str:
        return self._domain.add_user(self.base, name, **self._names(name))

    def _names(self, name: str) -> dict[str, str]:
        return {"displayName": name, "mail": f"{name}@example.test", "userPrincipalName": f"{name}@example.test"}

    def rename_user(self, user: str, name: str) -> None:
        self._domain.rename(user, name)
        self._domain.set(user, **self._names(name))

    def set_title(self, user: str, title: str | None) -> None:
        self._domain.set(user, title=title)

    def set_enabled(self, user: str, enabled: bool) -> None:
        self._domain.set(user, userAccountControl=ENABLED if enabled else DISABLED)

    def set_manager(self, user: str, manager: str | None) -> None:
        self._domain.set(user, manager=self._domain.dn(manager) if manager else None)

    def delete_user(self, user: str) -> None:
        self._domain.delete(user)

    def move_out_of_scope(self, user: str) -> None:
        self._domain.move(user, self._outside)

    def move_into_scope(self, user: str) -> None:
        self._domain.move(user, self.base)

    def add_group(self, name: str) -> str:
        return self._domain.add_group(self.base, name)

    def rename_group(self, group: str, name: str) -> None:
        self._domain.rename(group, name)

    def delete_group(self, group: str) -> None:
        self._domain.delete(group)

    def add_member(self, group: str, member: str) -> None:
        self._domain.add_member(group, member)

    def remove_member(self, group: str, member: str) -> None:
        self._domain.remove_member(group, member)

    def make_unreachable(self) -> None:
        self._proxy.close()

    def close(self) -> None:
        self._proxy.close()
        # user principal names are unique in the domain, which the tests share
        self._domain.delete_tree(self.base)
        self._domain.delete_tree(self._outside)


@pytest.fixture(params=["ordinary", "lister", "dirsync"])
def directory(samba: Domain, request: pytest.FixtureRequest) -> Iterator[ActiveDirectoryHand]:
    """The same contract for an account without rights, one that lists deleted objects and one that may use DirSync."""
    tells = {TELLS_MOVES} if request.param == "ordinary" else {TELLS_MOVES, TELLS_DELETIONS}
    hand = ActiveDirectoryHand(samba, request.param, frozenset(tells))
    yield hand
    hand.close()


class TestActiveDirectory(ReaderContract):
    """The contract, inherited."""
