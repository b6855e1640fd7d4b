"""To which user an observed object belongs."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from scim_server.domain.correlate import Correlation, Match, correlate
from scim_server.domain.identities import Link, SourceRef
from scim_server.domain.keys import EMAIL, USERNAME, Claim, claims_of
from scim_server.domain.observations import Evidence, Kind, Observation

AD = SourceRef(1, "ad", 10, strong_keys=("employeeNumber", "urn:x:User:badge"))
ADOPTING = SourceRef(1, "ad", 10, weak="adopt")
ANN_NAME, ANN_MAIL = Claim(USERNAME, "ann"), Claim(EMAIL, "ann@contoso.com")
Found = Mapping[Any, list[Match]]
NOTHING: Found = {}


def observed(
    *,
    link: Link | None = None,
    source: SourceRef = AD,
    anchors: Found = NOTHING,
    strong: Found = NOTHING,
    weak: Found = NOTHING,
) -> Correlation:
    """Ann as read from Active Directory, against what the look-ups find."""
    attributes = {
        "userName": "ann",
        "emails": [{"value": "ann@contoso.com"}, {"value": "a.lee@contoso.com"}],
        "employeeNumber": " 42 ",
        "urn:x:User": {"badge": "b7"},
    }
    observation = Observation(
        Kind.USER,
        "guid",
        Evidence.PRESENT,
        datetime(2026, 3, 1, tzinfo=UTC),
        attributes=attributes,
        anchors={"ad_guid": "g", "sid": "s"},
    )
    return correlate(
        observation,
        link=link,
        anchors=lambda kind, value: anchors.get((kind, value), []),
        strong=lambda name, value: strong.get((name, value), []),
        weak=lambda claim: weak.get(claim, []),
        source=source,
        wanted=claims_of(attributes),
    )


def verdict(correlation: Correlation) -> tuple[str, str | None]:
    assert correlation.reason
    return correlation.outcome, correlation.user_id


EVERYWHERE: dict[str, Found] = {
    "anchors": {("ad_guid", "g"): [Match("other")]},
    "strong": {("employeeNumber", "42"): [Match("another")]},
    "weak": {ANN_NAME: [Match("somebody")]},
}


def test_an_existing_link_decides_whatever_names_and_anchors_say() -> None:
    link = Link(1, "guid", user_id="ann")
    assert verdict(observed(link=link, **EVERYWHERE)) == ("linked", "ann")


def test_an_anchor_decides_before_strong_keys_and_names() -> None:
    found = observed(**EVERYWHERE)
    assert (verdict(found), found.by) == (("matched", "other"), "ad_guid")


def test_a_strong_key_matches_exactly_one_live_user() -> None:
    assert verdict(observed(strong=EVERYWHERE["strong"])) == ("matched", "another")
    assert verdict(observed(strong={("urn:x:User:badge", "b7"): [Match("bob")]})) == ("matched", "bob")
    dead = [Match("gone", is_live=False)]
    assert verdict(observed(strong={("employeeNumber", "42"): dead})) == ("unmatched", None)


@pytest.mark.parametrize(
    "found",
    [
        {"anchors": {("ad_guid", "g"): [Match("a")], ("sid", "s"): [Match("b")]}},
        {"strong": {("employeeNumber", "42"): [Match("a")], ("urn:x:User:badge", "b7"): [Match("b")]}},
        {"strong": {("employeeNumber", "42"): [Match("a"), Match("b")]}},
    ],
)
def test_keys_that_point_at_different_users_are_disputed(found: dict[str, Found]) -> None:
    correlation = observed(**found)
    assert verdict(correlation) == ("disputed", None)
    assert correlation.candidates == ("a", "b")


def test_two_anchors_that_name_the_same_user_agree() -> None:
    assert verdict(observed(anchors={("ad_guid", "g"): [Match("a")], ("sid", "s"): [Match("a")]})) == ("matched", "a")


def test_a_second_object_with_the_strong_key_of_a_linked_user_is_disputed_not_joined() -> None:
    found = observed(strong={("employeeNumber", "42"): [Match("ann", linked_here=True)]})
    assert (verdict(found), found.candidates) == (("disputed", None), ("ann",))


def test_incumbent_local_same_email_is_a_candidate_for_a_duplicate_not_the_same_person() -> None:
    found = observed(weak={ANN_MAIL: [Match("ann", created_locally=True)]})
    assert (verdict(found), found.by, found.candidates) == (("candidate", None), "email", ("ann",))


def test_new_guid_same_name_is_a_new_user_when_the_old_one_is_a_tombstone() -> None:
    assert verdict(observed(weak={ANN_NAME: [Match("ann", is_live=False)]})) == ("unmatched", None)


def test_a_secondary_address_proves_nothing() -> None:
    assert verdict(observed(weak={Claim(EMAIL, "a.lee@contoso.com"): [Match("lee")]})) == ("unmatched", None)


def test_only_the_duplicate_keys_of_the_source_make_candidates() -> None:
    by_mail = SourceRef(2, "entra", 20, duplicate_keys=frozenset({"email"}))
    assert verdict(observed(source=by_mail, weak={ANN_NAME: [Match("ann")]})) == ("unmatched", None)
    assert verdict(observed(source=by_mail, weak={ANN_MAIL: [Match("ann")]})) == ("candidate", None)


ADOPTABLE = Match("ann", created_locally=True)


def test_adopting_joins_the_one_user_that_was_created_here() -> None:
    found = observed(source=ADOPTING, weak={ANN_NAME: [ADOPTABLE], ANN_MAIL: [ADOPTABLE]})
    assert (verdict(found), found.by) == (("matched", "ann"), "username, email")


@pytest.mark.parametrize(
    "matches",
    [
        [Match("ann")],
        [Match("ann", created_locally=True, privileged=True)],
        [Match("ann", created_locally=True, linked_here=True)],
        [ADOPTABLE, Match("bob", created_locally=True)],
    ],
)
def test_adopting_needs_exactly_one_unprivileged_unlinked_user_created_here(matches: list[Match]) -> None:
    assert verdict(observed(source=ADOPTING, weak={ANN_NAME: matches})) == ("candidate", None)


def test_an_object_that_was_separated_by_hand_is_never_joined_again() -> None:
    apart = Link(1, "guid", separated=True)
    assert verdict(observed(link=apart, **EVERYWHERE)) == ("candidate", None)
    assert verdict(observed(link=apart, source=ADOPTING, weak={ANN_NAME: [ADOPTABLE]})) == ("candidate", None)
    assert verdict(observed(link=apart, anchors=EVERYWHERE["anchors"])) == ("unmatched", None)
