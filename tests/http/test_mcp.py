"""The tool at /mcp, as the official client of the Model Context Protocol sees it."""

import asyncio
import base64
import io
import json
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import jsonschema_rs
import pytest
from banking import PATIENCE_IN_S, balance_of, new_key
from picture_server import PICTURES, PictureServer
from PIL import Image
from server import TRANSFORM, Server

from imageplane.http.app import create_app
from imageplane.operations import catalog, parse
from imageplane.settings import DashboardSettings, HttpSettings, LimitSettings, Settings

pytest.importorskip("mcp", reason="the extra mcp is not installed; `make install` brings it")
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from imageplane.http.mcp_tool import tool

PHOTO = {"base64": base64.b64encode(PICTURES["photo.png"]).decode()}
CROP = {"type": "smart_crop", "width_in_px": 40, "height_in_px": 30}
T = TypeVar("T")


def talk(server: Server, do: Callable[[Client], Awaitable[T]], *, key: str | None = None, mode: str = "auto") -> T:
    """Connect as a program does that was given the address and a key, the server's own unless told otherwise."""
    key = server.key if key is None else key
    headers = {"Authorization": f"Bearer {key}"} if key else {}

    async def run() -> T:
        async with (
            httpx2.AsyncClient(headers=headers, timeout=60) as http,
            Client(streamable_http_client(f"{server.url}/mcp", http_client=http), mode=mode) as client,
        ):
            return await do(client)

    return asyncio.run(run())


def transformed(server: Server, arguments: dict[str, Any], **how: Any) -> Any:
    return talk(server, lambda client: client.call_tool("transform_image", arguments), **how)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_there_is_one_tool_that_knows_every_operation(server: Server, mode: str) -> None:
    listed = talk(server, lambda client: client.list_tools(), mode=mode)
    (found,) = listed.tools
    assert found.name == "transform_image"
    assert "credits" in found.description
    kinds = [part["$ref"].rpartition("/")[2] for part in found.input_schema["$defs"]["Operation"]["anyOf"]]
    assert kinds == list(catalog())


def test_everybody_may_ask_what_there_is(server: Server) -> None:
    assert talk(server, lambda client: client.list_tools(), key="").tools


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_photo_comes_back_with_what_was_found_out(server: Server, mode: str) -> None:
    result = transformed(
        server, {"file": PHOTO, "operations": [CROP, {"type": "convert", "format": "webp"}]}, mode=mode
    )
    assert not result.is_error
    picture, text = result.content
    assert (picture.type, picture.mime_type) == ("image", "image/webp")
    image = Image.open(io.BytesIO(base64.b64decode(picture.data)))
    assert (image.format, image.size) == ("WEBP", (40, 30))
    facts = result.structured_content
    assert json.loads(text.text) == facts
    assert facts["data"] == {
        "mime_type": "image/webp",
        "width_in_px": 40,
        "height_in_px": 30,
        "size_in_bytes": len(base64.b64decode(picture.data)),
    }
    assert facts["metadata"]["credits_charged"] == 1
    assert facts["metadata"]["smart_crops"][0]["rule"]


def test_a_file_by_url_and_several_outputs(open_server: Server, pictures: PictureServer) -> None:
    outputs = [{"name": "card", "operations": [CROP]}, {"name": "gray", "operations": [{"type": "grayscale"}]}]
    result = transformed(open_server, {"file": {"url": f"{pictures.url}/photo.png"}, "outputs": outputs})
    assert [part.type for part in result.content] == ["image", "image", "text"]
    assert [each["name"] for each in result.structured_content["data"]["outputs"]] == ["card", "gray"]
    assert all("buffer" not in each for each in result.structured_content["data"]["outputs"])


def test_a_bad_operation_is_told_with_its_place(server: Server) -> None:
    result = transformed(server, {"file": PHOTO, "operations": [{"type": "flip"}, {"type": "blur", "sigma": -1}]})
    assert result.is_error
    (text,) = result.content
    assert text.text.startswith("operations[1].sigma: ")
    assert result.structured_content["code"] == "invalid_request"
    assert [fault["path"] for fault in result.structured_content["details"]] == ["operations[1].sigma"]


@pytest.mark.parametrize("key", ["", "ip_live_nobody"])
def test_without_a_good_key_nothing_is_made(server: Server, key: str) -> None:
    result = transformed(server, {"file": PHOTO, "operations": [CROP]}, key=key)
    assert result.is_error
    assert result.content[0].text == "Invalid API key"
    assert result.structured_content["code"] == "invalid_api_key"


