"""One object as the domain controller sent it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from connectors.active_directory.values import guid_text

_GUID: Final = b"<GUID="


@dataclass(frozen=True, slots=True)
class Link:
    """The target of a link, or the object itself, as the extended DN control spells it ([MS-ADTS] 3.1.1.3.4.1.5)."""

    guid: str
    sid: str
    dn: str


def parse_link(raw: bytes) -> Link:
    """The parts of ``<GUID=...>;<SID=...>;CN=...``; whatever has no SID is no user and no group. Raises ValueError."""
    head, _, rest = raw.partition(b">;")
    if not head.startswith(_GUID):
        raise ValueError("not an extended DN")
    sid = ""
    if rest.startswith(b"<SID="):
        found, _, rest = rest.partition(b">;")
        sid = found[5:].decode("ascii")
    return Link(head[6:].decode("ascii").lower(), sid, rest.decode("utf-8", "replace"))


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of an answer; ``values`` has lower-case attribute names, with options such as ``member;range=0-1499``."""

    dn: str
    guid: str
    values: Mapping[str, Sequence[bytes]]

    def first(self, name: str) -> bytes | None:
        """The first value of the attribute."""
        found = self.values.get(name.lower())
        return found[0] if found else None

    def text(self, name: str) -> str:
        """The first value as text, empty without one."""
        return (self.first(name) or b"").decode("utf-8", "replace")

    def number(self, name: str, default: int = 0) -> int:
        """The first value as a whole number."""
        found = self.first(name)
        return int(found) if found else default

    def flag(self, name: str) -> bool:
        """Whether the attribute says TRUE."""
        return self.first(name) == b"TRUE"


def make_entry(raw_dn: bytes, raw_attributes: Mapping[str, Sequence[bytes]]) -> Entry:
    """The row of ldap3 as an Entry. Raises ValueError for a row that carries no GUID."""
    values = {name.lower(): found for name, found in raw_attributes.items()}
    if raw_dn.startswith(_GUID):
        link = parse_link(raw_dn)
        return Entry(link.dn, link.guid, values)
    return Entry(
        raw_dn.decode("utf-8", "replace"), guid_text(values["objectguid"][0]) if "objectguid" in values else "", values
    )


class Texts(dict[str, Sequence[str]]):
    """The texts of an entry as a mapping reads them: every attribute is told, absent means empty."""

    def __init__(self, entry: Entry, fixed: Mapping[str, Sequence[str]]) -> None:
        super().__init__(fixed)
        self._values = entry.values

    def __missing__(self, name: str) -> Sequence[str]:
        found = tuple(_texts(self._values.get(name.lower(), ())))
        self[name] = found
        return found


def _texts(values: Iterable[bytes]) -> Iterable[str]:
    for value in values:
        shown = parse_link(value).dn if value.startswith(_GUID) else value.decode("utf-8", "replace")
        if shown:
            yield shown
