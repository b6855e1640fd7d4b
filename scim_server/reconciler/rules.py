"""Changing what must be unique in a tenant: the claims of everybody follow, or nothing changes."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from scim_server.domain.clients import TenantSettings
from scim_server.domain.errors import HeldTwice
from scim_server.domain.keys import Claim, UnusableValue, Wanted, claims_of, group_claims
from scim_server.store.engine import Session
from scim_server.store.identities import claims

_SHOWN = 5


def apply_rules(session: Session, rules: TenantSettings) -> None:
    """Every live resource holds exactly the claims that these rules give it.

    Raises HeldTwice, which tells the first few, where two resources would hold one value; the caller's transaction must
    then be rolled back.
    """
    holders: dict[Claim, tuple[int, str, Wanted]] = {}
    collisions: list[str] = []
    for pk, kind, resource_id, document in claims.live_documents(session):
        for wanted in _wanted(kind, orjson.loads(document), rules):
            other = holders.setdefault(wanted.claim, (pk, resource_id, wanted))
            if other[0] != pk:
                collisions.append(f'{wanted.attribute} "{wanted.raw}" of {other[1]} and {resource_id}')
    if collisions:
        more = f" and {len(collisions) - _SHOWN} more" if len(collisions) > _SHOWN else ""
        raise HeldTwice(f"these values are held twice: {'; '.join(collisions[:_SHOWN])}{more}; resolve them first")
    _exchange(session, holders)


def _wanted(kind: str, document: Mapping[str, Any], rules: TenantSettings) -> Iterator[Wanted]:
    try:
        if kind == "Group":
            yield from group_claims(document, unique=rules.group_name_unique)
        else:
            yield from claims_of(
                document, email_unique=rules.email_unique, cross_login=rules.cross_login, address_required=False
            )
    except UnusableValue:
        return  # stored under a rule that did not need the name


def _exchange(session: Session, holders: Mapping[Claim, tuple[int, str, Wanted]]) -> None:
    held = {claim: (pk, role) for pk, claim, role in claims.all_held(session)}
    for claim, (pk, role) in held.items():
        now = holders.get(claim)
        if now is None or (now[0], now[2].role) != (pk, role):
            claims.drop(session, pk, [claim])
    for claim, (pk, _, wanted) in sorted(holders.items()):
        if held.get(claim) != (pk, wanted.role):
            claims.take(session, pk, [wanted])
