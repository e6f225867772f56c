"""A recipe's digests change with what decides its pixels, and with nothing else."""

from pathlib import Path
from typing import Any

import pytest

from imageplane.jobs.bulk.recipe import Recipe
from imageplane.models import ModelOptions
from imageplane.pipeline import Options
from imageplane.request import TransformRequest

SMALL = [{"type": "resize", "width_in_px": 9, "height_in_px": 9, "fit": "fill"}]
CROP = [{"type": "smart_crop", "width_in_px": 9, "height_in_px": 9}]


def recipe(raw: dict[str, Any], options: Options | None = None) -> Recipe:
    return Recipe.of(TransformRequest.parse(raw), options or Options())


def digests(*outputs: tuple[str, Any], options: Options | None = None) -> list[str]:
    raw = {"outputs": [{"name": name, "operations": operations} for name, operations in outputs]}
    return [each.digest for each in recipe(raw, options).wanted]


def test_the_same_wish_has_the_same_digest_however_it_is_written() -> None:
    other = [{"fit": "fill", "height": 9, "width": 9.0, "type": "resize"}]
    assert digests(("a", SMALL)) == digests(("a", other))


def test_an_output_has_the_same_digest_whatever_stands_beside_it() -> None:
    assert digests(("a", SMALL))[0] == digests(("b", CROP), ("a", SMALL))[1]


def test_another_wish_has_another_digest() -> None:
    wishes = [digests(("a", SMALL)), digests(("b", SMALL)), digests(("a", CROP)), digests(("a", SMALL + CROP))]
    wishes.append([each.digest for each in recipe({"operations": SMALL}).wanted])
    wishes.append(digests(("a", SMALL), options=Options(keep_copyright=True)))
    assert len({wish[0] for wish in wishes}) == len(wishes)


def test_networks_count_where_they_are_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without = Options(models=ModelOptions(tmp_path / "a"))
    assert digests(("a", CROP), options=without) == digests(("a", CROP), options=Options(models=ModelOptions(tmp_path)))
    before = digests(("a", CROP), ("b", SMALL), options=without)
    monkeypatch.setattr("imageplane.models.store.Store._holds", lambda *_: True)
    after = digests(("a", CROP), ("b", SMALL), options=without)
    assert before[0] != after[0]
    assert before[1] == after[1]


def test_files_keep_the_whole_name_of_their_source() -> None:
    several = recipe({"outputs": [{"name": "avatar", "operations": SMALL}]})
    assert several.file_named("a/photo.jpg", "avatar", "webp") == "a/photo.jpg.avatar.webp"
    assert recipe({"operations": SMALL}).file_named("a/photo.jpg", "image", "webp") == "a/photo.jpg.webp"


def test_what_is_made_is_left_out() -> None:
    several = recipe({"outputs": [{"name": "a", "operations": SMALL}, {"name": "b", "operations": CROP}]})
    request = several.without({several.wanted[0].digest})
    assert [output.name for output in request.outputs] == ["b"]
    assert not request.is_single
