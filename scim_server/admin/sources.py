"""Sources: where users and groups come from, each with its rank, its settings and its sealed secrets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

import orjson

from scim_server.admin.errors import NotThere, Refused, StillInUse
from scim_server.admin.names import check_name
from scim_server.admin.options import merge_push_settings
from scim_server.admin.secrets import Secrets
from scim_server.domain.times import Clock, from_text, to_text
from scim_server.store.admin import sources as stored_sources
from scim_server.store.admin.sources import StoredSource
from scim_server.store.engine import Database, Session

CheckSettings = Callable[[str, Mapping[str, str], Mapping[str, str]], Mapping[str, str]]
"""The settings as a source of that kind spells them; raises Refused where settings and secrets do not make one."""


class SourceKind(StrEnum):
    """What a source is."""

    LOCAL = "local"
    ACTIVE_DIRECTORY = "active-directory"
    ENTRA = "entra"
    SCIM = "scim"
    SAMPLE = "sample"


RANKS: Mapping[SourceKind, int] = {
    SourceKind.LOCAL: 0,
    SourceKind.ACTIVE_DIRECTORY: 10,
    SourceKind.ENTRA: 20,
    SourceKind.SCIM: 20,
    SourceKind.SAMPLE: 30,
}
"""The smaller rank has the say over an attribute; Entra ID is one realm however it arrives, so both its ranks agree."""


@dataclass(frozen=True, slots=True)
class Source:
    """One source; ``secrets`` names those that are set, never their values."""

    id: int
    name: str
    kind: SourceKind
    rank: int
    settings: Mapping[str, object]
    secrets: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Access:
    """What a connector needs to read a source: its settings, and its secrets in the clear."""

    kind: str
    settings: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)


def accept_all(_kind: str, settings: Mapping[str, str], _secrets: Mapping[str, str]) -> Mapping[str, str]:
    """Checks nothing: what a connector needs, the connector checks when it is used."""
    return settings


class Sources:
    """What administrators do with the sources of a tenant."""

    def __init__(self, database: Database, clock: Clock, secrets: Secrets, check: CheckSettings = accept_all) -> None:
        self._database = database
        self._clock = clock
        self._secrets = secrets
        self._check = check

    def list(self, tenant_id: int) -> list[Source]:
        """Every source of the tenant, the highest authority first."""
        with self._database.reading(tenant_id) as session:
            return [self._source(stored) for stored in stored_sources.list_all(session)]

    def get(self, tenant_id: int, name: str) -> Source:
        """The source of that name; raises NotThere."""
        with self._database.reading(tenant_id) as session:
            return self._source(_find(session, name))

    def open_secrets(self, tenant_id: int, name: str) -> dict[str, str]:
        """The secrets of a source in the clear, for the connector that is about to read."""
        with self._database.reading(tenant_id) as session:
            return self._secrets.open(_find(session, name).secrets)

    def open(self, tenant_id: int, source_id: int) -> Access:
        """What is needed to read the source of that id; raises NotThere."""
        with self._database.reading(tenant_id) as session:
            stored = next((each for each in stored_sources.list_all(session) if each.id == source_id), None)
        if stored is None:
            raise NotThere("the source is gone")
        return Access(stored.kind, orjson.loads(stored.settings), self._secrets.open(stored.secrets))

    def add(
        self,
        tenant_id: int,
        name: str,
        kind: SourceKind,
        *,
        rank: int | None = None,
        settings: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
    ) -> Source:
        """The source exists. Raises Refused where the name is taken or unusable, or a setting does not fit the kind."""
        check_name(name)
        if kind is SourceKind.LOCAL:
            raise Refused("every tenant has one source of local edits already")
        secrets = secrets or {}
        text = self._merge(kind, "{}", settings or {}, secrets)
        with self._database.writing(tenant_id) as session:
            number = stored_sources.add(
                session,
                name=name,
                kind=kind,
                rank=RANKS[kind] if rank is None else rank,
                settings=text,
                secrets=self._secrets.seal(secrets),
                created_at=to_text(self._clock.now()),
            )
        if number is None:
            raise Refused(f"there is a source {name!r} already")
        return self.get(tenant_id, name)

    def edit(
        self,
        tenant_id: int,
        name: str,
        *,
        rank: int | None = None,
        settings: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
    ) -> Source:
        """The source has the changed values; an empty value removes a setting or secret. Raises NotThere, Refused."""
        with self._database.writing(tenant_id) as session:
            stored = _find(session, name)
            merged = {**self._secrets.open(stored.secrets), **(secrets or {})}
            kept = {key: value for key, value in merged.items() if value}
            changed = replace(
                stored,
                rank=stored.rank if rank is None else rank,
                settings=self._merge(SourceKind(stored.kind), stored.settings, settings or {}, kept),
                secrets=self._secrets.seal(kept) if secrets else stored.secrets,
            )
            stored_sources.change(
                session, stored.id, rank=changed.rank, settings=changed.settings, secrets=changed.secrets
            )
        return self._source(changed)

    def remove(self, tenant_id: int, name: str) -> None:
        """The source and its tokens are gone. Raises StillInUse while users, groups or duplicates belong to it."""
        with self._database.writing(tenant_id) as session:
            stored = _find(session, name)
            if stored.kind == SourceKind.LOCAL:
                raise Refused("the source of local edits belongs to the tenant and stays")
            links, duplicates = stored_sources.count_uses(session, stored.id)
            if links or duplicates:
                raise StillInUse(
                    f"{links} users and groups and {duplicates} duplicates belong to {name!r}; "
                    "revoke its tokens if it is only to fall silent"
                )
            stored_sources.remove(session, stored.id)

    def reseal(self, tenant_id: int) -> int:
        """Every secret of the tenant is sealed with the newest key; the number of sources that have some."""
        with self._database.writing(tenant_id) as session:
            sealed = [stored for stored in stored_sources.list_all(session) if stored.secrets]
            for stored in sealed:
                secrets = self._secrets.seal(self._secrets.open(stored.secrets))
                stored_sources.change(session, stored.id, rank=stored.rank, settings=stored.settings, secrets=secrets)
        return len(sealed)

    def _merge(self, kind: SourceKind, stored: str, changes: Mapping[str, str], secrets: Mapping[str, str]) -> str:
        if kind is SourceKind.SCIM:
            if secrets:
                raise Refused("a pushing source has no password; create a token for it")
            return merge_push_settings(stored, changes)
        checked = self._check(kind, {**orjson.loads(stored), **changes}, secrets)
        kept = {name: value for name, value in checked.items() if value != ""}
        return orjson.dumps(kept, option=orjson.OPT_SORT_KEYS).decode()

    def _source(self, stored: StoredSource) -> Source:
        return Source(
            id=stored.id,
            name=stored.name,
            kind=SourceKind(stored.kind),
            rank=stored.rank,
            settings=orjson.loads(stored.settings),
            secrets=tuple(sorted(self._secrets.open(stored.secrets))),
            created_at=from_text(stored.created_at),
        )


def _find(session: Session, name: str) -> StoredSource:
    stored = stored_sources.find(session, name)
    if stored is None:
        raise NotThere(f"there is no source {name!r}; `scim-server source list` shows all")
    return stored
