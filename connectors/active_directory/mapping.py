"""How people and groups of Active Directory become observations."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

import orjson

from connectors.active_directory.entries import Entry, Texts, parse_link
from connectors.active_directory.values import from_generalized_time, guid_text, is_enabled, sid_text
from connectors.mapping import ENTERPRISE_URN, AttributeMapping
from scim_server.domain.observations import Evidence, Kind, Member, Observation

DOMAIN_NAME: Final = "nETBIOSName"
"""Besides the attributes of the person, a mapping may use the NetBIOS name of the domain."""

DEFAULT_MAPPING: Final[Mapping[str, Any]] = {
    "userName": {"first": ["userPrincipalName", {"template": f"{{{DOMAIN_NAME}}}\\{{sAMAccountName}}"}]},
    "name.givenName": "givenName",
    "name.familyName": "sn",
    "displayName": "displayName",
    "emails": [
        {
            "value": {"first": ["mail", {"attribute": "proxyAddresses", "prefix": "SMTP:"}]},
            "type": "work",
            "primary": True,
        },
        {"value": {"attribute": "proxyAddresses", "prefix": "smtp:"}, "type": "other"},
    ],
    "phoneNumbers": [
        {"value": "telephoneNumber", "type": "work"},
        {"value": "mobile", "type": "mobile"},
    ],
    "title": "title",
    f"{ENTERPRISE_URN}:department": "department",
    f"{ENTERPRISE_URN}:employeeNumber": {"first": ["employeeNumber", "employeeID"]},
}

ALWAYS_READ: Final = frozenset(
    (
        "objectGUID",
        "objectSid",
        "mS-DS-ConsistencyGuid",
        "userAccountControl",
        "accountExpires",
        "manager",
        "whenCreated",
    )
)
"""What a person's observation needs besides the mapped attributes."""
GROUP_ATTRIBUTES: Final = ("objectGUID", "objectSid", "cn", "whenCreated", "member")


def observe_user(
    entry: Entry, mapping: AttributeMapping, *, evidence: Evidence, domain_name: str, read_at: datetime
) -> Observation:
    """The person as read; someone out of scope shows nothing but the names."""
    attributes = mapping.apply(Texts(entry, {DOMAIN_NAME: (domain_name,)}))
    if evidence is not Evidence.PRESENT:
        attributes = {name: attributes[name] for name in ("userName", "displayName") if attributes.get(name)}
    manager = entry.first("manager")
    enabled = is_enabled(entry.number("userAccountControl"), entry.number("accountExpires"), read_at)
    manager_id = parse_link(manager).guid if manager else None
    anchors = _anchors(entry)
    return Observation(
        kind=Kind.USER,
        immutable_id=entry.guid,
        evidence=evidence,
        read_at=read_at,
        attributes=attributes,
        enabled=enabled,
        anchors=anchors,
        manager=manager_id,
        manager_known=evidence is Evidence.PRESENT,
        created_at=_created_at(entry),
        location=entry.dn,
        problem="" if attributes.get("userName") else "the mapping yields no userName",
        raw_hash=_hash(attributes, enabled, manager_id, anchors),
    )


def observe_group(
    entry: Entry, *, evidence: Evidence, read_at: datetime, members: Sequence[str] | None = None
) -> Observation:
    """The group as read; ``members`` are the GUIDs of all direct members, None where they were not read."""
    name = entry.text("cn")
    anchors = _anchors(entry)
    ordered = None if members is None else sorted(set(members))
    return Observation(
        kind=Kind.GROUP,
        immutable_id=entry.guid,
        evidence=evidence,
        read_at=read_at,
        attributes={"displayName": name},
        anchors=anchors,
        members=None if ordered is None else [Member(guid) for guid in ordered],
        created_at=_created_at(entry),
        location=entry.dn,
        problem="" if name else "the group has no cn",
        raw_hash=_hash(name, ordered, anchors),
    )


def observe_deleted(entry: Entry, *, kind: Kind, read_at: datetime) -> Observation:
    """The object in the Deleted Objects container; a recycled one or a tombstone never comes back whole."""
    is_gone = entry.flag("isRecycled")
    return Observation(
        kind=kind,
        immutable_id=entry.guid,
        evidence=Evidence.DELETED if is_gone else Evidence.SOFT_DELETED,
        read_at=read_at,
        location=entry.text("lastKnownParent").rpartition(">;")[2],
    )


def _anchors(entry: Entry) -> dict[str, str]:
    """Entra Connect writes the anchor to mS-DS-ConsistencyGuid and takes objectGUID where that is empty."""
    consistency = entry.first("mS-DS-ConsistencyGuid") or b""
    anchors = {"ad_guid": guid_text(consistency) if len(consistency) == 16 else entry.guid}
    sid = entry.first("objectSid")
    return {**anchors, "sid": sid_text(sid)} if sid else anchors


def _created_at(entry: Entry) -> datetime | None:
    text = entry.text("whenCreated")
    return from_generalized_time(text) if text else None


def _hash(*content: Any) -> str:
    return blake2b(orjson.dumps(content, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()
