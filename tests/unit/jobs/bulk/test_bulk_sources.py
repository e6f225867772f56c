"""Folders, stores and manifests give their images in an order that stays the same, whatever their size."""

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from imageplane.blobs import Blobs
from imageplane.errors import RequestError
from imageplane.jobs.bulk.bucket import Bucket
from imageplane.jobs.bulk.folder import Folder
from imageplane.jobs.bulk.items import Item
from imageplane.jobs.bulk.manifest import Manifest
from imageplane.jobs.bulk.place import Place
from imageplane.jobs.bulk.source import Source
from imageplane.jobs.bulk.spill import sorted_rows

FILES = ["b.jpg", "a.PNG", "sub/deep/c.webp", "sub/d.jpeg", "z.heic", "sub.jpg/e.gif"]
OTHERS = ["notes.txt", "sub/video.mp4", "nosuffix"]
HIDDEN = [".thumb.jpg", ".cache/x.jpg", "sub/.trash/x.jpg"]


def items_of(source: Source) -> list[Item]:
    async def listed() -> list[Item]:
        return [item async for item in source.items()]

    return asyncio.run(listed())


def fill(folder: Path) -> Path:
    for name in FILES + OTHERS + HIDDEN:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def test_a_folder_gives_its_images_by_name(tmp_path: Path) -> None:
    source = Folder(fill(tmp_path))
    items = items_of(source)
    names = ["a.PNG", "b.jpg", "sub/d.jpeg", "sub/deep/c.webp", "sub.jpg/e.gif", "z.heic"]
    assert sorted(item.name for item in items) == sorted(names)
    assert [item.name for item in items] == [item.name for item in items_of(Folder(tmp_path))]
    assert [Path(item.place).read_text() for item in items] == [item.name for item in items]
    assert source.passed.others == 3
    assert asyncio.run(source.count()) == 6


@pytest.mark.parametrize("most_in_memory", [1, 2, 3, 7])
def test_a_folder_that_is_too_large_for_memory_comes_in_the_same_order(tmp_path: Path, most_in_memory: int) -> None:
    fill(tmp_path)
    (tmp_path / "line\nend.jpg").touch()
    (tmp_path / os.fsdecode(b"no \xff text.jpg")).touch()
    whole = items_of(Folder(tmp_path))
    assert items_of(Folder(tmp_path, most_in_memory=most_in_memory)) == whole
    assert len(whole) == 8


def test_only_regular_files_are_images_and_links_to_folders_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "real.jpg").write_text("real")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "real.jpg")
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nothing.jpg")
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.jpg")
    assert [item.name for item in items_of(Folder(tmp_path))] == ["link.jpg", "real.jpg"]


def test_a_file_that_changes_is_another(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    file.write_text("first")
    (before,) = items_of(Folder(tmp_path))
    (same,) = items_of(Folder(tmp_path))
    os.utime(file, ns=(1, 1))
    (after,) = items_of(Folder(tmp_path))
    assert before == same
    assert before.identity != after.identity


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / "sub").chmod(0)
    source = Folder(tmp_path)
    assert len(items_of(source)) == 4
    (tmp_path / "sub").chmod(0o700)
    assert (source.passed.unreadable, source.passed.examples) == (1, ["sub/: permission denied"])


def test_a_store_gives_its_images() -> None:
    async def filled() -> Blobs:
        blobs = Blobs.at("memory:///", Path())
        for name in FILES + OTHERS + HIDDEN:
            await blobs.put(name, name.encode())
        return blobs

    source = Bucket(asyncio.run(filled()))
    items = items_of(source)
    assert sorted(item.name for item in items) == sorted(FILES)
    assert [item.place for item in items] == [item.name for item in items]
    assert all(item.identity and item.size_in_bytes == len(item.name) for item in items)
    assert (source.passed.others, asyncio.run(source.count())) == (3, 6)


def manifest(folder: Path, lines: Sequence[Any], **options: Any) -> Manifest:
    path = folder / "manifest.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + "\n")
    return Manifest(path, **options)


