"""What administrators type and what they get, as text and as JSON."""

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from scim_server.cli.context import Context
from scim_server.cli.main import run
from scim_server.cli.output import Exit
from scim_server.settings import Settings
from tests.cli.conftest import Run, every_command, find_command

BADGE = {
    "id": "urn:example:scim:schemas:extension:Badge:1.0:User",
    "name": "Badge",
    "description": "The badge a person wears.",
    "attributes": [{"name": "badgeNumber", "type": "string", "multiValued": False}],
}


def test_a_token_is_shown_once_and_listed_without_its_text(scim_server: Run) -> None:
    created = scim_server("token", "create", "Entra ID", "--expires", "90d", "--json").json
    assert created["token"].startswith("scim_")
    listed = scim_server("token", "list", "--json")
    assert [each["name"] for each in listed.json] == ["Entra ID"]
    assert created["token"] not in listed.out


def test_for_people_the_token_stands_alone_on_stdout(scim_server: Run) -> None:
    outcome = scim_server("token", "create")
    assert len(outcome.out.split()) == 1
    assert "cannot be shown again" in outcome.err


def test_a_revoked_token_is_listed_only_on_demand(scim_server: Run) -> None:
    scim_server("token", "create", "old")
    assert "Revoked 'old'" in scim_server("token", "revoke", "old").out
    assert scim_server("token", "list", "--json").json == []
    assert scim_server("token", "list", "--all", "--json").json[0]["revoked_at"]


@pytest.mark.parametrize("expiry", ["soon", "90 days", "2027-13-01", "2027-01-01T00:00:00"])
def test_an_expiry_that_is_not_a_time_is_wrong_usage(scim_server: Run, expiry: str) -> None:
    outcome = scim_server("token", "create", "--expires", expiry)
    assert outcome.code == Exit.USAGE
    assert "--expires" in outcome.err


def test_an_expiry_in_the_past_is_refused(scim_server: Run) -> None:
    outcome = scim_server("token", "create", "--expires", "2020-01-01", "--json")
    assert outcome.code == Exit.FAILED
    assert "expired" in orjson.loads(outcome.err)["error"]
    assert outcome.out == ""


def test_every_tenant_has_its_own_tokens_and_sources(scim_server: Run) -> None:
    assert scim_server("tenant", "create", "acme", "--set", "email_unique=false", "--json").json["settings"] == {
        "email_unique": False,
        "cross_login": True,
        "group_name_unique": True,
    }
    scim_server("token", "create", "--tenant", "acme")
    assert scim_server("token", "list", "--json").json == []
    assert len(scim_server("token", "list", "--tenant", "acme", "--json").json) == 1
    names = [each["name"] for each in scim_server("source", "list", "--tenant", "acme", "--json").json]
    assert names == ["local", "entra-push"]
    assert scim_server("token", "list", "--tenant", "nobody").code == Exit.FAILED


def test_a_tenant_setting_goes_back_to_its_default_when_emptied(scim_server: Run) -> None:
    scim_server("tenant", "create", "acme", "--set", "cross_login=no")
    assert scim_server("tenant", "edit", "acme", "--set", "cross_login=", "--json").json["settings"]["cross_login"]


@pytest.mark.parametrize("name", ["Acme", "a b", "-a", "", "a" * 64, "../x"])
def test_names_that_would_be_trouble_in_addresses_are_refused(scim_server: Run, name: str) -> None:
    assert scim_server("tenant", "create", "--", name).code == Exit.FAILED


