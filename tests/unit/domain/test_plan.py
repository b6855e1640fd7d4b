"""The plan: what belongs together, and fingerprints that only what is planned can change."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_server.domain.allocate import Claimant
from scim_server.domain.counts import Counts
from scim_server.domain.keys import EMAIL, Claim
from scim_server.domain.plan import Fingerprints, Operation, components


def changer(name: str, *, held: str = "", wanted: str = "") -> Claimant:
    """One e-mail claim for each letter."""
    claims = [frozenset(Claim(EMAIL, letter) for letter in letters) for letters in (held, wanted)]
    return Claimant(name, *claims, rank=(name,))


def together(*changers: Claimant) -> set[frozenset[str]]:
    return {frozenset(group) for group in components(changers)}


def test_users_between_whom_a_value_moves_are_one_component_and_others_stand_alone() -> None:
    swap = [changer("a", held="x", wanted="y"), changer("c", held="y", wanted="x")]
    chain = [changer("b", held="p", wanted="q"), changer("e", held="q", wanted="r"), changer("d", held="r")]
    alone = [changer("f", wanted="z"), changer("g", held="w")]
    assert together(*chain, *alone, *swap) == {frozenset("ac"), frozenset("bde")}


def test_a_value_that_both_keep_connects_nobody() -> None:
    assert together(changer("a", held="x", wanted="x"), changer("b", held="y", wanted="yz")) == set()


ITEMS = st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3), st.none() | st.integers(0, 3)), max_size=6)


def prints(items: list[tuple[str, str, int | None]]) -> Fingerprints:
    found = Fingerprints()
    for identity, content, version in items:
        found.add(identity, content, version)
    return found


@given(items=ITEMS, seed=st.randoms(use_true_random=False))
def test_the_order_of_items_changes_no_fingerprint(
    items: list[tuple[str, str, int | None]], seed: random.Random
) -> None:
    other = list(items)
    seed.shuffle(other)
    one, two = prints(items), prints(other)
    assert one.content() == two.content()
    assert one.plan(config_hash="c") == two.plan(config_hash="c")


@given(one=ITEMS, two=ITEMS)
def test_other_items_have_another_content(
    one: list[tuple[str, str, int | None]], two: list[tuple[str, str, int | None]]
) -> None:
    def told(items: list[tuple[str, str, int | None]]) -> list[tuple[str, str]]:
        return sorted((identity, content) for identity, content, _ in items)

    assert (prints(one).content() == prints(two).content()) == (told(one) == told(two))


def test_versions_settings_and_normalisation_belong_to_the_plan_and_not_to_its_content() -> None:
    base, newer = prints([("a", "x", 1)]), prints([("a", "x", 2)])
    assert base.content() == newer.content()
    fingerprints = {
        base.plan(config_hash="c", norm_version=1),
        newer.plan(config_hash="c", norm_version=1),
        base.plan(config_hash="d", norm_version=1),
        base.plan(config_hash="c", norm_version=2),
        base.content(),
    }
    assert len(fingerprints) == 5


@pytest.mark.parametrize("op", list(Operation))
def test_only_what_changes_somebody_writes(op: Operation) -> None:
    silent = {"duplicate", "dismissed", "blocked_by", "unchanged", "out_of_scope", "error"}
    assert op.writes is (op.value not in silent)


def test_counts_are_shown_in_their_order() -> None:
    assert list(Counts(read=2, added=1).as_dict().items())[:3] == [("read", 2), ("added", 1), ("modified", 0)]
