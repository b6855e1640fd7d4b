"""Who and what the Active Directory reader lets in, and how their attributes are read."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from connectors.active_directory.reader import ActiveDirectoryReader
from connectors.active_directory.values import to_filetime
from connectors.mapping import ENTERPRISE_URN
from scim_server.domain.observations import End, Evidence, Kind, Observation, ReadFailed
from tests.contract.mirror import Mirror, in_one
from tests.contract.test_active_directory import DISABLED, config
from tests.directories.samba import ROOT, Domain


@pytest.fixture
def base(samba: Domain) -> Iterator[str]:
    """An empty organizational unit."""
    made = samba.add_unit()
    yield made
    samba.delete_tree(made)


def everything(reader: ActiveDirectoryReader) -> dict[str, Observation]:
    observations, end = in_one(list(reader.read(None)))
    assert end.end is End.COMPLETE
    assert len({observation.immutable_id for observation in observations}) == len(observations)
    return {observation.immutable_id: observation for observation in observations}


def test_only_people_and_ordinary_groups_come_in(samba: Domain, base: str) -> None:
    person = samba.add_user(base, "Ann")
    group = samba.add_group(base, "Team")
    samba.connection.add(f"CN=Contact,{base}", "contact")
    samba.connection.add(f"CN=PC,{base}", "computer", {"sAMAccountName": "PC1$", "userAccountControl": 4096})
    assert set(everything(ActiveDirectoryReader(config(samba, base)))) == {person, group}
    names = {
        found.attributes.get("displayName") for found in everything(ActiveDirectoryReader(config(samba, ROOT))).values()
    }
    assert not names & {"Domain Admins", "Domain Users", "Administrators", "Denied RODC Password Replication Group"}
    users = {found.location.split(",")[0] for found in everything(ActiveDirectoryReader(config(samba, ROOT))).values()}
    assert not users & {"CN=Administrator", "CN=Guest", "CN=krbtgt", "CN=DC1"}


def test_the_default_mapping_reads_all_attributes_of_a_person(samba: Domain, base: str) -> None:
    boss = samba.add_user(base, "Boss")
    person = samba.add_user(
        base,
        "Ann",
        userPrincipalName="ann@default.test",
        givenName="Ann",
        sn="Ångström",
        displayName="Ann Ångström",
        mail="Ann@Default.test",
        proxyAddresses=["SMTP:ann@default.test", "smtp:a.a@default.test", "x500:/o=Ex", "SIP:ann@default.test"],
        telephoneNumber="+46 8 123",
        mobile="+46 70 1",
        title="Engineer",
        department="Research",
        employeeID="4711",
        manager=samba.dn(boss),
    )
    found = ActiveDirectoryReader(config(samba, base)).look_up([person])[person]
    assert found.attributes == {
        "userName": "ann@default.test",
        "name": {"givenName": "Ann", "familyName": "Ångström"},
        "displayName": "Ann Ångström",
        "emails": [
            {"value": "Ann@Default.test", "type": "work", "primary": True},
            {"value": "a.a@default.test", "type": "other"},
        ],
        "phoneNumbers": [{"value": "+46 8 123", "type": "work"}, {"value": "+46 70 1", "type": "mobile"}],
        "title": "Engineer",
        ENTERPRISE_URN: {"department": "Research", "employeeNumber": "4711"},
    }
    assert found.manager == boss
    assert found.anchors["ad_guid"] == person
    assert found.anchors["sid"].startswith("S-1-5-21-")
    assert found.created_at is not None
    assert found.location == samba.dn(person)


def test_a_person_without_principal_name_gets_domain_and_account_name(samba: Domain, base: str) -> None:
    person = samba.add_user(base, "Ann", sAMAccountName="ann.only")
    found = ActiveDirectoryReader(config(samba, base)).look_up([person])[person]
    assert found.attributes["userName"] == "ADTEST\\ann.only"
    assert found.attributes["emails"] is None


def test_the_primary_proxy_address_stands_in_for_a_missing_mail(samba: Domain, base: str) -> None:
    person = samba.add_user(base, "Ann", proxyAddresses=["smtp:alias@x.test", "SMTP:main@x.test"])
    found = ActiveDirectoryReader(config(samba, base)).look_up([person])[person]
    assert [(email["value"], email.get("primary", False)) for email in found.attributes["emails"]] == [
        ("main@x.test", True),
        ("alias@x.test", False),
    ]


def test_the_consistency_guid_is_the_anchor_where_it_is_set(samba: Domain, base: str) -> None:
    person = samba.add_user(base, "Ann")
    samba.set(person, **{"mS-DS-ConsistencyGuid": bytes(range(16))})
    found = ActiveDirectoryReader(config(samba, base)).look_up([person])[person]
    assert found.anchors["ad_guid"] == "03020100-0504-0706-0809-0a0b0c0d0e0f"
    assert found.immutable_id == person


@pytest.mark.parametrize(
    "name",
    [
        "Comma, Ann",
        'Quote "Q" #1',
        "#hash first",
        "plus+equals=",
        "back\\slash",
        "paren (x) *",
        " blanks ",
        "emoji 🙂 Zoë",
    ],
)
def test_any_common_name_is_read_linked_and_found(samba: Domain, base: str, name: str) -> None:
    boss = samba.add_user(base, name)
    person = samba.add_user(base, "Ann", manager=samba.dn(boss))
    team = samba.add_group(base, f"team of {name}", (boss,))
    reader = ActiveDirectoryReader(config(samba, base, scope_groups=samba.dn(team)))
    found = reader.look_up([boss, person, team])
    assert found[boss].evidence is Evidence.PRESENT
    assert found[person].manager == boss
    assert [member.immutable_id for member in found[team].members or ()] == [boss]
    assert [observation.immutable_id for observation in reader.find(name.strip())] == [boss]


def test_an_expired_person_is_disabled_from_that_moment_on(samba: Domain, base: str) -> None:
    today = datetime.now(UTC)
    person = samba.add_user(base, "Ann", accountExpires=str(to_filetime(today + timedelta(seconds=1))))
    never = samba.add_user(base, "Bob", accountExpires="0")
    tomorrow = ActiveDirectoryReader(config(samba, base), now=lambda: today + timedelta(days=1))
    found = tomorrow.look_up([person, never])
    assert (found[person].enabled, found[never].enabled) == (False, True)
    yesterday = ActiveDirectoryReader(config(samba, base), now=lambda: today - timedelta(days=1))
    assert yesterday.look_up([person])[person].enabled is True


@pytest.mark.parametrize("account", ["lister", "dirsync"])
def test_an_expiry_that_passed_since_the_cursor_is_noticed(samba: Domain, base: str, account: str) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    person = samba.add_user(base, "Ann", accountExpires=str(to_filetime(yesterday)))
    samba.add_user(base, "Bob")
    reader = ActiveDirectoryReader(config(samba, base, bind_as=account))
    cursor = json.loads(in_one(list(reader.read(None)))[1].cursor or "")
    cursor["time"] = to_filetime(yesterday - timedelta(hours=1))
    observations, _ = in_one(list(reader.read(json.dumps(cursor))))
    assert [found.enabled for found in observations if found.immutable_id == person] == [False]


def test_the_filter_decides_and_leaving_it_is_noticed(samba: Domain, base: str) -> None:
    staff = samba.add_user(base, "Ann", employeeType="staff")
    guest = samba.add_user(base, "Bob", employeeType="guest")
    for account in ("lister", "dirsync"):
        reader = ActiveDirectoryReader(config(samba, base, bind_as=account, user_filter="(employeeType=staff)"))
        mirror = Mirror(reader)
        mirror.read()
        assert set(mirror.present) == {staff}
        assert reader.look_up([guest])[guest].evidence is Evidence.OUT_OF_SCOPE
        samba.set(staff, employeeType="guest")
        samba.set(guest, employeeType="staff")
        _, end = mirror.read()
        assert end.full is False
        assert set(mirror.present) == {guest}
        samba.set(staff, employeeType="staff")
        samba.set(guest, employeeType="guest")


def test_someone_out_of_scope_shows_only_names(samba: Domain, base: str) -> None:
    person = samba.add_user(ROOT.replace("DC=ad", "CN=Users,DC=ad", 1), "Out", mail="private@x.test", title="Secret")
    found = ActiveDirectoryReader(config(samba, base)).look_up([person])[person]
    assert set(found.attributes) == {"userName"}
    samba.delete(person)


def test_overlapping_organizational_units_bring_everyone_once(samba: Domain, base: str) -> None:
    inner = samba.add_unit(base, "Inner")
    beside = samba.add_unit(base, "Beside")
    deep = samba.add_unit(inner, "Deep")
    ann, bob, cid = samba.add_user(inner, "Ann"), samba.add_user(beside, "Bob"), samba.add_user(deep, "Cid")
    samba.add_user(base, "Not chosen")
    units = f"{inner}\n{beside}\n{inner.upper()}\n{deep}"
    assert set(everything(ActiveDirectoryReader(config(samba, base, scope_ous=units)))) == {ann, bob, cid}


def test_scope_groups_let_in_direct_nested_and_primary_members_only(samba: Domain, base: str) -> None:
    ann, bob, eve = (samba.add_user(base, name) for name in ("Ann", "Bob", "Eve"))
    samba.add_user(base, "Outsider")
    inner = samba.add_group(base, "inner", (bob,))
    top = samba.add_group(base, "top", (ann, inner, eve))
    samba.add_member(inner, top)  # a circle
    samba.add_group(base, "unrelated", (ann,))
    samba.set(eve, primaryGroupID=str(samba.relative_id(top)))
    found = everything(ActiveDirectoryReader(config(samba, base, scope_groups=samba.dn(top))))
    assert set(found) == {ann, bob, eve, inner, top}
    assert {member.immutable_id for member in found[top].members or ()} == {ann, eve, inner}
    samba.set(eve, primaryGroupID="513")  # a primary group cannot be deleted


@pytest.mark.parametrize("account", ["ordinary", "dirsync"])
def test_entering_and_leaving_scope_groups_shows_in_incremental_reads(samba: Domain, base: str, account: str) -> None:
    ann, bob = samba.add_user(base, "Ann"), samba.add_user(base, "Bob")
    inner = samba.add_group(base, "inner", (ann,))
    top = samba.add_group(base, "top")
    samba.add_member(top, inner)
    mirror = Mirror(ActiveDirectoryReader(config(samba, base, bind_as=account, scope_groups=samba.dn(top))))
    mirror.read()
    assert set(mirror.present) == {ann, inner, top}
    samba.remove_member(inner, ann)
    samba.add_member(inner, bob)
    observations, end = mirror.read()
    assert end.full is False
    assert set(mirror.present) == {bob, inner, top}
    left = next(observation for observation in observations if observation.immutable_id == ann)
    assert left.evidence is Evidence.OUT_OF_SCOPE
    samba.remove_member(top, inner)
    mirror.read()
    assert set(mirror.present) == {top}


def test_a_missing_scope_group_is_an_error_and_not_an_empty_scope(samba: Domain, base: str) -> None:
    group = samba.add_group(base, "gone")
    reader = ActiveDirectoryReader(config(samba, base, scope_groups=samba.dn(group)))
    everything(reader)
    samba.delete(group)
    with pytest.raises(ReadFailed, match="does not exist"):
        list(reader.read(None))


def test_groups_can_be_left_out(samba: Domain, base: str) -> None:
    person = samba.add_user(base, "Ann")
    group = samba.add_group(base, "Team", (person,))
    reader = ActiveDirectoryReader(config(samba, base, import_groups="no"))
    assert set(everything(reader)) == {person}
    assert reader.look_up([group])[group].evidence is Evidence.OUT_OF_SCOPE
    filtered = ActiveDirectoryReader(config(samba, base, group_filter="(cn=other)"))
    assert set(everything(filtered)) == {person}


def test_contacts_are_no_members(samba: Domain, base: str) -> None:
    person = samba.add_user(base, "Ann")
    group = samba.add_group(base, "Team", (person,))
    contact = f"CN=Contact,{base}"
    samba.connection.add(contact, "contact")
    samba.add_member(group, samba.guid(contact))
    found = everything(ActiveDirectoryReader(config(samba, base)))
    assert [member.immutable_id for member in found[group].members or ()] == [person]


def test_a_deleted_and_recreated_person_has_a_new_immutable_id(samba: Domain, base: str) -> None:
    before = samba.add_user(base, "Ann", userPrincipalName="ann@again.test", sAMAccountName="ann.again")
    mirror = Mirror(ActiveDirectoryReader(config(samba, base)))
    mirror.read()
    samba.delete(before)
    after = samba.add_user(base, "Ann", userPrincipalName="ann@again.test", sAMAccountName="ann.again")
    mirror.read()
    assert set(mirror.present) == {after}
    assert after != before


def test_every_page_is_small_and_the_content_does_not_depend_on_its_size(samba: Domain, base: str) -> None:
    people = {samba.add_user(base, f"Person {number}") for number in range(7)}
    for size in (1, 2, 7, 8):
        pages = list(ActiveDirectoryReader(config(samba, base, page_size=str(size))).read(None))
        assert max(len(page.observations) for page in pages) <= size
        assert {observation.immutable_id for page in pages for observation in page.observations} == people


def test_the_hash_changes_with_the_content_and_only_with_it(samba: Domain, base: str) -> None:
    person = samba.add_user(base, "Ann", title="Engineer")
    reader = ActiveDirectoryReader(config(samba, base))
    first = reader.look_up([person])[person].raw_hash
    samba.set(person, description="not mapped")
    assert reader.look_up([person])[person].raw_hash == first
    samba.set(person, userAccountControl=DISABLED)
    disabled = reader.look_up([person])[person].raw_hash
    samba.set(person, userAccountControl=512, title="Director")
    assert len({first, disabled, reader.look_up([person])[person].raw_hash}) == 3


def test_an_unlisted_deleted_object_is_reported_deleted_to_any_account(samba: Domain, base: str) -> None:
    for account in ("ordinary", "lister", "dirsync"):
        person = samba.add_user(base, "Ann")
        samba.delete(person)
        found = ActiveDirectoryReader(config(samba, base, bind_as=account)).look_up([person])
        assert found[person].evidence in (Evidence.DELETED, Evidence.SOFT_DELETED)


def test_a_text_that_is_no_guid_is_no_id(samba: Domain, base: str) -> None:
    person = samba.add_user(base, "Ann")
    found = ActiveDirectoryReader(config(samba, base)).look_up([person, "no id", person.upper(), f"{{{person}}}"])
    assert set(found) == {person}


def test_browsing_shows_units_and_groups_with_what_lies_below(samba: Domain, base: str) -> None:
    samba.add_unit(base, "Branch")
    leaf = samba.add_unit(f"OU=Branch,{base}", "Leaf")
    samba.add_group(base, "Team")
    samba.add_user(base, "Ann")
    reader = ActiveDirectoryReader(config(samba, base))
    assert [(place.id, place.has_children) for place in reader.browse(None)] == [(base, True)]
    below = reader.browse(base)
    assert [(place.name, place.kind, place.has_children) for place in below] == [
        ("Branch", "organizational unit", True),
        ("Team", "group", False),
    ]
    assert [place.id for place in reader.browse(below[0].id)] == [leaf]
    assert all(observation.kind is not Kind.GROUP for observation in reader.find("Ann"))
