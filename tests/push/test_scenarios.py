"""What happens to usernames, addresses and people when clients push: one test for each story that identity
engineers know."""

from uuid import uuid4

import orjson
import pytest

from scim_server.admin.sources import SourceKind
from scim_server.domain.clients import Scope
from scim_server.store.identities.links import StoredLink, write_anchors, write_link
from scim_server.store.tables.identities import claims, resources
from tests.push.installation import Client, Installation

MIRA = "mira@fabrikam.test"
TOVE = "tove@fabrikam.test"
OLGA = "olga@fabrikam.test"


def mail(address: str, kind: str = "work", *, primary: bool = True) -> list[dict[str, object]]:
    return [{"value": address, "type": kind, "primary": primary}]


def names(client: Client, *ids: str) -> list[str]:
    return [client.read(each)["userName"] for each in ids]


# Names


def test_case_only_rename(installation: Installation, entra: Client) -> None:
    mira = entra.create(userName=MIRA)["id"]

    assert entra.change(mira, userName="Mira@Fabrikam.test")["userName"] == "Mira@Fabrikam.test"
    assert [found["id"] for found in entra.find(f'userName eq "{MIRA}"')] == [mira]
    assert installation.cases() == {}


@pytest.mark.parametrize(
    ("known", "pushed"),
    [
        ("Straße", "STRASSE"),
        ("ｍｉｒａ", "mira"),
        ("jose\u0301", "JOSÉ"),
        ("mira\u200b", "Mira"),
        (" mira  oduya ", "Mira Oduya"),
    ],
    ids=["sharp s", "full width", "decomposed", "zero width space", "white space"],
)
def test_unicode_equivalent_username(installation: Installation, entra: Client, known: str, pushed: str) -> None:
    holder = entra.create(userName=known)["id"]

    refused = entra.create(userName=pushed, status=409)

    assert refused["scimType"] == "uniqueness"
    case = installation.case()
    assert (case.kind, case.value, case.holder_id) == ("username", pushed, holder)


@pytest.mark.parametrize(("known", "pushed"), [("josé", "jose"), ("İnci", "inci")])
def test_diacritics_make_another_name(entra: Client, known: str, pushed: str) -> None:
    entra.create(userName=known)

    entra.create(userName=pushed)


def test_a_name_keeps_its_spelling(entra: Client) -> None:
    mira = entra.create(userName="  Mira ODUYA ")

    assert entra.read(mira["id"])["userName"] == "  Mira ODUYA "


def test_a_taken_name_is_refused_and_recorded_with_both_sides(installation: Installation, entra: Client) -> None:
    holder = entra.create(userName=MIRA, externalId="e-1")["id"]

    refused = entra.create(userName=MIRA.upper(), externalId="e-2", title="Welder", status=409)

    assert refused["scimType"] == "uniqueness"
    assert "userName" in refused["detail"]
    assert MIRA.upper() in refused["detail"]
    assert holder in refused["detail"]
    case = installation.case()
    assert (case.kind, case.namespace, case.value) == ("username", "username", MIRA.upper())
    assert (case.source, case.immutable_id, case.channel) == ("entra-push", "externalId:e-2", "push")
    assert (case.resource_id, case.holder_id, case.seen) == (None, holder, 1)
    assert orjson.loads(case.mapped)["title"] == "Welder"
    assert entra.total() == 1


def test_an_object_with_two_conflicts_makes_two_cases(installation: Installation, entra: Client) -> None:
    mira = entra.create(userName="mira")["id"]
    tove = entra.create(userName="tove", emails=mail(TOVE))["id"]

    refused = entra.create(userName="MIRA", emails=mail(TOVE), status=409)

    assert mira in refused["detail"]
    assert tove in refused["detail"]
    assert {(case.kind, case.holder_id) for case in installation.duplicates()} == {("username", mira), ("email", tove)}


def test_a_conflict_that_is_pushed_again_is_the_same_case(installation: Installation, entra: Client) -> None:
    entra.create(userName=MIRA)

    for _ in range(3):
        entra.create(userName=MIRA, externalId="e-2", status=409)

    assert installation.case().seen == 3


