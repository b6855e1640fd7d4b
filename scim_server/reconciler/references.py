"""Members and managers: what a source tells by its own ids becomes references once both ends are there."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import orjson

from scim_server.reconciler.composition import compose, in_schema_order
from scim_server.reconciler.desired import MANAGER
from scim_server.reconciler.door import parse_stored, write
from scim_server.reconciler.membership import log_members
from scim_server.reconciler.proposals import Origin, Proposal
from scim_server.scim.registry import SchemaRegistry
from scim_server.scim.schemas.enterprise_user import ENTERPRISE_URN
from scim_server.store.engine import Session
from scim_server.store.identities import members, references, snapshots
from scim_server.store.identities.links import StoredLink
from scim_server.store.identities.plan_items import StoredItem
from scim_server.store.identities.references import Resolvable
from scim_server.store.identities.resources import Loaded, touch

_MEMBERS_AT_ONCE = 1000
_MANAGERS_AT_ONCE = 100


def store_references(
    session: Session, source: int, item: StoredItem, number: int, told: Mapping[str, Any], origin: Origin
) -> None:
    """What the object's source tells of members and manager is stored; whoever is no member any more is removed."""
    owner = item.immutable_id
    if changes := told.get(references.MEMBER):
        references.drop_references(session, source, owner, references.MEMBER, changes["remove"])
        references.add_references(session, source, owner, references.MEMBER, changes["add"], resolved=False)
        gone = snapshots.links_of_objects(session, source, changes["remove"]) if changes["remove"] else {}
        removed = [pk for _, pk in gone.values() if pk is not None]
        if members.remove_members(session, number, removed):
            _log(session, number, str(item.resource_id), {"removed": changes["remove"]}, origin)
    if "manager" in told:
        old = references.targets_of(session, source, owner, references.MANAGER) if item.op != "add" else set()
        new = {told["manager"]} - {None}
        references.drop_references(session, source, owner, references.MANAGER, old - new)
        is_there = orjson.loads(item.links)["mapped"].get(MANAGER) is not None
        references.add_references(session, source, owner, references.MANAGER, new - old, resolved=is_there)


def resolve_members(session: Session, source: int, origin: Origin) -> int:
    """A batch of pending memberships whose group and member are both there now is in force; how many."""
    found = references.resolvable(session, source, references.MEMBER, _MEMBERS_AT_ONCE)
    for (group, group_id), each in groupby(found, key=lambda row: (row.owner_pk, row.owner_id)):
        rows = list(each)
        if members.add_members(session, group, [row.target_pk for row in rows]):
            _log(session, group, group_id, {"added": [row.target_id for row in rows]}, origin)
    references.settle_references(session, source, references.MEMBER, [(row.owner, row.target) for row in found])
    return len(found)


def resolve_managers(session: Session, source: int, registry: SchemaRegistry, origin: Origin) -> int:
    """A batch of users whose manager is there now has that manager; how many."""
    found = references.resolvable(session, source, references.MANAGER, _MANAGERS_AT_ONCE)
    loaded = snapshots.lock_resources(session, [row.owner_id for row in found])
    links = snapshots.links_of_resources(session, [row.owner_pk for row in found])
    proposals = [
        _with_manager(loaded[row.owner_id], links[row.owner_pk], source, row, registry)
        for row in found
        if row.owner_id in loaded
    ]
    write(session, proposals, origin)
    references.settle_references(session, source, references.MANAGER, [(row.owner, row.target) for row in found])
    return len(found)


def _with_manager(
    loaded: Loaded, links: Sequence[StoredLink], source: int, row: Resolvable, registry: SchemaRegistry
) -> Proposal:
    own = next(link for link in links if link.source_id == source and link.immutable_id == row.owner)
    manager = {"value": row.target_id}
    link = own._replace(mapped=orjson.dumps({**orjson.loads(own.mapped), MANAGER: manager}).decode())
    before = parse_stored(loaded.document)
    asked = {**before, ENTERPRISE_URN: {**before.get(ENTERPRISE_URN, {}), "manager": manager}}
    others = [each for each in links if each is not own]
    after = compose(asked, [*others, link], registry.user, blocked=bool(loaded.blocked))
    return Proposal(
        resource_type=registry.user,
        resource_id=loaded.id,
        loaded=loaded,
        before=before,
        after=in_schema_order(after, registry.user),
        link=link,
        wanted=(),
    )


def _log(session: Session, group: int, group_id: str, told: Mapping[str, Any], origin: Origin) -> None:
    """The group counts as changed, and the change log tells how."""
    touch(session, group, origin.at)
    log_members(session, group, group_id, told, origin)
