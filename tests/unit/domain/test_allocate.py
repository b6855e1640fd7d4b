"""Who gets which value: the scenarios by name, and every rule against a literal reading of the algorithm."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from scim_server.domain.allocate import Allocation, Claimant, allocate, rank_of
from scim_server.domain.keys import EMAIL, USERNAME, Claim

WORLDS = 20_000


def claims(text: str) -> frozenset[Claim]:
    """One e-mail claim for each letter."""
    return frozenset(Claim(EMAIL, letter) for letter in text)


def existing(id_: str, held: str, wanted: str, optional: str = "") -> Claimant:
    return Claimant(id_, claims(held), claims(wanted), (0, id_), claims(optional))


def new(id_: str, wanted: str, optional: str = "") -> Claimant:
    return Claimant(id_, frozenset(), claims(wanted), (1, id_), claims(optional))


def fixed(**held: str) -> dict[Claim, str]:
    return {claim: holder for holder, letters in held.items() for claim in claims(letters)}


def missed(**letters: str) -> dict[Claim, str]:
    return {Claim(EMAIL, letter): witness for letter, witness in letters.items()}


def test_swap_email() -> None:
    allocation = allocate([existing("ann", "a", "b"), existing("bob", "b", "a")], {})
    assert allocation == Allocation(frozenset({"ann", "bob"}))


def test_three_cycle_username() -> None:
    cycle = [existing("ann", "a", "b"), existing("bob", "b", "c"), existing("cid", "c", "a")]
    assert allocate(cycle, {}).accepted == {"ann", "bob", "cid"}


def test_chain_ending_in_free_value() -> None:
    chain = [existing("ann", "a", "b"), existing("bob", "b", "c"), existing("cid", "c", "d")]
    assert allocate(chain, {}).accepted == {"ann", "bob", "cid"}


def test_a_chain_that_ends_in_a_held_value_is_refused_whole_and_every_loser_names_its_witness() -> None:
    chain = [existing("ann", "a", "b"), existing("bob", "b", "c"), existing("cid", "c", "d")]
    allocation = allocate(chain, fixed(dan="d"))
    assert allocation.accepted == frozenset()
    assert allocation.refused == {"ann": missed(b="bob"), "bob": missed(c="cid"), "cid": missed(d="dan")}


def test_delete_then_reuse_same_batch() -> None:
    allocation = allocate([existing("gone", "a", ""), new("ann", "a")], {})
    assert allocation.accepted == {"gone", "ann"}


def test_two_new_same_mail() -> None:
    allocation = allocate([new("bob", "a"), new("ann", "a")], {})
    assert allocation.accepted == {"ann"}
    assert allocation.refused == {"bob": missed(a="ann")}


def test_two_new_objects_with_one_value_both_wait_when_contested_values_go_to_nobody() -> None:
    allocation = allocate([new("bob", "a"), new("ann", "a"), new("cid", "c")], {}, contested_new="none")
    assert allocation.accepted == {"cid"}
    assert allocation.refused == {"bob": missed(a="ann"), "ann": missed(a="bob")}


def test_an_existing_user_still_wins_when_contested_values_of_new_objects_go_to_nobody() -> None:
    allocation = allocate([new("ann", "b"), existing("bob", "a", "b")], {}, contested_new="none")
    assert allocation.accepted == {"bob"}


def test_a_holder_beats_a_better_ranked_claimant() -> None:
    allocation = allocate([existing("ann", "a", "b"), existing("bob", "b", "bc")], {})
    assert allocation.accepted == {"bob"}
    assert allocation.refused == {"ann": missed(b="bob")}


def test_a_single_claimant_keeps_what_it_holds_and_is_refused_only_what_others_hold() -> None:
    alone = existing("ann", "a", "ab")
    assert allocate([alone], {Claim(EMAIL, "a"): "ann"}).accepted == {"ann"}
    assert allocate([alone], fixed(bob="b")).refused == {"ann": missed(b="bob")}


def test_a_taken_secondary_address_is_left_out_alone() -> None:
    allocation = allocate([new("ann", "abc", optional="bc")], fixed(bob="b"))
    assert allocation == Allocation(frozenset({"ann"}), {}, {"ann": missed(b="bob")})


def test_a_secondary_address_that_becomes_free_in_the_same_plan_is_granted() -> None:
    allocation = allocate([existing("bob", "b", "c"), new("ann", "ab", optional="b")], {})
    assert allocation == Allocation(frozenset({"ann", "bob"}))


def test_a_secondary_address_already_held_is_kept_against_a_new_primary_claim() -> None:
    allocation = allocate([existing("bob", "ab", "ab", optional="b"), new("ann", "b")], {})
    assert allocation.refused == {"ann": missed(b="bob")}


def test_namespaces_do_not_meet() -> None:
    as_username = Claimant("ann", frozenset(), frozenset({Claim(USERNAME, "a")}), (1, "ann"))
    assert allocate([as_username, new("bob", "a")], {}).accepted == {"ann", "bob"}


def test_the_rank_puts_existing_before_new_then_strong_links_then_source_then_age_then_identity() -> None:
    def rank(**changes: object) -> tuple[object, ...]:
        facts = {
            "exists": False,
            "strongly_linked": False,
            "source_rank": 2,
            "source_id": 5,
            "immutable_id": "m",
            "created_at": datetime(2020, 1, 1, tzinfo=UTC),
        }
        return rank_of(**{**facts, **changes})  # type: ignore[arg-type] # a mapping of mixed values

    ordered = [
        rank(exists=True, source_rank=9),
        rank(strongly_linked=True, source_rank=9),
        rank(source_rank=1, source_id=9),
        rank(created_at=datetime(2019, 1, 1, tzinfo=UTC), source_id=9),
        rank(source_id=4, immutable_id="z"),
        rank(immutable_id="a"),
        rank(),
        rank(created_at=None, source_id=1, immutable_id="a"),
    ]
    assert all(better < worse for better, worse in pairwise(ordered))


# A literal reading of the algorithm, slow and without clusters, as the judge of the fast one.


def settle(candidates: dict[str, Claimant], taken: set[Claim]) -> set[str]:
    tabu: set[str] = set()
    while True:
        outcome = attempt(candidates, taken, tabu)
        if isinstance(outcome, set):
            return outcome
        tabu.add(outcome)


def attempt(candidates: dict[str, Claimant], taken: set[Claim], tabu: set[str]) -> set[str] | str:
    standing = set(candidates) - tabu
    won: set[str] = set()
    while True:
        close(candidates, taken, standing)
        if won - standing:
            return max(won - standing, key=lambda id_: candidates[id_].rank)
        contested = [
            (candidates[id_].rank, claim)
            for id_ in standing
            for claim in candidates[id_].wanted
            if any(claim in candidates[other].wanted for other in standing - {id_})
        ]
        if not contested:
            return standing
        _, claim = min(contested)
        rivals = sorted((id_ for id_ in standing if claim in candidates[id_].wanted), key=lambda i: candidates[i].rank)
        winner = next((id_ for id_ in rivals if claim in candidates[id_].held), rivals[0])
        won.add(winner)
        standing -= set(rivals) - {winner}


def close(candidates: dict[str, Claimant], taken: set[Claim], standing: set[str]) -> None:
    while True:
        kept = taken.union(*(candidates[id_].held for id_ in set(candidates) - standing))
        fallen = {id_ for id_ in standing if candidates[id_].wanted & kept}
        if not fallen:
            return
        standing -= fallen


def judge(changers: list[Claimant], holders: dict[Claim, str]) -> set[str]:
    accepted: set[str] = set()
    while True:
        taken = set(holders).union(*(changer.wanted for changer in changers if changer.id in accepted))
        settled = settle({changer.id: changer for changer in changers if changer.id not in accepted}, taken)
        if not settled:
            return accepted
        accepted |= settled


def worlds(seed: int, count: int) -> Iterator[tuple[list[Claimant], dict[Claim, str]]]:
    """Small worlds with many conflicts: holders' claims are disjoint, wishes are not."""
    dice = random.Random(seed)
    for _ in range(count):
        letters = list("abcdefghij"[: dice.randint(2, 10)])
        dice.shuffle(letters)
        changers: list[Claimant] = []
        for number in range(dice.randint(2, 6)):
            held = "".join(letters.pop() for _ in range(min(len(letters), dice.choice((0, 1, 1, 2)))))
            wanted = dice.sample("abcdefghij"[:8], dice.choice((0, 1, 1, 1, 2, 3)))
            rank = (not held, dice.random())
            changers.append(Claimant(f"u{number}", claims(held), claims("".join(wanted)), rank))
        yield changers, {Claim(EMAIL, letter): "bystander" for letter in letters[: dice.randint(0, 2)]}


