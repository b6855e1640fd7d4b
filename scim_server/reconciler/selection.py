"""Selection: who is imported by a source that brings in only those whom an administrator chose."""

from collections.abc import Iterable

from scim_server.store.engine import Database
from scim_server.store.identities import staging


class Selection:
    """The chosen objects of a source, by immutable id; the next run goes by them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def choose(self, tenant: int, source: int, ids: Iterable[str]) -> None:
        """These objects are imported."""
        with self._database.writing(tenant) as session:
            staging.choose(session, source, ids, wanted=True)

    def leave_out(self, tenant: int, source: int, ids: Iterable[str]) -> None:
        """These objects are imported no more; those that were go by the source's policy for what leaves the scope."""
        with self._database.writing(tenant) as session:
            staging.choose(session, source, ids, wanted=False)

    def chosen(self, tenant: int, source: int) -> set[str]:
        """The immutable ids of everybody who was chosen."""
        with self._database.reading(tenant) as session:
            return staging.chosen_objects(session, source)
