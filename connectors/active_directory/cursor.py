"""Where the last complete read stood, as opaque text."""

import base64
import json
from dataclasses import dataclass
from typing import Self

from connectors.active_directory.config import Config
from connectors.active_directory.connection import DomainController
from connectors.active_directory.groups import Expansion
from connectors.active_directory.values import from_generalized_time, guid_text, to_filetime

_VERSION = 1
_GUID_BYTES = 16


@dataclass(frozen=True, slots=True)
class State:
    """One database of one domain controller at one moment; uSNChanged counts within the invocation id only."""

    url: str
    invocation_id: str
    usn: int
    filetime: int
    """The controller's clock."""


def read_state(controller: DomainController) -> State:
    """The state now; to be read before the search that it shall cover. Raises DirectoryError."""
    root = controller.root(["dsServiceName", "highestCommittedUSN", "currentTime"])
    service = controller.read(root.text("dsServiceName"), ["invocationId"])
    raw = service.first("invocationId") if service else None
    return State(
        url=controller.url,
        # an account that may not read it gets a name that equals no other, and so a full read every time
        invocation_id=guid_text(raw) if raw else "",
        usn=root.number("highestCommittedUSN"),
        filetime=to_filetime(from_generalized_time(root.text("currentTime"))),
    )


@dataclass(frozen=True, slots=True)
class Cursor:
    """What the next incremental read needs to know."""

    state: State
    scope: str
    mapping: str
    dirsync: bytes | None
    """The DirSync cookie, None where the right is missing."""
    selected: Expansion | None
    """Who was in scope through the scope groups; leaving a group changes the group alone."""

    def fits(self, state: State, config: Config) -> bool:
        """Whether changes since this cursor can be told; another controller, a restored one, another scope or mapping
        need a full read.
        """
        return (
            self.state.url == state.url
            and bool(state.invocation_id)
            and self.state.invocation_id == state.invocation_id
            and self.state.usn <= state.usn
            and self.scope == config.scope_hash
            and self.mapping == config.mapping.fingerprint
        )

    def to_text(self) -> str:
        """The cursor as text; it holds GUIDs but no names."""
        selected = self.selected
        return json.dumps(
            {
                "v": _VERSION,
                "url": self.state.url,
                "invocation": self.state.invocation_id,
                "usn": self.state.usn,
                "time": self.state.filetime,
                "scope": self.scope,
                "mapping": self.mapping,
                "dirsync": None if self.dirsync is None else _encode(self.dirsync),
                "users": None if selected is None else _encode(b"".join(sorted(selected.users))),
                "groups": None if selected is None else _encode(b"".join(sorted(selected.groups))),
            }
        )

    @classmethod
    def from_text(cls, text: str | None) -> Self | None:
        """The cursor, None for no text and for text that this version did not write."""
        try:
            data = json.loads(text or "null")
            if not isinstance(data, dict) or data["v"] != _VERSION:
                return None
            return cls(
                state=State(data["url"], data["invocation"], int(data["usn"]), int(data["time"])),
                scope=data["scope"],
                mapping=data["mapping"],
                dirsync=None if data["dirsync"] is None else base64.b64decode(data["dirsync"]),
                selected=None if data["users"] is None else Expansion(_split(data["users"]), _split(data["groups"])),
            )
        except (KeyError, TypeError, ValueError):
            return None


def _encode(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _split(text: str) -> frozenset[bytes]:
    raw = base64.b64decode(text)
    return frozenset(raw[start : start + _GUID_BYTES] for start in range(0, len(raw), _GUID_BYTES))
