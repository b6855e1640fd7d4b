"""Settings of tenants and of pushing sources: stored as the few values somebody chose, read with every default."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson
from marshmallow import Schema, ValidationError, fields

from scim_server.admin.errors import Refused
from scim_server.domain.clients import OnDeleted, PushSettings, TenantSettings

_YES_NO: Mapping[str, Any] = {"truthy": {True, "true", "yes", "on"}, "falsy": {False, "false", "no", "off"}}


def _switch() -> fields.Boolean:
    return fields.Boolean(**_YES_NO, error_messages={"invalid": "must be true or false"})


class _TenantOptions(Schema):
    email_unique = _switch()
    cross_login = _switch()
    group_name_unique = _switch()


class _PushOptions(Schema):
    external_id_is_entra_object_id = _switch()
    on_deleted = fields.Enum(
        OnDeleted, by_value=True, error_messages={"unknown": "must be delete, deactivate or ignore"}
    )


_TENANT_OPTIONS = _TenantOptions()
_PUSH_OPTIONS = _PushOptions()


@lru_cache(maxsize=256)
def tenant_settings(stored: str) -> TenantSettings:
    """The settings a tenant's JSON text stands for."""
    return TenantSettings(**_load(_TENANT_OPTIONS, orjson.loads(stored)))


@lru_cache(maxsize=256)
def push_settings(stored: str) -> PushSettings:
    """The settings a pushing source's JSON text stands for."""
    return PushSettings(**_load(_PUSH_OPTIONS, orjson.loads(stored)))


def merge_tenant_settings(stored: str, changes: Mapping[str, str]) -> str:
    """The JSON text after the changes; an empty value goes back to the default. Raises Refused naming the setting."""
    return _merge(_TENANT_OPTIONS, stored, changes)


def merge_push_settings(stored: str, changes: Mapping[str, str]) -> str:
    """The JSON text after the changes; an empty value goes back to the default. Raises Refused naming the setting."""
    return _merge(_PUSH_OPTIONS, stored, changes)


def _merge(options: Schema, stored: str, changes: Mapping[str, str]) -> str:
    chosen = {**orjson.loads(stored), **changes}
    chosen = {name: value for name, value in chosen.items() if value != ""}
    dumped: dict[str, Any] = options.dump(_load(options, chosen))
    return orjson.dumps(dumped).decode()


def _load(options: Schema, values: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := sorted(set(values) - set(options.fields)):
        raise Refused(f"there is no setting {unknown[0]}; there are {', '.join(sorted(options.fields))}")
    try:
        loaded: dict[str, Any] = options.load(values)
    except ValidationError as error:
        reasons: dict[str, list[str]] = error.messages_dict
        raise Refused("; ".join(f"{name}: {' '.join(reasons[name])}" for name in sorted(reasons))) from error
    return loaded
