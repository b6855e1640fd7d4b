"""Paging cursors (RFC 9865): where a page ended, sealed so that clients can neither read nor change it."""

import base64
import json
from collections.abc import Sequence
from hashlib import blake2s, sha256
from typing import NamedTuple

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from scim_server.domain.times import Clock
from scim_server.scim.errors import ExpiredCursor, InvalidCursor


class Position(NamedTuple):
    """The last resource of a page: its segment of the listing, its sort key there, its number."""

    segment: int
    key: str | int
    pk: int


class Cursors:
    """Seals positions into cursors of unreserved characters, bound to one query and valid for ``timeout`` seconds."""

    def __init__(self, secret_key: Sequence[str], *, timeout: int, clock: Clock) -> None:
        keys = [Fernet(base64.urlsafe_b64encode(sha256(b"cursor:" + key.encode()).digest())) for key in secret_key]
        self._seal = MultiFernet(keys)
        self._timeout = timeout
        self._clock = clock

    def seal(self, position: Position, query: str) -> str:
        """The cursor of the page after ``position``; ``query`` tells the query apart from every other."""
        content = json.dumps([_mark(query), *position]).encode()
        sealed = self._seal.encrypt_at_time(content, int(self._clock.now().timestamp()))
        return sealed.decode().rstrip("=")

    def open(self, cursor: str, query: str) -> Position:
        """The position in a cursor.

        Raises InvalidCursor for one that was not made for this query, ExpiredCursor for one that is too old.
        """
        now = int(self._clock.now().timestamp())
        try:
            token = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
            content = self._seal.decrypt_at_time(token, ttl=2**31, current_time=now)
            age = now - self._seal.extract_timestamp(token)
        except (InvalidToken, ValueError) as error:
            raise InvalidCursor("The cursor is not one of this server; start again with an empty one.") from error
        if age > self._timeout:
            raise ExpiredCursor(f"The cursor is older than {self._timeout} seconds; start again.")
        mark, segment, key, pk = json.loads(content)
        if mark != _mark(query):
            raise InvalidCursor(
                "The cursor belongs to another query; filter, sorting and resource types must not change."
            )
        return Position(segment, key, pk)


def _mark(query: str) -> str:
    return blake2s(query.encode(), digest_size=12).hexdigest()