def test_a_password_comes_from_a_file_and_is_never_shown(scim_server: Run, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("correct horse\n")
    added = scim_server(
        "source", "add", "ad", "--kind", "active-directory", "--set", "url=ldaps://dc1.example.com",
        "--password-file", str(tmp_path / "password"), "--json",
    )  # fmt: skip
    assert added.json["secrets"] == ["password"]
    assert added.json["rank"] == 10
    assert "correct horse" not in added.out + scim_server("source", "show", "ad").out


def test_a_password_comes_from_the_environment(scim_server: Run, settings: Settings, monkeypatch: Any) -> None:
    monkeypatch.setenv("SCIM_SERVER_SOURCE_PASSWORD", "correct horse")
    scim_server("source", "add", "ad", "--kind", "active-directory")
    context = Context(settings)
    assert context.sources.open_secrets(1, "ad") == {"password": "correct horse"}
    context.close()


def test_asking_for_a_password_without_a_terminal_says_what_to_do_instead(scim_server: Run) -> None:
    outcome = scim_server("source", "add", "ad", "--kind", "active-directory", "--password")
    assert outcome.code == Exit.USAGE
    assert "--password-file" in outcome.err


def test_no_command_takes_a_password_as_its_value() -> None:
    for path in every_command():
        for option in find_command(path).params:
            assert "password" not in option.name or option.name == "password_file"


def test_resealing_keeps_every_password(scim_server: Run, settings: Settings, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setenv("SCIM_SERVER_SOURCE_PASSWORD", "correct horse")
    scim_server("source", "add", "ad", "--kind", "active-directory")
    old = settings.secret_keys()
    both = Settings(database_url=settings.database_url, data_dir=settings.data_dir, secret_key=("n" * 32, *old))
    assert run(["source", "reseal"], Context(both)) == Exit.DONE
    new = Context(Settings(database_url=settings.database_url, data_dir=settings.data_dir, secret_key=("n" * 32,)))
    assert new.sources.open_secrets(1, "ad") == {"password": "correct horse"}
    new.close()
    capsys.readouterr()
    refused = scim_server("source", "show", "ad")
    assert refused.code == Exit.FAILED
    assert "another key" in refused.err


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("on_deleted=explode", "must be delete"),
        ("on_delted=delete", "there are external_id_is_entra_object_id, on_deleted"),
        ("on_deleted", "NAME=VALUE"),
    ],
)
def test_a_wrong_setting_of_a_source_is_named(scim_server: Run, setting: str, said: str) -> None:
    scim_server("token", "list")  # the default tenant comes to be
    outcome = scim_server("source", "edit", "entra-push", "--set", setting)
    assert outcome.code in (Exit.FAILED, Exit.USAGE)
    assert said in outcome.err


def test_the_source_of_local_edits_stays(scim_server: Run) -> None:
    assert scim_server("source", "remove", "local").code == Exit.FAILED
    assert scim_server("source", "add", "other", "--kind", "local").code == Exit.USAGE


def test_a_source_goes_with_its_tokens(scim_server: Run) -> None:
    scim_server("source", "add", "okta", "--kind", "scim")
    scim_server("token", "create", "--source", "okta")
    assert scim_server("source", "remove", "okta", "--json").json == {"removed": "okta"}
    assert scim_server("token", "list", "--json").json == []
    assert scim_server("source", "show", "okta").code == Exit.FAILED


def test_a_schema_is_added_listed_and_removed(scim_server: Run, tmp_path: Path) -> None:
    file = tmp_path / "badge.json"
    file.write_text(json.dumps(BADGE))
    assert "badgeNumber" in scim_server("schema", "add", str(file)).out
    assert scim_server("schema", "add", str(file)).code == Exit.FAILED
    assert [each["schema"]["id"] for each in scim_server("schema", "list", "--json").json] == [BADGE["id"]]
    assert scim_server("schema", "remove", str(BADGE["id"])).code == Exit.DONE
    assert scim_server("schema", "list", "--json").json == []


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"id": "urn:x"}', json.dumps({**BADGE, "attributes": [{}]})])
def test_a_file_that_is_no_schema_is_refused_in_words(scim_server: Run, tmp_path: Path, text: str) -> None:
    file = tmp_path / "schema.json"
    file.write_text(text)
    outcome = scim_server("schema", "add", str(file), "--json")
    assert outcome.code == Exit.FAILED
    assert orjson.loads(outcome.err)["error"]


def test_wrong_usage_is_told_apart(scim_server: Run) -> None:
    assert scim_server("token", "create", "--scope", "everything").code == Exit.USAGE
    assert scim_server("nonsense").code == Exit.USAGE
    assert "error" in orjson.loads(scim_server("token", "revoke", "--json").err)


def test_commands_on_an_empty_database_say_how_to_begin(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(data_dir=tmp_path)
    assert run(["token", "list"], Context(settings)) == Exit.FAILED
    assert "scim-server db upgrade" in capsys.readouterr().err
    assert run(["db", "upgrade"], Context(settings)) == Exit.DONE
    assert run(["db", "check", "--json"], Context(settings)) == Exit.DONE
    assert run(["token", "list"], Context(settings)) == Exit.DONE


def test_an_unreachable_database_is_no_stack_trace(capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(database_url="postgresql+psycopg://u@127.0.0.1:9/scim")
    assert run(["db", "current"], Context(settings)) == Exit.FAILED
    assert "cannot be reached" in capsys.readouterr().err


def test_wrong_settings_are_told_before_anything_is_done(monkeypatch: Any, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SCIM_SERVER_PORT", "eighty")
    assert run(["token", "list"], Context()) == Exit.FAILED
    assert "SCIM_SERVER_PORT" in capsys.readouterr().err


@pytest.mark.parametrize("command", every_command(), ids=" ".join)
def test_every_command_explains_itself(scim_server: Run, command: tuple[str, ...]) -> None:
    assert "Usage: scim-server" in scim_server(*command, "--help").out


def test_every_command_but_those_that_run_on_speaks_json() -> None:
    for path in every_command():
        command = find_command(path)
        options = {option for each in command.params for option in each.opts}
        assert "--json" in options or path in (("serve",), ("worker",))
