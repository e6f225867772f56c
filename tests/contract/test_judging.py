"""A judge that lets everything pass proves nothing."""

import base64
import json
from typing import Any

import pytest
from pairs import check
from picture_server import PICTURES
from server import Reply

PNG = base64.b64encode(PICTURES["photo.png"]).decode()


def judged(found: Any, wanted: Any) -> None:
    body = json.dumps(found).encode()
    check(Reply(200, {"content-type": "application/json"}, body), {"status": 200, "json": wanted}, [])


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        ({"a": 1, "b": 2}, {"a": 1}),
        ({"a": [1, {"b": 2, "c": 3}]}, {"a": [1, {"b": 2}]}),
        ({"a": 1}, {"b": {"$absent": True}}),
        ({"a": "req_1"}, {"a": {"$match": "^req_"}}),
        ({"a": [1, "x"]}, {"a": {"$has": "x"}}),
        ({"a": 1.5}, {"a": {"$type": "number"}}),
        ({"a": None}, {"a": None}),
        ({"a": None}, {"a": {"$type": ["string", "null"]}}),
        ({"a": PNG}, {"a": {"$image": {"format": "PNG", "width": 24, "height": 16, "frames": 1}}}),
    ],
)
def test_what_is_right_passes(found: Any, wanted: Any) -> None:
    judged(found, wanted)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        ({"b": 2}, {"a": 1}),
        ({"a": 1}, {"a": True}),
        ({"a": True}, {"a": 1}),
        ({"a": [1, 2]}, {"a": [1]}),
        ({"a": []}, {"a": [1]}),
        ({"b": 1}, {"b": {"$absent": True}}),
        ({"a": "x"}, {"a": {"$match": "^req_"}}),
        ({"a": 1}, {"a": {"$match": "1"}}),
        ({"a": [1, 2]}, {"a": {"$has": 3}}),
        ({"a": True}, {"a": {"$type": "integer"}}),
        ({"a": 1.5}, {"a": {"$type": "integer"}}),
        ({"a": None}, {"a": {"$type": "string"}}),
        ({"a": PNG}, {"a": {"$image": {"format": "PNG", "width": 25}}}),
        ({"a": PNG}, {"a": {"$image": {"corner": [1, 2, 3, 4]}}}),
        ({"a": 1}, {"a": {}}),
        ([], {"a": 1}),
    ],
)
def test_what_is_wrong_does_not(found: Any, wanted: Any) -> None:
    with pytest.raises(AssertionError):
        judged(found, wanted)


@pytest.mark.parametrize("text", [PNG[:-2] + "!!", PNG.rstrip("=") + "A"])
def test_base64_is_read_strictly(text: str) -> None:
    with pytest.raises(ValueError, match=r"base64|padding"):
        judged({"a": text}, {"a": {"$image": {}}})


def test_a_status_a_header_and_other_bytes_are_seen() -> None:
    reply = Reply(200, {"content-type": "application/json", "x-a": "1"}, b"{}")
    check(reply, {"status": 200, "headers": {"X-A": "1"}, "json": {"$same": 0}}, [reply])
    for wanted in ({"status": 201}, {"status": 200, "headers": {"X-A": "2"}}, {"status": 200, "headers": {"X-B": "1"}}):
        with pytest.raises(AssertionError):
            check(reply, wanted, [])
    with pytest.raises(AssertionError):
        check(reply, {"status": 200, "json": {"$same": 0}}, [Reply(200, {}, b"{ }")])
