"""Settings of sources as form fields: what a connector describes, filled with what is stored or was typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from flask import request

from scim_server.admin.policies import POLICY_SETTINGS
from scim_server.web.console.site import admin

_SECRET: Final = ("password", "secret_lines")


@dataclass(frozen=True)
class Field:
    """One field; ``input`` is a word of the connector's settings, ``value`` what is in it (never a secret)."""

    name: str
    label: str
    help: str
    input: str
    required: bool
    value: str
    choices: Sequence[str] = ()
    is_stored: bool = False

    @property
    def is_secret(self) -> bool:
        return self.input in _SECRET


def fields_of(kind: str, values: Mapping[str, object], stored_secrets: Sequence[str] = ()) -> list[Field]:
    """The fields of a source of that kind in the order of a form; raises Refused where nothing reads such sources."""
    return [
        Field(
            name=each.name,
            label=each.label,
            help=each.help,
            input=str(each.input),
            required=each.required and each.name not in stored_secrets,
            value="" if each.is_secret else str(values.get(each.name, each.default)),
            choices=each.choices,
            is_stored=each.name in stored_secrets,
        )
        for each in admin().settings_of(kind)
    ]


def policies_of(values: Mapping[str, object]) -> list[Field]:
    """The fields of the policies that every source has; an empty one means the default."""
    return [
        Field(name, name.replace("_", " ").capitalize(), help_text.replace("`", ""), "text", False, _text(values, name))
        for name, help_text in POLICY_SETTINGS.items()
    ]


def typed(fields: Sequence[Field]) -> tuple[dict[str, str], dict[str, str]]:
    """Settings and secrets as they were typed; a secret left empty stays as it is stored."""
    settings: dict[str, str] = {}
    secrets: dict[str, str] = {}
    for field in fields:
        value = (request.form.getlist(f"field-{field.name}") or [""])[-1].replace("\r\n", "\n")
        if not field.is_secret:
            settings[field.name] = value.strip()
        elif value:
            secrets[field.name] = value
    return settings, secrets


def _text(values: Mapping[str, object], name: str) -> str:
    value = values.get(name, "")
    return str(value).lower() if isinstance(value, bool) else str(value)
