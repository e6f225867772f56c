"""A run that is killed at any moment goes on in the next one: every output is there, and none was put twice."""

import contextlib
import random
from collections.abc import Iterator

import pytest
from bulk_bench import Killed, Plant, recipe_of

RECIPE = recipe_of(10, 20)
OPEN = (".imageplane/bulk/open/", ".imageplane/bulk/lock")


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imageplane.jobs.bulk.notes._GATHERS_FOR_IN_S", 0.0)


def filled() -> Plant:
    plant = Plant()
    plant.add(**{f"photo{number}": f"photo {number}".encode() for number in range(11)})
    return plant


def moments() -> Iterator[tuple[int, bool]]:
    whole = filled()
    whole.run(RECIPE)
    for number in range(whole.destination.operations):
        yield number, False
        yield number, True


def test_a_kill_at_any_moment_leaves_nothing_undone_and_nothing_done_twice() -> None:
    for number, is_done_first in moments():
        plant = filled()
        plant.destination.dies_at, plant.destination.is_done_first = number, is_done_first
        with contextlib.suppress(Killed):
            plant.run(RECIPE)
        plant.destination.dies_at = None
        run, _ = plant.run(RECIPE)
        told = f"killed at operation {number}, {'after' if is_done_first else 'before'} it"
        assert plant.destination.outputs == plant.expected(RECIPE), told
        assert set(plant.destination.puts.values()) == {1}, told
        assert run.tally.seen == 11, told
        last, _ = plant.run(RECIPE)
        assert (last.tally.made, last.tally.skipped) == (0, 11), told
        assert not any(name.startswith(OPEN) for name in plant.destination.kept), told


@pytest.mark.parametrize("seed", range(40))
def test_a_long_history_of_changes_and_kills(seed: int) -> None:
    """Images come, go and change, outputs are asked for or not, and every other run is killed."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    plant, version = Plant(chunk_size=chance.choice((4, 9, 16))), 0
    names = [f"photo{number:03}" for number in range(60)]
    recipes = [recipe_of(10), RECIPE, recipe_of(20, 30)]
    recipe = recipes[1]
    for _ in range(12):
        for name in chance.sample(names, chance.randrange(12)):
            version += 1
            if chance.random() < 0.3:
                plant.remove(name)
            else:
                plant.add(**{name: f"version {version} of {name}".encode()})
        if chance.random() < 0.3:
            recipe = chance.choice(recipes)
        plant.destination.operations = 0
        plant.destination.dies_at = chance.choice((None, chance.randrange(150)))
        plant.destination.is_done_first = chance.random() < 0.5
        try:
            plant.run(recipe)
        except Killed:
            continue
        there = plant.destination.outputs
        assert {name: there.get(name) for name in plant.expected(recipe)} == plant.expected(recipe)
    assert plant.destination.twice == []
