"""Which source decides, whether a user is active, and what the loss of a link means."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scim_server.domain.authority import Lifecycle, effective, is_active, lifecycle
from scim_server.domain.identities import Link, SourceRef, derive_user_id

AD, ENTRA, PUSH, LOCAL, HR = 1, 2, 3, 4, 5
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOURCES = {
    AD: SourceRef(AD, "ad", 10),
    ENTRA: SourceRef(ENTRA, "entra", 20, realm="contoso"),
    PUSH: SourceRef(PUSH, "scim", 21, realm="contoso"),
    LOCAL: SourceRef(LOCAL, "local", 90),
    HR: SourceRef(HR, "file", 30),
}


def link(source_id: int, *, minutes: int = 0, state: str = "present", **facts: Any) -> Link:
    return Link(source_id, f"object-{source_id}", state, read_at=NOON + timedelta(minutes=minutes), **facts)


def with_policy(source_id: int, **policy: Any) -> dict[int, SourceRef]:
    source = SOURCES[source_id]
    return {**SOURCES, source_id: SourceRef(source.id, source.kind, source.rank, realm=source.realm, **policy)}


def test_a_user_with_one_link_is_what_its_source_says() -> None:
    said = effective([link(AD, mapped={"title": "Dr", "nickName": None}, enabled=True)], SOURCES)
    assert said.attributes == {"title": "Dr", "active": True}
    assert said.provenance == {"title": (AD, NOON)}


def test_each_attribute_comes_from_the_best_ranked_source_that_provides_it() -> None:
    links = [
        link(PUSH, mapped={"title": "Mx", "locale": "de", "nickName": "A"}),
        link(AD, mapped={"title": "Dr"}),
        link(HR, mapped={"nickName": "B", "userType": "staff"}),
    ]
    said = effective(links, SOURCES)
    assert said.attributes == {"title": "Dr", "locale": "de", "nickName": "A", "userType": "staff"}
    assert {name: source for name, (source, _) in said.provenance.items()} == {
        "title": AD,
        "locale": PUSH,
        "nickName": PUSH,
        "userType": HR,
    }
    assert effective(links[::-1], SOURCES).attributes == said.attributes


def test_a_link_that_is_not_present_provides_nothing() -> None:
    links = [link(AD, state="out_of_scope", mapped={"title": "Dr"}), link(ENTRA, mapped={"title": "Mx"}, copied=False)]
    assert effective(links, SOURCES).attributes == {"title": "Mx"}


def test_single_attributes_can_have_an_order_of_their_own() -> None:
    links = [link(AD, mapped={"title": "Dr", "locale": "en"}), link(HR, mapped={"title": "Prof", "locale": "de"})]
    assert effective(links, SOURCES, orders={"title": [HR]}).attributes == {"title": "Prof", "locale": "en"}


def test_a_pinned_local_value_outranks_every_source_and_another_local_value_none() -> None:
    local = link(LOCAL, mapped={"title": "Chief", "locale": "fr", "nickName": "C"}, pinned=frozenset({"title"}))
    said = effective([link(AD, mapped={"title": "Dr", "locale": "en"}), local], SOURCES)
    assert said.attributes == {"title": "Chief", "locale": "en", "nickName": "C"}


def test_without_a_list_of_pins_every_local_value_is_pinned() -> None:
    links = [link(AD, mapped={"title": "Dr"}), link(LOCAL, mapped={"title": "Chief"})]
    assert effective(links, SOURCES).attributes == {"title": "Chief"}


@pytest.mark.parametrize(
    ("null_handling", "title"), [("none", "pushed"), ("fill_empty", "from HR"), ("overwrite", None)]
)
def test_a_null_that_was_read_says_nothing_or_empties_its_realm_or_everything(
    null_handling: str, title: str | None
) -> None:
    links = [
        link(PUSH, mapped={"title": "pushed"}),
        link(ENTRA, minutes=60, mapped={"title": None}),
        link(HR, mapped={"title": "from HR"}),
    ]
    said = effective(links, with_policy(ENTRA, null_handling=null_handling))
    assert said.attributes.get("title") == title


def test_a_pushed_removal_counts_against_an_older_pull_but_lets_the_next_source_fill_the_gap() -> None:
    links = [link(PUSH, minutes=1, mapped={"title": None}), link(ENTRA, mapped={"title": "read"})]
    assert "title" not in effective(links, SOURCES).attributes
    assert effective([*links, link(HR, mapped={"title": "from HR"})], SOURCES).attributes == {"title": "from HR"}


@pytest.mark.parametrize(
    ("minutes", "title", "deferred"),
    [(-60, "pushed", {"title"}), (0, "pushed", {"title"}), (14, "pushed", {"title"}), (15, "read", set())],
)
def test_a_pull_overrules_a_push_of_the_same_realm_only_from_the_grace_on(
    minutes: int, title: str, deferred: set[str]
) -> None:
    links = [link(PUSH, mapped={"title": "pushed"}), link(ENTRA, minutes=minutes, mapped={"title": "read"})]
    said = effective(links, SOURCES)
    assert (said.attributes["title"], said.deferred) == (title, deferred)


def test_nothing_is_deferred_where_pull_and_push_say_the_same() -> None:
    links = [link(PUSH, mapped={"title": "Dr"}), link(ENTRA, mapped={"title": " Dr "})]
    assert effective(links, SOURCES).deferred == frozenset()


def test_each_attribute_has_its_own_time() -> None:
    pushed = link(PUSH, mapped={"title": "p", "locale": "p"}, times={"locale": NOON + timedelta(hours=2)})
    said = effective([pushed, link(ENTRA, minutes=60, mapped={"title": "r", "locale": "r"})], SOURCES)
    assert said.attributes == {"title": "r", "locale": "p"}
    assert said.provenance["locale"] == (PUSH, NOON + timedelta(hours=2))
    assert said.deferred == {"locale"}


def test_same_person_ad_and_entra_by_anchor_ad_wins_until_entra_says_it_is_no_copy_any_more() -> None:
    ad = link(AD, mapped={"title": "AD"})
    copy = link(ENTRA, mapped={"title": "Entra"}, origin="anchor", copied=True)
    cloud = link(ENTRA, mapped={"title": "Entra"}, origin="anchor", copied=False)
    independent = link(ENTRA, mapped={"title": "Entra"}, origin="strong", copied=False)
    assert effective([ad, copy], SOURCES).attributes["title"] == "AD"
    assert effective([ad, cloud], SOURCES).attributes["title"] == "Entra"
    assert effective([ad, independent], SOURCES).attributes["title"] == "AD"


@pytest.mark.parametrize(
    ("links", "active"),
    [
        ([], None),
        ([link(AD)], None),
        ([link(AD, enabled=True), link(HR)], True),
        ([link(AD, enabled=True), link(ENTRA, enabled=False)], False),
        ([link(AD, enabled=True), link(PUSH, mapped={"active": False})], False),
        ([link(AD, enabled=True), link(HR, enabled=False, state="deleted")], True),
    ],
)
def test_active_needs_every_present_link_that_has_a_flag(links: list[Link], active: bool | None) -> None:
    assert is_active(links, SOURCES) is active
    assert effective(links, SOURCES).attributes.get("active") is active
    assert is_active(links, SOURCES, admin_block=True) is False


def test_a_source_whose_disabled_objects_are_to_be_ignored_denies_nothing_but_a_pushed_active_does() -> None:
    links = [link(AD, enabled=True), link(HR, enabled=False)]
    assert is_active(links, with_policy(HR, on_disabled="ignore")) is True
    pushed = [link(AD, enabled=True), link(PUSH, enabled=False, mapped={"active": False})]
    assert is_active(pushed, with_policy(PUSH, on_disabled="ignore")) is False


@pytest.mark.parametrize(
    ("links", "fate"),
    [
        ([], "live"),
        ([link(AD, state="deleted")], "gone"),
        ([link(AD, state="out_of_scope")], "inactive"),
        ([link(AD, state="deleted"), link(ENTRA, copied=True)], "inactive"),
        ([link(AD, state="deleted"), link(PUSH)], "inactive"),
        ([link(AD, state="deleted"), link(ENTRA, copied=False)], "live"),
        ([link(AD, state="deleted"), link(HR)], "live"),
        ([link(AD, state="deleted"), link(ENTRA, copied=True), link(HR)], "live"),
        ([link(AD), link(ENTRA, state="deleted")], "live"),
        ([link(ENTRA, copied=True), link(PUSH, state="deleted")], "live"),
        ([link(AD, state="deleted"), link(LOCAL, origin="manual")], "gone"),
        ([link(AD, state="deleted"), link(LOCAL, origin="created")], "live"),
        ([link(AD, state="out_of_scope"), link(ENTRA, state="deleted")], "inactive"),
    ],
)
def test_deletion_needs_the_last_link_gone_and_a_copy_alone_keeps_nobody_active(links: list[Link], fate: str) -> None:
    assert lifecycle(links, SOURCES) == fate
    assert lifecycle(links[::-1], SOURCES) == fate
    assert (is_active(links, SOURCES) is False) == (fate != "live")


@pytest.mark.parametrize(("policy", "fate"), [("delete", "gone"), ("deactivate", "inactive"), ("ignore", "live")])
def test_the_policy_of_the_source_decides_what_a_deletion_means(policy: str, fate: str) -> None:
    assert lifecycle([link(AD, state="deleted")], with_policy(AD, on_deleted=policy)) == fate


def test_a_disabled_object_counts_as_deleted_where_the_source_says_so() -> None:
    disabled = [link(AD, enabled=False)]
    assert lifecycle(disabled, SOURCES) is Lifecycle.LIVE
    assert lifecycle(disabled, with_policy(AD, on_disabled="delete")) is Lifecycle.GONE


def test_ignoring_the_loss_of_the_primary_source_keeps_the_copy_active() -> None:
    links = [link(AD, state="deleted"), link(ENTRA, copied=True, enabled=True)]
    assert is_active(links, with_policy(AD, on_deleted="ignore")) is True


def test_the_same_object_gets_the_same_user_id_in_every_preview() -> None:
    assert derive_user_id(AD, "x") == derive_user_id(AD, "x")
    assert len({derive_user_id(AD, "x"), derive_user_id(ENTRA, "x"), derive_user_id(AD, "y")}) == 3
