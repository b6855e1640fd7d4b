"""Tenants: each is a world of its own with users, groups, sources and tokens."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from scim_server.admin.errors import NotThere, Refused
from scim_server.admin.names import check_name
from scim_server.admin.options import merge_tenant_settings, tenant_settings
from scim_server.domain.clients import TenantSettings
from scim_server.domain.errors import HeldTwice
from scim_server.domain.times import Clock, from_text, to_text
from scim_server.store.admin import sources as stored_sources
from scim_server.store.admin import tenants as stored_tenants
from scim_server.store.admin.tenants import StoredTenant
from scim_server.store.engine import Database, Session

DEFAULT = "default"
LOCAL_SOURCE = "local"
PUSH_SOURCE = "entra-push"

_NO_TENANT = 0  # a session for statements that stand above the tenants


@dataclass(frozen=True, slots=True)
class Tenant:
    """One tenant."""

    id: int
    name: str
    settings: TenantSettings
    created_at: datetime


ApplyRules = Callable[[Session, TenantSettings], None]


class Tenants:
    """What administrators do with tenants."""

    def __init__(self, database: Database, clock: Clock, apply_rules: ApplyRules | None = None) -> None:
        """``apply_rules`` makes the claims of a tenant follow a change of what must be unique."""
        self._database = database
        self._clock = clock
        self._apply_rules = apply_rules

    def list(self) -> list[Tenant]:
        """Every tenant by name."""
        with self._database.reading(_NO_TENANT) as session:
            return [_tenant(stored) for stored in stored_tenants.list_all(session)]

    def get(self, name: str) -> Tenant:
        """The tenant of that name; raises NotThere."""
        with self._database.reading(_NO_TENANT) as session:
            stored = stored_tenants.find(session, name)
        if stored is None:
            raise NotThere(f"there is no tenant {name!r}; `scim-server tenant list` shows all")
        return _tenant(stored)

    def create(self, name: str, settings: Mapping[str, str] | None = None) -> Tenant:
        """The tenant exists, with sources for local edits and for pushes. Raises Refused where the name is taken."""
        check_name(name)
        if not self._add(name, merge_tenant_settings("{}", settings or {})):
            raise Refused(f"there is a tenant {name!r} already")
        return self.get(name)

    def ensure_default(self) -> tuple[Tenant, bool]:
        """The tenant ``default``, made if there is no tenant of that name, and whether it was made now."""
        made = self._add(DEFAULT, "{}")
        return self.get(DEFAULT), made

    def edit(self, name: str, changes: Mapping[str, str]) -> Tenant:
        """The tenant has the changed settings; an empty value goes back to the default.

        Raises Refused where a value that is to be unique from now on is held twice; then nothing has changed.
        """
        tenant = self.get(name)
        try:
            with self._database.writing(tenant.id) as session:
                stored = stored_tenants.load(session)
                if stored is not None:
                    merged = merge_tenant_settings(stored.settings, changes)
                    stored_tenants.set_settings(session, merged)
                    if self._apply_rules is not None and tenant_settings(merged) != tenant.settings:
                        self._apply_rules(session, tenant_settings(merged))
        except HeldTwice as error:
            raise Refused(str(error)) from error
        return self.get(name)

    def remove(self, name: str) -> None:
        """The tenant is gone with all its users, groups, sources and tokens. Raises NotThere."""
        with self._database.writing(self.get(name).id) as session:
            stored_tenants.remove(session)

    def _add(self, name: str, settings: str) -> bool:
        now = to_text(self._clock.now())
        with self._database.writing(_NO_TENANT) as session:
            tenant_id = stored_tenants.add(session, name=name, settings=settings, created_at=now)
            if tenant_id is None:
                return False
            session.tenant = tenant_id  # the rest of the transaction belongs to the new tenant
            for source, kind, rank in ((LOCAL_SOURCE, "local", 0), (PUSH_SOURCE, "scim", 20)):
                stored_sources.add(
                    session, name=source, kind=kind, rank=rank, settings="{}", secrets="", created_at=now
                )
        return True


def _tenant(stored: StoredTenant) -> Tenant:
    return Tenant(stored.id, stored.name, tenant_settings(stored.settings), from_text(stored.created_at))
