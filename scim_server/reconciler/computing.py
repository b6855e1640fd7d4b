"""Computing a plan: staged observations become items, and the claims of all of them are allocated together."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from scim_server.domain.allocate import Allocation
from scim_server.domain.correlate import CorrelationOutcome
from scim_server.domain.identities import derive_user_id
from scim_server.domain.keys import Claim
from scim_server.domain.observations import DirectoryReader
from scim_server.domain.plan import Operation
from scim_server.reconciler import reading
from scim_server.reconciler.contest import Contest, reason_of
from scim_server.reconciler.desired import Desired, Surroundings, Unfit, desire, without_addresses
from scim_server.reconciler.holding import Hold
from scim_server.reconciler.items import Row, disputed_row, dump, error_row, item_row
from scim_server.reconciler.matching import Subject, gather
from scim_server.reconciler.runs import Progress, ShouldStop
from scim_server.reconciler.sources import PulledSource
from scim_server.scim.registry import SchemaRegistry
from scim_server.store.engine import Session
from scim_server.store.identities import duplicates, plan_items, snapshots, staging
from scim_server.store.identities.members import numbers_of
from scim_server.store.identities.plan_items import StoredItem
from scim_server.store.identities.staging import Staged

_BATCH = 500
_ROUNDS = 5  # of looking up holders; each round needs a holder that the one before pulled in


@dataclass(slots=True)
class Computation:
    """One plan in the making."""

    hold: Hold
    source: PulledSource
    registry: SchemaRegistry
    reader: DirectoryReader
    full_read: bool
    progress: Progress
    should_stop: ShouldStop
    contest: Contest = field(default_factory=Contest)
    seq: int = 0
    done: int = 0
    seen: dict[str, int] = field(default_factory=dict)
    """Objects of each kind that this read told and that were looked at one by one."""
    matched: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)

    def run(self, total: int) -> None:
        """Every staged object that asks for something is an item, withheld where another holds its values."""
        self.contest.contested_new = self.source.policy.contested_new.value
        for kind in ("User", "Group"):
            self._all_of(kind, total)
        self._allocate()

    def _all_of(self, kind: str, total: int) -> None:
        after = ""
        while True:
            with self._reading() as session:
                rows = staging.changed(session, self.hold.plan, self.source.id, kind, after, _BATCH)
            if not rows:
                return
            after = rows[-1].immutable_id
            self.seen[kind] = self.seen.get(kind, 0) + sum(row.origin == "read" for row in rows)
            self._process(rows)
            self.done += len(rows)
            self.progress(self.done, total)
            if self.should_stop():
                raise reading.Stopped

    def _reading(self) -> Any:
        return self.hold.database.reading(self.hold.tenant)

    def _process(self, staged: Sequence[Staged]) -> None:
        with self._reading() as session:
            subjects = gather(session, self.source, self.registry.user, staged, full_read=self.full_read)
            around = Surroundings(self.source, self.registry, self._managers(session, subjects))
            ids = self._new_ids(session, subjects)
            rows = [row for subject in subjects if (row := self._item(session, subject, ids, around)) is not None]
            wanted = {Claim(want[0], want[1]) for row in rows for want in orjson.loads(row["claims_take"])}
            self.contest.learn_holders(session, wanted)
        with self.hold.transaction() as session:
            plan_items.insert_items(session, self.hold.plan, rows)

    def _managers(self, session: Session, subjects: Sequence[Subject]) -> dict[str, str]:
        told = {subject.observation.manager for subject in subjects if subject.observation.manager}
        return snapshots.linked_resources(session, self.source.id, [id_ for id_ in told if id_])

    def _new_ids(self, session: Session, subjects: Sequence[Subject]) -> dict[str, str]:
        """The ids of the resources that would be new: derived from the object, or from it and a number when taken."""
        ids = {
            subject.staged.immutable_id: derive_user_id(self.source.id, subject.staged.immutable_id)
            for subject in subjects
            if subject.loaded is None
        }
        attempt = 1
        while taken := numbers_of(session, list(ids.values())):
            attempt += 1
            for immutable_id, resource_id in ids.items():
                if resource_id in taken:
                    ids[immutable_id] = derive_user_id(self.source.id, f"{immutable_id}#{attempt}")
        return ids

    def _item(self, session: Session, subject: Subject, ids: Mapping[str, str], around: Surroundings) -> Row | None:
        source = self.source.id
        if subject.correlation.outcome is CorrelationOutcome.MATCHED and subject.loaded is not None:
            if subject.loaded.id in self.matched:
                reason = "Another object of this source is the same person."
                return error_row(self._next(), source, subject, reason)
            self.matched.add(subject.loaded.id)
        if subject.correlation.outcome is CorrelationOutcome.DISPUTED:
            return disputed_row(self._next(), source, subject)
        try:
            desired = desire(subject, ids.get(subject.staged.immutable_id, ""), around)
        except Unfit as unfit:
            return error_row(self._next(), source, subject, str(unfit))
        if desired is None or self._is_idle(subject, desired):
            return None
        if subject.staged.origin == "needed":
            desired.reasons.append("Also needed: another object takes a value that this one has given up.")
        row = item_row(session, self._next(), source, subject, desired)
        self.contest.enter(row["seq"], subject, desired, self.source)
        return row

    def _is_idle(self, subject: Subject, desired: Desired) -> bool:
        """Whether a holder that was only looked up still is as it is known."""
        return subject.staged.origin == "needed" and desired.word == "unchanged"

    def _next(self) -> int:
        self.seq += 1
        return self.seq

    def _allocate(self) -> None:
        """Withhold whoever wants what another holds after the plan; holders that were not read are read first."""
        asked: set[str] = set()
        for _ in range(_ROUNDS):
            allocation = self.contest.decide()
            needed = self._unread_witnesses(allocation, asked)
            if not needed:
                break
            asked |= needed.keys()
            missed = reading.look_up(
                self.hold, self.reader, self.source.config_hash, sorted(needed.values()), origin="needed"
            )
            self.unreadable |= {resource for resource, object_id in needed.items() if object_id in missed}
            with self._reading() as session:
                found = staging.staged(session, self.hold.plan, [id_ for id_ in needed.values() if id_ not in missed])
            self._process([found[id_] for id_ in sorted(found)])
        self._store(allocation)

    def _unread_witnesses(self, allocation: Allocation, asked: set[str]) -> dict[str, str]:
        witnesses = {
            witness
            for refused in (allocation.refused, allocation.left_out)
            for missed in refused.values()
            for witness in missed.values()
        }
        unknown = witnesses - self.contest.claimants.keys() - asked
        if not unknown:
            return {}
        with self._reading() as session:
            return staging.unread_holders(session, self.hold.plan, self.source.id, unknown)

    def _store(self, allocation: Allocation) -> None:
        self._each(allocation.refused, self._withheld, plan_items.withhold_items)
        self._each(allocation.left_out, self._trimmed, plan_items.trim_items)
        components = self.contest.components(allocation.accepted)
        with self.hold.transaction() as session:
            plan_items.set_components(session, self.hold.plan, components)

    def _each(
        self,
        losers: Mapping[str, Mapping[Claim, str]],
        row_of: Callable[[Session, StoredItem, Mapping[Claim, str]], Row],
        write: Callable[[Session, str, Sequence[Row]], None],
    ) -> None:
        by_number = {self.contest.numbers[loser]: missed for loser, missed in losers.items()}
        numbers = sorted(by_number)
        for start in range(0, len(numbers), _BATCH):
            with self._reading() as session:
                items = plan_items.items_by_seq(session, self.hold.plan, numbers[start : start + _BATCH])
                rows = [row_of(session, item, by_number[item.seq]) for item in items]
            with self.hold.transaction() as session:
                write(session, self.hold.plan, rows)

    def _withheld(self, session: Session, item: StoredItem, missed: Mapping[Claim, str]) -> Row:
        conflicts = self._conflicts(item, missed)
        if any(conflict["witness"] in self.unreadable for conflict in conflicts):
            reason = "Another holds a value of this object and could not be looked up; this waits for the next run."
            return _withholding(item, Operation.BLOCKED_BY, "blocked_by", conflicts, [reason])
        reasons = [reason_of(conflict) for conflict in conflicts]
        dismissed = duplicates.dismissed_cases(session, self.source.id, item.immutable_id)
        keys = {(conflict["ns"], conflict["key"], conflict["witness_pk"]) for conflict in conflicts}
        if keys <= dismissed:
            return _withholding(item, Operation.DISMISSED, "dismissed", conflicts, reasons)
        return _withholding(item, Operation.DUPLICATE, "duplicated", conflicts, reasons)

    def _conflicts(self, item: StoredItem, missed: Mapping[Claim, str]) -> list[dict[str, Any]]:
        taken = [each for each in orjson.loads(item.claims_take) if Claim(each[0], each[1]) in missed]
        conflicts = [self.contest.conflict(each, missed[Claim(each[0], each[1])]) for each in taken]
        namesakes = {conflict["witness"] for conflict in conflicts if conflict["ns"] == "username"}
        # the address that a username spells says nothing more where the username itself meets the same holder
        return [each for each in conflicts if each["role"] != "login" or each["witness"] not in namesakes]

    def _trimmed(self, _session: Session, item: StoredItem, missed: Mapping[Claim, str]) -> Row:
        """The item without the secondary addresses that others hold."""
        conflicts = self._conflicts(item, missed)
        document = without_addresses(orjson.loads(item.after or "{}"), {claim.key for claim in missed})
        idle = item.before is not None and document == orjson.loads(item.before) and item.op == Operation.UPDATE
        reasons = [*orjson.loads(item.reasons), *(reason_of(each) for each in conflicts)]
        link = {**orjson.loads(item.links), "raw_hash": ""}  # looked at again in every run, until the address is free
        return {
            "of_seq": item.seq,
            "new_op": item.op,
            "new_word": "unchanged" if idle else item.word,
            "document": dump(document),
            "link": dump(link),
            "taken": dump([each for each in orjson.loads(item.claims_take) if Claim(each[0], each[1]) not in missed]),
            "found": dump(conflicts),
            "why": dump(reasons),
        }


def _withholding(
    item: StoredItem, op: Operation, word: str, conflicts: Iterable[Mapping[str, Any]], reasons: list[str]
) -> Row:
    return {
        "of_seq": item.seq,
        "new_op": op.value,
        "new_word": word,
        "found": dump(list(conflicts)),
        "why": dump(reasons),
    }
