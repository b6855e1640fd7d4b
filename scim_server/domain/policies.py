"""What an administrator decided for a source, read from its settings with defaults that are safe."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

from scim_server.domain.breakers import Limits
from scim_server.domain.identities import NullHandling, Reaction, SourceKind, SourceRef, Weak

_KINDS = {"active-directory": SourceKind.AD, "sample": SourceKind.FILE}
_YES = frozenset(("true", "yes", "on"))
_NO = frozenset(("false", "no", "off", ""))
_ENTRA_REALM = "entra"
Choice = TypeVar("Choice", bound=StrEnum)


class ImportMode(StrEnum):
    """Who comes in: everybody in scope, or only those an administrator chose."""

    ALL = "all"
    CHOSEN = "chosen"


class ContestedNew(StrEnum):
    """What happens to new objects that want one value: the best-ranked gets it, or all wait."""

    BEST = "best"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class SourcePolicy:
    """The policies of a source; ``plan_lifetime`` is how long a plan may wait for its confirmation."""

    import_mode: ImportMode = ImportMode.ALL
    may_create: bool = True
    null_handling: NullHandling = NullHandling.NONE
    on_deleted: Reaction = Reaction.DELETE
    on_out_of_scope: Reaction = Reaction.DEACTIVATE
    on_disabled: Reaction = Reaction.DEACTIVATE
    duplicate_keys: frozenset[str] = frozenset({"username", "email"})
    strong_keys: tuple[str, ...] = ()
    weak: Weak = Weak.DUPLICATE
    contested_new: ContestedNew = ContestedNew.BEST
    realm: str | None = None
    grace: timedelta = timedelta(minutes=15)
    plan_lifetime: timedelta = timedelta(minutes=60)
    limits: Limits = field(default_factory=Limits)

    def reference(self, source_id: int, kind: str, rank: int) -> SourceRef:
        """The source as the rules of authority and correlation see it; ``kind`` as it is stored."""
        known = SourceKind(_KINDS.get(kind, kind))
        realm = self.realm or (_ENTRA_REALM if known in (SourceKind.ENTRA, SourceKind.SCIM) else None)
        return SourceRef(
            id=source_id,
            kind=known,
            rank=rank,
            null_handling=self.null_handling,
            on_deleted=self.on_deleted,
            on_out_of_scope=self.on_out_of_scope,
            on_disabled=self.on_disabled,
            duplicate_keys=self.duplicate_keys,
            strong_keys=self.strong_keys,
            weak=self.weak,
            realm=realm,
            grace=self.grace,
        )


def parse_policy(settings: Mapping[str, Any]) -> SourcePolicy:
    """The policies among the settings of a source, which may be texts; raises ValueError naming the setting."""
    read = _Reader(settings)
    return SourcePolicy(
        import_mode=read.choice("import_mode", ImportMode.ALL),
        may_create=read.switch("may_create", default=True),
        null_handling=read.choice("null_handling", NullHandling.NONE),
        on_deleted=read.choice("on_deleted", Reaction.DELETE),
        on_out_of_scope=read.choice("on_out_of_scope", Reaction.DEACTIVATE),
        on_disabled=read.choice("on_disabled", Reaction.DEACTIVATE),
        duplicate_keys=frozenset(read.words("duplicate_keys", ("username", "email"))),
        strong_keys=read.words("strong_keys", ()),
        weak=read.choice("weak", Weak.DUPLICATE),
        contested_new=read.choice("contested_new", ContestedNew.BEST),
        realm=str(settings.get("realm") or "") or None,
        grace=timedelta(minutes=read.number("grace_minutes", 15)),
        plan_lifetime=timedelta(minutes=read.number("plan_minutes", 60)),
        limits=Limits(
            **{
                limit.name: read.number(f"limit_{limit.name}", getattr(Limits(), limit.name))
                for limit in fields(Limits)
            }
        ),
    )


@lru_cache(maxsize=256)
def source_ref(source_id: int, kind: str, rank: int, settings: str, loads: Callable[[str], Any]) -> SourceRef:
    """The source of these stored values; ``settings`` is JSON text that ``loads`` reads."""
    return parse_policy(loads(settings)).reference(source_id, kind, rank)


class _Reader:
    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings

    def choice(self, name: str, default: Choice) -> Choice:
        value = self._settings.get(name)
        try:
            return type(default)(value) if value not in (None, "") else default
        except ValueError:
            allowed = ", ".join(type(default))
            raise ValueError(f"{name}: must be one of {allowed}") from None

    def switch(self, name: str, *, default: bool) -> bool:
        value = self._settings.get(name)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        if str(value).lower() in _YES | _NO:
            return str(value).lower() in _YES
        raise ValueError(f"{name}: must be true or false")

    def number(self, name: str, default: int) -> int:
        value = self._settings.get(name)
        if value in (None, ""):
            return default
        try:
            number = int(str(value))
        except ValueError:
            raise ValueError(f"{name}: must be a whole number") from None
        if number < 0:
            raise ValueError(f"{name}: must not be negative")
        return number

    def words(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        value = self._settings.get(name)
        if value is None:
            return default
        listed = value.split(",") if isinstance(value, str) else value
        return tuple(str(word).strip() for word in listed if str(word).strip())
