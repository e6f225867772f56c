"""The memory of bodies and files: never more than there is, in fair order, and given back whatever happens."""

import asyncio
import contextlib

import pytest

from imageplane.sources.room import Room


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class Guests:
    """Requests that come in and stay until they are told to leave."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.inside: list[str] = []
        self._stay: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, name: str, size_in_bytes: int) -> None:
        self._stay[name] = asyncio.Event()
        self._tasks[name] = asyncio.create_task(self._visit(name, size_in_bytes))
        await settled()

    async def leave(self, name: str) -> None:
        self._stay[name].set()
        await settled()

    async def give_up(self, name: str) -> None:
        self._tasks[name].cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._tasks[name]
        await settled()

    async def _visit(self, name: str, size_in_bytes: int) -> None:
        async with self.room.reserved(size_in_bytes, name[0]):
            self.inside.append(name)
            await self._stay[name].wait()
        self.inside.remove(name)


def test_no_more_comes_in_than_there_is_room_for() -> None:
    async def scene() -> None:
        guests = Guests(Room(100))
        for name in ("a1", "b1", "c1"):
            await guests.come(name, 40)
        assert guests.inside == ["a1", "b1"]
        assert guests.room.held_in_bytes == 80
        assert guests.room.guests == {"c": 1}
        await guests.leave("a1")
        assert guests.inside == ["b1", "c1"]
        for name in ("b1", "c1"):
            await guests.leave(name)
        assert (guests.room.held_in_bytes, guests.room.guests) == (0, {})

    asyncio.run(scene())


def test_one_tenant_never_fills_the_room() -> None:
    async def scene() -> None:
        guests = Guests(Room(100))
        for index in range(6):
            await guests.come(f"a{index}", 25)
        assert len(guests.inside) == 3
        await guests.come("b1", 25)
        assert "b1" in guests.inside

    asyncio.run(scene())


def test_who_holds_least_comes_next() -> None:
    async def scene() -> None:
        guests = Guests(Room(100))
        await guests.come("a1", 50)
        await guests.come("b1", 50)
        await guests.come("a2", 25)
        await guests.come("c1", 25)
        await guests.come("c2", 25)
        await guests.leave("b1")
        assert guests.inside == ["a1", "c1", "c2"]

    asyncio.run(scene())


def test_what_is_larger_than_the_room_comes_in_alone() -> None:
    async def scene() -> None:
        guests = Guests(Room(100))
        await guests.come("a1", 10)
        await guests.come("b1", 500)
        assert guests.inside == ["a1"]
        await guests.leave("a1")
        assert guests.inside == ["b1"]
        await guests.come("c1", 1)
        assert guests.inside == ["b1"]

    asyncio.run(scene())


def test_who_gives_up_makes_way() -> None:
    async def scene() -> None:
        guests = Guests(Room(100))
        await guests.come("a1", 70)
        await guests.come("b1", 70)
        await guests.give_up("b1")
        assert guests.room.guests == {}
        await guests.come("c1", 30)
        assert guests.inside == ["a1", "c1"]
        await guests.give_up("a1")
        assert guests.room.held_in_bytes == 30

    asyncio.run(scene())


def test_who_gives_up_just_when_its_turn_comes_holds_nothing() -> None:
    async def scene() -> None:
        room = Room(100)

        async def visit() -> None:
            async with room.reserved(100, "b"):
                raise AssertionError("it had given up")

        async with room.reserved(100, "a"):
            visitor = asyncio.create_task(visit())
            await settled()
        # It was let in, and has not yet been told.
        assert room.held_in_bytes == 100
        visitor.cancel()
        with pytest.raises(asyncio.CancelledError):
            await visitor
        assert room.held_in_bytes == 0

    asyncio.run(scene())


def test_a_file_that_many_hold_counts_once() -> None:
    room, file, other = Room(1000), b"x" * 100, b"y" * 50
    with room.holding(file, "a"):
        with room.holding(file, "b"), room.holding(other, "b"):
            assert room.held_in_bytes == 150
        assert room.held_in_bytes == 100
    assert room.held_in_bytes == 0


def test_what_is_not_needed_after_all_is_given_back() -> None:
    async def scene() -> None:
        guests = Guests(Room(100))
        async with guests.room.reserved(90, "a") as share:
            await guests.come("b1", 60)
            share.shrink(95)
            assert (share.size_in_bytes, guests.inside) == (90, [])
            share.shrink(40)
            await settled()
            assert (share.size_in_bytes, guests.inside, guests.room.held_in_bytes) == (40, ["b1"], 100)
        assert guests.room.held_in_bytes == 60
        await guests.leave("b1")
        assert guests.room.held_in_bytes == 0

    asyncio.run(scene())


def test_who_needs_nothing_comes_and_goes() -> None:
    async def scene() -> None:
        room = Room(100)
        async with room.reserved(0, "a"), room.reserved(50, "b"):
            assert room.held_in_bytes == 50
        assert (room.held_in_bytes, room.guests) == (0, {})

    asyncio.run(scene())


def test_who_is_inside_and_turns_out_larger_takes_of_what_is_kept_back() -> None:
    async def scene() -> None:
        guests = Guests(Room(100))
        await guests.come("a1", 60)
        async with guests.room.reserved(40, "b") as share:
            await guests.come("c1", 10)
            assert share.grow(60)
            assert not share.grow(70)
            assert (share.size_in_bytes, guests.room.held_in_bytes, guests.inside) == (60, 120, ["a1"])
            assert share.grow(50)
        await settled()
        assert (guests.room.held_in_bytes, guests.inside) == (70, ["a1", "c1"])
        for name in ("a1", "c1"):
            await guests.leave(name)

    asyncio.run(scene())
