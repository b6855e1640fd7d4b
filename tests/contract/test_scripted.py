"""The scripted directory keeps what every directory reader promises."""

from itertools import count

import pytest

from connectors.scripted import Faults, ScriptedDirectory, ScriptedReader
from scim_server.domain.observations import Kind
from tests.contract.reader_contract import TELLS_DELETIONS, TELLS_MOVES, ReaderContract


class Script:
    """A scripted directory in the words of the contract."""

    tells = frozenset((TELLS_DELETIONS, TELLS_MOVES))

    def __init__(self) -> None:
        self._directory = ScriptedDirectory(page_size=2)
        self._numbers = count(1)

    def reader(self) -> ScriptedReader:
        return self._directory.reader()

    def add_user(self, name: str) -> str:
        user = f"user-{next(self._numbers)}"
        self._directory.put(Kind.USER, user, {})
        self.rename_user(user, name)
        return user

    def rename_user(self, user: str, name: str) -> None:
        self._directory.rename(user, f"{name}@example.test", f"{name}@example.test")
        self._directory.change(user, attributes={"displayName": name})

    def set_title(self, user: str, title: str | None) -> None:
        self._directory.change(user, attributes={"title": title})

    def set_enabled(self, user: str, enabled: bool) -> None:
        self._directory.change(user, enabled=enabled)

    def set_manager(self, user: str, manager: str | None) -> None:
        self._directory.change(user, manager=manager)

    def delete_user(self, user: str) -> None:
        self._directory.delete(user)

    def move_out_of_scope(self, user: str) -> None:
        self._directory.move_out(user)

    def move_into_scope(self, user: str) -> None:
        self._directory.bring_back(user)

    def add_group(self, name: str) -> str:
        group = f"group-{next(self._numbers)}"
        self._directory.group(group, name)
        return group

    def rename_group(self, group: str, name: str) -> None:
        self._directory.change(group, attributes={"displayName": name})

    def delete_group(self, group: str) -> None:
        self._directory.delete(group)

    def add_member(self, group: str, member: str) -> None:
        self._directory.change(group, members=self._directory.objects[group].members | {member})

    def remove_member(self, group: str, member: str) -> None:
        self._directory.change(group, members=self._directory.objects[group].members - {member})

    def make_unreachable(self) -> None:
        self._directory.faults = Faults(unreachable=True)


class TestScriptedReader(ReaderContract):
    """The contract, on the scripted directory."""

    @pytest.fixture
    def directory(self) -> Script:
        return Script()
