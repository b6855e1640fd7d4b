"""What the store promises the reconciler and the readers, whichever database lies beneath."""

import orjson
import pytest
from sqlalchemy import bindparam, select

from scim_server.admin.secrets import Secrets
from scim_server.admin.sources import SourceKind, Sources
from scim_server.admin.tenants import PUSH_SOURCE, Tenants
from scim_server.domain.keys import EMAIL, USERNAME, Claim, Role, Wanted
from scim_server.domain.times import SystemClock
from scim_server.store.engine import Database, Session
from scim_server.store.identities import claims, duplicates, links, members, resources
from scim_server.store.identities.changes import write_change
from scim_server.store.identities.claims import ClaimLost
from scim_server.store.identities.duplicates import Case
from scim_server.store.identities.links import StoredLink
from scim_server.store.identities.resources import NewState
from scim_server.store.reads.duplicates import count_cases, find_case, list_cases
from scim_server.store.reads.resources import MemberOf, find_resource, groups_of, members_of
from scim_server.store.statements import Statement
from scim_server.store.tables import identities as tables

MIRA = Claim(USERNAME, "mira")
TOVE = Claim(USERNAME, "tove")
EARLY, LATE = "2026-03-02T09:14:07.000000Z", "2026-03-03T09:14:07.000000Z"


class Store:
    """A database with two tenants, each with two sources of pushes; the first tenant is the one that is used."""

    def __init__(self, database: Database) -> None:
        self.database = database
        clock = SystemClock()
        tenants, sources = Tenants(database, clock), Sources(database, clock, Secrets(("k" * 32,)))
        self.tenant, self.stranger = (tenants.create(name).id for name in ("ours", "theirs"))
        self.push = sources.get(self.tenant, PUSH_SOURCE).id
        self.pull = sources.add(self.tenant, "pull", SourceKind.ENTRA).id


def user(session: Session, name: str, *, kind: str = "User", active: bool = True) -> int:
    """A counted resource of that name; its id is ``id of <name>``."""
    text = orjson.dumps({"id": f"id of {name}", "userName": name}).decode()
    pk = resources.insert_resource(session, kind, f"id of {name}", NewState(text, name, active, EARLY))
    resources.change_count(session, kind, +1)
    return pk


def wanted(claim: Claim, role: Role = "primary") -> Wanted:
    return Wanted(claim, claim.key, role, "userName")


def link(source: int, immutable_id: str, *, state: str = "present") -> StoredLink:
    return StoredLink(source, "scim", 20, immutable_id, state, True, "created", '{"title":"A"}', "{}", EARLY)


def case(store: Store, holder: int, *, claim: Claim = MIRA, pk: int | None = None, at: str = EARLY) -> Case:
    return Case(
        source=store.push,
        immutable_id="e-1",
        resource_type="User",
        pk=pk,
        claim=claim,
        raw=claim.key,
        kind="username",
        holder=holder,
        channel="push",
        mapped="{}",
        at=at,
    )


_CHANGES = Statement(
    select(tables.changes.c.action, tables.changes.c.before, tables.changes.c.after)
    .where(tables.changes.c.tenant_id == bindparam("tenant"))
    .order_by(tables.changes.c.seq)
)
_LIVE = Statement(
    select(tables.counts.c.type, tables.counts.c.live).where(tables.counts.c.tenant_id == bindparam("tenant"))
)
_VALUES = Statement(
    select(
        tables.attribute_values.c.attribute, tables.attribute_values.c.element, tables.attribute_values.c.head
    ).where(tables.attribute_values.c.tenant_id == bindparam("tenant"))
)


