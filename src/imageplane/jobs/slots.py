"""Who may send now: a bounded number of deliveries at once, shared so that one stalling receiver holds up nobody else.

Method: dynamic thresholds (Choudhury and Hahne, 1998), as switches share their memory: nobody may hold more than is
still free. One organization alone gets half of the slots, two come to a third each, and some are left for the next.
"""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Candidate:
    """A delivery that is due: whose it is, where it goes, and how many bytes it is thought to have."""

    id: str
    organization_id: str
    host: str
    size_in_bytes: int


@dataclass(frozen=True, slots=True)
class Full:
    """Who may send no more for now: organizations, hosts, and hosts of an organization as `organization host`."""

    organization_ids: tuple[str, ...]
    hosts: tuple[str, ...]
    pairs: tuple[str, ...]


NOBODY: Final = Full((), (), ())


class Slots:
    """The deliveries that are being sent.

    Takes: the most of all at once, and of one organization; the most bytes that they may have together, beyond which
    one is sent alone.
    """

    def __init__(self, most: int, most_per_organization: int, memory_in_bytes: int) -> None:
        self._most = most
        self._most_per_organization = most_per_organization
        self._memory_in_bytes = memory_in_bytes
        self._held_in_bytes = 0
        self._held: dict[str, Candidate] = {}
        self._counts: Counter[Hashable] = Counter()

    @property
    def free(self) -> int:
        """How many more there can be."""
        return self._most - len(self._held)

    def take(self, candidate: Candidate) -> bool:
        """Take a slot, if there is one for this delivery."""
        size_in_bytes = candidate.size_in_bytes
        has_room = not self._held_in_bytes or self._held_in_bytes + size_in_bytes <= self._memory_in_bytes
        is_full = self._is_full_for(candidate) or candidate.id in self._held
        if is_full or not has_room:
            return False
        self._held[candidate.id] = candidate
        self._held_in_bytes += size_in_bytes
        self._counts.update(_names(candidate))
        return True

    def give_back(self, delivery_id: str) -> None:
        """Free the slot of a delivery; nothing happens where it has none."""
        candidate = self._held.pop(delivery_id, None)
        if candidate is not None:
            self._held_in_bytes -= candidate.size_in_bytes
            self._counts -= Counter(_names(candidate))

    def full(self) -> Full:
        """Tell who would be given no slot whatever they want to send."""
        held = self._held.values()
        owners = {each.organization_id for each in held if self._is_organization_full(each.organization_id)}
        hosts = {each.host for each in held if self._is_host_full(each.host)}
        pairs = {
            f"{owner} {host}"
            for owner, host in {(each.organization_id, each.host) for each in held}
            if self._is_pair_full(owner, host)
        }
        return Full(tuple(owners), tuple(hosts), tuple(pairs))

    def _is_full_for(self, candidate: Candidate) -> bool:
        owner, host = candidate.organization_id, candidate.host
        return self._is_organization_full(owner) or self._is_host_full(host) or self._is_pair_full(owner, host)

    def _is_organization_full(self, organization_id: str) -> bool:
        return self._counts["organization", organization_id] >= min(self._most_per_organization, self.free)

    def _is_host_full(self, host: str) -> bool:
        return self._counts["host", host] >= self.free

    def _is_pair_full(self, organization_id: str, host: str) -> bool:
        left = self._most_per_organization - self._counts["organization", organization_id]
        return self._counts["pair", organization_id, host] >= left


def _names(candidate: Candidate) -> tuple[tuple[str, ...], ...]:
    owner, host = candidate.organization_id, candidate.host
    return ("organization", owner), ("host", host), ("pair", owner, host)