def test_a_manifest_gives_its_lines_in_order(tmp_path: Path) -> None:
    lines = [
        {"url": "https://cdn.example.com/u/1.jpg"},
        "",
        {"path": "photos/2.jpg"},
        {"path": "/elsewhere/3.jpg", "name": "three"},
        {"key": "a/4.jpg"},
    ]
    source = manifest(tmp_path, lines, has_store=True)
    items = items_of(source)
    assert [(item.kind, item.name, item.line) for item in items] == [
        ("url", "cdn.example.com/u/1.jpg", 1),
        ("path", "photos/2.jpg", 3),
        ("path", "three", 4),
        ("key", "a/4.jpg", 5),
    ]
    assert items[1].place == str(tmp_path / "photos/2.jpg")
    assert items[2].place == "/elsewhere/3.jpg"
    assert asyncio.run(source.count()) == 4


def test_a_url_whose_line_changes_is_another(tmp_path: Path) -> None:
    url = "https://cdn.example.com/1.jpg"
    (first,) = items_of(manifest(tmp_path, [{"url": url, "version": 1}]))
    (same,) = items_of(manifest(tmp_path, ["", f'{{"version":1,   "url":"{url}"}}']))
    (other,) = items_of(manifest(tmp_path, [{"url": url, "version": 2}]))
    assert (first.identity, first.name) == (same.identity, same.name)
    assert first.identity != other.identity


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "line 2: no JSON"),
        ("[1]", "line 2: expected an object"),
        ({}, "line 2: expected an object"),
        ({"url": ""}, "line 2: expected an object"),
        ({"url": 7}, "line 2: expected an object"),
        ({"url": "https://a.com/1", "path": "b"}, "line 2: expected an object"),
        ({"path": "a.jpg", "name": 7}, "line 2: the name is no text"),
        ({"key": "a.jpg"}, "line 2: a key needs the address of a store"),
        ({"path": "other.jpg", "name": "first.jpg"}, "line 2: its outputs would be named like those of line 1"),
        ('{"path": "' + "x" * 70_000 + '"}', "line 2: longer than 65,536 bytes"),
    ],
)
@pytest.mark.parametrize("most_in_memory", [1, 100])
def test_a_wrong_manifest_is_told_before_any_work(tmp_path: Path, line: Any, words: str, most_in_memory: int) -> None:
    source = manifest(tmp_path, [{"path": "first.jpg"}, line], most_in_memory=most_in_memory)
    with pytest.raises(RequestError, match=words):
        asyncio.run(source.count())


def test_a_url_that_is_none_is_an_item_that_will_fail(tmp_path: Path) -> None:
    source = manifest(tmp_path, [{"url": "ftp://a.com/1.jpg"}, {"url": "https://a.com/a b.jpg"}])
    assert asyncio.run(source.count()) == 2
    assert all(item.name.startswith("url-") for item in items_of(source))


def test_rows_are_sorted_with_few_in_memory() -> None:
    rows = [(f"{number * 7919 % 1000:04}", number) for number in range(1000)]
    assert list(sorted_rows(rows, 37)) == sorted(rows)
    assert list(sorted_rows([], 37)) == []


@pytest.mark.parametrize(
    ("here", "there", "overlaps"),
    [
        ("photos", "photos", True),
        ("photos", "photos/thumbs", True),
        ("photos/originals", "photos", True),
        ("photos", "photos2", False),
        ("file:///data/photos", "/data/photos/thumbs", True),
        ("s3://bucket", "s3://bucket/thumbs", True),
        ("s3://bucket/a", "s3://bucket/ab", False),
        ("s3://bucket/a", "gs://bucket/a", False),
        ("s3://bucket/a", "a", False),
    ],
)
def test_places_that_lie_in_one_another_are_seen(here: str, there: str, overlaps: bool) -> None:
    assert Place.of(here).overlaps(Place.of(there)) is overlaps


def test_a_place_that_is_none_is_told() -> None:
    with pytest.raises(RequestError, match="expected a folder"):
        Place.of("ftp://host/folder")
