"""Observations of people and groups: all in scope, or those with given ids."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import Final

from connectors.active_directory.changes import deleted_kind, deleted_objects
from connectors.active_directory.config import Config
from connectors.active_directory.connection import DomainController
from connectors.active_directory.entries import Entry
from connectors.active_directory.errors import DirectoryError
from connectors.active_directory.groups import direct_members, primary_members
from connectors.active_directory.mapping import GROUP_ATTRIBUTES, observe_deleted, observe_group, observe_user
from connectors.active_directory.queries import PEOPLE_AND_GROUPS, any_of, groups, people, user_attributes
from connectors.active_directory.scope import Scope
from connectors.active_directory.values import guid_text
from scim_server.domain.observations import Evidence, Kind, Observation

CHUNK: Final = 100
"""Ids in one filter; far below what a domain controller accepts, and quick on Samba."""
_GROUPS_PER_PAGE: Final = 20  # a group may carry 1500 members, so a page holds a twentieth of the usual objects
_PERSON: Final = 805306368
_NO_SUCH_OBJECT: Final = 32
_ANY_STATE: Final = frozenset(
    ("objectClass", "isDeleted", "isRecycled", "lastKnownParent", "sAMAccountType", "isCriticalSystemObject", "cn")
)


class Objects:
    """The people and groups of one scope on one domain controller, read as they are now."""

    def __init__(self, controller: DomainController, config: Config, scope: Scope, now: Callable[[], datetime]) -> None:
        self._controller = controller
        self._config = config
        self._scope = scope
        self._now = now

    def all(self) -> Iterator[list[Observation]]:
        """Everything in scope, people first, page by page. Raises DirectoryError."""
        selected = self._scope.selected
        if selected is None:
            yield from self._people()
            yield from self._groups()
            return
        for ids in chunks(map(guid_text, sorted(selected.users)), CHUNK):
            yield from self._people(any_of(ids))
        for ids in chunks(map(guid_text, sorted(selected.groups)), CHUNK):
            yield from self._groups(any_of(ids))

    def by_ids(self, ids: Sequence[str]) -> Iterator[list[Observation]]:
        """These objects wherever they are now; one that cannot be told deleted from unreadable is left out.

        Raises DirectoryError.
        """
        for chunk in chunks(dict.fromkeys(ids), CHUNK):
            missing = set(chunk)
            for page in (*self._people(any_of(chunk)), *self._groups(any_of(chunk))):
                missing.difference_update(observation.immutable_id for observation in page)
                yield page
            if missing:
                elsewhere = list(self._elsewhere(sorted(missing)))
                missing.difference_update(observation.immutable_id for observation in elsewhere)
                yield [*elsewhere, *self._vanished(sorted(missing))]

    def _people(self, *terms: str) -> Iterator[list[Observation]]:
        for base in self._scope.bases:
            pages = self._controller.search(base, people(self._config, *terms), user_attributes(self._config))
            for read_at, page in self._stamped(pages):
                covered = [entry for entry in page if self._scope.covers(Kind.USER, entry.guid)]
                yield [self._person(entry, Evidence.PRESENT, read_at) for entry in covered]

    def _groups(self, *terms: str) -> Iterator[list[Observation]]:
        if not self._config.import_groups:
            return
        page_size = max(1, self._config.page_size // _GROUPS_PER_PAGE)
        query = groups(self._config, *terms)
        for base in self._scope.bases:
            pages = self._controller.search(base, query, GROUP_ATTRIBUTES, page_size=page_size)
            for read_at, page in self._stamped(pages):
                yield list(self._with_members(page, read_at))

    def _with_members(self, page: Sequence[Entry], read_at: datetime) -> Iterator[Observation]:
        covered = [entry for entry in page if self._scope.covers(Kind.GROUP, entry.guid)]
        primary = primary_members(self._controller, self._scope.root, covered)
        for entry in covered:
            members = [*direct_members(self._controller, entry), *primary.get(entry.guid, ())]
            yield observe_group(entry, evidence=Evidence.PRESENT, read_at=read_at, members=members)

    def _elsewhere(self, ids: Sequence[str]) -> Iterator[Observation]:
        """Objects that the scope does not cover: moved, filtered out or deleted."""
        query = f"(&{PEOPLE_AND_GROUPS}{any_of(ids)})"
        attributes = sorted({*user_attributes(self._config), *_ANY_STATE})
        pages = self._controller.search(self._scope.root, query, attributes, with_deleted=True)
        for read_at, page in self._stamped(pages):
            for entry in page:
                if entry.flag("isDeleted"):
                    yield observe_deleted(entry, kind=deleted_kind(entry), read_at=read_at)
                elif entry.flag("isCriticalSystemObject"):
                    continue
                elif deleted_kind(entry) is Kind.GROUP:
                    yield observe_group(entry, evidence=Evidence.OUT_OF_SCOPE, read_at=read_at)
                elif entry.number("sAMAccountType") == _PERSON:
                    yield self._person(entry, Evidence.OUT_OF_SCOPE, read_at)

    def _vanished(self, ids: Sequence[str]) -> Iterator[Observation]:
        """Deleted objects, for an account that may not see the Deleted Objects container.

        To such an account a deleted object does not exist. An account that sees the container would have found it,
        so what it does not find may be hidden and is left out. Nobody knows any more what the object was: its kind is
        given as User.
        """
        if not ids or self._sees_deleted:
            return
        for guid in ids:
            read_at = self._now()
            try:
                self._controller.read(f"<GUID={guid}>", ["objectGUID"])
            except DirectoryError as error:
                if error.code == _NO_SUCH_OBJECT:
                    yield Observation(Kind.USER, guid, Evidence.DELETED, read_at)

    @cached_property
    def _sees_deleted(self) -> bool:
        return next(deleted_objects(self._controller, self._scope.root, page_size=1), None) is not None

    def _person(self, entry: Entry, evidence: Evidence, read_at: datetime) -> Observation:
        return observe_user(
            entry,
            self._config.mapping,
            evidence=evidence,
            domain_name=self._scope.domain_name,
            read_at=read_at,
        )

    def _stamped(self, pages: Iterator[list[Entry]]) -> Iterator[tuple[datetime, list[Entry]]]:
        """Each page with the moment at which it was asked for."""
        while True:
            asked_at = self._now()
            page = next(pages, None)
            if page is None:
                return
            yield asked_at, page


def chunks(ids: Iterable[str], size: int) -> Iterator[list[str]]:
    """The ids in lists of at most ``size``."""
    rest = iter(ids)
    while chunk := list(islice(rest, size)):
        yield chunk
