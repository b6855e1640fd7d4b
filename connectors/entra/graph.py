"""Microsoft Graph v1.0 as far as a reader needs it: single objects, lists and links, always with a valid token.

The bearer token goes to the configured host and nowhere else: a link that names another host is refused.
"""

import uuid
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from connectors.entra.auth import Tokens
from connectors.entra.connection import Connection
from connectors.entra.errors import EntraFailed, Unavailable, graph_refused

PAGE_SIZE = "999"  # the largest that lists accept; delta takes none

ADVANCED: Mapping[str, str] = {"ConsistencyLevel": "eventual"}
"""Sent, with ``$count=true``, for queries that Graph answers from its index."""


class Graph:
    """Reads from one Graph root, for example ``https://graph.microsoft.com``."""

    def __init__(self, root: str, tokens: Tokens, connection: Connection, user_agent: str = "scim-server") -> None:
        self._root = f"{root.rstrip('/')}/v1.0"
        self._origin = _origin(root)
        self._tokens = tokens
        self._connection = connection
        self._user_agent = user_agent

    def url(self, *segments: str) -> str:
        """The URL of a path below ``/v1.0``; segments are encoded, a ``#`` in a UPN too."""
        return "/".join([self._root, *(quote(segment, safe="-._~$") for segment in segments)])

    def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        *,
        permission: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The JSON object at ``url``.

        Raises GraphRefused for an error answer (naming ``permission`` when it is missing), Unavailable when no usable
        answer came.
        """
        if _origin(url) != self._origin:
            raise EntraFailed("Graph named a link to another host; it was not followed.", "Check the cloud.")
        request_id = str(uuid.uuid4())
        sent = {**self._headers(request_id), **(headers or {})}
        answer = self._connection.send("GET", url, params=params, headers=sent, token=self._tokens.current())
        if answer.status_code == 401:  # expired on the way, or revoked (continuous access evaluation)
            answer = self._connection.send("GET", url, params=params, headers=sent, token=self._tokens.renewed())
        if answer.status_code != 200:
            told = answer.headers.get("request-id", request_id)
            raise graph_refused(answer.status_code, answer.body, told, permission)
        return answer.body

    def pages(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        *,
        permission: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[list[dict[str, Any]]]:
        """The pages of a list to its end; a page may be empty. Custom headers are sent again with every link."""
        page = self.get(url, params, permission=permission, headers=headers)
        while True:
            yield values_of(page)
            link = page.get("@odata.nextLink")
            if link is None:
                return
            page = self.get(link, permission=permission, headers=headers)

    def _headers(self, request_id: str) -> dict[str, str]:
        return {
            "Accept": "application/json",
            "User-Agent": self._user_agent,
            "client-request-id": request_id,
            "x-ms-throttle-priority": "low",  # people who wait for an answer go first
        }


def values_of(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The objects of a page; a page without a list of objects with ids is no answer (Unavailable)."""
    values = page.get("value")
    if not isinstance(values, list) or not all(isinstance(value, dict) and value.get("id") for value in values):
        raise Unavailable("Graph sent a page without a list of objects.")
    return values


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or 443
