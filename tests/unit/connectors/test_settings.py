"""Settings of connectors: typed from text, described for a form, every problem told at once and no secret shown."""

from datetime import date

import pytest
from marshmallow import Schema

from connectors import settings
from connectors.settings import Input, SettingsError, describe_settings, load_settings


class Example(Schema):
    host = settings.text("Host", "Where it runs.", required=True)
    mode = settings.choice("Mode", "How.", default="fast", choices=("fast", "safe"))
    size = settings.number("Size", "How many.", default=5, low=1, high=9)
    units = settings.lines("Units", "Which.")
    check = settings.yes_no("Check", "Whether.", default=True)
    until = settings.date("Until", "When.")
    mapping = settings.json_text("Mapping", "What becomes what.")
    password = settings.secret("Password", "To sign in.", required=True)
    key = settings.secret("Key", "PEM.", multi_line=True)


SCHEMA = Example()


def test_texts_become_typed_values_and_defaults_fill_in() -> None:
    assert load_settings(SCHEMA, {"host": " h "}, {"password": " p "}) == {
        "host": "h",
        "mode": "fast",
        "size": 5,
        "units": (),
        "check": True,
        "until": None,
        "mapping": {},
        "password": " p ",
        "key": "",
    }
    given = {"size": "7", "units": " OU=a,DC=x \n\nOU=b;c\r\n", "check": "No", "until": "2027-01-31", "mode": "safe"}
    loaded = load_settings(SCHEMA, {"host": "h", "mapping": '{"a": 1}', **given}, {"password": "p", "key": "a\nb\n"})
    assert loaded["size"] == 7
    assert loaded["units"] == ("OU=a,DC=x", "OU=b;c")
    assert loaded["check"] is False
    assert loaded["until"] == date(2027, 1, 31)
    assert loaded["mapping"] == {"a": 1}
    assert loaded["key"] == "a\nb\n"


def test_every_problem_is_told_at_once_by_setting() -> None:
    values = {"mode": "quick", "size": "10", "check": "maybe", "mapping": "{", "until": "soon", "colour": "red"}
    with pytest.raises(SettingsError) as refused:
        load_settings(SCHEMA, values, {})
    problems = refused.value.problems
    assert set(problems) == {"host", "password", *values}
    assert problems["host"] == "is required"
    assert problems["mode"] == "must be one of fast, safe"
    assert problems["size"] == "must be a whole number from 1 to 9"
    assert problems["colour"].startswith("is not a setting; settings are host, mode")
    assert "is not JSON" in problems["mapping"]


@pytest.mark.parametrize("size", ["x", "1.5", "0", ""])
def test_a_number_is_a_whole_number_within_bounds_or_the_default(size: str) -> None:
    if not size:
        assert load_settings(SCHEMA, {"host": "h", "size": size}, {"password": "p"})["size"] == 5
        return
    with pytest.raises(SettingsError, match="size: must be a whole number from 1 to 9"):
        load_settings(SCHEMA, {"host": "h", "size": size}, {"password": "p"})


def test_secrets_and_plain_values_cannot_change_places() -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings(SCHEMA, {"host": "h", "password": "hunter2"}, {"mode": "fast"})
    assert refused.value.problems == {
        "password": "is a secret and must be given as one",
        "mode": "is not a secret",
    }
    assert "hunter2" not in str(refused.value)


def test_the_form_is_described_in_order() -> None:
    described = describe_settings(SCHEMA)
    assert [setting.name for setting in described] == list(SCHEMA.fields)
    by_name = {setting.name: setting for setting in described}
    assert (by_name["host"].required, by_name["host"].default) == (True, "")
    assert (by_name["size"].input, by_name["size"].default) == (Input.NUMBER, "5")
    assert by_name["mode"].choices == ("fast", "safe")
    assert by_name["check"].default == "yes"
    assert [setting.name for setting in described if setting.is_secret] == ["password", "key"]
    assert all(setting.label and setting.help for setting in described)


def test_the_described_defaults_can_be_typed_in() -> None:
    typed = {setting.name: setting.default for setting in describe_settings(SCHEMA) if not setting.is_secret}
    assert load_settings(SCHEMA, {**typed, "host": "h"}, {"password": "p"}) == load_settings(
        SCHEMA, {"host": "h"}, {"password": "p"}
    )