def test_credits_are_those_of_the_key(server: Server) -> None:
    with server.books() as books:
        key = new_key(books, credit=1)
        account = books.keys.ask(key).result(PATIENCE_IN_S)
        bad, good = {"file": {"base64": "AAAA"}, "operations": []}, {"file": PHOTO, "operations": [CROP]}
        assert transformed(server, bad, key=key).structured_content["code"] == "unsupported_format"
        assert not transformed(server, good, key=key).is_error
        assert balance_of(books, account) == 0
        result = transformed(server, good, key=key)
        assert result.is_error
        assert result.content[0].text == "Insufficient credits"


def test_the_log_tells_of_the_tool_and_of_the_transform(server: Server) -> None:
    result = transformed(server, {"file": PHOTO, "operations": []})
    request_id = result.structured_content["metadata"]["request_id"]
    until = time.monotonic() + PATIENCE_IN_S
    told: list[str] = []
    # The line of a request is written when its reply is on the way.
    while len(told) < 2 and time.monotonic() < until:
        told = [json.loads(line)["path"] for line in server.output.splitlines() if request_id in line]
        time.sleep(0.02)
    assert sorted(told) == sorted([TRANSFORM, "/mcp"])


def test_another_tool_is_no_tool(server: Server) -> None:
    async def ask(client: Client) -> str:
        with pytest.raises(MCPError) as refused:
            await client.call_tool("delete_image", {})
        return str(refused.value)

    assert talk(server, ask) == "There is no tool of this name; there is transform_image."


def message(arguments: dict[str, Any]) -> bytes:
    params = {"name": "transform_image", "arguments": arguments}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()


def test_a_large_message_takes_a_key(server: Server) -> None:
    noise = Image.effect_noise((473, 353), 90)
    buffer = io.BytesIO()
    noise.save(buffer, "PNG")
    body = message({"file": {"base64": base64.b64encode(buffer.getvalue()).decode()}, "operations": [CROP]})
    assert len(body) > 65_536
    accepting = {"Accept": "application/json, text/event-stream"}
    refused = server.post(body, "/mcp", key="", headers=accepting)
    assert (refused.status, refused.json["code"]) == (401, "invalid_api_key")
    reply = server.post(body, "/mcp", headers=accepting)
    assert reply.status == 200
    assert reply.json["result"]["content"][0]["mimeType"] == "image/png"


def test_a_message_that_is_too_large_is_refused(server: Server) -> None:
    reply = server.post(message({"file": {"base64": "A" * 10_000_000}}), "/mcp")
    assert (reply.status, reply.json["code"]) == (413, "too_large")


def test_there_is_nothing_to_listen_to(server: Server) -> None:
    reply = server.get("/mcp", headers={"Accept": "text/event-stream"})
    assert (reply.status, reply.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("is_wanted", [True, False])
def test_it_can_be_switched_off(is_wanted: bool) -> None:
    settings = Settings.model_construct(http=HttpSettings(mcp=is_wanted), dashboard=DashboardSettings(enabled=False))
    # Books are only opened and closed by what runs the application.
    app: Any = create_app(settings, None)._app  # type: ignore[arg-type, attr-defined]
    assert ("/mcp" in {getattr(route, "path", "") for route in app.routes}) is is_wanted


def test_the_library_is_not_loaded_with_the_server() -> None:
    words = "import sys, imageplane.http.app, imageplane.cli.main; sys.exit('mcp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", words], check=False).returncode == 0


def test_the_input_is_described_as_a_model_can_read_it() -> None:
    schema = tool(LimitSettings()).input_schema
    text = json.dumps(schema)
    assert "components" not in text
    # Some hosts of models refuse a choice at the root.
    assert not {"oneOf", "anyOf", "allOf", "$ref"} & set(schema)
    assert len(text) < 20_000
    judge = jsonschema_rs.validator_for(schema)
    assert not judge.is_valid({"file": PHOTO, "operations": [{"type": "blur", "sigma": -1}]})
    for kind, operation in catalog().items():
        for example in operation.examples:
            wanted = {"type": kind, **example.fields}
            parse([wanted])
            judge.validate({"file": PHOTO, "operations": [wanted]})
            judge.validate({"file": PHOTO, "outputs": [{"name": "one", "operations": [wanted]}]})


def test_work_for_a_caller_who_hung_up_ends(server: Server) -> None:
    slow = [{"type": "resize", "width_in_px": 5000, "height_in_px": 5000, "fit": "fill"}]
    slow += [{"type": "denoise", "size": 31}] * 9
    body = message({"file": PHOTO, "operations": slow})
    head = f"POST /mcp HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {server.key}\r\nX-Request-Id: hung-up\r\n"
    head += "Accept: application/json\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    assert server.said(f'"request_id": "hung-up", "method": "POST", "path": "{TRANSFORM}"')["status"] == 499
