"""What a connector needs to be told: settings that a form, a command line and a file can all fill in.

A connector's settings are a marshmallow schema whose fields carry label, help, default and the way to enter them.
Values arrive as text (``--set key=value``, form fields); secrets arrive apart, so that nobody stores them by mistake.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, validate

Json = Any


class Input(StrEnum):
    """How a person enters a setting."""

    TEXT = "text"
    LINES = "lines"
    NUMBER = "number"
    CHOICE = "choice"
    CHECKBOX = "checkbox"
    DATE = "date"
    JSON = "json"
    PASSWORD = "password"  # noqa: S105 - the kind of a form field
    SECRET_LINES = "secret_lines"  # noqa: S105 - the kind of a form field


SECRET_INPUTS: Final = frozenset((Input.PASSWORD, Input.SECRET_LINES))


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting in the words of its form field; ``default`` is text, as it would be typed."""

    name: str
    label: str
    help: str
    input: Input
    required: bool
    default: str = ""
    choices: tuple[str, ...] = ()

    @property
    def is_secret(self) -> bool:
        return self.input in SECRET_INPUTS


class SettingsError(ValueError):
    """Settings that cannot be used; ``problems`` says for each setting what is wrong, and holds no secret."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {problem}" for name, problem in problems.items()))
        self.problems = dict(problems)


class Text(fields.String):
    """A text without the blanks around it; an empty one counts as not given."""


class Secret(fields.String):
    """A text that must not be shown, logged or stored in the clear; kept exactly as given."""


class Lines(fields.Field[tuple[str, ...]]):
    """Several texts, one a line (DNs hold commas and semicolons)."""

    def _deserialize(self, value: Json, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:  # noqa: ARG002 - marshmallow's signature
        if not isinstance(value, str):
            raise ValidationError("must be text, one value a line")
        return tuple(line for raw in value.splitlines() if (line := raw.strip()))


class JsonText(fields.Field[Json]):
    """JSON spelled as text."""

    def _deserialize(self, value: Json, attr: str | None, data: Any, **kwargs: Any) -> Json:  # noqa: ARG002 - marshmallow's signature
        try:
            return json.loads(value)
        except (TypeError, ValueError) as error:
            raise ValidationError(f"is not JSON: {error}") from error


class YesNo(fields.Field[bool]):
    """``yes`` or ``no``, also spelled ``true``, ``on`` or ``1``, ``false``, ``off`` or ``0``, in any case."""

    def _deserialize(self, value: Json, attr: str | None, data: Any, **kwargs: Any) -> bool:  # noqa: ARG002 - marshmallow's signature
        word = str(value).lower()
        if word in ("yes", "true", "on", "1"):
            return True
        if word in ("no", "false", "off", "0"):
            return False
        raise ValidationError("must be yes or no")


def text(label: str, help_text: str, *, required: bool = False, default: str = "") -> Text:
    """A setting of one line."""
    return Text(**_common(label, help_text, Input.TEXT, required=required, default=default))


def lines(label: str, help_text: str, *, required: bool = False) -> Lines:
    """A setting of several lines, each a value; the result is a tuple of texts."""
    return Lines(**_common(label, help_text, Input.LINES, required=required, default=()))


def secret(label: str, help_text: str, *, required: bool = False, multi_line: bool = False) -> Secret:
    """A secret of one line, or of several (a private key)."""
    kind = Input.SECRET_LINES if multi_line else Input.PASSWORD
    return Secret(**_common(label, help_text, kind, required=required, default=""))


def number(label: str, help_text: str, *, default: int, low: int, high: int) -> fields.Integer:
    """A whole number from ``low`` to ``high``."""
    words = f"must be a whole number from {low} to {high}"
    common = _common(label, help_text, Input.NUMBER, default=default, invalid=words)
    return fields.Integer(validate=validate.Range(low, high, error=words), **common)


def choice(label: str, help_text: str, *, default: str, choices: Iterable[str]) -> Text:
    """One of the given words."""
    words = tuple(choices)
    one_of = validate.OneOf(words, error=f"must be one of {', '.join(words)}")
    return Text(validate=one_of, **_common(label, help_text, Input.CHOICE, default=default, choices=words))


def yes_no(label: str, help_text: str, *, default: bool) -> YesNo:
    """A setting that is on or off."""
    return YesNo(**_common(label, help_text, Input.CHECKBOX, default=default))


def date(label: str, help_text: str) -> fields.Date:
    """A day, as 2027-01-31; None when not given."""
    return fields.Date(
        **_common(label, help_text, Input.DATE, default=None, invalid="must be a day such as 2027-01-31")
    )


def json_text(label: str, help_text: str) -> JsonText:
    """JSON spelled as text; an empty object when not given."""
    return JsonText(**_common(label, help_text, Input.JSON, default={}))


def describe_settings(schema: Schema) -> Sequence[Setting]:
    """The settings of the schema, in the order in which a form should show them."""
    return [_describe(name, declared) for name, declared in schema.fields.items()]


def load_settings(schema: Schema, values: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, Any]:
    """The typed settings, defaults filled in. Raises SettingsError with every problem at once."""
    described = {setting.name: setting for setting in describe_settings(schema)}
    misplaced = {
        **{name: "is a secret and must be given as one" for name in values if _is_secret(described, name) is True},
        **{name: "is not a secret" for name in secrets if _is_secret(described, name) is False},
    }
    given = {
        name: value if _is_secret(described, name) else value.strip() for name, value in {**values, **secrets}.items()
    }
    try:
        loaded: dict[str, Any] = schema.load({name: value for name, value in given.items() if value})
    except ValidationError as error:
        raise SettingsError({**_problems(error, described), **misplaced}) from None
    if misplaced:
        raise SettingsError(misplaced)
    return loaded


def _common(label: str, help_text: str, kind: Input, *, required: bool = False, **rest: Any) -> dict[str, Any]:
    default = {} if required else {"load_default": rest["default"]}
    metadata = {"label": label, "help": help_text, "input": kind, "choices": rest.get("choices", ())}
    messages = {"required": "is required", "invalid": rest.get("invalid", "is not valid")}
    return {"required": required, "metadata": metadata, **default, "error_messages": messages}


def _describe(name: str, declared: fields.Field[Any]) -> Setting:
    about = declared.metadata
    return Setting(
        name=name,
        label=about["label"],
        help=about["help"],
        input=about["input"],
        required=declared.required,
        default="" if declared.required else _as_text(declared.load_default),
        choices=about["choices"],
    )


def _as_text(default: Any) -> str:
    if isinstance(default, bool):
        return "yes" if default else "no"
    return str(default) if default or default == 0 else ""


def _is_secret(described: Mapping[str, Setting], name: str) -> bool | None:
    return described[name].is_secret if name in described else None


def _problems(error: ValidationError, described: Mapping[str, Setting]) -> dict[str, str]:
    """What is wrong, setting by setting, without the value that was given."""
    known = ", ".join(described)
    found: dict[str, str] = {}
    for name, messages in error.messages_dict.items():
        sentences = messages if isinstance(messages, list) else [str(messages)]
        found[name] = " ".join(map(str, sentences)) if name in described else f"is not a setting; settings are {known}"
    return found
