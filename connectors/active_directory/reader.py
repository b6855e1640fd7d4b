"""The Active Directory reader: full and incremental reads, look-ups, the connection test and browsing."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice

from ldap3.utils.conv import escape_filter_chars

from connectors.active_directory.browse import browse
from connectors.active_directory.changes import Change, Changes, deleted_kind, start_dirsync
from connectors.active_directory.check import check
from connectors.active_directory.config import Config
from connectors.active_directory.connection import DomainController, connect
from connectors.active_directory.cursor import Cursor, State, read_state
from connectors.active_directory.errors import DirectoryError
from connectors.active_directory.mapping import observe_deleted
from connectors.active_directory.objects import CHUNK, Objects
from connectors.active_directory.queries import GROUPS, PEOPLE
from connectors.active_directory.scope import resolve_scope
from connectors.active_directory.values import is_guid
from scim_server.domain.observations import (
    End,
    Finding,
    Observation,
    Page,
    Place,
    ReadEnd,
    ReadFailed,
)

_FOUND_AT_MOST = 20


def utc_now() -> datetime:
    """The aware time of this machine."""
    return datetime.now(UTC)


class ActiveDirectoryReader:
    """Reads one domain; see ``scim_server.domain.observations.DirectoryReader``."""

    def __init__(self, config: Config, *, now: Callable[[], datetime] = utc_now) -> None:
        self._config = config
        self._now = now

    def read(self, cursor: str | None, *, full: bool = False) -> Iterator[Page]:
        """Yield pages of observations, the last with the end; see DirectoryReader.read.

        Everything is read where the cursor belongs to another domain controller, another scope or another mapping.
        """
        previous = None if full else Cursor.from_text(cursor)
        started = False
        try:
            with connect(self._config, first=previous.state.url if previous else None) as controller:
                state = read_state(controller)
                if previous and not previous.fits(state, self._config):
                    previous = None
                for page in self._pages(controller, state, previous):
                    yield page
                    started = True
        except DirectoryError as error:
            if not started:
                raise ReadFailed(_sentence(error)) from error
            scope_hash = self._config.scope_hash
            yield Page((), ReadEnd(End.PARTIAL, full=previous is None, scope=scope_hash, reason=_sentence(error)))

    def _pages(self, controller: DomainController, state: State, previous: Cursor | None) -> Iterator[Page]:
        scope = resolve_scope(controller, self._config)
        objects = Objects(controller, self._config, scope, self._now)
        if previous is None:
            dirsync = start_dirsync(controller, scope.root, self._config)
            yield from map(Page, filter(None, objects.all()))
        else:
            changes = Changes(controller, self._config, scope, since=previous, until=state)
            yield from map(Page, self._changed(objects, changes))
            dirsync = changes.dirsync
        cursor = Cursor(state, self._config.scope_hash, self._config.mapping.fingerprint, dirsync, scope.selected)
        end = ReadEnd(End.COMPLETE, full=previous is None, cursor=cursor.to_text(), scope=self._config.scope_hash)
        yield Page((), end)

    def _changed(self, objects: Objects, changes: Iterable[Change]) -> Iterator[list[Observation]]:
        rest = iter(changes)
        while chunk := list(islice(rest, CHUNK)):
            deleted = {change.guid: change.deleted for change in chunk if change.deleted}
            yield from filter(None, objects.by_ids([change.guid for change in chunk if change.guid not in deleted]))
            read_at = self._now()
            if deleted:
                yield [observe_deleted(entry, kind=deleted_kind(entry), read_at=read_at) for entry in deleted.values()]

    def look_up(self, ids: Sequence[str]) -> Mapping[str, Observation]:
        """Read these objects now; see DirectoryReader.look_up. Raises ReadFailed."""
        try:
            with connect(self._config) as controller:
                return self._by_ids(controller, ids)
        except DirectoryError as error:
            raise ReadFailed(_sentence(error)) from error

    def find(self, name: str) -> Sequence[Observation]:
        """People and groups with this username, address, display name or common name. Raises ReadFailed."""
        if not name.strip():
            return []
        try:
            with connect(self._config) as controller:
                root = controller.root(["defaultNamingContext"]).text("defaultNamingContext")
                pages = controller.search(root, _named(name), ["objectGUID"], page_size=_FOUND_AT_MOST)
                ids = [entry.guid for entry in next(pages, [])]
                return list(self._by_ids(controller, ids).values())
        except DirectoryError as error:
            raise ReadFailed(_sentence(error)) from error

    def check(self) -> Sequence[Finding]:
        """Test the connection step by step; see DirectoryReader.check."""
        return check(self._config, self._now)

    def browse(self, parent: str | None) -> Sequence[Place]:
        """The organizational units, containers and groups below a DN. Raises ReadFailed."""
        try:
            with connect(self._config) as controller:
                return browse(controller, self._config, parent)
        except DirectoryError as error:
            raise ReadFailed(_sentence(error)) from error

    def _by_ids(self, controller: DomainController, ids: Sequence[str]) -> dict[str, Observation]:
        objects = Objects(controller, self._config, resolve_scope(controller, self._config), self._now)
        pages = objects.by_ids([guid for guid in ids if is_guid(guid)])
        return {observation.immutable_id: observation for page in pages for observation in page}


def _named(name: str) -> str:
    text = escape_filter_chars(name)
    short = escape_filter_chars(name.rpartition("\\")[2])
    person = "".join(f"({attribute}={text})" for attribute in ("userPrincipalName", "mail", "displayName", "cn"))
    return (
        f"(|(&{PEOPLE}(|{person}(sAMAccountName={short})(proxyAddresses=smtp:{text})))"
        f"(&{GROUPS}(|(cn={text})(displayName={text})(sAMAccountName={short}))))"
    )


def _sentence(error: DirectoryError) -> str:
    return f"{error.text}. {error.remedy}".strip() if error.remedy else error.text
