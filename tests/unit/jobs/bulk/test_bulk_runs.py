"""Whole runs without engines: what is skipped, what is made anew, what fails, and how runs end early."""

import asyncio
from collections import Counter
from typing import Any

import msgspec
import pytest
from bulk_bench import Ear, Engines, Plant, recipe_of

from imageplane.errors import Busy, Conflict, EngineCrashed, UndecodableImage, UnreachableSource
from imageplane.jobs.bulk.lock import Holder, Lock
from imageplane.jobs.bulk.run import BulkRun

ONE, TWO, THREE = recipe_of(10), recipe_of(10, 20), recipe_of(10, 20, 30)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imageplane.jobs.bulk.notes._GATHERS_FOR_IN_S", 0.0)
    monkeypatch.setattr("imageplane.jobs.bulk.notes._PAUSES_IN_S", (0.0, 0.0))


@pytest.fixture
def plant() -> Plant:
    plant = Plant()
    plant.add(**{f"photo{number:02}": f"photo {number}".encode() for number in range(20)})
    return plant


def counts(run: BulkRun) -> tuple[int, int, int]:
    return run.tally.made, run.tally.skipped, run.tally.failed


def test_everything_is_made_once(plant: Plant) -> None:
    run, ear = plant.run(TWO)
    assert counts(run) == (20, 0, 0)
    assert plant.destination.outputs == plant.expected(TWO)
    assert {outcome.item.name for outcome in ear.outcomes} == {f"photo{number:02}.jpg" for number in range(20)}
    again, _ = plant.run(TWO)
    assert counts(again) == (0, 20, 0)
    assert again.tally.total == 20
    assert plant.engines.orders == 20


def test_other_outputs_are_made_and_no_others(plant: Plant) -> None:
    plant.run(ONE)
    plant.run(THREE)
    assert plant.destination.outputs == plant.expected(THREE)
    assert set(plant.destination.puts.values()) == {1}
    run, _ = plant.run(recipe_of(20, 30))
    assert counts(run) == (0, 20, 0)


def test_an_output_that_is_made_in_another_way_is_made_anew(plant: Plant) -> None:
    plant.run(TWO)
    run, ear = plant.run(recipe_of(11, 20))
    assert counts(run) == (20, 0, 0)
    assert any("w1" in sentence and "w2" not in sentence for sentence in ear.sentences)
    assert plant.destination.outputs == plant.expected(recipe_of(11, 20))
    assert Counter(plant.destination.puts.values()) == {2: 20, 1: 20}
    # Back again: what lies there is of the other way.
    plant.run(TWO)
    assert plant.destination.outputs == plant.expected(TWO)


def test_a_changed_image_is_made_anew(plant: Plant) -> None:
    plant.run(TWO)
    plant.add(photo07=b"another photo")
    run, _ = plant.run(TWO)
    assert counts(run) == (1, 19, 0)
    assert plant.destination.outputs == plant.expected(TWO)


def test_what_comes_and_goes_makes_nothing_else_again(plant: Plant) -> None:
    plant.run(TWO)
    plant.remove("photo00", "photo09")
    plant.add(**{f"photo0{number}b": f"new {number}".encode() for number in range(9)})
    run, _ = plant.run(TWO)
    assert counts(run) == (9, 18, 0)


def test_outputs_that_are_gone_are_made_when_asked_to_look(plant: Plant) -> None:
    plant.run(TWO)
    del plant.destination.kept["photo03.jpg.w1.webp"]
    run, _ = plant.run(TWO)
    assert counts(run) == (0, 20, 0)
    run, _ = plant.run(TWO, is_thorough=True)
    assert counts(run) == (1, 19, 0)
    assert plant.destination.outputs == plant.expected(TWO)
    assert plant.destination.puts["photo03.jpg.w2.webp"] == 1


def test_a_failure_is_told_and_tried_again_by_the_next_run(plant: Plant) -> None:
    plant.engines.errors = {b"photo 5": [UndecodableImage("damaged")], b"photo 6": [EngineCrashed("crashed")]}
    run, ear = plant.run(TWO)
    assert counts(run) == (18, 0, 2)
    failed = {outcome.item.name: outcome for outcome in ear.outcomes if outcome.status == "failed"}
    assert failed["photo05.jpg"].line == {
        "name": "photo05.jpg", "key": "photo05.jpg", "status": "failed", "tries": 1,
        "code": "undecodable_image", "reason": "damaged",
    }  # fmt: skip
    assert {code: reason.count for code, reason in run.tally.reasons.items()} == {
        "undecodable_image": 1,
        "engine_crashed": 1,
    }
    run, _ = plant.run(TWO)
    assert counts(run) == (2, 18, 0)


@pytest.mark.parametrize("error", [Busy("full"), UnreachableSource("away")])
def test_what_may_pass_is_tried_again_at_once(plant: Plant, error: Any) -> None:
    plant.engines.errors = {b"photo 5": [error, error], b"photo 6": [error] * 3}
    run, ear = plant.run(TWO)
    assert counts(run) == (19, 0, 1)
    tries = {outcome.item.name: outcome.tries for outcome in ear.outcomes}
    assert (tries["photo05.jpg"], tries["photo06.jpg"], tries["photo07.jpg"]) == (3, 3, 1)


