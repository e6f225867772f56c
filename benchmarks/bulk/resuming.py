"""A run that is killed halfway and resumed: is everything there, and was nothing made twice?"""

from pathlib import Path

from PIL import Image

from benchmarks.bulk.command import SIZES, Bulk
from benchmarks.goals import Verdict
from benchmarks.load.stage import Part, table


def part(bulk: Bulk, count: int) -> Part:
    """Kill a run halfway, resume it, and look."""
    wanted = len(SIZES) * count
    at_the_kill = bulk.killed_at(wanted // 2)
    before = bulk.files()
    resumed = bulk.to_the_end()
    after = bulk.files()
    again = bulk.to_the_end()
    twice = [name for name, place in before.items() if name in after and after[name] != place and "#" not in name]
    # In place of the one that the kill tore off in the middle, which had no name yet.
    torn = [name for name in after if "#" in name]
    expected = {f"{name}.{ending}" for name in _names(bulk.source) for ending in SIZES}
    wrong = [name for name in expected & after.keys() if not _is_right(bulk.destination / name)]
    faults = [
        *(f"{name} is not there" for name in sorted(expected - after.keys())[:5]),
        *(f"{name} was made twice" for name in twice[:5]),
        *(f"{name} was left half" for name in torn[:5]),
        *(f"{name} is no picture of its size" for name in wrong[:5]),
        *(f"{name} should not be there" for name in sorted(after.keys() - expected - set(torn))[:5]),
    ]
    rows = [
        ["killed", at_the_kill, None, None],
        ["resumed", len(after), resumed.made, resumed.skipped],
        ["once more", len(bulk.files()), again.made, again.skipped],
    ]
    is_whole = not faults and resumed.code == 0 and (again.made, again.skipped) == (0, count)
    measured = f"{at_the_kill:,} outputs at the kill, {len(after):,} of {wanted:,} at the end, {len(twice)} made twice"
    verdict = Verdict("killed −9 halfway and resumed: all outputs there, none made twice", measured, is_whole)
    figures = {"at_the_kill": at_the_kill, "resumed": vars_of(resumed), "again": vars_of(again), "twice": len(twice)}
    lines = table(["run", "outputs there", "images made", "images skipped"], rows)
    return Part("resuming", "A run that is killed halfway", figures, lines, [verdict], faults)


def vars_of(ended: object) -> dict[str, object]:
    """Give the fields of a data class with slots."""
    return {name: getattr(ended, name) for name in getattr(ended, "__slots__", ())}


def _names(source: Path) -> list[str]:
    return [str(path.relative_to(source)) for path in source.rglob("*") if path.is_file() and path.name[0] != "."]


def _is_right(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            image.load()
            return image.size == SIZES[".".join(path.name.rsplit(".", 2)[1:])]
    except (OSError, ValueError):
        return False
