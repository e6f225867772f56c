"""The pairs of this folder: read, filled in, sent as raw HTTP and judged. README.md says what they are made of."""

import base64
import io
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from picture_server import PICTURES
from PIL import Image
from server import TRANSFORM, Reply, Server

FOLDER: Final = Path(__file__).parent
SERVERS: Final[dict[str, dict[str, str]]] = json.loads((FOLDER / "servers.json").read_text("utf-8"))
CASES: Final[dict[str, Any]] = {
    f"{path.stem}: {case['name']}": case
    for path in sorted((FOLDER / "pairs").glob("*.json"))
    for case in json.loads(path.read_text("utf-8"))
}
_PLACE: Final = re.compile(r"\$\{(\w+)(?::([\w.]+))?\}")
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "array": (list,),
    "object": (dict,), "null": (type(None),),
}  # fmt: skip
_BOUNDARY: Final = "a-boundary-of-parts"
_Fill = Callable[[str], str]


def filled(value: Any, fill: _Fill) -> Any:
    """Give a request with every placeholder replaced."""
    if isinstance(value, str):
        return _PLACE.sub(lambda place: _bytes_as_text(place[1], place[2]) if place[2] else fill(place[1]), value)
    if isinstance(value, list):
        return [filled(item, fill) for item in value]
    if isinstance(value, dict):
        return {name: filled(item, fill) for name, item in value.items()}
    return value


def sent(server: Server, request: Mapping[str, Any], fill: _Fill) -> Reply:
    """Send a request of a pair."""
    request = filled(request, fill)
    body, kind = _body(request)
    wanted = {"Authorization": f"Bearer {fill('key')}", "Content-Type": kind, **request.get("headers", {})}
    headers = {name: value for name, value in wanted.items() if value is not None}
    return server.request(request.get("method", "POST"), request.get("path", TRANSFORM), body, headers)


def check(reply: Reply, wanted: Mapping[str, Any], before: list[Reply]) -> None:
    """Raise AssertionError unless a reply is what a pair says."""
    assert reply.status == wanted["status"], f"status {reply.status}: {reply.body[:1000]!r}"
    found = {name: reply.headers[name] for name in reply.headers}
    _check(found, {name.lower(): value for name, value in wanted.get("headers", {}).items()}, "headers")
    if "image" in wanted:
        _check_image(reply.body, wanted["image"], "body")
    elif set(wanted.get("json", ())) == {"$same"}:
        assert reply.body == before[wanted["json"]["$same"]].body
    elif "json" in wanted:
        assert reply.headers["content-type"] == "application/json"
        _check(reply.json, wanted["json"], "body")


def _body(request: Mapping[str, Any]) -> tuple[bytes | None, str | None]:
    if "multipart" in request:
        return _multipart(request["multipart"]), f"multipart/form-data; boundary={_BOUNDARY}"
    if "text" in request:
        return request["text"].encode(), "application/json"
    if "json" in request:
        return json.dumps(request["json"]).encode(), "application/json"
    return None, None


def _multipart(parts: list[dict[str, str]]) -> bytes:
    lines = []
    for part in parts:
        filename = f'; filename="{part["filename"]}"' if "filename" in part else ""
        content = PICTURES[part["image"]] if "image" in part else part["text"].encode()
        head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{part["name"]}"{filename}\r\n\r\n'
        lines += [head.encode(), content, b"\r\n"]
    return b"".join([*lines, f"--{_BOUNDARY}--\r\n".encode()])


def _bytes_as_text(form: str, name: str) -> str:
    text = base64.b64encode(PICTURES[name]).decode()
    return {"base64": text, "unpadded": text.rstrip("=")}[form]


def _check(found: Any, wanted: Any, path: str) -> None:
    if isinstance(wanted, dict) and len(wanted) == 1 and next(iter(wanted)).startswith("$"):
        _check_rule(found, *next(iter(wanted.items())), path)
    elif isinstance(wanted, dict):
        assert isinstance(found, dict), f"{path}: {found!r} is no object"
        for name, value in wanted.items():
            if value == {"$absent": True}:
                assert name not in found, f"{path}.{name} is there"
            else:
                assert name in found, f"{path}.{name} is missing"
                _check(found[name], value, f"{path}.{name}")
    elif isinstance(wanted, list):
        assert isinstance(found, list), f"{path}: {found!r} is no list"
        assert len(found) == len(wanted), f"{path} has {len(found)} elements: {found}"
        for index, value in enumerate(wanted):
            _check(found[index], value, f"{path}[{index}]")
    else:
        assert found == wanted, f"{path} is {found!r}"
        assert isinstance(found, bool) == isinstance(wanted, bool), f"{path} is {found!r}"


def _check_rule(found: Any, rule: str, value: Any, path: str) -> None:
    if rule == "$type":
        kinds = [value] if isinstance(value, str) else value
        assert any(_is_of(found, kind) for kind in kinds), f"{path}: {found!r} is no {value}"
    elif rule == "$match":
        assert isinstance(found, str), f"{path}: {found!r} is no string"
        assert re.search(value, found), f"{path}: {found!r}"
    elif rule == "$has":
        assert any(_satisfies(item, value) for item in found), f"{path}: {found}"
    elif rule == "$image":
        _check_image(base64.b64decode(found, validate=True), value, path)
    else:
        raise ValueError(f"{path}: there is no rule {rule}")


def _is_of(found: Any, kind: str) -> bool:
    # In Python a boolean is a number too.
    return isinstance(found, _TYPES[kind]) and isinstance(found, bool) == (kind == "boolean")


def _satisfies(found: Any, wanted: Any) -> bool:
    try:
        _check(found, wanted, "")
    except AssertionError:
        return False
    return True


def _check_image(data: bytes, wanted: Mapping[str, Any], path: str) -> None:
    with Image.open(io.BytesIO(data)) as image:
        corner = image.convert("RGBA").getpixel((0, 0))
        found = {
            "format": image.format,
            "width": image.width,
            "height": image.height,
            "frames": getattr(image, "n_frames", 1),
        }
    _check(found, {name: value for name, value in wanted.items() if name != "corner"}, path)
    assert isinstance(corner, tuple)
    for one, other in zip(corner, wanted.get("corner", corner), strict=True):
        assert abs(one - other) <= 2, f"{path}: the corner is {corner}"
