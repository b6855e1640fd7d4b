"""From Graph's properties to observations.

A property that an answer leaves out says nothing, one that is null has no value: Graph leaves out what was never set
and sends null for what was cleared (https://learn.microsoft.com/graph/delta-query-overview).
"""

import base64
import binascii
import hashlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson

from connectors.mapping import ENTERPRISE_URN, AttributeMapping, parse_mapping
from scim_server.domain.observations import Evidence, Kind, Member, Observation

DEFAULT_MAPPING: Final[Mapping[str, Any]] = {
    "userName": "userPrincipalName",
    "name.givenName": "givenName",
    "name.familyName": "surname",
    "displayName": "displayName",
    "title": "jobTitle",
    "emails": [
        {
            "value": {"first": ["mail", {"attribute": "proxyAddresses", "prefix": "SMTP:"}]},
            "type": "work",
            "primary": True,
        },
        {"value": {"attribute": "proxyAddresses", "prefix": "smtp:"}, "type": "other"},
    ],
    "phoneNumbers": [
        {"value": "businessPhones", "type": "work"},
        {"value": "mobilePhone", "type": "mobile"},
    ],
    f"{ENTERPRISE_URN}:department": "department",
    f"{ENTERPRISE_URN}:employeeNumber": "employeeId",
}

_ALWAYS: Final = frozenset(
    (
        "accountEnabled",
        "createdDateTime",
        "onPremisesImmutableId",
        "onPremisesSecurityIdentifier",
        "onPremisesSyncEnabled",
        "userPrincipalName",
        "userType",
    )
)
GROUP_PROPERTIES: Final = ("createdDateTime", "displayName", "onPremisesSecurityIdentifier", "onPremisesSyncEnabled")

_KINDS: Final = {"#microsoft.graph.user": Kind.USER, "#microsoft.graph.group": Kind.GROUP}

Entry = Mapping[str, Any]
"""An object as Graph spells it."""


def kind_of(entry: Entry) -> Kind | None:
    """What an entry of a mixed list is; None for devices, contacts and other kinds that are not imported."""
    return _KINDS.get(str(entry.get("@odata.type", "")))


def is_whole(entry: Entry, kind: Kind) -> bool:
    """Whether the entry tells the object itself and not only its links."""
    if kind is Kind.USER:
        return "userPrincipalName" in entry and "accountEnabled" in entry
    return "displayName" in entry


def is_guest(entry: Entry) -> bool:
    """Whether the user is a guest; an absent or null userType is none."""
    return str(entry.get("userType") or "").lower() == "guest"


class UserMapping:
    """How users become observations; ``properties`` is what ``$select`` must name."""

    def __init__(self, mapping: AttributeMapping) -> None:
        self._mapping = mapping
        self._siblings = _siblings(mapping)
        # onPremisesExtensionAttributes.extensionAttribute1 is selected by its first part
        self.properties = sorted(_ALWAYS | {name.partition(".")[0] for name in mapping.attributes})

    def observe(
        self,
        entry: Entry,
        *,
        read_at: datetime,
        manager: str | None = None,
        manager_known: bool = False,
        evidence: Evidence = Evidence.PRESENT,
        whole: bool = False,
    ) -> Observation:
        """A user as it was read; ``whole`` when the entry tells everything, so that what it leaves out has no value."""
        masked = entry.get("userPrincipalName", "") is None
        attributes = {} if masked else self._mapping.apply(_Properties(entry, self._siblings, whole=whole))
        anchors = anchors_of(entry)
        enabled = entry.get("accountEnabled")
        told = (attributes, enabled, anchors, manager, manager_known, evidence)
        return Observation(
            Kind.USER,
            entry["id"],
            evidence,
            read_at,
            attributes=attributes,
            enabled=enabled if isinstance(enabled, bool) else None,
            anchors=anchors,
            manager=manager,
            manager_known=manager_known,
            created_at=_moment(entry.get("createdDateTime")),
            problem="Graph told only the id of this user: the application may not read it." if masked else "",
            raw_hash=hashlib.blake2b(orjson.dumps(told, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest(),
        )


def observe_group(
    entry: Entry,
    *,
    read_at: datetime,
    members: Sequence[Member] | None = None,
    member_changes: Mapping[str, bool] | None = None,
    evidence: Evidence = Evidence.PRESENT,
) -> Observation:
    """A group as it was read, with its whole membership or with the changes only."""
    named = "displayName" in entry
    return Observation(
        Kind.GROUP,
        entry["id"],
        evidence,
        read_at,
        attributes={"displayName": entry["displayName"]} if named else {},
        anchors=anchors_of(entry),
        members=members,
        member_changes=member_changes or {},
        created_at=_moment(entry.get("createdDateTime")),
        problem="Graph told no name of this group." if named and not entry["displayName"] else "",
    )


def anchors_of(entry: Entry) -> dict[str, str]:
    """The values that recognize the same person elsewhere.

    onPremisesImmutableId counts only while the object is synchronized, and only if it is the base64 of a GUID in AD's
    byte order; a tenant may have chosen another source anchor.
    """
    anchors = {"entra_id": entry["id"]}
    if entry.get("onPremisesSyncEnabled") is True:
        guid = _guid_of(entry.get("onPremisesImmutableId"))
        if guid:
            anchors["ad_guid"] = guid
    if entry.get("onPremisesSecurityIdentifier"):
        anchors["sid"] = str(entry["onPremisesSecurityIdentifier"])
    return anchors


class _Properties(Mapping[str, Sequence[str]]):
    """The properties of an entry as the mapping language reads them: KeyError for what the entry does not tell.

    A target may read several properties (phoneNumbers: businessPhones and mobilePhone). Where the entry tells one of
    them, a sibling that it leaves out was never set and has no value.
    """

    def __init__(self, entry: Entry, siblings: Mapping[str, frozenset[str]], *, whole: bool) -> None:
        self._entry = entry
        self._whole = whole
        self._siblings = siblings

    def __getitem__(self, name: str) -> Sequence[str]:
        value = self._entry.get(name)
        if type(value) is str:  # nearly all of them
            return (value,)
        first, _, rest = name.partition(".")
        if first in self._entry:
            value = self._entry[first]
            return _texts(_inside(value, rest) if rest else value)
        if self._whole or any(sibling in self._entry for sibling in self._siblings.get(name, ())):
            return ()
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entry)

    def __len__(self) -> int:
        return len(self._entry)


def _siblings(mapping: AttributeMapping) -> dict[str, frozenset[str]]:
    """For each attribute the first parts of all that some target reads together with it."""
    found: dict[str, frozenset[str]] = {}
    for target, spelled in mapping.data.items():
        alone = parse_mapping({"userName": {"constant": "-"}, target: spelled})
        together = frozenset(name.partition(".")[0] for name in alone.attributes)
        for name in alone.attributes:
            found[name] = found.get(name, frozenset()) | together
    return found


def _inside(value: Any, path: str) -> Any:
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _texts(value: Any) -> Sequence[str]:
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, bool):
        return ("true" if value else "false",)
    if isinstance(value, list):
        return [item if type(item) is str else str(item) for item in value if item is not None]
    return () if isinstance(value, Mapping) else (str(value),)


def _guid_of(anchor: Any) -> str:
    """The GUID whose little-endian bytes (as AD stores them) the text holds in base64, or nothing."""
    try:
        return str(uuid.UUID(bytes_le=base64.b64decode(str(anchor), validate=True)))
    except (binascii.Error, ValueError):
        return ""


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