class StoreContract:
    """The same promises for every database; a subclass brings the fixture ``store``."""

    # Transactions

    def test_a_transaction_that_fails_leaves_nothing(self, store: Store) -> None:
        def fail() -> None:
            with store.database.writing(store.tenant) as session:
                claims.take(session, user(session, "mira"), [wanted(MIRA)])
                raise RuntimeError("midway")

        with pytest.raises(RuntimeError):
            fail()

        with store.database.reading(store.tenant) as session:
            assert find_resource(session, "User", "id of mira", store.push) is None
            assert claims.holders(session, [MIRA]) == {}
            assert session.all(_LIVE) == []

    def test_a_reader_sees_what_is_committed_while_another_writes(self, store: Store) -> None:
        with store.database.writing(store.tenant) as session:
            user(session, "mira")
            with store.database.reading(store.tenant) as other:
                assert find_resource(other, "User", "id of mira", store.push) is None

        with store.database.reading(store.tenant) as session:
            assert find_resource(session, "User", "id of mira", store.push) is not None

    # Resources

    def test_a_resource_is_read_as_it_was_written(self, store: Store) -> None:
        with store.database.writing(store.tenant) as session:
            pk = user(session, "Mira \u0440 \U0001f600", active=False)
            loaded = resources.load(session, "User", "id of Mira \u0440 \U0001f600", store.push)
            found = find_resource(session, "User", "id of Mira \u0440 \U0001f600", store.push)

        assert loaded is not None
        assert found is not None
        assert (loaded.pk, loaded.version, bool(loaded.active), loaded.created_at) == (pk, 1, False, EARLY)
        assert (found.document, found.version, found.modified_at) == (loaded.document, 1, EARLY)
        assert orjson.loads(found.document)["userName"] == "Mira \u0440 \U0001f600"
        assert not found.in_group

    def test_each_change_is_a_version(self, store: Store) -> None:
        with store.database.writing(store.tenant) as session:
            pk = user(session, "mira")
            resources.update_resource(session, pk, NewState("{}", "Mira O.", False, LATE))
            resources.touch(session, pk, LATE)
            found = resources.load_by_key(session, pk)

        assert found is not None
        assert (found.version, found.document, found.modified_at, found.created_at) == (3, "{}", LATE, EARLY)

    def test_a_resource_has_one_type(self, store: Store) -> None:
        with store.database.writing(store.tenant) as session:
            user(session, "mira")
            assert resources.load(session, "Group", "id of mira", store.push) is None
            assert find_resource(session, "Group", "id of mira", store.push) is None

    def test_the_dead_are_not_seen_until_they_are_revived(self, store: Store) -> None:
        with store.database.writing(store.tenant) as session:
            pk = user(session, "mira")
            resources.write_values(session, pk, [], [(7, 0, "mira", "")])
            resources.bury(session, pk, "User", LATE)
            assert find_resource(session, "User", "id of mira", store.push) is None
            assert resources.load(session, "User", "id of mira", store.push) is None
            assert session.all(_VALUES) == []
            assert session.all(_LIVE) == [("User", 0)]
            dead = resources.load_by_key(session, pk)
            assert dead is not None
            assert (dead.state, dead.version) == ("tombstone", 2)

            resources.revive(session, pk, "User", LATE)
            assert resources.load(session, "User", "id of mira", store.push) is not None
            assert session.all(_LIVE) == [("User", 1)]

    def test_counts_are_kept_for_each_type(self, store: Store) -> None:
        with store.database.writing(store.tenant) as session:
            user(session, "mira")
            user(session, "tove")
            user(session, "welders", kind="Group")
            resources.change_count(session, "User", +5)
            assert sorted(session.all(_LIVE)) == [("Group", 1), ("User", 7)]

    def test_only_values_that_differ_are_written(self, store: Store) -> None:
        with store.database.writing(store.tenant) as session:
            pk = user(session, "mira")
            before = [(1, 0, "a", ""), (2, 0, "b", ""), (3, 0, "c", ""), (3, 1, "d", "")]
            after = [(1, 0, "a", ""), (2, 0, "B", ""), (3, 0, "d", ""), (4, 0, "new", "")]
            resources.write_values(session, pk, [], before)
            resources.write_values(session, pk, before, after)
            assert sorted(session.all(_VALUES)) == [(row[0], row[1], row[2]) for row in after]

    # Claims

    def test_a_claim_has_one_holder(self, store: Store) -> None:
        with store.database.writing(store.tenant) as session:
            mira, tove = user(session, "mira"), user(session, "tove", active=False)
            claims.take(session, mira, [wanted(MIRA), wanted(Claim(EMAIL, "mira"), "login")])
            claims.take(session, tove, [wanted(TOVE)])
            found = claims.holders(
                session, [MIRA, TOVE, Claim(EMAIL, "mira"), Claim(EMAIL, "tove"), Claim("group", "x")]
            )
            with pytest.raises(ClaimLost):
                claims.take(session, tove, [wanted(MIRA)])

        assert {claim: (holder.id, holder.role, holder.active) for claim, holder in found.items()} == {
            MIRA: ("id of mira", "primary", True),
            Claim(EMAIL, "mira"): ("id of mira", "login", True),
            TOVE: ("id of tove", "primary", False),
        }

    def test_many_claims_are_looked_up_at_once(self, store: Store) -> None:
        keys = [Claim(USERNAME, f"person {number}") for number in range(9)]
        with store.database.writing(store.tenant) as session:
            claims.take(session, user(session, "mira"), [wanted(key) for key in keys])
            assert set(claims.holders(session, [*keys, TOVE])) == set(keys)
            assert claims.holders(session, []) == {}

    def test_a_dropped_claim_is_free(self, store: Store) -> None:
        with store.database.writing(store.tenant) as session:
            mira, tove = user(session, "mira"), user(session, "tove")
            claims.take(session, mira, [wanted(MIRA), wanted(TOVE)])
            claims.drop(session, tove, [MIRA])
            assert claims.witness(session, MIRA) == mira, "nobody drops what another holds"
            claims.drop(session, mira, [MIRA])
            claims.take(session, tove, [wanted(MIRA)])
            assert (claims.held_by(session, mira), claims.held_by(session, tove)) == ({TOVE}, {MIRA})
            claims.drop_all(session, mira)
            assert claims.held_by(session, mira) == frozenset()
            assert claims.witness(session, TOVE) is None

    # Members

    def test_members_change_as_sets(self, store: Store) -> None:
        with store.database.writing(store.tenant) as session:
            group = user(session, "welders", kind="Group")
            mira, tove, olga = (user(session, name) for name in ("mira", "tove", "olga"))
            assert members.add_members(session, group, [mira, tove]) == 2
            assert members.add_members(session, group, [tove, olga]) == 1
            assert members.remove_members(session, group, [mira, group]) == 1
            assert [row[0] for row in members_of(session, group)] == ["id of tove", "id of olga"]
            assert members.replace_members(session, group, [tove, mira]) == 2
            assert members.replace_members(session, group, [mira, tove]) == 0
            assert members.clear_members(session, group) == 2
            assert list(members_of(session, group)) == []

    def test_ids_lead_to_numbers(self, store: Store) -> None:
        with store.database.writing(store.tenant) as session:
            mira, group = user(session, "mira"), user(session, "welders", kind="Group")
            found = members.numbers_of(session, ["id of mira", "id of welders", "nobody", 'quote " and \\'])
            assert found == {"id of mira": mira, "id of welders": group}
            assert members.numbers_of(session, []) == {}

    def test_groups_are_found_through_groups_even_in_a_ring(self, store: Store) -> None:
        with store.database.writing(store.tenant) as session:
            mira, tove = user(session, "mira"), user(session, "tove")
            inner, outer = user(session, "inner", kind="Group"), user(session, "outer", kind="Group")
            members.add_members(session, inner, [mira, outer])
            members.add_members(session, outer, [inner])
            found = groups_of(session, [mira, tove])
            row = find_resource(session, "User", "id of mira", store.push)

        assert found == {mira: [MemberOf("id of inner", "inner", True), MemberOf("id of outer", "outer", False)]}
        assert row is not None
        assert row.in_group

    # Links and anchors

    def test_a_link_is_written_once_for_each_object(self, store: Store) -> None:
        with store.database.writing(store.tenant) as session:
            mira = user(session, "mira")
            links.write_link(session, resource_type="User", pk=mira, link=link(store.push, "e-1"))
            links.write_link(
                session, resource_type="User", pk=mira, link=link(store.push, "e-1")._replace(mapped='{"title":"B"}')
            )
            links.write_link(session, resource_type="User", pk=mira, link=link(store.pull, "o-1"))
            found = {each.source_id: each for each in links.links_of(session, mira)}

        assert found.keys() == {store.push, store.pull}
        assert (found[store.push].mapped, found[store.push].source_kind) == ('{"title":"B"}', "scim")
        assert found[store.pull].source_kind == "entra"

    def test_whoever_ended_its_link_sees_the_resource_no_more(self, store: Store) -> None:
        with store.database.writing(store.tenant) as session:
            mira = user(session, "mira")
            for source in (store.push, store.pull):
                links.write_link(session, resource_type="User", pk=mira, link=link(source, "e-1"))
            assert links.end_link(session, mira, store.push)
            assert not links.end_link(session, mira + 1, store.push)
            assert find_resource(session, "User", "id of mira", store.push) is None
            assert resources.load(session, "User", "id of mira", store.push) is None
            assert find_resource(session, "User", "id of mira", store.pull) is not None
            assert resources.sources_elsewhere(session, mira, store.push) == [store.pull]
            links.end_all_links(session, mira)
            assert {each.state for each in links.links_of(session, mira)} == {"deleted"}

    def test_anchors_lead_to_the_resources_of_present_objects(self, store: Store) -> None:
        with store.database.writing(store.tenant) as session:
            mira = user(session, "mira")
            links.write_link(session, resource_type="User", pk=mira, link=link(store.pull, "o-1"))
            links.write_anchors(session, store.pull, "o-1", {"entra_id": "A", "consistency": "B"})
            assert links.find_by_anchor(session, "entra_id", "A") == [mira]
            assert links.find_by_anchor(session, "consistency", "A") == []
            links.write_anchors(session, store.pull, "o-1", {"entra_id": "C"})
            assert (
                links.find_by_anchor(session, "entra_id", "A")
                == links.find_by_anchor(session, "consistency", "B")
                == []
            )
            links.end_all_links(session, mira)
            assert links.find_by_anchor(session, "entra_id", "C") == []

    # Duplicates

    def test_a_case_that_comes_again_is_seen_again(self, store: Store) -> None:
        with store.database.writing(store.tenant) as session:
            mira, tove = user(session, "mira"), user(session, "tove")
            duplicates.write_case(session, case(store, mira))
            duplicates.write_case(session, case(store, tove, at=LATE))
            duplicates.write_case(session, case(store, tove, claim=TOVE))
            found = {each.value: each for each in list_cases(session, "open", 10)}

        assert (found["mira"].seen, found["mira"].first_at, found["mira"].last_at) == (2, EARLY, LATE)
        assert (found["mira"].holder_id, found["mira"].holder_display) == ("id of tove", "tove")
        assert found["tove"].seen == 1

    def test_a_case_that_is_over_comes_again_as_another(self, store: Store) -> None:
        with store.database.writing(store.tenant) as session:
            mira = user(session, "mira")
            duplicates.write_case(session, case(store, mira))
            duplicates.clear_object(session, store.push, "e-1", LATE)
            duplicates.write_case(session, case(store, mira))
            assert count_cases(session) == {"open": 1, "dismissed": 0, "resolved": 0, "cleared": 1}
            duplicates.clear_key(session, TOVE, LATE)
            assert count_cases(session)["open"] == 1
            duplicates.clear_key(session, MIRA, LATE)
            assert count_cases(session)["open"] == 0

    def test_refusals_are_found_by_the_value_they_wait_for(self, store: Store) -> None:
        with store.database.writing(store.tenant) as session:
            mira, tove = user(session, "mira"), user(session, "tove")
            duplicates.write_case(session, case(store, mira, pk=tove))
            assert [each.pk for each in duplicates.refusals_of(session, store.push, MIRA)] == [tove]
            assert duplicates.refusals_of(session, store.push, TOVE) == []
            assert duplicates.refusals_of(session, store.pull, MIRA) == []
            duplicates.pass_on(session, MIRA, tove)
            assert list_cases(session, "open", 1)[0].holder_id == "id of tove"

    def test_cases_come_in_pages_with_the_newest_first(self, store: Store) -> None:
        with store.database.writing(store.tenant) as session:
            mira = user(session, "mira")
            for number in range(7):
                at = f"2026-03-0{number // 2 + 1}T09:14:07.000000Z"
                duplicates.write_case(session, case(store, mira, claim=Claim(USERNAME, str(number)), at=at))
            pages = [list_cases(session, "open", 3)]
            while pages[-1]:
                pages.append(list_cases(session, "open", 3, pages[-1][-1]))

            found = [each for page in pages for each in page]
            assert [len(page) for page in pages] == [3, 3, 1, 0]
            assert len({each.id for each in found}) == 7
            assert [each.last_at for each in found] == sorted((each.last_at for each in found), reverse=True)
            assert find_case(session, found[0].id) == found[0]
            assert find_case(session, "nobody") is None

    # The change log

    def test_entries_stay_in_their_order(self, store: Store) -> None:
        with store.database.writing(store.tenant) as session:
            pk = user(session, "mira")
            for action in ("created", "modified"):
                write_change(
                    session,
                    pk=pk,
                    resource_id="id of mira",
                    resource_type="User",
                    action=action,
                    channel="push",
                    source=store.push,
                    actor="test",
                    before="{}",
                    after='{"title":"\u0440"}',
                    at=EARLY,
                )
            assert session.all(_CHANGES) == [(each, "{}", '{"title":"\u0440"}') for each in ("created", "modified")]

    # Tenants

    def test_a_tenant_sees_and_changes_nothing_of_another(self, store: Store) -> None:
        with store.database.writing(store.tenant) as session:
            mira, group = user(session, "mira"), user(session, "welders", kind="Group")
            claims.take(session, mira, [wanted(MIRA)])
            members.add_members(session, group, [mira])
            links.write_link(session, resource_type="User", pk=mira, link=link(store.pull, "o-1"))
            links.write_anchors(session, store.pull, "o-1", {"entra_id": "A"})
            duplicates.write_case(session, case(store, mira))

        with store.database.writing(store.stranger) as session:
            assert find_resource(session, "User", "id of mira", store.push) is None
            assert resources.load(session, "User", "id of mira", store.push) is None
            assert resources.load_by_key(session, mira) is None
            assert claims.holders(session, [MIRA]) == {}
            assert claims.held_by(session, mira) == frozenset()
            assert members.numbers_of(session, ["id of mira"]) == {}
            assert list(members_of(session, group)) == []
            assert groups_of(session, [mira]) == {}
            assert links.links_of(session, mira) == []
            assert links.find_by_anchor(session, "entra_id", "A") == []
            assert list_cases(session, "open", 10) == []
            assert session.all(_LIVE) == []
            claims.drop_all(session, mira)
            members.clear_members(session, group)
            links.end_all_links(session, mira)
            duplicates.clear_key(session, MIRA, LATE)
            resources.touch(session, mira, LATE)
            claims.take(session, user(session, "theirs"), [wanted(MIRA)])

        with store.database.reading(store.tenant) as session:
            found = find_resource(session, "User", "id of mira", store.push)
            assert found is not None
            assert found.version == 1
            assert claims.witness(session, MIRA) == mira
            assert len(list(members_of(session, group))) == 1
            assert links.links_of(session, mira)[0].state == "present"
            assert len(list_cases(session, "open", 10)) == 1
