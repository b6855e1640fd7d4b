"""Carrying out member changes of a group without reading the group."""

from collections.abc import Sequence
from typing import Any

import orjson

from scim_server.reconciler.proposals import Origin
from scim_server.scim.errors import InvalidValue
from scim_server.scim.filters.match import matches_element
from scim_server.scim.member_changes import Add, Clear, MemberStep, Remove, RemoveWhere, Replace
from scim_server.store.engine import Session
from scim_server.store.identities import members
from scim_server.store.identities.changes import write_change
from scim_server.store.reads.resources import members_of


def carry_out(session: Session, group: int, group_id: str, steps: Sequence[MemberStep], origin: Origin) -> bool:
    """The group has the members that the steps lead to; False where it had exactly these before.

    Raises InvalidValue for a member that is no user or group of this tenant. A deleted user or group that is still
    restorable counts: the membership shows again when it comes back.
    """
    changed = [step for step in steps if _carry_out(session, group, step) > 0]
    if changed:
        told = [{"step": type(step).__name__.lower(), "members": list(getattr(step, "ids", ()))} for step in changed]
        log_members(session, group, group_id, told, origin)
    return bool(changed)


def _carry_out(session: Session, group: int, step: MemberStep) -> int:
    match step:
        case Add(ids):
            return members.add_members(session, group, _numbers(session, ids))
        case Remove(ids):
            return members.remove_members(session, group, members.numbers_of(session, ids).values())
        case Replace(ids):
            return members.replace_members(session, group, _numbers(session, ids))
        case Clear():
            return members.clear_members(session, group)
        case RemoveWhere(condition):
            chosen = [
                member_id
                for member_id, member_type, display in members_of(session, group)
                if matches_element(condition, {"value": member_id, "type": member_type, "display": display})
            ]
            return members.remove_members(session, group, members.numbers_of(session, chosen).values())


def _numbers(session: Session, ids: Sequence[str]) -> list[int]:
    known = members.numbers_of(session, ids)
    for resource_id in ids:
        if resource_id not in known:
            raise InvalidValue(f'members: there is no User or Group with the id "{resource_id[:100]}".')
    return list(known.values())


def log_members(session: Session, group: int, group_id: str, told: Any, origin: Origin) -> None:
    """The change log tells how the members of the group changed; ``told`` is any JSON."""
    write_change(
        session,
        pk=group,
        resource_id=group_id,
        resource_type="Group",
        action="members",
        channel=origin.channel,
        source=origin.source_id,
        actor=origin.actor,
        request=origin.request,
        plan=origin.plan,
        before="{}",
        after=orjson.dumps({"members": told}).decode(),
        at=origin.at,
    )