def test_an_output_that_could_not_be_put_is_the_only_one_made_again(plant: Plant) -> None:
    plant.destination.failing = [Busy("away")]
    run, _ = plant.run(TWO)
    assert counts(run) == (20, 0, 0)
    assert set(plant.destination.puts.values()) == {1}
    assert plant.engines.orders == 21


def test_an_error_of_ours_costs_one_image(plant: Plant) -> None:
    broken: Any = ZeroDivisionError("a mistake")
    plant.engines.errors = {b"photo 5": [broken]}
    run, ear = plant.run(TWO)
    assert counts(run) == (19, 0, 1)
    assert [outcome.error.code for outcome in ear.outcomes if outcome.error] == ["internal_error"]


def test_a_destination_that_is_gone_ends_the_run(plant: Plant) -> None:
    whole = plant.destination.put

    async def put(name: str, data: bytes, mime_type: str | None = None) -> None:
        if plant.engines.orders > 10:
            raise Busy("The store can't be reached.", detail="no space left")
        await whole(name, data, mime_type)

    plant.destination.put = put  # type: ignore[method-assign]
    run, _ = plant.run(TWO)
    assert run.trouble is not None
    assert run.trouble.detail == "no space left"
    assert run.tally.made < 20
    plant.destination.put = whole  # type: ignore[method-assign]
    plant.run(TWO)
    assert plant.destination.outputs == plant.expected(TWO)
    assert plant.destination.twice == []


def test_a_stopped_run_finishes_what_it_has_begun_and_leaves_nothing_open(plant: Plant) -> None:
    stopped = asyncio.run(plant.work(TWO, Ear(patience=7), beside=1))
    assert 7 <= stopped.tally.made < 20
    assert not any(name.startswith(".imageplane/bulk/open") for name in plant.destination.kept)
    rest, _ = plant.run(TWO)
    assert rest.tally.skipped == stopped.tally.made
    assert plant.destination.outputs == plant.expected(TWO)
    assert set(plant.destination.puts.values()) == {1}


def test_a_lock_of_the_living_is_respected(plant: Plant) -> None:
    plant.destination.kept[".imageplane/bulk/lock"] = msgspec.json.encode(Holder.here("another"))
    with pytest.raises(Conflict, match="Another run works on this destination"):
        plant.run(TWO)
    assert plant.engines.orders == 0


def stranger(beat: int = 0) -> bytes:
    return msgspec.json.encode(Holder("another", "far-away", "another machine", 7, 0.0, beat))


async def hold(plant: Plant) -> Lock:
    blobs: Any = plant.destination
    lock = Lock(blobs, Holder.here("ours"), dead_after_in_s=0.2, beats_every_in_s=0.01)
    async with lock.held(lambda _: None):
        return lock


def test_a_lock_of_a_stranger_is_watched_until_it_is_dead(plant: Plant) -> None:
    plant.destination.kept[".imageplane/bulk/lock"] = stranger()
    asyncio.run(hold(plant))
    assert ".imageplane/bulk/lock" not in plant.destination.kept


def test_a_lock_that_a_stranger_keeps_alive_is_respected(plant: Plant) -> None:
    async def scenario() -> None:
        plant.destination.kept[".imageplane/bulk/lock"] = stranger()
        holding = asyncio.create_task(hold(plant))
        for beat in range(1, 100):
            plant.destination.kept[".imageplane/bulk/lock"] = stranger(beat)
            done, _ = await asyncio.wait({holding}, timeout=0.02)
            if done:
                break
        with pytest.raises(Conflict, match="process 7 on far-away"):
            await holding

    asyncio.run(scenario())


def test_whoever_loses_the_lock_is_told(plant: Plant) -> None:
    async def scenario() -> None:
        blobs: Any = plant.destination
        async with Lock(blobs, Holder.here("ours"), beats_every_in_s=0.01).held(lambda _: None) as lock:
            plant.destination.kept[".imageplane/bulk/lock"] = stranger()
            await asyncio.wait_for(lock.lost.wait(), 10)
        # It is no longer ours to remove.
        assert ".imageplane/bulk/lock" in plant.destination.kept

    asyncio.run(scenario())


def test_of_many_at_once_one_gets_the_lock(plant: Plant) -> None:
    async def one(number: int, seen: list[int]) -> None:
        blobs: Any = plant.destination
        dead = msgspec.structs.replace(Holder.here(f"run {number}"), pid=2**22 + 1)
        try:
            async with Lock(blobs, dead if number == 0 else Holder.here(f"run {number}")).held(lambda _: None):
                seen.append(number)
                await asyncio.sleep(0.05)
        except Conflict:
            return

    async def scenario() -> list[int]:
        seen: list[int] = []
        await asyncio.gather(*(one(number, seen) for number in range(1, 9)))
        return seen

    assert len(asyncio.run(scenario())) == 1


def test_damaged_records_and_notes_cost_work_and_nothing_else(plant: Plant) -> None:
    plant.run(TWO)
    for name in list(plant.destination.kept):
        if "/chunks/" in name or "/outputs/" in name:
            plant.destination.kept[name] = b"\xff damaged"
    plant.destination.kept[".imageplane/bulk/open/00/1"] = b"\xc1"
    plant.engines = Engines()
    plant.run(TWO)
    assert plant.destination.outputs == plant.expected(TWO)
    assert plant.engines.orders == 20
