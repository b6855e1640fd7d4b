"""The members of groups: large groups in ranges, nested and circular ones, and primary groups.

``member`` is the authority: ``memberOf`` leaves out primary groups and groups of other domains.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ldap3.utils.conv import escape_filter_chars

from connectors.active_directory.connection import DomainController
from connectors.active_directory.entries import Entry, parse_link
from connectors.active_directory.errors import DirectoryError
from connectors.active_directory.queries import PEOPLE
from connectors.active_directory.values import guid_bytes, relative_id, sid_text

_RANGE: Final = "member;range="


def direct_members(controller: DomainController, group: Entry) -> list[str]:
    """The GUIDs of all direct members, read on in ranges where the answer holds only the first of them.

    Active Directory gives at most MaxValRange (1500) values at once. Contacts and members of other forests have no SID
    here and are left out. Raises DirectoryError where a range is missing, so that a group is never cut silently.
    """
    found: list[str] = []
    entry: Entry | None = group
    ranged = _range_of(group)
    _add_members(found, group.values.get(ranged or "member", ()))
    while ranged and not ranged.endswith("-*"):
        start = int(ranged.rpartition("-")[2]) + 1
        entry = controller.read(f"<GUID={group.guid}>", [f"{_RANGE}{start}-*"])
        ranged = _range_of(entry) if entry else None
        if entry is None or not ranged:
            raise DirectoryError(f"{controller.url}: the members of {group.dn} broke off after {start} values")
        _add_members(found, entry.values[ranged])
    return found


def _range_of(entry: Entry) -> str | None:
    return next((name for name in entry.values if name.startswith(_RANGE)), None)


def _add_members(found: list[str], values: Sequence[bytes]) -> None:
    found.extend(link.guid for link in map(parse_link, values) if link.sid)


def primary_members(controller: DomainController, root: str, groups: Sequence[Entry]) -> Mapping[str, Sequence[str]]:
    """GUID of a group to the GUIDs of the people who have it as primary group; ``member`` does not list them.

    Setting somebody's primary group changes the entries of both groups, so such changes are noticed there.
    """
    numbers = {relative_id(sid_text(sid)): group.guid for group in groups if (sid := group.first("objectSid"))}
    found: dict[str, list[str]] = defaultdict(list)
    if not numbers:
        return found
    query = f"(&{PEOPLE}(|{''.join(f'(primaryGroupID={number})' for number in numbers)}))"
    for page in controller.search(root, query, ["primaryGroupID"]):
        for entry in page:
            found[numbers[entry.number("primaryGroupID")]].append(entry.guid)
    return found


@dataclass(frozen=True, slots=True)
class Expansion:
    """Everything that a set of groups contains, as GUID bytes to stay small in memory."""

    users: frozenset[bytes]
    groups: frozenset[bytes]


def expand(controller: DomainController, root: str, dns: Iterable[str]) -> Expansion:
    """The members of the groups and of all groups nested in them; circular groups are visited once.

    Raises DirectoryError where a group does not exist or cannot be read to the end.
    """
    members: set[bytes] = set()
    groups: set[bytes] = set()
    waiting = list(dns)
    while waiting:
        group = controller.read(waiting.pop(), ["objectSid", "objectGUID", "member", "distinguishedName"])
        if group is None:
            raise DirectoryError(f"{controller.url}: a group of the scope cannot be read", "Check the scope groups.")
        guid = guid_bytes(group.guid)
        if guid in groups:
            continue
        groups.add(guid)
        members.update(map(guid_bytes, direct_members(controller, group)))
        members.update(_with_primary_group(controller, root, group))
        waiting += _nested_groups(controller, root, group)
    return Expansion(frozenset(members - groups), frozenset(groups))


def _with_primary_group(controller: DomainController, root: str, group: Entry) -> Iterable[bytes]:
    for guids in primary_members(controller, root, [group]).values():
        yield from map(guid_bytes, guids)


def _nested_groups(controller: DomainController, root: str, group: Entry) -> Iterable[str]:
    query = f"(&(objectClass=group)(memberOf={escape_filter_chars(group.dn)}))"
    for page in controller.search(root, query, ["objectGUID"]):
        yield from (f"<GUID={entry.guid}>" for entry in page)
