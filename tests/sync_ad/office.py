"""A tenant that pulls an organizational unit of a real domain, and what happens in that unit."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from ldap3 import MODIFY_DELETE, MODIFY_REPLACE, SUBTREE
from ldap3.protocol.microsoft import show_deleted_control
from ldap3.utils.conv import escape_bytes

from connectors.active_directory.config import Config
from connectors.active_directory.reader import ActiveDirectoryReader
from scim_server.store.engine import Database
from tests.contract.test_active_directory import DISABLED, ENABLED, config
from tests.directories.samba import ROOT, Domain
from tests.push.installation import Client, Installation
from tests.sync.world import World, numbers

_SHOW_DELETED = show_deleted_control(criticality=True)


class Reading:
    """A directory as a world wants it: a fresh reader for every run."""

    def __init__(self, settings: Config, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now

    def reader(self) -> ActiveDirectoryReader:
        return ActiveDirectoryReader(self._settings, now=self._now)


class Office(World):
    """The source ``corp`` reads ``unit``; nobody reads ``elsewhere``."""

    def __init__(self, database: Database, domain: Domain, *, beside: "Office | None" = None, **settings: Any) -> None:
        """``beside`` another one: of the same units, which the other keeps."""
        super().__init__(database, **settings)
        self.domain = domain
        self._is_guest = beside is not None
        self.unit = beside.unit if beside else domain.add_unit()
        self.elsewhere = beside.elsewhere if beside else domain.add_unit()
        self._installations: list[Installation] = []
        self.connect()

    def connect(self, **values: str) -> None:
        """From now on the source is read with these settings beside the usual ones."""
        base = values.pop("base_dns", self.unit)
        self.directory = Reading(config(self.domain, base, **values), self.clock.now)

    def hire(self, name: str, **attributes: Any) -> str:
        """A new person with the username and address ``name``@example.test; the GUID."""
        address = f"{name}@example.test"
        names = {"userPrincipalName": address, "mail": address, "displayName": name}
        return self.domain.add_user(self.unit, name, **{**names, **attributes})

    def hire_staff(self, number: int) -> list[str]:
        return [self.hire(f"person{each:02}", title="Engineer", description="x" * 500) for each in range(number)]

    def changes(self, *, full: bool = False) -> dict[str, int]:
        """The counts of a run that are not zero.

        Without objects outside of the unit: the last change before the cursor is read again, and may be anybody's.
        """
        return {word: number for word, number in numbers(self.sync(full=full)).items() if word != "out_of_scope"}

    def call(self, guid: str, name: str) -> None:
        """The person has another username."""
        self.domain.set(guid, userPrincipalName=f"{name}@example.test")

    def enable(self, guid: str, enabled: bool) -> None:
        self.domain.set(guid, userAccountControl=ENABLED if enabled else DISABLED)

    def move_unit(self, dn: str, parent: str) -> str:
        """The unit, with everybody in it, lies below ``parent``; its new DN."""
        own = dn.partition(",")[0]
        self.domain.connection.modify_dn(dn, own, new_superior=parent)
        return f"{own},{parent}"

    def reanimate(self, guid: str, name: str) -> None:
        """The deleted person is back under the same GUID; the tombstone lost its attributes ([MS-ADTS] 3.1.1.5.3.7)."""
        connection = self.domain.connection
        deleted = f"(objectGUID={escape_bytes(UUID(guid).bytes_le)})"
        connection.search(ROOT, deleted, SUBTREE, attributes=["objectGUID"], controls=[_SHOW_DELETED])
        (dn,) = (row["raw_dn"].decode() for row in connection.response if row["type"] == "searchResEntry")
        changes = {
            "isDeleted": [(MODIFY_DELETE, [])],
            "distinguishedName": [(MODIFY_REPLACE, [f"CN={name},{self.unit}"])],
        }
        connection.modify(dn, changes, controls=[_SHOW_DELETED])
        address = f"{name}@example.test"
        self.domain.set(guid, userPrincipalName=address, mail=address, displayName=name)

    def ids(self) -> dict[str, str]:
        """userName to id of every live user."""
        return {name: document["id"] for name, document in self.users().items()}

    def active(self) -> set[str]:
        """The names of those who may sign in."""
        return {document["displayName"] for document in self.users().values() if document["active"]}

    def over_scim(self, folder: Path) -> Client:
        """A provisioning client of the same tenant."""
        self._installations.append(Installation(self.database_url, folder, self.clock))
        return self._installations[-1].client()

    @property
    def database_url(self) -> str:
        return self.database.engine.url.render_as_string(hide_password=False)

    def close(self) -> None:
        """The units are gone: user principal names are unique in the domain, which the tests share."""
        if not self._is_guest:
            self.domain.delete_tree(self.unit)
            self.domain.delete_tree(self.elsewhere)
        for each in self._installations:
            each.close()
        self.database.close()
