"""``scim-server demo directory``: two days with the numbers the sample promises, and nothing left of them."""

from scim_server.cli.output import Exit
from tests.cli.conftest import Run


def test_both_days_are_previewed_confirmed_and_counted(scim_server: Run) -> None:
    outcome = scim_server("demo", "directory")
    assert outcome.code == Exit.DONE, outcome.err
    for words in ("Day 1", "Day 2", "55 added", "4 duplicated", "3 deleted", "2 deactivated", "1 reactivated"):
        assert words in outcome.out


def test_nothing_is_left_of_it(scim_server: Run) -> None:
    scim_server("demo", "directory")
    assert [tenant["name"] for tenant in scim_server("tenant", "list", "--json").json] == ["default"]
    assert scim_server("users", "list", "--json").json["total"] == 0


def test_it_is_kept_on_demand_and_a_second_one_stands_beside_it(scim_server: Run) -> None:
    first = scim_server("demo", "directory", "--keep", "--json").json
    second = scim_server("demo", "directory", "--keep", "--json").json
    assert (first["tenant"], second["tenant"]) == ("demo", "demo-2")
    assert first["succeeded"]
    assert [day["counts"]["duplicated"] for day in first["days"]] == [4, 3]
    assert first["days"] == second["days"]
    assert scim_server("users", "list", "--tenant", "demo", "--json").json["total"] == 56
    assert scim_server("duplicates", "list", "--tenant", "demo", "--json").json["counts"]["open"] >= 3
