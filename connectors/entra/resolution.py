"""From what two delta rounds told to one observation for each object.

Where the rounds leave something open the object is read anew: told both alive and removed, told with two different
values, a manager or member both added and removed, an object that entered the scope or came back from the recycle bin.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from connectors.entra.cursor import Cursor
from connectors.entra.mapping import UserMapping, is_whole, observe_group
from connectors.entra.objects import Objects
from connectors.entra.scope import Scope
from connectors.entra.told import SOFT, Told, ToldObject
from scim_server.domain.observations import Evidence, ImmutableId, Kind, Member, Observation


@dataclass(slots=True)
class Fetched:
    """What a read fetched: the rounds, the scope of this run, and the cursor it went on from (None: full).

    ``recycle_bin`` holds the soft-deleted objects that are known, with the time of learning it.
    """

    users: Told
    groups: Told
    with_groups: bool
    started: datetime
    before: Cursor | None = None
    scope: Scope = field(default_factory=Scope)
    recycle_bin: dict[ImmutableId, datetime] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        """Whether everything was enumerated."""
        return self.before is None

    @property
    def complete(self) -> bool:
        """Whether every round came to its end."""
        return self.users.complete and (self.groups.complete or not self.with_groups)

    def clear(self) -> None:
        """Nothing was fetched."""
        self.users.clear()
        self.groups.clear()

    def close(self) -> None:
        """The temporary files are gone."""
        self.users.close()
        self.groups.close()


class Resolution:
    """Observations of a fetched read; afterwards ``deleted`` and ``back`` say what to do with the recycle bin."""

    def __init__(self, fetched: Fetched, objects: Objects, mapping: UserMapping) -> None:
        self._fetched = fetched
        self._objects = objects
        self._mapping = mapping
        self._scope = fetched.scope
        self._restorable = fetched.recycle_bin
        self._members_before = fetched.before.scope_members if fetched.before else frozenset()
        self._entered = frozenset() if fetched.full else self._scope.members - self._members_before
        self.deleted: set[ImmutableId] = set()
        self.back: set[ImmutableId] = set()

    def users(self) -> Iterator[Observation]:
        """Every user that was told, or that entered the scope."""
        self._bring_links_back()
        for told in self._fetched.users:
            observation = self._user(told)
            if observation is not None:
                self._remember(observation)
                yield observation
        if self._fetched.users.complete and not self._fetched.full:
            for identifier in sorted(self._entered & (self._scope.users or frozenset())):
                if identifier not in self._fetched.users:
                    yield self._ask_user(identifier)

    def groups(self) -> Iterator[Observation]:
        """Every group that was told or entered the scope; a full read tells its members, others their changes."""
        for told in self._fetched.groups:
            observation = self._group(told)
            if observation is not None:
                self._remember(observation)
                yield observation
        if self._fetched.groups.complete and not self._fetched.full:
            for identifier in sorted(self._entered & (self._scope.groups or frozenset())):
                if identifier not in self._fetched.groups:
                    yield self._ask_group(identifier)

    def left(self) -> Iterator[Observation]:
        """What was in scope at the last read, is no longer, and was told by no round."""
        if not self._fetched.complete:
            return
        for identifier in sorted(self._members_before - self._scope.members):
            if identifier not in self._fetched.users and identifier not in self._fetched.groups:
                observation = self._objects.look_up(identifier, self._scope)
                self._remember(observation)
                yield observation

    def _user(self, told: ToldObject) -> Observation | None:
        if told.entry is None:
            return self._removal(told, Kind.USER, self._fetched.users)
        manager, certain = _manager_of(told)
        clear = certain and not told.doubtful and is_whole(told.entry, Kind.USER)
        appeared = told.id in self._entered or told.id in self._restorable
        if self._fetched.users.complete and (not clear or appeared):
            return self._ask_user(told.id)
        if not clear or not self._concerns(told, self._objects.evidence_of(told.entry, self._scope)):
            return None
        return self._mapping.observe(
            told.entry,
            read_at=told.read_at,
            manager=manager,
            # only a full read that came to its end proves that there is no manager
            manager_known=manager is not None or (self._fetched.full and self._fetched.users.complete),
            whole=self._fetched.full,
            evidence=self._objects.evidence_of(told.entry, self._scope),
        )

    def _group(self, told: ToldObject) -> Observation | None:
        round_ = self._fetched.groups
        if told.entry is None:
            return self._removal(told, Kind.GROUP, round_)
        contradicted = told.doubtful or any(link.added and link.removed for link in told.links)
        bare = self._fetched.full and not is_whole(told.entry, Kind.GROUP)
        returned = told.id in self._entered or told.id in self._restorable
        evidence = Evidence.PRESENT if self._scope.covers_group(told.id) else Evidence.OUT_OF_SCOPE
        if not self._concerns(told, evidence):
            return None
        if round_.complete and (contradicted or bare or returned):
            return self._ask_group(told.id)
        if contradicted or bare:
            return None
        if self._fetched.full and round_.complete:
            members = [Member(link.target, link.kind) for link in told.links if link.added]
            return observe_group(told.entry, read_at=told.read_at, members=members, evidence=evidence)
        changes = {link.target: link.added for link in told.links if link.added or not self._fetched.full}
        return observe_group(told.entry, read_at=told.read_at, member_changes=changes, evidence=evidence)

    def _concerns(self, told: ToldObject, evidence: Evidence) -> bool:
        """Whether an object outside the scope is worth telling: in a full read its absence says it, in others only
        what was in scope can have left. A user who became a guest may have been."""
        if evidence is Evidence.PRESENT:
            return True
        listed = self._scope.users is not None or self._scope.groups is not None
        return not self._fetched.full and (not listed or told.id in self._members_before)

    def _removal(self, told: ToldObject, kind: Kind, round_: Told) -> Observation | None:
        """A full read proves absence by itself, a round that broke off proves nothing."""
        if not round_.complete or (self._fetched.full and not told.doubtful):
            return None
        if told.doubtful:
            return self._ask_user(told.id) if kind is Kind.USER else self._ask_group(told.id)
        evidence = Evidence.SOFT_DELETED if told.removed == SOFT else Evidence.DELETED
        return Observation(kind, told.id, evidence, told.read_at)

    def _ask_user(self, identifier: ImmutableId) -> Observation:
        return self._objects.user(identifier, self._scope) or self._objects.gone(identifier, Kind.USER)

    def _ask_group(self, identifier: ImmutableId) -> Observation:
        return self._objects.group(identifier, self._scope) or self._objects.gone(identifier, Kind.GROUP)

    def _remember(self, observation: Observation) -> None:
        identifier = observation.immutable_id
        if observation.evidence is Evidence.SOFT_DELETED:
            self.deleted.add(identifier)
        elif identifier in self._restorable:
            self.back.add(identifier)

    def _bring_links_back(self) -> None:
        """The links to restored objects count as told: whether a delta round tells them is not documented.

        While an object is in the recycle bin nobody lists it as a member or manager.
        """
        fetched = self._fetched
        if fetched.full or not fetched.complete:
            return
        for user in fetched.users.returned(self._restorable):
            for report in self._objects.reports_of(user):
                fetched.users.doubt(report, fetched.started)
        for kind, told in ((Kind.USER, fetched.users), (Kind.GROUP, fetched.groups)) if fetched.with_groups else ():
            for identifier in told.returned(self._restorable):
                for group in self._objects.groups_of(identifier, kind):
                    fetched.groups.add_link(group, identifier, kind, fetched.started)


def _manager_of(told: ToldObject) -> tuple[ImmutableId | None, bool]:
    """The manager told, and whether that is certain: of a removal alone nobody knows which manager it meant."""
    added = [link.target for link in told.links if link.added]
    certain = not told.links or (len(added) == 1 and not any(link.added and link.removed for link in told.links))
    return (added[0] if certain and added else None), certain
