"""Nobody takes every slot: not an organization, not a receiver, not one receiver of an organization."""

from collections import Counter, deque
from itertools import count

import pytest

from imageplane.jobs.slots import Candidate, Slots

_numbers = count()


def candidate(organization: str, host: str = "", size: int = 0) -> Candidate:
    return Candidate(str(next(_numbers)), organization, host or f"{organization}.example:443", size)


def fill(slots: Slots, organization: str, host: str = "") -> int:
    """Take as many slots as there are to be had, and give how many that were."""
    taken = 0
    while slots.take(candidate(organization, host)):
        taken += 1
    return taken


def test_one_receiver_gets_half_of_what_its_organization_may_have() -> None:
    slots = Slots(50, 20, 10**9)
    assert fill(slots, "one") == 10
    assert slots.full().pairs == ("one one.example:443",)
    assert slots.full().organization_ids == slots.full().hosts == ()


def test_an_organization_with_many_receivers_leaves_half_of_all() -> None:
    slots = Slots(50, 1000, 10**9)
    assert sum(fill(slots, "one", f"host{number}:443") for number in range(100)) == 25
    assert slots.full().organization_ids == ("one",)


def test_an_organization_gets_no_more_than_its_own_limit() -> None:
    slots = Slots(1000, 8, 10**9)
    assert sum(fill(slots, "one", f"host{number}:443") for number in range(100)) == 8


def test_a_receiver_of_many_organizations_leaves_half_of_all() -> None:
    slots = Slots(50, 20, 10**9)
    assert sum(fill(slots, f"organization{number}", "shared:443") for number in range(50)) == 25
    assert slots.full().hosts == ("shared:443",)
    assert slots.take(candidate("another", "quick:443"))


def test_greedy_organizations_come_to_equal_shares_and_leave_one_for_the_next() -> None:
    slots, held = Slots(50, 50, 10**9), deque[Candidate]()
    for _ in range(300):
        # The first of them always asks first.
        for number in range(9):
            while slots.take(found := candidate(f"organization{number}")):
                held.append(found)
        slots.give_back(held.popleft().id)
    shares = Counter(each.organization_id for each in held)
    assert len(shares) == 9
    assert max(shares.values()) - min(shares.values()) <= 2
    assert slots.free >= 3
    assert fill(slots, "newcomer") >= 2


@pytest.mark.parametrize(("most", "of_one"), [(1, 1), (1, 50), (2, 1), (2, 2), (3, 2)])
def test_with_few_slots_work_goes_on(most: int, of_one: int) -> None:
    slots = Slots(most, of_one, 1)
    assert fill(slots, "one") >= 1


def test_all_slots_can_be_used_by_many() -> None:
    slots = Slots(7, 5, 10**9)
    assert sum(fill(slots, f"organization{number}") for number in range(10)) == 7
    assert slots.free == 0
    assert not slots.take(candidate("another"))


def test_what_is_given_back_can_be_taken_again() -> None:
    slots, first = Slots(3, 3, 100), candidate("one", size=80)
    assert slots.take(first)
    assert not slots.take(first)
    other = candidate("two", size=30)
    assert not slots.take(other)
    slots.give_back(first.id)
    slots.give_back(first.id)
    slots.give_back("nobody")
    assert slots.free == 3
    assert slots.full().organization_ids == ()
    assert slots.take(other)


def test_bodies_stay_within_the_memory_and_a_larger_one_is_sent_alone() -> None:
    slots = Slots(50, 50, 100)
    assert slots.take(candidate("one", size=60))
    assert slots.take(candidate("two", size=40))
    assert not slots.take(candidate("three", size=1))
    assert slots.take(candidate("three", size=0))
    alone, vast = Slots(50, 50, 100), candidate("one", size=10**6)
    assert alone.take(vast)
    assert not alone.take(candidate("two", size=1))
    alone.give_back(vast.id)
    assert alone.take(candidate("two", size=1))
