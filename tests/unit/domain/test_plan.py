"""The plan: components, order, fingerprints and counts."""

import random
from dataclasses import replace
from typing import Any

import pytest

from scim_server.domain.breakers import PlanFacts
from scim_server.domain.counts import Counts, count, facts_of
from scim_server.domain.keys import EMAIL, USERNAME, Claim, Wanted
from scim_server.domain.observations import Kind
from scim_server.domain.plan import (
    ItemStatus,
    Operation,
    PlanItem,
    arrange,
    content_fingerprint,
    make_plan,
    plan_fingerprint,
)

BEFORE, AFTER = {"userName": "ann", "title": "Dr"}, {"userName": "ann", "title": "Prof"}


def item(name: str, op: str = "update", *, drop: str = "", take: str = "", **facts: Any) -> PlanItem:
    """One e-mail claim for each letter dropped or taken."""
    return PlanItem(
        Operation(op),
        1,
        name,
        claims_drop=tuple(Claim(EMAIL, letter) for letter in drop),
        claims_take=tuple(Wanted(Claim(EMAIL, letter), letter, "primary", "emails") for letter in take),
        **{"user_id": f"user-{name}", "before": BEFORE, "after": AFTER, **facts},
    )


def components(items: tuple[PlanItem, ...]) -> list[set[str]]:
    numbers = sorted({item.component for item in items})
    return [{item.immutable_id for item in items if item.component == number} for number in numbers]


def test_users_between_whom_a_value_moves_are_one_component_and_others_stay_apart() -> None:
    swap = [item("a", drop="x", take="y"), item("c", drop="y", take="x")]
    chain = [item("b", drop="p", take="q"), item("e", drop="q", take="r"), item("d", "delete", drop="r")]
    alone = [item("f", take="z"), item("g", drop="w")]
    assert components(arrange([*chain, *alone, *swap])) == [{"a", "c"}, {"b", "d", "e"}, {"f"}, {"g"}]


def test_two_objects_of_one_user_are_one_component() -> None:
    two = [item("a", user_id="ann"), item("b"), replace(item("z", user_id="ann"), source_id=2)]
    assert components(arrange(two)) == [{"a", "z"}, {"b"}]


def test_items_are_numbered_component_by_component_with_users_before_groups() -> None:
    items = [item("a", drop="x", take="y"), item("b"), item("c", drop="y", take="x"), item("0", kind=Kind.GROUP)]
    assert [(i.seq, i.component, i.immutable_id) for i in arrange(items)] == [
        (1, 1, "a"),
        (2, 1, "c"),
        (3, 2, "b"),
        (4, 3, "0"),
    ]


def test_shuffled_input_same_fingerprint() -> None:
    items = [item(str(number), drop=chr(97 + number % 20), take=chr(98 + number % 20)) for number in range(40)]
    items += [item("x"), item("x", "duplicate", reasons=("The address is taken.",))]
    plan = make_plan(items, config_hash="c")
    shuffled = random.Random(1).sample(items, len(items))
    for other in (shuffled, items[::-1]):
        assert make_plan(other, config_hash="c") == plan
        assert content_fingerprint(other) == plan.content_fingerprint


def test_the_content_fingerprint_ignores_runs_traces_versions_and_the_clock() -> None:
    plain = content_fingerprint([item("a")])
    later = item(
        "a", after={**AFTER, "meta": {"lastModified": "2026-03-01T00:00:00Z"}}, trace={"read": 1}, base_version=7
    )
    assert content_fingerprint([replace(later, status=ItemStatus.DONE, seq=9, component=9)]) == plain


@pytest.mark.parametrize(
    "other",
    [
        item("a", "link"),
        item("b"),
        item("a", after={**AFTER, "title": "Dr h.c."}),
        item("a", reasons=("Read again.",)),
        item("a", after=None),
    ],
)
def test_the_content_fingerprint_changes_with_operation_identity_after_values_and_reasons(other: PlanItem) -> None:
    assert content_fingerprint([other]) != content_fingerprint([item("a")])


def test_the_plan_fingerprint_adds_versions_settings_and_normalisation() -> None:
    base = plan_fingerprint([item("a", base_version=1)], config_hash="c", norm_version=1)
    others = {
        plan_fingerprint([item("a", base_version=2)], config_hash="c", norm_version=1),
        plan_fingerprint([item("a", base_version=1)], config_hash="d", norm_version=1),
        plan_fingerprint([item("a", base_version=1)], config_hash="c", norm_version=2),
        content_fingerprint([item("a", base_version=1)]),
    }
    assert len(others | {base}) == 5


def test_every_operation_is_counted_under_its_word() -> None:
    items = [item(operation, operation) for operation in Operation]
    words = {word for word, number in count(items).as_dict().items() if number}
    assert len(words) == len(Operation)
    assert all(count([one]).as_dict() | {"deferred": 0} != Counts().as_dict() for one in items)


def test_modified_counts_only_users_whose_attributes_changed_in_meaning() -> None:
    re_encoded = item("b", after={"userName": "ann ", "title": "Dr"})
    assert count([item("a"), re_encoded], read=5) == Counts(read=5, modified=1, unchanged=1)


def test_one_object_with_two_conflicts_is_one_duplicated_object() -> None:
    items = [item("a", "duplicate"), item("a", "duplicate", reasons=("Another value.",)), item("b", "duplicate")]
    assert count(items).duplicated == 2


def test_counts_follow_the_statuses_and_leave_out_what_was_not_selected() -> None:
    items = [
        item("a", status=ItemStatus.DONE),
        item("b", status=ItemStatus.STALE),
        item("c", status=ItemStatus.ERROR),
        item("d", status=ItemStatus.SKIPPED),
        item("e", kind=Kind.GROUP),
        item("f", deferred=("title",)),
    ]
    assert count(items) == Counts(modified=2, stale=1, errors=1, deferred=1)
    assert count(items, kind=Kind.GROUP) == Counts(modified=1)


def test_the_breakers_see_removals_renames_and_protected_users() -> None:
    items = [
        item("a", "delete"),
        item("b", "deactivate"),
        item("c", "unlink"),
        item("d", "unlink", last_link=True),
        item("e", drop="x", take="y"),
        item("f", take="z"),
        item("g", "duplicate"),
        item("h", "error"),
        item("i", "delete", kind=Kind.GROUP),
        renamed("j"),
        re_aliased("k"),
    ]
    facts = facts_of(items, linked=50, read=40, full=True, protected=frozenset({"user-a", "user-c"}))
    assert facts == PlanFacts(50, 40, True, removals=3, identity_changes=2, duplicates=1, errors=1, protected=1)


def renamed(name: str) -> PlanItem:
    taken = Wanted(Claim(USERNAME, "new"), "new", "primary", "userName")
    return replace(item(name), claims_drop=(Claim(USERNAME, "old"),), claims_take=(taken,))


def re_aliased(name: str) -> PlanItem:
    """Another secondary address: not another identity."""
    taken = Wanted(Claim(EMAIL, "new"), "new", "secondary", "emails")
    return replace(item(name), claims_drop=(Claim(EMAIL, "old"),), claims_take=(taken,))