def test_a_conflict_is_over_when_its_object_gets_another_name(installation: Installation, entra: Client) -> None:
    entra.create(userName=MIRA)
    entra.create(userName=MIRA, externalId="e-2", status=409)

    entra.create(userName="mira.2@fabrikam.test", externalId="e-2")

    assert installation.cases() == {"cleared": 1}


def test_nothing_of_a_refused_change_is_applied(installation: Installation, entra: Client) -> None:
    entra.create(userName=MIRA)
    tove = entra.create(userName=TOVE, title="Welder")["id"]
    before = entra.read(tove)

    entra.change(tove, status=409, userName=MIRA, title="Foreman")

    assert entra.read(tove) == before
    case = installation.case()
    assert (case.resource_id, orjson.loads(case.mapped)) == (tove, {"userName": MIRA, "title": "Foreman"})


def test_the_holder_is_named_only_to_a_client_that_may_read(installation: Installation, entra: Client) -> None:
    holder = entra.create(userName=MIRA)["id"]
    blind = installation.client(scopes=(Scope.WRITE,))

    refused = blind.create(userName=MIRA, status=409)

    assert MIRA in refused["detail"]
    assert holder not in refused["detail"]


# Swaps, cycles, reuse


def test_swap_username(installation: Installation, entra: Client) -> None:
    mira, tove = entra.create(userName=MIRA)["id"], entra.create(userName=TOVE)["id"]

    entra.change(mira, status=409, userName=TOVE)
    assert installation.case().holder_id == tove
    entra.change(tove, userName=MIRA)

    assert names(entra, mira, tove) == [TOVE, MIRA]
    assert installation.cases() == {"cleared": 1}
    settled = entra.read(mira)
    assert entra.change(mira, userName=TOVE) == settled


def test_swap_email(installation: Installation, entra: Client) -> None:
    mira = entra.create(userName="mira", emails=mail(MIRA))["id"]
    tove = entra.create(userName="tove", emails=mail(TOVE))["id"]

    entra.change(mira, status=409, emails=mail(TOVE))
    entra.change(tove, emails=mail(MIRA))

    assert [entra.read(each)["emails"][0]["value"] for each in (mira, tove)] == [TOVE, MIRA]
    assert installation.cases() == {"cleared": 1}


def test_swap_by_replacement(installation: Installation, entra: Client) -> None:
    mira, tove = entra.create(userName=MIRA)["id"], entra.create(userName=TOVE)["id"]

    entra.send("PUT", f"/Users/{mira}", {"userName": TOVE, "title": "Welder"}, status=409)
    entra.send("PUT", f"/Users/{tove}", {"userName": MIRA}, status=200)

    assert names(entra, mira, tove) == [TOVE, MIRA]
    assert entra.read(mira)["title"] == "Welder"
    assert installation.cases() == {"cleared": 1}


def test_three_cycle_username(installation: Installation, entra: Client) -> None:
    mira, tove, olga = (entra.create(userName=name)["id"] for name in (MIRA, TOVE, OLGA))

    entra.change(mira, status=409, userName=TOVE)
    entra.change(tove, status=409, userName=OLGA)
    entra.change(olga, userName=MIRA)

    assert names(entra, mira, tove, olga) == [TOVE, OLGA, MIRA]
    assert installation.cases() == {"cleared": 2}


def test_chain_ending_in_free_value(installation: Installation, entra: Client) -> None:
    mira, tove = entra.create(userName=MIRA)["id"], entra.create(userName=TOVE)["id"]

    entra.change(mira, status=409, userName=TOVE)
    entra.change(tove, userName=OLGA)

    assert names(entra, mira, tove) == [TOVE, OLGA]
    assert installation.cases() == {"cleared": 1}


def test_the_second_half_of_a_swap_brings_back_no_older_value(entra: Client) -> None:
    mira, tove = entra.create(userName=MIRA)["id"], entra.create(userName=TOVE)["id"]
    entra.change(mira, status=409, userName=TOVE, title="Welder")
    entra.change(mira, title="Foreman")

    entra.change(tove, userName=MIRA)

    assert entra.read(mira)["userName"] == TOVE
    assert entra.read(mira)["title"] == "Foreman"


