"""Packs: pending items worked off some hundred at a time, each pack in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from scim_server.domain.observations import DirectoryReader, Evidence
from scim_server.domain.times import to_text
from scim_server.reconciler.carrying import Carrier, Drifted
from scim_server.reconciler.holding import Hold
from scim_server.reconciler.proposals import Origin
from scim_server.reconciler.reading import find_now
from scim_server.reconciler.withheld import carry_silent, keep
from scim_server.scim.errors import ScimError
from scim_server.store.engine import RowRefused, Session
from scim_server.store.identities import plan_items
from scim_server.store.identities.claims import ClaimLost
from scim_server.store.identities.plan_items import SILENT, StoredItem

_AT_ONCE = 200
_STATES = {Evidence.DELETED: "deleted", Evidence.SOFT_DELETED: "deleted", Evidence.OUT_OF_SCOPE: "out_of_scope"}


@dataclass(frozen=True, slots=True)
class Packs:
    """The items of one plan, in packs."""

    hold: Hold
    carrier: Carrier
    reader: DirectoryReader
    actor: str

    def carry_writing(self, phase: int) -> int:
        """The next items of the phase, whole components, are done, stale or errors; how many they were.

        At first all go through together; only where that fails is each component tried on its own.
        """
        items = self._pending(phase)
        if not items:
            return 0
        disproven = self._disproven(items)
        sound = [item for item in items if item.component not in disproven]
        try:
            with self.hold.transaction() as session:
                with session.savepoint():
                    self.carrier.carry_out(session, sound, self._origin())
                plan_items.set_done(session, self.hold.plan, [item.seq for item in sound])
                self._leave(session, [item for item in items if item.component in disproven], disproven)
        except (Drifted, ClaimLost, RowRefused, ScimError, ValueError):
            self._carry_apart(items, disproven)
        return len(items)

    def carry_silent(self) -> int:
        """The next items that change nothing are on record; how many they were."""
        items = self._pending(SILENT)
        if items:
            with self.hold.transaction() as session:
                origin = self._origin()
                for item in items:
                    carry_silent(session, self.carrier.source.id, self.hold.plan, item, origin)
                plan_items.set_done(session, self.hold.plan, [item.seq for item in items])
        return len(items)

    def _pending(self, phase: int) -> list[StoredItem]:
        with self.hold.database.reading(self.hold.tenant) as session:
            return plan_items.pending_items(session, self.hold.plan, phase, _AT_ONCE)

    def _origin(self) -> Origin:
        at = to_text(self.hold.clock.now())
        return Origin(self.carrier.source.id, self.actor, at, channel="pull", plan=self.hold.plan)

    def _disproven(self, items: Sequence[StoredItem]) -> dict[int, str]:
        """Components with a removal that the directory does not confirm at this moment, with the reason."""
        removals = [item for item in items if item.proof in _STATES]
        if not removals:
            return {}
        found = find_now(self.reader, [item.immutable_id for item in removals])
        disproven: dict[int, str] = {}
        for item in removals:
            observation = found.get(item.immutable_id)
            if observation is None:
                disproven[item.component] = "The object could not be looked up again before its removal."
            elif _STATES.get(observation.evidence) != _STATES[Evidence(item.proof)]:
                disproven[item.component] = "The directory tells otherwise of the object than at the preview."
        return disproven

    def _carry_apart(self, items: Sequence[StoredItem], disproven: dict[int, str]) -> None:
        """Each component in a savepoint of its own: one that fails takes no other with it."""
        with self.hold.transaction() as session:
            for component, each in groupby(items, key=lambda item: item.component):
                together = list(each)
                if component in disproven:
                    self._leave(session, together, disproven)
                    continue
                try:
                    with session.savepoint():
                        self.carrier.carry_out(session, together, self._origin())
                    plan_items.set_done(session, self.hold.plan, [item.seq for item in together])
                except Drifted as drifted:
                    self._leave(session, together, {component: str(drifted)})
                except ClaimLost:
                    self._leave(session, together, {component: "Another has taken the username or address meanwhile."})
                except (RowRefused, ScimError, ValueError) as failed:
                    self._leave(session, together, {component: str(failed)}, status="error")

    def _leave(
        self, session: Session, items: Sequence[StoredItem], reasons: dict[int, str], *, status: str = "stale"
    ) -> None:
        """The items are not carried out; the next run looks at their objects again."""
        for item in items:
            plan_items.set_item_status(session, self.hold.plan, item.seq, status, reasons[item.component])
            keep(session, self.carrier.source.id, item, status, self._origin())
