"""The register of duplicates on the command line."""

import orjson

from scim_server.cli.context import Context
from scim_server.cli.output import Exit
from scim_server.domain.keys import EMAIL, Claim
from scim_server.settings import Settings
from scim_server.store.identities.duplicates import Case, write_case
from tests.cli.conftest import Run


def record(settings: Settings, number: int) -> None:
    """One more object wants an address that another holds."""
    context = Context(settings)
    tenant_id = context.tenant_id("default")
    with context.database.writing(tenant_id) as session:
        write_case(
            session,
            Case(
                source=context.sources.get(tenant_id, "entra-push").id,
                immutable_id=f"object-{number}",
                resource_type="User",
                pk=None,
                claim=Claim(EMAIL, "mira@example.com"),
                raw="Mira@example.com",
                kind="email",
                holder=None,
                channel="push",
                mapped='{"userName": "mira2"}',
                at=f"2026-01-0{number}T00:00:00.000000Z",
            ),
        )
    context.close()


def test_duplicates_are_listed_with_the_newest_first(scim_server: Run, settings: Settings) -> None:
    for number in (1, 2, 3):
        record(settings, number)
    listed = scim_server("duplicates", "list", "--json").json
    assert listed["counts"] == {"open": 3, "dismissed": 0, "resolved": 0, "cleared": 0}
    assert [each["immutable_id"] for each in listed["duplicates"]] == ["object-3", "object-2", "object-1"]
    assert scim_server("duplicates", "list", "--status", "cleared").out == "There is no cleared duplicate.\n"
    limited = scim_server("duplicates", "list", "--limit", "2")
    assert len(limited.out.splitlines()) == 3
    assert "2 of 3" in limited.err


def test_one_duplicate_is_shown_with_what_the_object_wanted_to_be(scim_server: Run, settings: Settings) -> None:
    record(settings, 1)
    case_id = scim_server("duplicates", "list", "--json").json["duplicates"][0]["id"]
    shown = scim_server("duplicates", "show", case_id, "--json").json
    assert (shown["kind"], shown["value"], shown["source"]) == ("email", "Mira@example.com", "entra-push")
    assert shown["mapped"] == {"userName": "mira2"}
    assert '"userName": "mira2"' in scim_server("duplicates", "show", case_id).out
    missing = scim_server("duplicates", "show", "nothing", "--json")
    assert missing.code == Exit.FAILED
    assert orjson.loads(missing.err)["error"]
