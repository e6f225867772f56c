"""The OpenAPI document is sound, is complete, and says what the server does."""

import copy
import json
from collections.abc import Iterator
from typing import Any, Literal

import jsonschema_rs
import pytest
from fastapi.routing import APIRoute
from pydantic import AliasChoices, Field, ValidationError
from schemathesis.specs.openapi.definitions import OPENAPI_31
from server import TRANSFORM, Server

from imageplane.errors import RequestError
from imageplane.http import examples, playground
from imageplane.http.app import create_app
from imageplane.http.catalog import described
from imageplane.http.mcp import MCP_PATH
from imageplane.http.schemas import as_accepted, error_classes
from imageplane.operation import HexColor, Operation
from imageplane.operations import catalog, parse
from imageplane.settings import DashboardSettings, LimitSettings, Settings

DOCUMENT = described(LimitSettings())
SCHEMAS = DOCUMENT["components"]["schemas"]
ROUTES = [
    pytest.param(path, method, id=f"{method} {path}")
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
]
OPERATIONS = [
    pytest.param(example, id=f"{kind}.{place}")
    for kind, operation in catalog().items()
    for place, example in enumerate(SCHEMAS[f"{operation.__name__}Operation"]["examples"])
]


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        yield from (node for part in value.values() for node in nodes(part))
    elif isinstance(value, list):
        yield from (node for part in value for node in nodes(part))


def flat(routes: list[Any]) -> Iterator[APIRoute]:
    """Give the routes of an application, and of the routers that it includes."""
    for route in routes:
        included = getattr(route, "original_router", None)
        yield from flat(included.routes) if included else [route]


def validator(schema: dict[str, Any], *, is_closed: bool = False) -> jsonschema_rs.Draft202012Validator:
    """Give a validator of a schema of the document; a closed one takes no field that is not declared."""
    components = copy.deepcopy(DOCUMENT["components"])
    if is_closed:
        for node in nodes(components["schemas"]):
            if node.get("type") == "object" and "properties" in node:
                node["additionalProperties"] = False
    return jsonschema_rs.Draft202012Validator({**schema, "components": components}, validate_formats=True)


def schema_of(path: str, method: str, status: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][path][method]["responses"][status]["content"]["application/json"][
        "schema"
    ]
    return found


def test_the_document_is_openapi_3_1() -> None:
    jsonschema_rs.Draft202012Validator(OPENAPI_31).validate(DOCUMENT)
    for schema in SCHEMAS.values():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    wanted = {node["$ref"] for node in nodes(DOCUMENT) if isinstance(node.get("$ref"), str)}
    there = {f"#/components/{kind}/{name}" for kind, parts in DOCUMENT["components"].items() for name in parts}
    assert wanted <= there
    assert {f"#/components/schemas/{name}" for name in SCHEMAS} <= wanted


def test_every_route_of_the_server_is_described() -> None:
    # Books are only opened and closed by what runs the application.
    settings = Settings.model_construct(dashboard=DashboardSettings(enabled=False))
    app: Any = create_app(settings, None)._app  # type: ignore[arg-type, attr-defined]
    for_people = {route.path_format for route in playground.router.routes if isinstance(route, APIRoute)}
    described_here = [route for route in flat(app.routes) if route.path_format not in {MCP_PATH, *for_people}]
    real = {(route.path_format, method.lower()) for route in described_here for method in route.methods or ()}
    assert real == {(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods}


def test_every_operation_is_a_member_of_the_union() -> None:
    union = SCHEMAS["Operation"]
    assert list(union["discriminator"]["mapping"]) == list(catalog())
    assert [part["$ref"] for part in union["oneOf"]] == list(union["discriminator"]["mapping"].values())
    for kind, place in union["discriminator"]["mapping"].items():
        schema = SCHEMAS[place.rpartition("/")[2]]
        assert schema["properties"]["type"] == {"const": kind, "type": "string"}
        assert "type" in schema["required"]
        assert schema["description"]


def test_every_error_is_described() -> None:
    assert set(SCHEMAS["ErrorReply"]["properties"]["code"]["enum"]) == {error.code for error in error_classes()}
    for status, response in DOCUMENT["paths"][TRANSFORM]["post"]["responses"].items():
        if int(status) >= 400:
            codes = response["content"]["application/json"]["schema"]["properties"]["code"]["enum"]
            known = {error.code for error in error_classes() if error.status == int(status)}
            assert set(codes) <= known
            assert all(f"`{code}`" in response["description"] for code in codes)


@pytest.mark.parametrize(("path", "method"), ROUTES)
def test_examples_of_replies_are_as_described(path: str, method: str) -> None:
    for response in DOCUMENT["paths"][path][method]["responses"].values():
        content = response.get("content", {}).get("application/json", {})
        if "example" in content:
            validator(content["schema"], is_closed=True).validate(content["example"])


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_example_of_an_operation_runs(operation: dict[str, Any], request: pytest.FixtureRequest) -> None:
    body = {"file": examples.FILE, "operations": [operation]}
    validator({"$ref": "#/components/schemas/TransformRequest"}).validate(body)
    takes_a_network = getattr(catalog()[operation["type"]], "needs_models", False)
    server: Server = request.getfixturevalue("seeing_server" if takes_a_network else "server")
    reply = server.post(body)
    assert reply.status == 200, reply.body
    assert not reply.json["metadata"]["warnings"]


@pytest.mark.parametrize("name", examples.REQUESTS)
def test_an_example_of_a_request_runs_and_is_answered_as_described(name: str, server: Server) -> None:
    reply = server.post(examples.REQUESTS[name]["value"])
    assert reply.status == 200
    validator(schema_of(TRANSFORM, "post", "200"), is_closed=True).validate(reply.json)


@pytest.mark.parametrize("path", ["/v1/me", "/v1/usage", "/health/live", "/health/ready"])
def test_a_reply_is_as_described(path: str, server: Server) -> None:
    # So that there is something to tell of.
    assert server.post(examples.REQUESTS["thumbnail"]["value"]).status == 200
    reply = server.get(path)
    assert reply.status == 200
    validator(schema_of(path, "get", "200"), is_closed=True).validate(reply.json)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", "400"),
        ({"file": {"url": "https://127.0.0.1/"}, "operations": []}, "400"),
        ({"file": examples.FILE, "operations": [{"type": "blur", "sigma": 0}, {"type": "blurr"}]}, "400"),
        ({"file": {"base64": "aGVsbG8="}, "operations": []}, "400"),
        ({"file": examples.FILE, "operations": [examples.THUMBNAIL[0] | {"width_in_px": 65535}]}, "413"),
    ],
)
def test_a_failure_is_as_described(body: Any, status: str, server: Server) -> None:
    reply = server.post(body)
    assert str(reply.status) == status
    validator(schema_of(TRANSFORM, "post", status), is_closed=True).validate(reply.json)


