"""What docs/connectors.md tells a stranger to do, done against a real domain controller."""

from typing import Any

import pytest

from scim_server.cli.output import Exit
from tests.cli.conftest import Run
from tests.directories.samba import PASSWORD, Domain, samba

__all__ = ["samba"]


@pytest.fixture
def corp(samba: Domain, scim_server: Run, monkeypatch: Any) -> Any:
    """A unit of its own in the domain, read as the source ``corp``."""
    monkeypatch.setenv("SCIM_SERVER_SOURCE_PASSWORD", PASSWORD)
    unit = samba.add_unit()
    added = scim_server(
        "source", "add", "corp", "--kind", "active-directory", "--set", f"url={samba.controller.url}",
        "--set", f"base_dn={unit}", "--set", "bind_dn=ADTEST\\lister", "--set", f"ca_file={samba.controller.ca_file}",
    )  # fmt: skip
    assert added.code == Exit.DONE, added.err
    assert PASSWORD not in added.out
    yield unit
    samba.delete_tree(unit)


def names(name: str) -> dict[str, str]:
    return {"displayName": name, "mail": f"{name}@example.test", "userPrincipalName": f"{name}@example.test"}


def test_a_domain_is_checked_previewed_applied_and_kept_in_step(samba: Domain, corp: str, scim_server: Run) -> None:
    mira = samba.add_user(corp, "mira", **names("mira"))
    jonas = samba.add_user(corp, "jonas", **names("jonas"))
    samba.add_group(corp, "dock", (mira, jonas))

    check = scim_server("source", "check", "corp")
    assert check.code == Exit.DONE, check.out
    assert "2 people and 1 groups in scope" in check.out

    plan = scim_server("sync", "preview", "corp", "--json").json
    assert (plan["status"], plan["counts"]["added"]) == ("ready", 2)
    applied = scim_server("sync", "apply", plan["plan"], "--fingerprint", plan["fingerprint"], "--json").json
    assert applied["counts"]["added"] == 2
    shown = scim_server("users", "show", "mira@example.test", "--json").json
    assert [group["display"] for group in shown["groups"]] == ["dock"]

    samba.set(mira, title="Captain")
    samba.delete(jonas)
    counts = scim_server("sync", "run", "corp", "--json").json["counts"]
    assert (counts["modified"], counts["deleted"]) == (1, 1)
    assert scim_server("users", "list", "--json").json["total"] == 1
    explained = scim_server("sync", "one", "corp", "mira@example.test", "--explain")
    assert explained.code == Exit.DONE
    assert corp in explained.out


def test_units_are_browsed_and_one_is_chosen(samba: Domain, corp: str, scim_server: Run) -> None:
    inner = samba.add_unit(corp, "pilot")
    samba.add_user(inner, "pia", **names("pia"))
    samba.add_user(corp, "otto", **names("otto"))
    assert [place["id"] for place in scim_server("source", "browse", "corp", "--json").json] == [corp]
    assert inner in [place["id"] for place in scim_server("source", "browse", "corp", "--below", corp, "--json").json]
    scim_server("source", "edit", "corp", "--set", f"scope_ou={inner}")
    items = scim_server("sync", "preview", "corp", "--json").json["items"]
    assert [item["username"] for item in items] == ["pia@example.test"]


def test_a_wrong_password_is_told_and_takes_nobody_away(
    samba: Domain, corp: str, scim_server: Run, monkeypatch: Any
) -> None:
    samba.add_user(corp, "mira", **names("mira"))
    scim_server("sync", "run", "corp")
    monkeypatch.setenv("SCIM_SERVER_SOURCE_PASSWORD", "wrong")
    scim_server("source", "edit", "corp")
    assert "sign-in" in scim_server("source", "check", "corp").out
    assert scim_server("sync", "run", "corp", "--full").code == Exit.FAILED
    assert scim_server("users", "list", "--json").json["users"][0]["active"] is True
