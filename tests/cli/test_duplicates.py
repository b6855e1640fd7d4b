"""The register of duplicates on the command line."""

import orjson
import pytest

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


@pytest.fixture
def sample(scim_server: Run) -> Run:
    """The sample directory on day two, whose duplicates wait."""
    scim_server("source", "add", "corp", "--kind", "sample")
    scim_server("sync", "run", "corp")
    scim_server("source", "edit", "corp", "--set", "day=2")
    scim_server("sync", "run", "corp")
    return scim_server


def case_of(scim_server: Run, kind: str, start: str) -> str:
    cases = scim_server("duplicates", "list", "--json").json["duplicates"]
    found: str = next(case["id"] for case in cases if case["kind"] == kind and case["value"].startswith(start))
    return found


def test_a_value_is_released_from_somebody_inactive_and_the_newcomer_comes_in(sample: Run) -> None:
    case = case_of(sample, "held_by_inactive", "o.pritchard")
    released = sample("duplicates", "release", case, "--json")
    assert (released.code, released.json["status"]) == (Exit.DONE, "applied"), released.err
    assert sample("sync", "run", "corp", "--json").json["counts"]["added"] == 1
    found = sample("users", "list", "--filter", 'userName eq "o.pritchard@harbour.example"', "--json").json["users"]
    assert [user["displayName"] for user in found] == ["Olive Pritchard"]


def test_the_one_who_waits_comes_in_under_another_name(sample: Run) -> None:
    case = case_of(sample, "username", "straße")
    shown = sample("duplicates", "rename", case, "--to", "karin@harbour.example", "--dry-run", "--json").json
    assert shown["status"] == "ready"
    assert len(shown["items"]) == 1
    renamed = sample("duplicates", "rename", case, "--to", "karin@harbour.example", "--json")
    assert renamed.json["status"] == "applied", renamed.err
    found = sample("users", "list", "--filter", 'userName eq "karin@harbour.example"', "--json").json["users"]
    assert [user["displayName"] for user in found] == ["Karin Strasse"]
    assert sample("sync", "run", "corp", "--json").json["counts"]["modified"] == 0


def test_a_dismissed_duplicate_stays_quiet(sample: Run) -> None:
    case = case_of(sample, "username", "straße")
    assert sample("duplicates", "dismiss", case).code == Exit.DONE
    assert sample("sync", "run", "corp", "--json").json["counts"]["dismissed"] == 1
    assert sample("duplicates", "list", "--json").json["counts"]["dismissed"] == 1


def test_what_cannot_be_resolved_so_is_refused_in_words(sample: Run) -> None:
    case = case_of(sample, "username", "straße")
    for command in ("link", "merge", "release"):
        refused = sample("duplicates", command, case, "--json")
        assert refused.code == Exit.FAILED
        assert len(orjson.loads(refused.err)["error"]) > 20
    assert sample("duplicates", "dismiss", "nothing", "--json").code == Exit.FAILED
