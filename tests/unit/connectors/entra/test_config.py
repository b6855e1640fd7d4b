"""Settings are checked before anything is called, and every problem names its field."""

from pathlib import Path

import pytest

from connectors.entra.config import CLOUDS, SCHEMA, parse_config
from connectors.settings import SettingsError, describe_settings

TENANT = "0f3c1c1e-7a4d-4a43-9f6b-111111111111"
GIVEN = {"tenant_id": TENANT, "client_id": "0f3c1c1e-7a4d-4a43-9f6b-222222222222"}
SECRET = {"client_secret": "a~secret~value"}


def test_three_fields_are_enough_for_the_global_cloud() -> None:
    config = parse_config(GIVEN, SECRET)
    assert config.endpoints == CLOUDS["global"]
    assert (config.import_groups, config.guests, config.only_members) == (True, False, False)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"tenant_id": "common"}, "tenant_id"),
        ({"tenant_id": ""}, "tenant_id"),
        ({"client_id": "my app"}, "client_id"),
        ({"cloud": "germany"}, "cloud"),
        ({"scope_groups": "Everybody"}, "scope_groups"),
        ({"authority": "https://login.example.com"}, "authority"),
        ({"authority": "http://login.example.com", "graph_root": "https://g.example.com"}, "authority"),
        ({"ca_file": "nowhere.pem"}, "ca_file"),
        ({"mapping": '{"userName": null}'}, "mapping"),
        ({"mapping": "{"}, "mapping"),
        ({"secret_expires_on": "soon"}, "secret_expires_on"),
        ({"client_secret": "shown"}, "client_secret"),
    ],
)
def test_a_problem_names_its_field(values: dict[str, str], field: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_config({**GIVEN, **values}, SECRET)
    assert list(caught.value.problems) == [field]


def test_either_a_secret_or_a_certificate_is_given(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="either"):
        parse_config(GIVEN, {})
    file = tmp_path / "app.pem"
    file.touch()
    with pytest.raises(SettingsError, match="either"):
        parse_config({**GIVEN, "certificate_path": str(file)}, SECRET)


def test_secrets_never_show_in_the_representation() -> None:
    config = parse_config(GIVEN, {**SECRET, "certificate_passphrase": "open sesame"})
    assert "a~secret~value" not in repr(config)
    assert "open sesame" not in repr(config)


def test_named_scope_groups_limit_the_users_unless_all_are_wanted() -> None:
    group = {"scope_groups": TENANT}
    assert parse_config({**GIVEN, **group}, SECRET).only_members
    assert not parse_config({**GIVEN, **group, "users": "all"}, SECRET).only_members


@pytest.mark.parametrize(
    "change",
    [{"guests": "yes"}, {"scope_groups": TENANT}, {"import_groups": "no"}, {"users": "all"}, {"cloud": "china"}],
)
def test_another_scope_has_another_hash(change: dict[str, str]) -> None:
    assert parse_config({**GIVEN, **change}, SECRET).scope_hash != parse_config(GIVEN, SECRET).scope_hash


def test_a_new_secret_leaves_the_scope_as_it_was() -> None:
    assert parse_config(GIVEN, {"client_secret": "new"}).scope_hash == parse_config(GIVEN, SECRET).scope_hash


def test_every_field_of_the_form_has_a_label_and_help() -> None:
    described = describe_settings(SCHEMA)
    assert all(setting.label and setting.help for setting in described)
    assert {setting.name for setting in described if setting.is_secret} == {"client_secret", "certificate_passphrase"}
