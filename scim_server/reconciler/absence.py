"""Absence: an object that a complete full read did not tell is looked up; only what is found out counts."""

from scim_server.domain.observations import DirectoryReader
from scim_server.reconciler import reading
from scim_server.reconciler.holding import Hold
from scim_server.reconciler.items import unreadable_row
from scim_server.reconciler.runs import ShouldStop
from scim_server.reconciler.sources import PulledSource
from scim_server.store.identities import plan_items, staging

_BATCH = 500


def look_for_missing(
    hold: Hold, source: PulledSource, reader: DirectoryReader, should_stop: ShouldStop, seq: int
) -> int:
    """Every missing object is staged as it was found, or is an error item; the last number given to an item.

    "Could not read" never means "is absent": what cannot be looked up stays as it is.
    """
    after = ""
    while True:
        with hold.database.reading(hold.tenant) as session:
            ids = staging.missing(session, hold.plan, source.id, after, _BATCH)
            kinds = staging.kinds_of_links(session, source.id, ids)
        if not ids:
            return seq
        after = ids[-1]
        unreadable = reading.look_up(hold, reader, source.config_hash, ids, origin="look_up")
        rows = [
            unreadable_row(seq + number, source.id, kinds[id_], id_)
            for number, id_ in enumerate(sorted(unreadable & kinds.keys()), start=1)
        ]
        seq += len(rows)
        with hold.transaction() as session:
            plan_items.insert_items(session, hold.plan, rows)
        if should_stop():
            raise reading.Stopped
