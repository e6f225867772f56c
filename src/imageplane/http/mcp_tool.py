"""The tool `transform_image`, as the Model Context Protocol has it: what the transform route takes, does and says."""

import inspect
from functools import cache
from importlib.metadata import version
from typing import Any, Final

import msgspec
from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ContentBlock,
    ImageContent,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
    ToolAnnotations,
)
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from imageplane.http.catalog import described
from imageplane.http.inner_call import call, inner_scope
from imageplane.http.schemas import Schema, untitled
from imageplane.http.transform import TRANSFORM_PATH
from imageplane.http.visit import visit_of
from imageplane.operation import Operation
from imageplane.operations import catalog
from imageplane.reply import JSON
from imageplane.settings import LimitSettings

TOOL: Final = "transform_image"
_TEXT: Final = """Make one or several pictures of an image: thumbnails, crops, other formats, effects.

Give `file` by `url` wherever possible, and either `operations`, done in their order, or `outputs` for several pictures
of one file. A picture that is to be looked at should be jpeg, png or webp. Every call costs credits."""
_PASSED_ON: Final = (b"authorization", b"host", b"x-iterationlayer-integration", b"user-agent")
_COMPONENTS: Final = "#/components/schemas/"


def speaker(app: ASGIApp, limits: LimitSettings) -> ASGIApp:
    """Give the application that answers one message; the tool asks `app`, the whole server, with the caller's key."""

    async def list_tools(_context: object, _asked: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=[tool(limits)])

    async def call_tool(context: Any, asked: CallToolRequestParams) -> CallToolResult:
        if asked.name != TOOL:
            raise MCPError(code=INVALID_PARAMS, message=f"There is no tool of this name; there is {TOOL}.")
        return _told(await _transformed(app, context.request, asked.arguments or {}))

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        server = Server("imageplane", version=version("imageplane"), on_list_tools=list_tools, on_call_tool=call_tool)
        # Whoever lures a browser here has no key, so neither Host nor Origin tells anything. The size was looked at.
        manager = StreamableHTTPSessionManager(
            server, json_response=True, stateless=True, max_request_body_size=limits.max_body_in_bytes
        )
        async with manager.run():
            await manager.handle_request(scope, receive, send)

    return answer


@cache
def tool(limits: LimitSettings) -> Tool:
    """Give the description of the tool, with its input as the catalog and the OpenAPI document declare it."""
    return Tool(
        name=TOOL,
        title="Transform an image",
        description=_TEXT,
        input_schema=_input_schema(described(limits)["components"]["schemas"]),
        annotations=ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=True),
    )


def _input_schema(components: dict[str, Schema]) -> Schema:
    url, base64 = components["UrlFile"]["properties"], components["Base64File"]["properties"]
    operations = {kind: _operation(kind, operation) for kind, operation in catalog().items()}
    union = {"anyOf": [{"$ref": f"#/$defs/{kind}"} for kind in operations]}
    return {
        "type": "object",
        "properties": {
            "file": {
                "type": "object",
                "description": f"{components['File']['description']} Either by `url` or as `base64`.",
                "properties": {"url": url["url"], "base64": base64["base64"]},
            },
            "operations": {"$ref": "#/$defs/Operations"},
            "outputs": _inside(components["Outputs"]),
        },
        "required": ["file"],
        "$defs": {
            **{name: _inside(components[name]) for name in ("Operations", "Output")},
            "Operation": union,
            **operations,
        },
    }


def _operation(kind: str, operation: type[Operation]) -> Schema:
    """Give what a model has to know to ask for an operation: nothing of other names, of null, and of methods."""
    schema: Schema = untitled(operation.model_json_schema())
    text = inspect.cleandoc(operation.__doc__ or "").partition("\n\nMethod:")[0]
    properties = {**schema["properties"], "type": {"const": kind}}
    return {**schema, "description": text, "properties": properties, "required": ["type", *schema.get("required", ())]}


def _inside(schema: Schema) -> Schema:
    """Give a component of the OpenAPI document as a part of a schema that stands alone."""
    text = msgspec.json.encode(schema).replace(_COMPONENTS.encode(), b"#/$defs/")
    found: Schema = msgspec.json.decode(text)
    return found


async def _transformed(app: ASGIApp, request: Request, arguments: dict[str, Any]) -> Response:
    body = msgspec.json.encode(arguments)
    headers = [(name, value) for name, value in request.scope["headers"] if name in _PASSED_ON]
    headers += [
        (b"content-type", JSON.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"x-request-id", visit_of(request).request_id.encode()),
    ]
    return await call(app, inner_scope(request.scope, TRANSFORM_PATH, headers), body, request.receive)


def _told(reply: Response) -> CallToolResult:
    """Give a reply of the transform route as the result of a tool: pictures, and what was found out."""
    if not reply.body:
        return CallToolResult(content=[TextContent(type="text", text="The caller has left.")], is_error=True)
    envelope: dict[str, Any] = msgspec.json.decode(reply.body)
    if not envelope["success"]:
        wait = f" Try again in {seconds} s." if (seconds := reply.headers.get("retry-after")) else ""
        text = TextContent(type="text", text=f"{envelope['error']}{wait}")
        return CallToolResult(content=[text], structured_content=envelope, is_error=True)
    data = envelope.get("data", {})
    pictures = data.get("outputs", [data] if data else [])
    content: list[ContentBlock] = [
        ImageContent(type="image", data=picture.pop("buffer"), mime_type=picture["mime_type"]) for picture in pictures
    ]
    # For clients that look at content only.
    content.append(TextContent(type="text", text=msgspec.json.encode(envelope).decode()))
    return CallToolResult(content=content, structured_content=envelope)
