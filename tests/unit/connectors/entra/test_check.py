"""The connection test says what is wrong and what to do, in words."""

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.entra.config import parse_config
from connectors.entra.reader import EntraReader
from scim_server.domain.observations import Finding, Outcome
from tests.directories.graph_emulator import EmulatorAdapter, GraphEmulator, settings_for
from tests.directories.graph_emulator.emulator import UNAVAILABLE
from tests.directories.graph_emulator.fixtures import AT_ONCE, reader_of
from tests.directories.graph_emulator.transport import self_signed

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def findings_of(emulator: GraphEmulator, secret: str = "", **values: str) -> dict[str, Finding]:
    given, secrets = settings_for(emulator, **values)
    config = parse_config(given, {"client_secret": secret or secrets["client_secret"]})
    reader = EntraReader(config, now=lambda: NOW, patience=AT_ONCE, adapter=EmulatorAdapter(emulator))
    return {finding.step: finding for finding in reversed(reader.check())}


def test_a_working_connection_counts_users_and_groups_and_names_the_first(emulator: GraphEmulator) -> None:
    for name in ("ann", "bob", "cat", "dan", "eve", "fay"):
        emulator.tenant.add_user(name)
    emulator.tenant.add_group("Team")
    findings = findings_of(emulator)
    assert {finding.outcome for finding in findings.values()} == {Outcome.OK}
    assert findings["Users"].text.startswith("6 users; the first are ann@example.test, ")
    assert "fay" not in findings["Users"].text
    assert findings["Groups"].text == "1 groups; the first are Team."


def test_a_secret_that_looks_like_a_guid_is_told_before_the_refusal(emulator: GraphEmulator) -> None:
    findings = findings_of(emulator, secret="9d6b9f4e-5a6c-4a43-9f6b-222222222222")
    assert findings["Credential"].outcome is Outcome.WARNING
    assert "Secret ID" in findings["Credential"].text
    assert findings["Sign-in"].outcome is Outcome.FAILED
    assert "AADSTS7000215" in findings["Sign-in"].text
    assert list(findings)[::-1] == ["Credential", "Sign-in"]


@pytest.mark.parametrize(
    ("day", "outcome", "words"),
    [
        ("2026-11-20", Outcome.WARNING, "expired on 2026-11-20"),
        ("2026-12-20", Outcome.WARNING, "in 29 days"),
        ("2026-12-21", Outcome.OK, "in 30 days"),
    ],
)
def test_a_secret_about_to_expire_is_warned_of(emulator: GraphEmulator, day: str, outcome: Outcome, words: str) -> None:
    finding = findings_of(emulator, secret_expires_on=day)["Credential"]
    assert (finding.outcome, words in finding.text) == (outcome, True)


def test_a_certificate_is_shown_by_its_thumbprint(
    emulator: GraphEmulator, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("app") / "app.pem"
    path.write_bytes(self_signed(rsa.generate_private_key(65537, 2048)))
    given, _ = settings_for(emulator, certificate_path=str(path))
    findings = EntraReader(parse_config(given, {}), patience=AT_ONCE, adapter=EmulatorAdapter(emulator)).check()
    assert "thumbprint" in findings[0].text
    assert "AADSTS700027" in findings[1].text


@pytest.mark.parametrize(
    ("roles", "missing"),
    [
        ({"GroupMember.Read.All"}, "User.Read.All"),
        ({"User.Read.All"}, "GroupMember.Read.All"),
        (set(), "User.Read.All and GroupMember.Read.All"),
    ],
)
def test_a_missing_permission_is_named_with_the_way_to_grant_it(
    emulator: GraphEmulator, roles: set[str], missing: str
) -> None:
    emulator.application.roles = roles
    finding = findings_of(emulator)["Permissions"]
    assert finding.outcome is Outcome.FAILED
    assert f"permission {missing} is missing" in finding.text
    assert "API permissions" in finding.remedy


def test_more_rights_than_needed_are_told(emulator: GraphEmulator) -> None:
    emulator.application.roles = {"User.Read.All", "GroupMember.Read.All", "User.ReadWrite.All"}
    finding = findings_of(emulator)["Permissions"]
    assert finding.outcome is Outcome.WARNING
    assert "User.ReadWrite.All" in finding.text


def test_a_repaired_application_is_seen_at_once(emulator: GraphEmulator) -> None:
    reader = reader_of(emulator)
    emulator.application.refused_with = 700016
    assert Outcome.FAILED in {finding.outcome for finding in reader.check()}
    emulator.application.refused_with = 0
    assert Outcome.FAILED not in {finding.outcome for finding in reader.check()}


def test_an_empty_tenant_makes_people_look_twice(emulator: GraphEmulator) -> None:
    finding = findings_of(emulator)["Users"]
    assert finding.outcome is Outcome.WARNING
    assert "right tenant" in finding.remedy


def test_the_scope_is_counted_and_a_missing_group_is_told(emulator: GraphEmulator) -> None:
    team = emulator.tenant.add_group("Team")
    emulator.tenant.add_member(team, emulator.tenant.add_user("ann"))
    assert findings_of(emulator, scope_groups=team)["Scope groups"].text.startswith("1 users in 1 groups")
    emulator.tenant.delete(team)
    assert findings_of(emulator, scope_groups=team)["Scope groups"].outcome is Outcome.FAILED


def test_a_disturbed_service_does_not_keep_anybody_waiting(emulator: GraphEmulator, pauses: list[float]) -> None:
    emulator.break_next("", UNAVAILABLE, times=1000)
    findings = findings_of(emulator)
    assert findings["Sign-in"].outcome is Outcome.FAILED
    assert len(emulator.requests) == 2
    assert sum(pauses) < 3
