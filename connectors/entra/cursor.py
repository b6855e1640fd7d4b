"""Where the next incremental read starts: the delta links and what Graph would not tell again."""

import base64
import binascii
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from scim_server.domain.observations import ImmutableId

_VERSION: Final = 1
LIFE: Final = timedelta(days=7)
"""The documented life of a delta token for directory objects."""
RESTORABLE: Final = timedelta(days=31)
"""Deleted objects can be restored for 30 days."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The state between two reads; ``content`` is the hash of scope and mapping it was made with.

    ``scope_members`` are the objects that were in scope, so that those that left can be told. ``soft_deleted`` are the
    objects in the recycle bin and when they were seen there: the links of a restored one must be read anew.
    """

    content: str
    issued_at: datetime
    users: str
    groups: str = ""
    scope_members: frozenset[ImmutableId] = frozenset()
    soft_deleted: Mapping[ImmutableId, datetime] = field(default_factory=dict)

    def is_usable(self, content: str, now: datetime, *, with_groups: bool) -> bool:
        """Whether Graph will most likely still accept the links, and they cover what is to be read."""
        return self.content == content and now - self.issued_at < LIFE and bool(self.groups) == with_groups

    def encode(self) -> str:
        """The cursor as text; opaque to everybody else."""
        members = zlib.compress("\n".join(sorted(self.scope_members)).encode())
        fields = asdict(self) | {
            "version": _VERSION,
            "scope_members": base64.b85encode(members).decode() if self.scope_members else "",
        }
        return orjson.dumps(fields).decode()


def decode_cursor(text: str | None) -> Cursor | None:
    """The cursor that the text spells, None for anything else."""
    try:
        fields: dict[str, Any] = orjson.loads(text or "")
        if fields.pop("version") != _VERSION:
            return None
        packed = fields["scope_members"]
        members = zlib.decompress(base64.b85decode(packed)).decode().split("\n") if packed else ()
        return Cursor(
            content=fields["content"],
            issued_at=datetime.fromisoformat(fields["issued_at"]),
            users=fields["users"],
            groups=fields["groups"],
            scope_members=frozenset(members),
            soft_deleted={key: datetime.fromisoformat(day) for key, day in fields["soft_deleted"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError, zlib.error, binascii.Error):
        return None


def still_restorable(
    before: Mapping[ImmutableId, datetime], deleted: Iterable[ImmutableId], back: Iterable[ImmutableId], now: datetime
) -> dict[ImmutableId, datetime]:
    """The recycle bin after a read: with the newly deleted, without those back or past restoring."""
    returned = set(back)
    known = {**before, **{key: now.astimezone(UTC) for key in deleted if key not in before}}
    return {key: day for key, day in known.items() if key not in returned and now - day < RESTORABLE}