def test_a_swap_is_not_completed_for_a_client_that_changed_its_mind(installation: Installation, entra: Client) -> None:
    mira, tove = entra.create(userName=MIRA)["id"], entra.create(userName=TOVE)["id"]
    entra.change(mira, status=409, userName=TOVE)
    entra.change(mira, userName=OLGA)
    assert installation.cases() == {"cleared": 1}

    entra.change(tove, userName=MIRA)

    assert names(entra, mira, tove) == [OLGA, MIRA]


def test_a_swap_is_not_completed_by_another_client(installation: Installation, entra: Client, hr: Client) -> None:
    mira, tove = hr.create(userName=MIRA)["id"], entra.create(userName=TOVE)["id"]
    hr.change(mira, status=409, userName=TOVE)

    entra.change(tove, status=409, userName=MIRA)

    assert names(entra, mira, tove) == [MIRA, TOVE]


def test_delete_then_reuse(installation: Installation, entra: Client) -> None:
    mira = entra.create(userName=MIRA, emails=mail(MIRA), externalId="e-1")["id"]
    entra.create(userName=MIRA, emails=mail(MIRA), externalId="e-2", status=409)

    entra.remove(mira)
    assert installation.cases() == {"cleared": 2}

    assert entra.create(userName=MIRA, emails=mail(MIRA), externalId="e-2")["id"] != mira
    assert installation.cases() == {"cleared": 2}


def test_reuse_after_tombstone(entra: Client) -> None:
    old = entra.create(userName=MIRA)["id"]
    entra.remove(old)

    new = entra.create(userName=MIRA)["id"]

    assert new != old
    entra.read(old, status=404)
    entra.change(old, status=404, title="Welder")
    entra.remove(old, status=404)
    assert [found["id"] for found in entra.find(f'userName eq "{MIRA}"')] == [new]
    assert entra.total() == 1


def test_a_deleted_user_holds_nothing(installation: Installation, entra: Client) -> None:
    mira = entra.create(userName=MIRA, emails=mail(MIRA) + mail(TOVE, "home", primary=False))["id"]

    entra.remove(mira)

    assert installation.rows(claims) == []
    assert entra.find("emails pr") == []
    assert entra.find("id pr") == []


# Disabled users


def test_reactivation(entra: Client) -> None:
    mira = entra.create(userName=MIRA, emails=mail(MIRA))["id"]
    group = entra.create_group("Welders", mira)["id"]
    entra.patch(f"/Users/{mira}", [{"op": "Replace", "path": "active", "value": "False"}])

    (found,) = entra.find(f'userName eq "{MIRA}"')
    assert (found["id"], found["active"]) == (mira, False)
    assert entra.find(f'emails[type eq "work"].value eq "{MIRA}"')[0]["id"] == mira
    assert [each["value"] for each in entra.read(mira)["groups"]] == [group]
    revived = entra.patch(f"/Users/{mira}", [{"op": "Replace", "path": "active", "value": "True"}])

    assert revived["active"] is True
    assert [each["value"] for each in revived["groups"]] == [group]


def test_incumbent_inactive(installation: Installation, entra: Client) -> None:
    mira = entra.create(userName=MIRA)["id"]
    entra.change(mira, active=False)

    refused = entra.create(userName=MIRA, status=409)

    assert "inactive" in refused["detail"]
    assert (installation.case().kind, installation.case().holder_id) == ("held_by_inactive", mira)


def test_a_user_is_active_unless_the_client_says_otherwise(entra: Client) -> None:
    assert entra.create(userName=MIRA)["active"] is True
    assert entra.create(userName=TOVE, active=False)["active"] is False


# Addresses


def test_incumbent_local_same_email(installation: Installation, entra: Client) -> None:
    mira = entra.create(userName="mira", emails=mail(MIRA))["id"]

    refused = entra.create(userName="other", emails=mail("MIRA@Fabrikam.TEST"), status=409)

    assert "emails" in refused["detail"]
    assert (installation.case().kind, installation.case().holder_id) == ("email", mira)


def test_a_username_may_not_be_the_address_of_another(installation: Installation, entra: Client) -> None:
    mira = entra.create(userName="mira", emails=mail(MIRA))["id"]

    refused = entra.create(userName=MIRA.upper(), status=409)

    assert "userName" in refused["detail"]
    assert (installation.case().kind, installation.case().holder_id) == ("cross_login", mira)


