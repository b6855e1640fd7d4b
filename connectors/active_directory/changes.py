"""Which objects changed since the cursor: by DirSync where the right is granted, else by uSNChanged.

Both tell ids; the objects are then read as they are now, so that a row of changes never has to be merged.

What neither tells, and only a scheduled full read heals: members and managers that vanish because the target was
deleted, and DNs that change because an organizational unit above was renamed or moved. Deletions are told to an account
that may list the Deleted Objects container; Active Directory tells them by DirSync without that right, Samba does not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from connectors.active_directory.config import Config
from connectors.active_directory.connection import DomainController
from connectors.active_directory.cursor import Cursor, State
from connectors.active_directory.entries import Entry
from connectors.active_directory.errors import DirectoryError
from connectors.active_directory.queries import GROUPS, PEOPLE, PEOPLE_AND_GROUPS, watched_attributes
from connectors.active_directory.scope import Scope
from connectors.active_directory.values import guid_text
from scim_server.domain.observations import Kind

_NOTHING: Final = "(!(objectClass=*))"
_DELETED_OBJECTS: Final = "18E2EA80684F11D2B9AA00C04F79F805"  # [MS-ADTS] section 6.1.1.4.2
_TOMBSTONE: Final = ("objectClass", "isDeleted", "isRecycled", "lastKnownParent")
# no such object, operations error, insufficient rights, unwilling, critical extension unavailable
_NOT_GRANTED: Final = frozenset((1, 12, 32, 50, 53))


@dataclass(frozen=True, slots=True)
class Change:
    """An object to look at; ``deleted`` is the entry of one that was deleted."""

    guid: str
    deleted: Entry | None = None


def start_dirsync(controller: DomainController, root: str, config: Config) -> bytes | None:
    """A DirSync cookie of this moment, None where the account lacks Replicating Directory Changes.

    The filter matches nothing: the cookie advances over everything all the same, and no object travels.
    """
    cookie, more = b"", True
    while more:
        try:
            _, cookie, more = controller.dirsync(root, _NOTHING, watched_attributes(config), cookie)
        except DirectoryError as error:
            if error.code in _NOT_GRANTED:
                return None
            raise
    return cookie


class Changes:
    """The changes from a cursor to a state; ``dirsync`` is the cookie to go on from once all were iterated."""

    def __init__(
        self, controller: DomainController, config: Config, scope: Scope, *, since: Cursor, until: State
    ) -> None:
        self._controller = controller
        self._config = config
        self._scope = scope
        self._since = since
        self._until = until
        self.dirsync = since.dirsync

    def __iter__(self) -> Iterator[Change]:
        yield from self._by_usn() if self.dirsync is None else self._by_dirsync(self.dirsync)
        yield from self._expired()
        yield from self._entered_or_left()

    def _by_dirsync(self, cookie: bytes) -> Iterator[Change]:
        more = True
        watched = [*watched_attributes(self._config), "isRecycled", "lastKnownParent"]
        while more:
            rows, cookie, more = self._controller.dirsync(self._scope.root, f"(&{PEOPLE_AND_GROUPS})", watched, cookie)
            for row in rows:
                yield Change(row.guid, row if row.flag("isDeleted") else None)
        self.dirsync = cookie

    def _by_usn(self) -> Iterator[Change]:
        # >= reads the last one again rather than miss one
        newer = f"(uSNChanged>={self._since.state.usn})"
        yield from self._ids(f"(&(|(&{PEOPLE})(&{GROUPS})){newer})")
        for entry in deleted_objects(self._controller, self._scope.root, newer):
            yield Change(entry.guid, entry)

    def _expired(self) -> Iterator[Change]:
        """Those whose expiry has passed since: nothing is written at that moment."""
        since, until = self._since.state.filetime, self._until.filetime
        yield from self._ids(f"(&{PEOPLE}(accountExpires>={since})(accountExpires<={until}))")

    def _entered_or_left(self) -> Iterator[Change]:
        """Who entered or left the scope groups: their own entries did not change."""
        before, now = self._since.selected, self._scope.selected
        if before and now:
            for guid in sorted((before.users ^ now.users) | (before.groups ^ now.groups)):
                yield Change(guid_text(guid))

    def _ids(self, query: str) -> Iterator[Change]:
        for page in self._controller.search(self._scope.root, query, ["objectGUID"]):
            yield from (Change(entry.guid) for entry in page)


def deleted_objects(
    controller: DomainController, root: str, condition: str = "", *, page_size: int | None = None
) -> Iterator[Entry]:
    """The deleted people and groups that the account can see; nothing where it may not list them."""
    base = f"<WKGUID={_DELETED_OBJECTS},{root}>"
    query = f"(&(isDeleted=TRUE){PEOPLE_AND_GROUPS}{condition})"
    try:
        for page in controller.search(base, query, _TOMBSTONE, page_size=page_size, with_deleted=True):
            yield from page
    except DirectoryError as error:
        if error.code not in _NOT_GRANTED:
            raise


def deleted_kind(entry: Entry) -> Kind:
    """What the deleted object was."""
    return Kind.GROUP if b"group" in entry.values.get("objectclass", ()) else Kind.USER