def test_a_stranger_is_answered_as_described(server: Server) -> None:
    for path, method, schema in ((TRANSFORM, "post", None), ("/v1/me", "get", None), ("/v1/usage", "get", None)):
        reply = server.request(method.upper(), f"{path}?since=nonsense")
        assert reply.status == 401, schema
        validator(schema_of(path, method, "401"), is_closed=True).validate(reply.json)


def test_the_server_answers_with_this_document(server: Server) -> None:
    reply = server.request("GET", "/openapi.json")
    own = described(LimitSettings(requests_per_minute=1_000_000))
    assert reply.headers["content-type"] == "application/json"
    assert reply.json == json.loads(json.dumps(own))


def test_the_document_tells_the_limits_of_its_server() -> None:
    own = described(LimitSettings(max_operations=7))
    assert own["components"]["schemas"]["Operations"]["maxItems"] == 7


BOX = {"type": "resize", "fit": "cover"}


@pytest.mark.parametrize(
    "operation",
    [
        {**BOX, "width_in_px": 5, "height_in_px": 5},
        {**BOX, "width": 5, "height": 5},
        {**BOX, "width": 5, "height_in_px": 5},
        {**BOX, "width_in_px": 200.0, "height": 5},
        {**BOX, "width_in_px": None, "width": 5, "height": 5},
        {**BOX, "width_in_px": 5, "width": "ignored", "height": 5},
        {**BOX, "width_in_px": 5, "height": 5, "hex_color": None, "position": None},
        {**BOX, "width_in_px": 5, "height": 5, "hex_color": "abc"},
        {**BOX, "width_in_px": 5, "height": 5, "unknown": {}},
        {**BOX, "width_in_px": None, "height": 5},
        {**BOX, "width_in_px": "5", "height": 5},
        {**BOX, "width_in_px": 5.5, "height": 5},
        {**BOX, "width": 0, "height": 5},
        {**BOX, "width": 65_536, "height": 5},
        {**BOX, "width": True, "height": 5},
        {**BOX, "width_in_px": 5},
        {**BOX, "width_in_px": 5, "height": 5, "fit": None},
        {**BOX, "width_in_px": 5, "height": 5, "hex_color": "abcd"},
        {**BOX, "width_in_px": 5, "height": 5, "hex_color": "#abc\n"},
        {"type": "modulate", "hue": 5},
        {"type": "modulate", "hue": None, "saturation": 0},
        {"type": "modulate", "hue": None},
        {"type": "modulate"},
        {"type": "flip", "flop": True},
        {"type": "Flip"},
        {"type": None},
        {},
        "flip",
    ],
)
def test_an_operation_is_valid_where_the_server_takes_it(operation: Any) -> None:
    is_valid = validator({"$ref": "#/components/schemas/Operation"}).is_valid(operation)
    try:
        parse([operation])
    except RequestError:
        assert not is_valid
    else:
        assert is_valid


class Named(Operation):
    """An operation of no catalog, all of whose fields have another name."""

    type: Literal["named"] = "named"
    size: int = Field(validation_alias=AliasChoices("size", "s"), gt=0)
    color: HexColor | None = Field(default=None, validation_alias=AliasChoices("color", "c"))
    factor: Literal[2, "2"] = Field(default=2, validation_alias=AliasChoices("factor", "f"))


@pytest.mark.parametrize(
    "fields",
    [
        {"size": 5}, {"s": 5}, {"size": 5, "s": "ignored"}, {"size": None, "s": 5}, {"size": None}, {"s": 0}, {},
        {"s": 5, "c": "abc"}, {"s": 5, "c": 7}, {"s": 5, "color": "abc", "c": 7}, {"s": 5, "color": None, "c": 7},
        {"s": 5, "color": None, "c": None}, {"s": 5, "color": 7, "c": "abc"},
        {"s": 5, "f": "2"}, {"s": 5, "f": 2}, {"s": 5, "f": 3}, {"s": 5, "factor": None, "f": None},
    ],
)  # fmt: skip
def test_another_name_of_a_field_is_valid_where_the_server_takes_it(fields: dict[str, Any]) -> None:
    schema = as_accepted(Named, Named.model_json_schema())
    try:
        Named.model_validate({"type": "named", **fields})
    except ValidationError:
        is_taken = False
    else:
        is_taken = True
    assert jsonschema_rs.Draft202012Validator(schema).is_valid({"type": "named", **fields}) == is_taken