def finals(changers: list[Claimant], allocation: Allocation) -> dict[str, frozenset[Claim]]:
    return {
        changer.id: changer.wanted - set(allocation.left_out.get(changer.id, ()))
        if changer.id in allocation.accepted
        else changer.held
        for changer in changers
    }


@pytest.mark.parametrize("seed", range(4))
def test_the_allocation_is_that_of_the_literal_algorithm_in_every_small_world(seed: int) -> None:
    refusing = 0
    for changers, holders in worlds(seed, WORLDS // 4):
        allocation = allocate(changers, holders)
        assert allocation.accepted == judge(changers, holders)
        refusing += bool(allocation.refused)
    assert refusing > WORLDS // 20  # the worlds are worth testing


@pytest.mark.parametrize("contested_new", ["best", "none"])
@pytest.mark.parametrize("optional_share", [0.0, 0.4])
def test_claims_stay_disjoint_every_loser_has_a_witness_and_a_second_run_changes_nothing(
    contested_new: str, optional_share: float
) -> None:
    dice = random.Random(7)
    for plain, holders in worlds(11, WORLDS // 8):
        changers = [
            Claimant(
                c.id, c.held, c.wanted, c.rank, frozenset(k for k in sorted(c.wanted) if dice.random() < optional_share)
            )
            for c in plain
        ]
        allocation = allocate(changers, holders, contested_new=contested_new)  # type: ignore[arg-type] # parametrised
        final = finals(changers, allocation)
        holder = dict(holders)
        for id_, held in final.items():
            for claim in held:
                assert holder.setdefault(claim, id_) == id_
        assert allocation.accepted | set(allocation.refused) == set(final)
        assert_witnesses(changers, allocation, holder, contested_new)
        again = [Claimant(c.id, final[c.id], c.wanted, c.rank, c.optional) for c in changers]
        second = allocate(again, holders, contested_new=contested_new)  # type: ignore[arg-type] # parametrised
        assert (second.accepted, finals(again, second)) == (allocation.accepted, final)


def assert_witnesses(
    changers: list[Claimant], allocation: Allocation, holder: dict[Claim, str], contested_new: str
) -> None:
    wanted = {changer.id: changer.wanted for changer in changers}
    for id_, misses in [*allocation.refused.items(), *allocation.left_out.items()]:
        assert misses
        for claim, witness in misses.items():
            assert claim in wanted[id_]
            assert witness != id_
            waits_too = contested_new == "none" and claim not in holder and claim in wanted[witness]
            assert holder.get(claim) == witness or waits_too


def test_the_order_of_arrival_changes_nothing() -> None:
    dice = random.Random(3)
    for changers, holders in worlds(5, WORLDS // 8):
        shuffled = dice.sample(changers, len(changers))
        assert allocate(shuffled, holders) == allocate(changers, holders)


def test_a_permutation_of_values_with_joiners_taking_leavers_values_refuses_nobody() -> None:
    dice = random.Random(13)
    for _ in range(WORLDS // 4):
        count = dice.randint(2, 12)
        letters = [chr(ord("a") + number) for number in range(count)]
        ends = dice.sample(letters, count)
        leavers = dice.randint(0, count // 2)
        changers = [existing(f"u{n}", letters[n], "" if n < leavers else ends[n]) for n in range(count)]
        changers += [new(f"n{n}", ends[n]) for n in range(leavers)]
        dice.shuffle(changers)
        assert allocate(changers, {}) == Allocation(frozenset(changer.id for changer in changers))


def test_thirty_thousand_claimants_with_one_wish_and_a_long_blocked_chain_are_settled_in_linear_steps() -> None:
    looked_up: list[Claim] = []

    def holder(claim: Claim) -> str | None:
        looked_up.append(claim)
        return "bystander" if claim.key == "end" else None

    length = 10_000
    chain = [
        Claimant(
            f"c{n}",
            frozenset({Claim(EMAIL, f"{n}")}),
            frozenset({Claim(EMAIL, f"{n + 1}" if n + 1 < length else "end")}),
            (0, n),
        )
        for n in range(length)
    ]
    crowd = [Claimant(f"n{n}", frozenset(), claims("x"), (1, n)) for n in range(2 * length)]
    allocation = allocate([*crowd, *chain], holder)
    assert allocation.accepted == {"n0"}
    assert len(allocation.refused) == 3 * length - 1
    assert len(looked_up) <= 8 * length
