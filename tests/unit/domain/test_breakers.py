"""Circuit breakers at their exact boundaries."""

from typing import Any

import pytest

from scim_server.domain.breakers import History, Limits, PlanFacts, evaluate


def tripped(history: History | None = None, limits: Limits | None = None, **facts: Any) -> list[str]:
    return [breaker.name for breaker in evaluate(PlanFacts(**{"linked": 1000, **facts}), history, limits)]


@pytest.mark.parametrize(
    ("linked", "removals", "trips"),
    [
        (100_000, 499, False),
        (100_000, 500, True),
        (1000, 99, False),
        (1000, 100, True),
        (1009, 100, False),
        (19, 19, False),
        (20, 4, False),
        (20, 5, True),
        (50, 5, True),
        (51, 5, False),
    ],
)
def test_threshold_exact_boundary(linked: int, removals: int, trips: bool) -> None:
    assert (tripped(linked=linked, removals=removals) == ["removals"]) == trips


def test_the_approval_repeats_the_number_of_removals() -> None:
    [breaker] = evaluate(PlanFacts(linked=1000, removals=137))
    assert breaker.number == 137
    assert breaker.text == "137 of 1000 users would be removed (held from 500 users or 10 %)."


def test_salami_deletes_24h() -> None:
    assert tripped(History(removals_24h=60), linked=940, removals=39) == []
    assert tripped(History(removals_24h=60), linked=940, removals=40) == ["removals_24h"]
    assert tripped(History(removals_24h=499), linked=99_501, removals=1) == ["removals_24h"]
    assert tripped(History(removals_24h=600), linked=400, removals=0) == []


def test_the_limits_are_settings() -> None:
    assert tripped(limits=Limits(removals=3), removals=3) == ["removals"]
    assert tripped(limits=Limits(removals_percent=50), removals=499) == []
    assert tripped(limits=Limits(removals=0), removals=0) == []


def test_empty_result() -> None:
    [breaker] = evaluate(PlanFacts(linked=3, full=True, read=0), History(last_complete_read=3))
    assert (breaker.name, breaker.number) == ("empty_read", 3)
    assert tripped(full=True, read=0) == ["empty_read"]


@pytest.mark.parametrize(("read", "trips"), [(50, False), (49, True)])
def test_a_read_below_half_of_the_last_complete_one_is_held(read: int, trips: bool) -> None:
    assert (tripped(History(last_complete_read=100), full=True, read=read) == ["shrunken_read"]) == trips


def test_an_incremental_read_may_be_empty() -> None:
    assert tripped(History(last_complete_read=100), full=False, read=0) == []


@pytest.mark.parametrize("changed", ["scope_changed", "mapping_changed"])
def test_a_changed_scope_or_mapping_holds_any_removal_and_nothing_else(changed: str) -> None:
    assert tripped(removals=1, **{changed: True}) == ["settings_changed"]
    assert tripped(removals=0, **{changed: True}) == []


@pytest.mark.parametrize(
    ("name", "facts", "at_limit", "above"),
    [
        ("identity_churn", {"linked": 100}, {"identity_changes": 20}, {"identity_changes": 21}),
        ("identity_churn", {"linked": 20}, {"identity_changes": 4}, {"identity_changes": 5}),
        ("duplicates", {"read": 100, "full": True}, {"duplicates": 20}, {"duplicates": 21}),
        ("errors", {"read": 100, "full": True}, {"errors": 10}, {"errors": 11}),
        ("duplicates", {"read": 30, "linked": 100}, {"duplicates": 20}, {"duplicates": 21}),
        ("errors", {"read": 20, "full": True}, {"errors": 4}, {"errors": 5}),
        ("errors", {"read": 20, "full": True}, {"duplicates": 0}, {"errors": 20}),
    ],
)
def test_too_large_a_share_of_renamed_duplicated_or_failed_objects_is_held(
    name: str, facts: dict[str, int], at_limit: dict[str, int], above: dict[str, int]
) -> None:
    assert tripped(**{**facts, **at_limit}) == []
    assert tripped(**{**facts, **above}) == [name]


def test_shares_of_very_few_objects_are_not_judged() -> None:
    assert tripped(linked=5, read=5, identity_changes=5, duplicates=5, errors=5) == []


def test_the_last_administrator_and_protected_users_are_always_held() -> None:
    assert tripped(linked=2, last_administrator=True, protected=1) == ["last_administrator", "protected_users"]


def test_every_breaker_that_trips_is_reported() -> None:
    names = tripped(History(50, 100), linked=100, read=0, full=True, removals=100, mapping_changed=True)
    assert names == ["removals", "removals_24h", "empty_read", "settings_changed"]
