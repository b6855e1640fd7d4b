"""Synchronizing on the command line, with nothing else running: the sample directory, previewed, applied, explained."""

import csv
from io import StringIO
from typing import Any

import orjson
import pytest

from scim_server.cli.output import Exit
from scim_server.cli.plans import write_csv
from scim_server.store.reads.plans import ItemCase
from tests.cli.conftest import Outcome, Run

WORDS = (
    *("read", "added", "modified", "reactivated", "deactivated", "deleted", "restored", "linked", "duplicated"),
    *("dismissed", "blocked_by", "unchanged", "out_of_scope", "deferred", "stale", "errors"),
)


@pytest.fixture
def sync(scim_server: Run) -> Run:
    """``scim-server sync`` over a tenant with the sample directory as ``corp``."""
    scim_server("source", "add", "corp", "--kind", "sample")

    def run(*arguments: str) -> Outcome:
        return scim_server("sync", *arguments)

    return run


def users(scim_server: Run) -> int:
    total: int = scim_server("users", "list", "--json").json["total"]
    return total


def test_a_preview_shows_everything_and_changes_nothing(sync: Run, scim_server: Run) -> None:
    outcome = sync("preview", "corp", "--json")
    plan = outcome.json
    assert outcome.code == Exit.DONE
    assert plan["status"] == "ready"
    assert set(WORDS) <= set(plan["counts"])
    assert (plan["counts"]["read"], plan["counts"]["added"], plan["counts"]["duplicated"]) == (60, 55, 4)
    mira = next(item for item in plan["items"] if item["username"] == "m.oduya@harbour.example")
    assert mira["action"] == "add"
    assert mira["immutable_id"]
    assert mira["changes"]["userName"] == {"old": None, "new": "m.oduya@harbour.example"}
    assert mira["reason"]
    assert users(scim_server) == 0


def test_what_was_shown_is_applied_and_only_under_its_fingerprint(sync: Run, scim_server: Run) -> None:
    plan = sync("preview", "corp", "--json").json
    refused = sync("apply", plan["plan"], "--fingerprint", "0" * 64, "--json")
    assert refused.code == Exit.FAILED
    assert "fingerprint" in orjson.loads(refused.err)["error"]
    assert users(scim_server) == 0
    applied = sync("apply", plan["plan"], "--fingerprint", plan["fingerprint"], "--json")
    assert applied.code == Exit.DONE
    assert applied.json["run"] == plan["plan"]
    assert applied.json["status"] == "applied"
    assert applied.json["counts"] == plan["counts"]
    assert users(scim_server) == 55


def test_a_run_previews_and_applies_and_the_next_one_changes_nothing(sync: Run, scim_server: Run) -> None:
    first = sync("run", "corp", "--json")
    assert (first.code, first.json["status"], first.json["counts"]["added"]) == (Exit.DONE, "applied", 55)
    second = sync("run", "corp", "--json").json["counts"]
    assert {word: second[word] for word in ("added", "modified", "deleted", "deactivated")} == dict.fromkeys(
        ("added", "modified", "deleted", "deactivated"), 0
    )
    assert second["duplicated"] == 4


def test_day_two_has_leavers_movers_joiners_and_duplicates_that_resolved_themselves(
    sync: Run, scim_server: Run
) -> None:
    sync("run", "corp")
    scim_server("source", "edit", "corp", "--set", "day=2")
    counts = sync("run", "corp", "--json").json["counts"]
    found = {
        word: counts[word] for word in ("added", "modified", "reactivated", "deactivated", "deleted", "duplicated")
    }
    assert found == {"added": 4, "modified": 7, "reactivated": 1, "deactivated": 2, "deleted": 3, "duplicated": 3}
    assert scim_server("duplicates", "list", "--status", "cleared", "--json").json["counts"]["cleared"] == 3


def test_a_blocked_run_exits_with_three_and_needs_the_number_to_go_on(sync: Run, scim_server: Run) -> None:
    sync("run", "corp")
    scim_server("source", "edit", "corp", "--set", "day=2", "--set", "limit_removals=2")
    blocked = sync("run", "corp", "--json")
    assert (blocked.code, blocked.json["status"]) == (Exit.BLOCKED, "blocked")
    plan = sync("preview", "corp", "--json")
    assert plan.code == Exit.BLOCKED
    [breaker] = plan.json["blocked"]
    confirm = ("apply", plan.json["plan"], "--fingerprint", plan.json["fingerprint"])
    refused = sync(*confirm, "--json")
    assert refused.code == Exit.BLOCKED
    assert f"--approve {breaker['breaker']}={breaker['number']}" in orjson.loads(refused.err)["error"]
    assert sync(*confirm, "--approve", f"{breaker['breaker']}=1", "--json").code == Exit.FAILED
    approved = sync(*confirm, "--approve", f"{breaker['breaker']}={breaker['number']}", "--json")
    assert (approved.code, approved.json["status"]) == (Exit.DONE, "applied")


