"""Correlation: to which user an observed object belongs. The first rule that hits decides."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from scim_server.domain.attributes import flatten
from scim_server.domain.identities import Link, SourceRef, Weak
from scim_server.domain.keys import EMAIL, USERNAME, Claim, Wanted
from scim_server.domain.observations import Observation


class CorrelationOutcome(StrEnum):
    """How an object stands to the users that exist."""

    LINKED = "linked"
    MATCHED = "matched"
    DISPUTED = "disputed"
    CANDIDATE = "candidate"
    UNMATCHED = "unmatched"


@dataclass(frozen=True, slots=True)
class Match:
    """A user found by a key, with what decides whether an object may be joined to it.

    ``linked_here``: it has a present link in the source of the object. ``created_locally``: no source brought it.
    """

    user_id: str
    is_live: bool = True
    linked_here: bool = False
    created_locally: bool = False
    privileged: bool = False


@dataclass(frozen=True, slots=True)
class Correlation:
    """The outcome; ``user_id`` for linked and matched, ``candidates`` for disputed and candidate, ``by`` the key."""

    outcome: CorrelationOutcome
    reason: str
    user_id: str | None = None
    by: str = ""
    candidates: tuple[str, ...] = ()


Lookup = Callable[[str, str], Collection[Match]]


def correlate(
    observation: Observation,
    *,
    link: Link | None,
    anchors: Lookup,
    strong: Lookup,
    weak: Callable[[Claim], Collection[Match]],
    source: SourceRef,
    wanted: Sequence[Wanted] = (),
) -> Correlation:
    """Where the object belongs.

    ``link`` is the stored link of (source, immutable id). ``anchors`` finds users by anchor kind and value, ``strong``
    by flat attribute name and exact value, ``weak`` by claim; ``wanted`` are the claims of the object's document.
    A candidate is no verdict: its value may become free in the same plan, which the allocation decides.
    """
    if link is not None and link.user_id is not None:
        return Correlation(CorrelationOutcome.LINKED, "The object is linked to this user.", link.user_id, "link")
    separated = link is not None and link.separated
    if not separated:
        found = _by_identity(observation, anchors, strong, source)
        if found is not None:
            return found
    return _by_name(wanted, weak, source, may_adopt=not separated)


def _by_identity(observation: Observation, anchors: Lookup, strong: Lookup, source: SourceRef) -> Correlation | None:
    """By anchors, all of which must name one user, then by the configured strong keys in the same way."""
    by_anchor = {kind: anchors(kind, value) for kind, value in sorted(observation.anchors.items()) if value}
    found = _one_user(by_anchor, "anchor")
    if found is not None or not source.strong_keys:
        return found
    attributes = flatten(observation.attributes)
    values = {name: _text(attributes.get(name)) for name in source.strong_keys}
    return _one_user({name: strong(name, value) for name, value in values.items() if value}, "key")


def _one_user(matches: dict[str, Collection[Match]], word: str) -> Correlation | None:
    live = {key: [match for match in found if match.is_live] for key, found in matches.items()}
    by = ", ".join(key for key, found in live.items() if found)
    users = {match.user_id: match for found in live.values() for match in found}
    if not users:
        return None
    everybody = tuple(sorted(users))
    if len(users) > 1:
        reason = f"The {word} {by} points at {len(users)} different users."
        return Correlation(CorrelationOutcome.DISPUTED, reason, by=by, candidates=everybody)
    if users[everybody[0]].linked_here:
        reason = f"The user with the same {word} {by} is linked to another object of this source."
        return Correlation(CorrelationOutcome.DISPUTED, reason, by=by, candidates=everybody)
    reason = f"The {word} {by} names exactly this user."
    return Correlation(CorrelationOutcome.MATCHED, reason, everybody[0], by)


def _by_name(
    wanted: Sequence[Wanted], weak: Callable[[Claim], Collection[Match]], source: SourceRef, *, may_adopt: bool
) -> Correlation:
    """Equal usernames or addresses make candidates; only the adopt option, under its conditions, makes them one."""
    candidates: dict[str, Match] = {}
    by: list[str] = []
    for want in _weak_keys(wanted):
        found = {match.user_id: match for match in weak(want.claim) if match.is_live}
        if found and (want.claim.ns in source.duplicate_keys or source.weak == Weak.ADOPT):
            candidates.update(found)
            by.append(want.claim.ns)
    if not candidates:
        return Correlation(CorrelationOutcome.UNMATCHED, "No user has this identity, username or e-mail address.")
    everybody, keys = tuple(sorted(candidates)), ", ".join(dict.fromkeys(by))
    obstacle = _adoption_obstacle(candidates.values(), source, may_adopt)
    if not obstacle:
        reason = f"The source adopts users created here; exactly this one has the same {keys}."
        return Correlation(CorrelationOutcome.MATCHED, reason, everybody[0], keys)
    counted = [ns for ns in dict.fromkeys(by) if ns in source.duplicate_keys]
    if not counted:
        return Correlation(
            CorrelationOutcome.UNMATCHED, f"The {keys} is taken, which this source does not count: {obstacle}."
        )
    reason = f"Another user has the same {keys}; {obstacle}."
    return Correlation(CorrelationOutcome.CANDIDATE, reason, by=keys, candidates=everybody)


def _weak_keys(wanted: Sequence[Wanted]) -> Iterable[Wanted]:
    """Username and main e-mail address, also the address that a username spells; secondary addresses prove nothing."""
    return (want for want in wanted if want.role != "secondary" and want.claim.ns in (USERNAME, EMAIL))


def _adoption_obstacle(candidates: Collection[Match], source: SourceRef, may_adopt: bool) -> str:
    """Why the object is not joined to the candidate, in words; empty when it may be."""
    match = next(iter(candidates))
    obstacles = (
        (source.weak != Weak.ADOPT, "equal names alone do not make one person"),
        (not may_adopt, "an administrator separated the two by hand"),
        (len(candidates) > 1, f"{len(candidates)} users come into question"),
        (match.privileged, "a privileged user is never adopted"),
        (match.linked_here, "that user is linked to another object of this source"),
        (not match.created_locally, "that user was not created here"),
    )
    return next((words for applies, words in obstacles if applies), "")


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
