"""The same work on the same file is done once, where results are kept, and nothing else is taken for it."""

import asyncio
import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from banking import new_key
from picture_server import PICTURES
from server import TRANSFORM, Reply, Server, serving

from imageplane.blobs import Blobs
from imageplane.cache import ResultCache
from imageplane.pipeline import Options
from imageplane.request import TransformRequest
from imageplane.transform import transform_bytes

PHOTO = base64.b64encode(PICTURES["photo.png"]).decode()
RAW = {"Accept": "image/*"}


def small(side: int, **fields: Any) -> list[dict[str, Any]]:
    resize = {"type": "resize", "width_in_px": side, "height_in_px": side, "fit": "cover", **fields}
    return [resize, {"type": "convert", "format": "webp"}]


def asked(operations: list[dict[str, Any]], picture: str = PHOTO, **fields: Any) -> dict[str, Any]:
    return {"file": {"base64": picture}, "operations": operations, **fields}


@pytest.fixture(scope="module")
def caching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("caching"), CACHE__MAX_SIZE_IN_BYTES="1000000") as server:
        yield server


def kept_files(server: Server) -> list[Path]:
    return [path for path in (server.folder / "data" / "cache").rglob("*") if path.is_file()]


def once_kept(
    server: Server, body: dict[str, Any], headers: dict[str, str], *, status: str = "Imageplane; hit"
) -> Reply:
    """Ask until the result, which is kept a little after its reply, is found."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        reply = server.post(body, headers=headers)
        if reply.headers["cache-status"] == status:
            return reply
    raise AssertionError("the result was never kept")


def test_the_second_time_the_same_picture_comes_from_the_cache(caching: Server) -> None:
    first = caching.post(asked(small(21)), headers=RAW)
    assert (first.status, first.headers["cache-status"]) == (200, "Imageplane; fwd=miss")
    again = once_kept(caching, asked(small(21)), RAW)
    assert (again.status, again.body, again.headers["etag"]) == (200, first.body, first.headers["etag"])
    assert again.headers["x-credits-charged"] == first.headers["x-credits-charged"]
    told = caching.post(asked(small(21))).json
    assert base64.b64decode(told["data"]["buffer"]) == first.body
    assert told["metadata"]["source"]["format"] == "png"


def test_the_same_wish_in_other_words_is_the_same(caching: Server) -> None:
    caching.post(asked(small(22)))
    once_kept(caching, asked(small(22)), {})
    other_words = [
        {"type": "resize", "width": 22, "height": 22.0, "fit": "cover"},
        {"type": "convert", "format": "webp"},
    ]
    reply = caching.post(asked(other_words, colour="red"))
    assert reply.headers["cache-status"] == "Imageplane; hit"
    # What is said of this request is not what was said of the first.
    assert reply.json["metadata"]["warnings"] == ["colour: unknown field, ignored"]


def test_other_work_other_bytes_and_other_organizations_are_something_else(caching: Server) -> None:
    caching.post(asked(small(23)))
    once_kept(caching, asked(small(23)), {})
    with caching.books() as books:
        stranger = new_key(books, 10)
    others = [
        caching.post(asked(small(24))),
        caching.post(asked(small(23), base64.b64encode(PICTURES["photo.png"] + b"\0").decode())),
        caching.post(asked(small(23)), key=stranger),
    ]
    assert [reply.headers["cache-status"] for reply in others] == ["Imageplane; fwd=miss"] * 3


def test_what_is_kept_outlives_the_server(tmp_path: Path) -> None:
    with serving(tmp_path, CACHE__MAX_SIZE_IN_BYTES="1000000") as server:
        first = server.post(asked(small(25)), headers=RAW)
    with serving(tmp_path, CACHE__MAX_SIZE_IN_BYTES="1000000") as server:
        again = server.post(asked(small(25)), headers=RAW)
    assert (again.headers["cache-status"], again.body) == ("Imageplane; hit", first.body)


def test_a_result_that_was_damaged_is_made_again(caching: Server) -> None:
    before = set(kept_files(caching))
    first = caching.post(asked(small(26)), headers=RAW)
    once_kept(caching, asked(small(26)), RAW)
    (path,) = set(kept_files(caching)) - before
    for damage in (b"", b"no result", path.read_bytes()[:-5]):
        path.write_bytes(damage)
        again = caching.post(asked(small(26)), headers=RAW)
        assert (again.headers["cache-status"], again.body) == ("Imageplane; fwd=miss", first.body)
        once_kept(caching, asked(small(26)), RAW)


def test_failures_are_not_kept(caching: Server) -> None:
    crop = [{"type": "crop", "left_in_px": 9000, "top_in_px": 0, "width_in_px": 1, "height_in_px": 1}]
    before = set(kept_files(caching))
    for _ in range(3):
        assert caching.post(asked(crop)).status == 422
    assert set(kept_files(caching)) == before


def test_without_the_setting_nothing_is_kept(server: Server) -> None:
    assert "cache-status" not in server.post(asked(small(27))).headers
    assert kept_files(server) == []


@pytest.mark.parametrize("tags", ["{etag}", "W/{etag}", '"other", {etag}', "*"])
def test_who_has_the_picture_already_gets_no_bytes(server: Server, tags: str) -> None:
    first = server.post(asked(small(28)), headers=RAW)
    known = {**RAW, "If-None-Match": tags.format(etag=first.headers["etag"])}
    again = server.post(asked(small(28)), headers=known)
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])


def test_who_has_another_picture_gets_this_one(server: Server) -> None:
    reply = server.post(asked(small(29)), headers={**RAW, "If-None-Match": '"another"'})
    assert (reply.status, reply.body[:4]) == (200, b"RIFF")
    # JSON tells of the request too, and is never the same.
    assert server.post(asked(small(29)), headers={"If-None-Match": "*"}).status == 200


def test_the_cache_stays_within_its_bound_and_what_was_used_last_stays() -> None:
    async def scenario() -> None:
        requests = [TransformRequest.parse({"operations": small(side)}) for side in range(10, 30)]
        results = [transform_bytes(PICTURES["photo.png"], small(90)) for _ in requests]
        cache = ResultCache(blobs := Blobs.at("memory:///", Path()), 4 * len(results[0].picture.data), Options())
        names = [await cache.name_of("a", PICTURES["photo.png"], each) for each in requests]
        assert len(set(names)) == len(names)
        for name, request, result in zip(names, requests, results, strict=True):
            cache.keep(name, request, result)
            await cache.close()
            assert await cache.get(names[0], requests[0]) is not None
            assert cache.size_in_bytes <= 4 * len(results[0].picture.data)
        kept = {entry.name for entry in await blobs.entries("results")}
        assert {names[0], names[-1]} <= kept
        assert len(kept) <= 4
        # One that is opened later knows what is there.
        later = ResultCache(blobs, 4 * len(results[0].picture.data), Options())
        await later.open()
        assert later.size_in_bytes == cache.size_in_bytes

    asyncio.run(scenario())


def test_the_route_is_the_one_that_is_told(caching: Server) -> None:
    document = caching.request("GET", "/openapi.json").json
    assert "304" in document["paths"][TRANSFORM]["post"]["responses"]
