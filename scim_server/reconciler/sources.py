"""The source of a plan: its policies, the rules of its tenant, and the hash of everything a plan depends on."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson

from scim_server.domain.clients import TenantSettings
from scim_server.domain.errors import NotFound
from scim_server.domain.identities import SourceRef
from scim_server.domain.keys import NORM_VERSION
from scim_server.domain.policies import SourcePolicy, parse_policy
from scim_server.store.admin.tenants import load as load_tenant
from scim_server.store.engine import Session
from scim_server.store.identities.plans import StoredSource, all_sources


@dataclass(frozen=True, slots=True)
class PulledSource:
    """A source that is read, as a plan needs it.

    ``config_hash`` covers the settings of all sources and of the tenant: a plan made under others is void.
    """

    stored: StoredSource
    policy: SourcePolicy
    reference: SourceRef
    tenant: TenantSettings
    config_hash: str
    mapping_hash: str

    @property
    def id(self) -> int:
        return self.stored.id


def load_source(session: Session, source_id: int) -> PulledSource:
    """The source with that id. Raises NotFound, and ValueError naming a setting that cannot be read."""
    sources = all_sources(session)
    stored = next((source for source in sources if source.id == source_id), None)
    tenant = load_tenant(session)
    if stored is None or tenant is None:
        raise NotFound("there is no such source")
    settings = orjson.loads(stored.settings)
    policy = parse_policy(settings)
    known = [(source.id, source.kind, source.rank, orjson.loads(source.settings)) for source in sources]
    return PulledSource(
        stored=stored,
        policy=policy,
        reference=policy.reference(stored.id, stored.kind, stored.rank),
        tenant=TenantSettings(**_known(orjson.loads(tenant.settings))),
        config_hash=_hash([known, orjson.loads(tenant.settings), NORM_VERSION]),
        mapping_hash=_hash(settings.get("mapping")),
    )


def _known(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name in TenantSettings.__dataclass_fields__}


def _hash(value: Any) -> str:
    return sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
