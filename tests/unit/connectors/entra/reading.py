"""A whole read at once, for tests."""

from collections.abc import Sequence

from connectors.entra.reader import EntraReader
from scim_server.domain.observations import Observation, ReadEnd


def read(
    reader: EntraReader, cursor: str | None = None, *, full: bool = False
) -> tuple[Sequence[Observation], ReadEnd]:
    pages = list(reader.read(cursor, full=full))
    end = pages[-1].end
    assert end is not None
    assert all(page.end is None for page in pages[:-1])
    return [observation for page in pages for observation in page.observations], end


def by_id(observations: Sequence[Observation]) -> dict[str, Observation]:
    found = {observation.immutable_id: observation for observation in observations}
    assert len(found) == len(observations), "a read tells every object once"
    return found