def test_an_address_may_not_be_the_username_of_another(installation: Installation, entra: Client) -> None:
    mira = entra.create(userName=MIRA)["id"]

    refused = entra.create(userName="other", emails=mail(MIRA), status=409)

    assert "emails" in refused["detail"]
    assert (installation.case().kind, installation.case().holder_id) == ("cross_login", mira)


def test_an_own_username_may_be_the_own_address(installation: Installation, entra: Client) -> None:
    mira = entra.create(userName=MIRA, emails=mail(MIRA))["id"]

    entra.change(mira, emails=mail(TOVE))
    entra.create(userName="other", emails=mail(MIRA), status=409)

    assert installation.case().kind == "cross_login"


def test_the_cross_rule_can_be_switched_off(installation: Installation) -> None:
    installation.set_rules(cross_login="false")
    entra = installation.client()
    entra.create(userName=MIRA)

    entra.create(userName="other", emails=mail(MIRA))


def test_secondary_address_taken(installation: Installation, entra: Client) -> None:
    mira = entra.create(userName="mira", emails=mail(MIRA))["id"]

    entra.create(userName="other", emails=mail(TOVE) + mail(MIRA, "home", primary=False), status=409)

    assert (installation.case().kind, installation.case().holder_id) == ("secondary_email", mira)


def test_a_secondary_address_is_held_against_others(installation: Installation, entra: Client) -> None:
    mira = entra.create(userName="mira", emails=mail(MIRA) + mail(TOVE, "home", primary=False))["id"]

    entra.create(userName="other", emails=mail(TOVE), status=409)

    assert (installation.case().kind, installation.case().holder_id) == ("email", mira)


def test_a_secondary_address_may_become_the_primary_one(installation: Installation, entra: Client) -> None:
    mira = entra.create(userName="mira", emails=mail(MIRA) + mail(TOVE, "home", primary=False))["id"]

    entra.change(mira, emails=mail(TOVE) + mail(MIRA, "home", primary=False))

    held = {row["key"]: row["role"] for row in installation.rows(claims) if row["ns"] == "email"}
    assert held == {TOVE: "primary", MIRA: "secondary"}


def test_addresses_need_not_be_unique_where_the_tenant_says_so(installation: Installation) -> None:
    installation.set_rules(email_unique="false")
    entra = installation.client()
    entra.create(userName="mira", emails=mail(MIRA))

    entra.create(userName="other", emails=mail(MIRA))

    assert len(entra.find(f'emails.value eq "{MIRA}"')) == 2
    entra.create(userName="MIRA", status=409)


# Two clients of one tenant


def test_both_clients_see_what_either_creates(entra: Client, hr: Client) -> None:
    mira = entra.create(userName=MIRA)["id"]

    assert hr.read(mira)["userName"] == MIRA
    assert hr.create(userName=MIRA, status=409)["scimType"] == "uniqueness"
    assert hr.total() == 1


def test_each_client_has_its_own_cases(installation: Installation, entra: Client, hr: Client) -> None:
    entra.create(userName=MIRA)

    entra.create(userName=MIRA, externalId="e-2", status=409)
    hr.create(userName=MIRA, externalId="e-2", status=409)

    assert {case.source for case in installation.duplicates()} == {"entra-push", "hr-push"}


def test_what_one_of_two_clients_deletes_stays_for_the_other(entra: Client, hr: Client) -> None:
    mira = entra.create(userName=MIRA)["id"]
    tove = entra.create(userName=TOVE)["id"]
    hr.change(mira, title="Welder")

    hr.remove(mira)

    hr.read(mira, status=404)
    hr.change(mira, status=404, title="Foreman")
    hr.remove(mira, status=404)
    assert hr.find(f'userName eq "{MIRA}"') == []
    assert [found["id"] for found in hr.find("userName pr")] == [tove]
    assert hr.total() == 1
    assert entra.read(mira)["userName"] == MIRA
    assert [found["id"] for found in entra.find(f'userName eq "{MIRA}"')] == [mira]
    assert entra.total() == 2
    hr.create(userName=MIRA, status=409)


def test_a_client_may_delete_what_it_never_touched(entra: Client, hr: Client) -> None:
    mira = entra.create(userName=MIRA)["id"]

    hr.remove(mira)

    hr.read(mira, status=404)
    assert entra.read(mira)["active"] is True


