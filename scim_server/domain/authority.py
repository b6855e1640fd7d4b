"""Authority: which source decides an attribute, whether a user is active, and what the loss of a link means."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from scim_server.domain.attributes import same
from scim_server.domain.identities import (
    Link,
    LinkOrigin,
    LinkState,
    NullHandling,
    Reaction,
    SourceKind,
    SourceRef,
)

Sources = Mapping[int, SourceRef]
Provenance = tuple[int, datetime | None]
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Effective:
    """What holds for a user. ``provenance`` names source and time of each attribute; ``active`` is None if nobody says.

    ``deferred`` names attributes where a pull differs from a push but is not young enough to overrule it.
    """

    attributes: dict[str, Any]
    provenance: dict[str, Provenance]
    active: bool | None
    deferred: frozenset[str] = frozenset()


class Lifecycle(StrEnum):
    """What the links of a user, all together, want it to be."""

    LIVE = "live"
    INACTIVE = "inactive"
    GONE = "gone"


def effective(
    links: Iterable[Link],
    sources: Sources,
    *,
    admin_block: bool = False,
    orders: Mapping[str, Sequence[int]] | None = None,
) -> Effective:
    """The effective attributes over all links of a user (those not present included: their loss may deactivate).

    Pinned local values come first, then sources by rank with the channels of a realm as one, then other local values.
    ``orders`` lists, for single attributes, the ids of the sources that are asked first.
    """
    links = tuple(links)
    present = [link for link in links if link.is_present]
    active = is_active(links, sources, admin_block=admin_block)
    if len(present) == 1:
        return _single(present[0], active)
    return _Ranking(present, sources, orders or {}).decide(active)


def is_active(links: Sequence[Link], sources: Sources, *, admin_block: bool = False) -> bool | None:
    """Deny overrides: one source that says "disabled", a pushed ``active`` false or a lost primary source suffices.

    None where nobody says anything. An administrator's block is lifted by nobody else.
    """
    if admin_block:
        return False
    flags = [flag for link in links if link.is_present for flag in _flags(link, sources)]
    if False in flags or lifecycle(links, sources) is not Lifecycle.LIVE:
        return False
    return True if flags else None


def lifecycle(links: Sequence[Link], sources: Sources) -> Lifecycle:
    """What is left of a user when links were lost: deletion needs the last one gone.

    Losing the Active Directory object deactivates while only Entra objects remain that are, or may be, copies of it:
    those are not authoritative in their own right. When all are gone the policy of the best-ranked source decides.
    """
    if all(_reaction(link, sources) is None for link in links):
        return Lifecycle.LIVE
    ranked = sorted((link for link in links if _has_say(link, sources)), key=lambda link: _rank(link, sources))
    lost = [(link, reaction) for link in ranked if (reaction := _reaction(link, sources)) is not None]
    kept = [link for link in ranked if _reaction(link, sources) is None]
    if not lost:
        return Lifecycle.LIVE
    if not kept:
        return {
            Reaction.DELETE: Lifecycle.GONE,
            Reaction.DEACTIVATE: Lifecycle.INACTIVE,
            Reaction.IGNORE: Lifecycle.LIVE,
        }[lost[0][1]]
    masters = [
        link for link, reaction in lost if reaction is not Reaction.IGNORE and _kind(link, sources) is SourceKind.AD
    ]
    orphaned = any(all(_may_copy(link, master, sources) for link in kept) for master in masters)
    return Lifecycle.INACTIVE if orphaned else Lifecycle.LIVE


def _single(link: Link, active: bool | None) -> Effective:
    attributes = {name: value for name, value in link.mapped.items() if value is not None}
    provenance = {name: (link.source_id, link.learnt_at(name)) for name in attributes}
    return _with_active(Effective(attributes, provenance, active))


def _with_active(result: Effective) -> Effective:
    """``active`` follows its own rule, not that of the best source."""
    if result.active is not None:
        result.attributes["active"] = result.active
    return result


class _Ranking:
    """The present links of a user in the order in which they are asked for an attribute."""

    def __init__(self, present: Sequence[Link], sources: Sources, orders: Mapping[str, Sequence[int]]) -> None:
        self._sources = sources
        self._orders = orders
        self._local = [link for link in present if _kind(link, sources) is SourceKind.LOCAL]
        self._realms = _realms([link for link in present if _kind(link, sources) is not SourceKind.LOCAL], sources)

    def decide(self, active: bool | None) -> Effective:
        """Every attribute that any link provides."""
        result = Effective({}, {}, active)
        deferred: set[str] = set()
        names = dict.fromkeys(name for links in [*self._realms, self._local] for link in links for name in link.mapped)
        for name in names:
            for group in self._asked(name):
                link, is_deferred = self._channel(group, name)
                value = link.mapped[name]
                if is_deferred:
                    deferred.add(name)
                if value is not None:
                    result.attributes[name] = value
                    result.provenance[name] = (link.source_id, link.learnt_at(name))
                if value is not None or self._sources[link.source_id].null_handling == NullHandling.OVERWRITE:
                    break
        return _with_active(Effective(result.attributes, result.provenance, active, frozenset(deferred)))

    def _asked(self, name: str) -> list[list[Link]]:
        """The links that say something of the attribute, one list for each realm, best first."""
        pinned = [[link] for link in self._local if link.pinned is None or name in link.pinned]
        unpinned = [[link] for link in self._local if link.pinned is not None and name not in link.pinned]
        realms = self._realms
        if name in self._orders:
            order = {source_id: place for place, source_id in enumerate(self._orders[name])}
            realms = sorted(realms, key=lambda links: min(order.get(link.source_id, len(order)) for link in links))
        groups = [[link for link in group if self._says(link, name)] for group in [*pinned, *realms, *unpinned]]
        return [group for group in groups if group]

    def _says(self, link: Link, name: str) -> bool:
        """A pushed removal is a deliberate act; a null that was read counts by the policy of its source."""
        if link.mapped.get(name) is not None:
            return True
        source = self._sources[link.source_id]
        return name in link.mapped and (source.kind == SourceKind.SCIM or source.null_handling != NullHandling.NONE)

    def _channel(self, group: Sequence[Link], name: str) -> tuple[Link, bool]:
        """The channel of a realm that told the attribute last, and whether a pull is deferred in favour of a push."""
        if len(group) == 1:
            return group[0], False
        latest = sorted(group, key=lambda link: link.learnt_at(name) or _NEVER, reverse=True)
        push = next((link for link in latest if _kind(link, self._sources) is SourceKind.SCIM), None)
        pull = next((link for link in latest if _kind(link, self._sources) is not SourceKind.SCIM), None)
        if push is None or pull is None:
            return latest[0], False
        lead = (pull.learnt_at(name) or _NEVER) - (push.learnt_at(name) or _NEVER)
        if lead >= self._sources[pull.source_id].grace:
            return pull, False
        return push, not same(push.mapped[name], pull.mapped[name], name)


def _realms(links: Sequence[Link], sources: Sources) -> list[list[Link]]:
    groups: dict[object, list[Link]] = {}
    for link in sorted(links, key=lambda link: _rank(link, sources)):
        source = sources[link.source_id]
        groups.setdefault(source.realm or link.source_id, []).append(link)
    ordered = list(groups.values())
    # an Entra object that was a copy and is none any more is managed in the cloud, although AD still has its own
    if any(link.origin == LinkOrigin.ANCHOR for link in links):
        ordered.sort(key=lambda group: not any(link.copied is False for link in group))
    return ordered


def _rank(link: Link, sources: Sources) -> tuple[int, int, str]:
    return sources[link.source_id].rank, link.source_id, link.immutable_id


def _flags(link: Link, sources: Sources) -> list[bool]:
    """What a present link says of being enabled: the directory's flag, unless ignored, and a pushed ``active``."""
    heeded = sources[link.source_id].on_disabled != Reaction.IGNORE
    flags = [link.enabled if heeded else None, link.mapped.get("active")]
    return [flag for flag in flags if isinstance(flag, bool)]


def _has_say(link: Link, sources: Sources) -> bool:
    """Whether the link carries the life of the user: pinned local values do not, a user created here does."""
    return _kind(link, sources) is not SourceKind.LOCAL or link.origin == LinkOrigin.CREATED


def _may_copy(link: Link, master: Link, sources: Sources) -> bool:
    """Whether what remains is, for all that is known, fed by the lost object of a better rank."""
    fed = _kind(link, sources) in (SourceKind.ENTRA, SourceKind.SCIM) and link.copied is not False
    return fed and sources[master.source_id].rank < sources[link.source_id].rank


def _kind(link: Link, sources: Sources) -> SourceKind:
    return SourceKind(sources[link.source_id].kind)


def _reaction(link: Link, sources: Sources) -> Reaction | None:
    """The policy for a lost link; None for one that is not lost."""
    source = sources[link.source_id]
    if link.is_present:
        return Reaction.DELETE if link.enabled is False and source.on_disabled == Reaction.DELETE else None
    return Reaction(source.on_deleted if link.state == LinkState.DELETED else source.on_out_of_scope)
