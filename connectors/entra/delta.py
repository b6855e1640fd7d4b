"""One delta round: from the first URL or a delta link over all next links to the new delta link.

https://learn.microsoft.com/graph/delta-query-overview
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from connectors.entra.errors import GraphRefused, Unavailable
from connectors.entra.graph import Graph, values_of
from connectors.entra.told import Told

_EXPIRED_PAGE = frozenset(("directory_expiredpagetoken", "directorypagetokennotfoundexception"))
_RESTARTS = 2


class ResyncRequired(Exception):
    """Graph no longer knows the state behind the link: everything must be enumerated anew."""


def follow_round(
    graph: Graph,
    first: str,
    told: Told,
    *,
    permission: str,
    clock: Callable[[], datetime],
) -> Iterator[None]:
    """Fill ``told`` page by page, yielding after each; ``told.complete`` says that the round came to its end.

    Links are followed as they came. Skip tokens are short-lived: when one is refused, the page before it is asked for
    again, and when that does not help the round starts again at ``first``. Raises ResyncRequired, GraphRefused or
    Unavailable; what was told until then stays in ``told``.
    """
    for _ in range(_RESTARTS + 1):
        try:
            yield from _walk(graph, first, told, permission, clock)
            return
        except GraphRefused as refused:
            if not refused.codes & _EXPIRED_PAGE:
                raise
            last_refusal = refused
            told.clear()
    raise last_refusal


def _walk(graph: Graph, first: str, told: Told, permission: str, clock: Callable[[], datetime]) -> Iterator[None]:
    link, before, stepped_back = first, "", False
    while True:
        asked_at = clock()
        try:
            page = graph.get(link, permission=permission)
        except GraphRefused as refused:
            if means_resync(refused, link):
                raise ResyncRequired(refused.text) from refused
            # the first URL would begin another round beside what was told of this one
            if before in ("", first) or stepped_back or not refused.codes & _EXPIRED_PAGE:
                raise
            link, before, stepped_back = before, "", True
            continue
        told.add_page(values_of(page), asked_at)
        following, told.delta_link = page.get("@odata.nextLink"), page.get("@odata.deltaLink") or ""
        yield
        if told.delta_link:
            return
        if not isinstance(following, str) or following == link:
            raise Unavailable("Graph sent a page of changes that leads nowhere.")
        stepped_back = stepped_back and not before
        link, before = following, link


def means_resync(refused: GraphRefused, link: str) -> bool:
    """Whether an answer to a link that carries state says that this state is lost.

    Besides 410 and the documented codes users/delta answers 400 Request_UnsupportedQuery ("DeltaLink older than 30 days
    is not supported"); the same code means a malformed query where no token was sent.
    """
    sent = link.lower()
    if "deltatoken=" not in sent and "skiptoken=" not in sent:
        return False
    if refused.status == 410 or any(code.startswith(("syncstatenotfound", "resync")) for code in refused.codes):
        return True
    return refused.status == 400 and "request_unsupportedquery" in refused.codes