def test_an_outage_fails_with_words_and_takes_nobody_away(sync: Run, scim_server: Run) -> None:
    sync("run", "corp")
    scim_server("source", "edit", "corp", "--set", "outage=yes")
    outcome = sync("run", "corp", "--json")
    assert outcome.code == Exit.FAILED
    assert "does not answer" in orjson.loads(outcome.err)["error"]
    assert users(scim_server) == 55
    assert scim_server("source", "check", "corp").code == Exit.FAILED
    scim_server("source", "edit", "corp", "--set", "outage=")
    assert sync("run", "corp", "--json").json["counts"]["deleted"] == 0


def test_single_users_are_previewed_by_name(sync: Run) -> None:
    plan = sync("preview", "corp", "--user", "m.oduya@harbour.example", "--user", "Jonas Brandt", "--json").json
    assert sorted(item["username"] for item in plan["items"]) == [
        "j.brandt@harbour.example",
        "m.oduya@harbour.example",
    ]
    missing = sync("preview", "corp", "--user", "nobody", "--json")
    assert missing.code == Exit.FAILED
    assert "nobody" in orjson.loads(missing.err)["error"]


def test_one_person_is_followed_through_five_steps(sync: Run, scim_server: Run) -> None:
    outcome = sync("one", "corp", "Jonas Brandt", "--explain")
    assert outcome.code == Exit.DONE
    assert [line.split()[1] for line in outcome.out.splitlines()] == ["read", "scope", "match", "decide", "write"]
    assert "New in the directory" in outcome.out
    assert "1 added" in outcome.out
    assert users(scim_server) == 1
    told = sync("one", "corp", "perry@harbour.example", "--explain", "--json").json
    assert [step["step"] for step in told["steps"]] == ["read", "scope", "match", "decide", "write"]


def test_a_dry_run_writes_nothing(sync: Run, scim_server: Run) -> None:
    outcome = sync("one", "corp", "Jonas Brandt", "--dry-run", "--json")
    assert outcome.json["steps"][-1] == {"step": "write", "text": "nothing: it was only looked at"}
    assert users(scim_server) == 0


def test_a_name_of_several_asks_for_the_immutable_id(sync: Run, scim_server: Run) -> None:
    outcome = sync("one", "corp", "j.visser@harbour.example", "--json")
    assert outcome.code == Exit.FAILED
    error = orjson.loads(outcome.err)["error"]
    assert "2 objects" in error
    immutable_id = error.rpartition(" is ")[2]
    assert sync("one", "corp", immutable_id, "--json").json["counts"]["added"] == 1


def test_history_lists_runs_of_all_sources_or_of_one(sync: Run, scim_server: Run) -> None:
    scim_server("source", "add", "other", "--kind", "sample")
    sync("run", "corp")
    sync("preview", "other")
    assert [run["source"] for run in sync("history", "--json").json] == ["other", "corp"]
    [only] = sync("history", "corp", "--json").json
    assert (only["status"], only["applied_by"], only["counts"]["added"]) == ("applied", "command line", 55)
    assert "applied" in sync("history", "corp").out


def test_a_run_is_exported_for_a_spreadsheet(sync: Run) -> None:
    run = sync("run", "corp", "--json").json["run"]
    rows = list(csv.DictReader(StringIO(sync("export", run, "--csv").out)))
    assert {"action", "username", "immutable_id", "attribute", "old", "new", "reason"} <= set(rows[0])
    phones = [row["new"] for row in rows if row["attribute"] == "phoneNumbers"]
    assert phones
    everything = sync("export", run, "--json").json
    assert len(everything["items"]) == 69


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_value_in_an_export_is_a_formula(start: str) -> None:
    after = orjson.dumps({"title": f"{start}cmd|' /C calc'!A0", "userName": f"{start}x"}).decode()
    item = ItemCase(
        1, 1, "add", "added", "User", f"{start}id", None, f"{start}x", None, after, "[]", "[]", "[]", "{}", "done", None
    )
    file = StringIO(newline="")
    write_csv(iter([item]), file)
    cells = [cell for row in list(csv.reader(StringIO(file.getvalue(), newline="")))[1:] for cell in row]
    assert not [cell for cell in cells if cell.startswith(start)]
    assert f"'{start}x" in cells


def test_cancelling_a_run_that_is_over_says_so(sync: Run) -> None:
    run = sync("run", "corp", "--json").json["run"]
    outcome = sync("cancel", run, "--json")
    assert outcome.code == Exit.FAILED
    assert "over already" in orjson.loads(outcome.err)["error"]
    assert sync("cancel", "nothing", "--json").code == Exit.FAILED