def test_a_user_goes_with_its_last_client(entra: Client, hr: Client) -> None:
    mira = entra.create(userName=MIRA)["id"]
    hr.change(mira, title="Welder")

    entra.remove(mira)
    hr.remove(mira)

    hr.create(userName=MIRA)
    assert entra.total() == hr.total() == 1


def test_a_user_keeps_what_it_has_when_the_client_that_told_everything_leaves(
    installation: Installation, entra: Client, hr: Client
) -> None:
    payroll = installation.client(installation.add_source("payroll-push"))
    mira = entra.create(userName=MIRA, emails=mail(MIRA), displayName="Mira")["id"]
    hr.change(mira, title="Welder")
    payroll.change(mira, nickName="Mi")

    entra.remove(mira)

    left = hr.read(mira)
    assert (left["userName"], left["displayName"], left["title"], left["nickName"]) == (MIRA, "Mira", "Welder", "Mi")
    hr.create(userName=MIRA, status=409)
    assert payroll.change(mira, nickName="Mimi")["userName"] == MIRA


def test_one_client_that_disables_is_enough(entra: Client, hr: Client) -> None:
    mira = entra.create(userName=MIRA)["id"]

    assert hr.change(mira, active=False)["active"] is False
    assert entra.change(mira, title="Welder", active=True)["active"] is False
    assert hr.change(mira, active=True)["active"] is True


@pytest.mark.parametrize(("policy", "active"), [("deactivate", False), ("ignore", True)])
def test_the_policy_of_a_source_may_keep_what_its_client_deletes(
    installation: Installation, entra: Client, policy: str, active: bool
) -> None:
    careful = installation.client(installation.add_source("careful", on_deleted=policy))
    mira = careful.create(userName=MIRA)["id"]

    careful.remove(mira)

    careful.read(mira, status=404)
    assert entra.read(mira)["active"] is active
    careful.create(userName=MIRA, status=409)


# The same person from another source


def linked_under(installation: Installation, user_id: str, object_id: str) -> None:
    """A pull has told of the same person: an Entra object with this id is linked to the user."""
    source = installation.sources.add(installation.tenant, "entra-pull", kind=SourceKind.ENTRA)
    pk = next(row["pk"] for row in installation.rows(resources) if row["id"] == user_id)
    link = StoredLink(
        source_id=source.id,
        source_kind="entra",
        source_rank=source.rank,
        immutable_id=object_id,
        state="present",
        enabled=True,
        origin="created",
        mapped=orjson.dumps({"userName": MIRA, "title": "Welder"}).decode(),
        times="{}",
        read_at="2026-03-02T08:00:00.000000Z",
    )
    with installation.database.writing(installation.tenant) as session:
        write_link(session, resource_type="User", pk=pk, link=link)
        write_anchors(session, source.id, object_id, {"entra_id": object_id})


def test_pull_then_push(installation: Installation, entra: Client, hr: Client) -> None:
    object_id = str(uuid4())
    pulled = hr.create(userName=MIRA, title="Welder")["id"]
    linked_under(installation, pulled, object_id)

    created = entra.create(userName=MIRA, externalId=object_id.upper(), nickName="Mi")

    assert (created["id"], created["nickName"], created["title"]) == (pulled, "Mi", "Welder")
    assert entra.total() == 1
    assert installation.cases() == {}
    again = entra.create(userName=MIRA, externalId=object_id, status=409)
    assert pulled in again["detail"]


def test_an_external_id_that_is_no_anchor_names_nobody(installation: Installation, hr: Client) -> None:
    object_id = str(uuid4())
    pulled = hr.create(userName=MIRA)["id"]
    linked_under(installation, pulled, object_id)
    other = installation.client(installation.add_source("okta", external_id_is_entra_object_id="false"))

    assert other.create(userName=TOVE, externalId=object_id)["id"] != pulled


def test_an_anchor_of_a_deleted_user_brings_nobody_back(installation: Installation, entra: Client) -> None:
    object_id = str(uuid4())
    gone = entra.create(userName=MIRA, externalId=object_id)["id"]
    entra.remove(gone)

    assert entra.create(userName=MIRA, externalId=object_id)["id"] != gone
