"""What a delta round has told so far, one row for each object, in a temporary SQLite file.

A round may tell an object several times, in any order, its links on later pages, and its removal before or after its
return. So nothing can be passed on before the round is complete, and a tenant's round does not belong into memory. The
file is private to this process and gone when it is closed (https://sqlite.org/inmemorydb.html#temp_db).
"""

import sqlite3
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from connectors.entra.mapping import kind_of
from scim_server.domain.observations import ImmutableId, Kind

_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -8000;
CREATE TABLE object (id TEXT PRIMARY KEY, entry BLOB, removed TEXT NOT NULL, doubtful INT NOT NULL,
read_at REAL NOT NULL);
CREATE TABLE link (id TEXT, target TEXT, kind TEXT NOT NULL, added INT NOT NULL, removed INT NOT NULL,
PRIMARY KEY (id, target)) WITHOUT ROWID;
"""
_KEEP_OBJECT = """
INSERT INTO object VALUES (?, ?, ?, ?, ?) ON CONFLICT (id)
DO UPDATE SET entry = excluded.entry, removed = excluded.removed, doubtful = excluded.doubtful
"""
_KEEP_LINK = """
INSERT INTO link VALUES (?, ?, ?, ?, ?) ON CONFLICT (id, target)
DO UPDATE SET added = max(added, excluded.added), removed = max(removed, excluded.removed)
"""

SOFT: Final = "changed"
"""The reason that Graph gives for an object that can be restored; ``deleted`` is for good."""


@dataclass(frozen=True, slots=True)
class Link:
    """A member or manager that was told; both flags mean that the order is unknown."""

    target: ImmutableId
    kind: Kind | None
    added: bool
    removed: bool


@dataclass(frozen=True, slots=True)
class ToldObject:
    """Everything a round told of one object.

    ``entry`` holds the merged properties, None if the object was never told alive; ``removed`` is the reason of its
    removal, empty if none was told. ``doubtful``: two entries contradict each other, so only a fresh read knows.
    """

    id: ImmutableId
    entry: Mapping[str, Any] | None
    removed: str
    doubtful: bool
    read_at: datetime
    links: tuple[Link, ...]


class Told:
    """The merged entries of one round; ``complete`` once its delta link was seen."""

    def __init__(self, links: str) -> None:
        self._links = f"{links}@delta"
        self._file = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._file.executescript(_TABLES)
        self.delta_link = ""

    @property
    def complete(self) -> bool:
        return bool(self.delta_link)

    def close(self) -> None:
        """Everything told is forgotten."""
        self._file.close()

    def clear(self) -> None:
        """As new: the round starts again."""
        self._file.execute("DELETE FROM object")
        self._file.execute("DELETE FROM link")
        self.delta_link = ""

    def add_page(self, entries: Iterable[Mapping[str, Any]], read_at: datetime) -> None:
        """A page is merged; one that was seen before changes nothing."""
        self._file.execute("BEGIN")
        for entry in entries:
            self._add(entry, read_at)
        self._file.execute("COMMIT")

    def add_link(self, source: ImmutableId, target: ImmutableId, kind: Kind | None, read_at: datetime) -> None:
        """A link that was learnt elsewhere counts as told by the round."""
        if source not in self:
            self._file.execute(_KEEP_OBJECT, (source, b"{}", "", False, read_at.timestamp()))
        self._file.execute(_KEEP_LINK, (source, target, kind or "", True, False))

    def doubt(self, identifier: ImmutableId, read_at: datetime) -> None:
        """Whatever was told of the object, only a fresh read knows."""
        if identifier not in self:
            self._file.execute(_KEEP_OBJECT, (identifier, None, "", True, read_at.timestamp()))
        self._file.execute("UPDATE object SET doubtful = TRUE WHERE id = ?", (identifier,))

    def returned(self, recycle_bin: Container[ImmutableId]) -> list[ImmutableId]:
        """The objects told alive that were in the recycle bin before or were told removed as well."""
        alive = self._file.execute("SELECT id, removed FROM object WHERE entry IS NOT NULL")
        return [identifier for identifier, removed in alive if removed or identifier in recycle_bin]

    def __contains__(self, identifier: object) -> bool:
        return self._file.execute("SELECT 1 FROM object WHERE id = ?", (identifier,)).fetchone() is not None

    def __iter__(self) -> Iterator[ToldObject]:
        for identifier, packed, removed, doubtful, read_at in self._file.execute("SELECT * FROM object"):
            yield ToldObject(
                identifier,
                None if packed is None else orjson.loads(packed) | {"id": identifier},
                removed,
                bool(doubtful),
                datetime.fromtimestamp(read_at, UTC),
                tuple(self._links_of(identifier)),
            )

    def _links_of(self, identifier: ImmutableId) -> Iterator[Link]:
        rows = self._file.execute("SELECT target, kind, added, removed FROM link WHERE id = ?", (identifier,))
        for target, kind, added, removed in rows:
            yield Link(target, Kind(kind) if kind else None, bool(added), bool(removed))

    def _add(self, entry: Mapping[str, Any], read_at: datetime) -> None:
        identifier = entry["id"]
        before = self._file.execute(
            "SELECT entry, removed, doubtful FROM object WHERE id = ?", (identifier,)
        ).fetchone()
        packed, removed, doubtful = before or (None, "", False)
        removal = entry.get("@removed")
        if removal is not None:
            reason = _reason(removal)
            doubtful = doubtful or packed is not None or removed not in ("", reason)
            removed = reason
        else:
            known = {} if packed is None else orjson.loads(packed)
            told = {name: value for name, value in entry.items() if "@" not in name and name != "id"}
            # entries with links only have no properties; of two others nobody knows which is the newer one
            doubtful = doubtful or bool(removed) or bool(known and told and known != told)
            packed = orjson.dumps(known | told)
        self._file.execute(_KEEP_OBJECT, (identifier, packed, removed, doubtful, read_at.timestamp()))
        for link in entry.get(self._links) or ():
            self._add_link(identifier, link)

    def _add_link(self, identifier: ImmutableId, link: Mapping[str, Any]) -> None:
        kind = kind_of(link)
        if kind is None and "@odata.type" in link:
            return  # a device, a contact, an application: never imported
        gone = "@removed" in link
        self._file.execute(_KEEP_LINK, (identifier, link["id"], kind or "", not gone, gone))


def _reason(removal: Any) -> str:
    return str(removal.get("reason") or "deleted") if isinstance(removal, Mapping) else "deleted"