def test_settings_of_a_source_are_checked_when_they_are_entered(scim_server: Run) -> None:
    unknown = scim_server("source", "add", "corp", "--kind", "sample", "--set", "dya=2", "--json")
    assert unknown.code == Exit.FAILED
    assert "dya" in orjson.loads(unknown.err)["error"]
    wrong = scim_server("source", "add", "corp", "--kind", "sample", "--set", "on_deleted=explode", "--json")
    assert "on_deleted" in orjson.loads(wrong.err)["error"]
    scim_server("source", "add", "corp", "--kind", "sample")
    assert scim_server("source", "edit", "corp", "--set", "day=3").code == Exit.FAILED


def test_settings_of_a_domain_may_be_named_in_the_singular(scim_server: Run, monkeypatch: Any) -> None:
    monkeypatch.setenv("SCIM_SERVER_SOURCE_PASSWORD", "correct horse")
    added = scim_server(
        "source", "add", "ad", "--kind", "active-directory", "--set", "url=ldaps://dc1.example",
        "--set", "url=ldaps://dc2.example", "--set", "base_dn=DC=example", "--set", "bind_dn=reader@example", "--json",
    )  # fmt: skip
    assert added.code == Exit.DONE, added.err
    assert added.json["settings"]["urls"] == "ldaps://dc1.example\nldaps://dc2.example"
    assert added.json["settings"]["base_dns"] == "DC=example"
    assert added.err == ""


def test_what_a_source_still_lacks_is_named(scim_server: Run) -> None:
    outcome = scim_server("source", "add", "ad", "--kind", "active-directory")
    assert outcome.code == Exit.DONE
    assert "urls, bind_dn, password, base_dns" in outcome.err
    assert scim_server("source", "check", "ad").code == Exit.FAILED


def test_the_secret_of_entra_has_its_own_name(scim_server: Run, monkeypatch: Any) -> None:
    monkeypatch.setenv("SCIM_SERVER_SOURCE_PASSWORD", "correct horse")
    guid = "00000000-0000-4000-8000-000000000001"
    added = scim_server(
        "source", "add", "aad", "--kind", "entra", "--set", f"tenant_id={guid}", "--set", f"client_id={guid}", "--json"
    )
    assert added.json["secrets"] == ["client_secret"]


def test_the_groups_of_a_directory_can_be_browsed(sync: Run, scim_server: Run) -> None:
    assert "Project Lighthouse" in scim_server("source", "browse", "corp").out
    assert len(scim_server("source", "browse", "corp", "--json").json) == 9


def test_a_schedule_is_set_shown_and_turned_off(sync: Run, scim_server: Run) -> None:
    outcome = scim_server("source", "schedule", "corp", "every 40 minutes")
    assert "every 40 minutes" in outcome.out
    assert scim_server("source", "show", "corp", "--json").json["schedule"]["rule"] == "every 40 minutes"
    assert "every 40 minutes" in scim_server("source", "list").out
    assert scim_server("source", "schedule", "corp", "sometimes").code == Exit.FAILED
    scim_server("source", "schedule", "corp", "off")
    assert scim_server("source", "show", "corp", "--json").json["schedule"] is None


def test_a_source_that_was_only_previewed_can_be_removed(sync: Run, scim_server: Run) -> None:
    sync("preview", "corp")
    assert scim_server("source", "remove", "corp").code == Exit.DONE
    scim_server("source", "add", "corp", "--kind", "sample")
    sync("run", "corp")
    assert scim_server("source", "remove", "corp").code == Exit.BLOCKED


def test_only_chosen_people_come_in(sync: Run, scim_server: Run) -> None:
    scim_server("source", "edit", "corp", "--set", "import_mode=chosen")
    assert sync("run", "corp", "--json").json["counts"]["added"] == 0
    chosen = scim_server("source", "choose", "corp", "m.oduya@harbour.example", "Jonas Brandt", "--json").json["chosen"]
    assert len(chosen) == 2
    counts = sync("run", "corp", "--full", "--json").json["counts"]
    assert counts["added"] == 2
    scim_server("source", "choose", "corp", "Jonas Brandt", "--remove")
    assert len(scim_server("source", "choose", "corp").out.split()) == 1
    assert sync("run", "corp", "--full", "--json").json["counts"]["deactivated"] == 1


def test_for_people_removals_and_duplicates_come_first_and_the_rest_is_counted(sync: Run, scim_server: Run) -> None:
    first = sync("preview", "corp").out
    assert "and 56 more" in first
    sync("run", "corp")
    scim_server("source", "edit", "corp", "--set", "day=2")
    lines = sync("preview", "corp").out.splitlines()
    table = [line.split("\t")[0] for line in lines[lines.index("Action\tWho\tChanges\tWhy") + 1 :] if "\t" in line]
    assert table[:5] == ["deleted", "deleted", "deleted", "deactivated", "deactivated"]
    assert table.index("duplicated") < table.index("added")
