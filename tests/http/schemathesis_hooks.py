"""What schemathesis can't read from the document: pictures that are pictures, and URLs that stay on this machine."""

import base64
import json
import os
import zlib
from typing import Any

import schemathesis
from hypothesis import strategies as st
from picture_server import PICTURES
from schemathesis.core.failures import Failure
from schemathesis.transport.requests import REQUESTS_TRANSPORT, multipart_serializer
from schemathesis.transport.serialization import Binary

from imageplane.errors import RequestError
from imageplane.operation import PixelOperation
from imageplane.operations import parse

WHOLE = [name for name in PICTURES if name.split(".")[0] not in ("truncated", "broken", "vast", "note")]

schemathesis.openapi.format("byte", st.sampled_from([base64.b64encode(PICTURES[name]).decode() for name in WHOLE]))
schemathesis.openapi.format("uri", st.sampled_from([f"{os.environ['PICTURES_URL']}/{name}" for name in WHOLE]))


@REQUESTS_TRANSPORT.serializer("multipart/form-data")
def with_a_picture(context: Any, body: Any) -> dict[str, Any]:
    """Send a picture for the text that schemathesis makes up as a file, and an empty list as such."""
    if isinstance(body, dict):
        body = {name: json.dumps(value) if value == [] else value for name, value in body.items()}
        file = body.get("file")
        if isinstance(file, str) and file:
            body["file"] = Binary(PICTURES[WHOLE[zlib.crc32(file.encode()) % len(WHOLE)]])
    return multipart_serializer(context, body)


def _without_networks(operations: Any) -> Any:
    """Put a flip in place of every valid operation that takes a network: they take long, or are not installed."""
    if not isinstance(operations, list):
        return operations
    return [{"type": "flip"} if _takes_a_network(operation) else operation for operation in operations]


def _takes_a_network(raw: Any) -> bool:
    try:
        ((operation,), _) = parse([raw])
    except RequestError:
        return False
    return isinstance(operation, PixelOperation) and operation.needs_models


@schemathesis.hook
def before_call(_context: Any, case: Any, _options: Any) -> None:
    """Make good what a schema can't ask of a valid request, and ask for raw images now and then."""
    if isinstance(case.body, dict):
        if "operations" in case.body:
            case.body = {**case.body, "operations": _without_networks(case.body["operations"])}
        if isinstance(case.body.get("outputs"), list):
            outputs = [
                {**output, "operations": _without_networks(output["operations"])}
                if isinstance(output, dict) and "operations" in output
                else output
                for output in case.body["outputs"]
            ]
            case.body = {**case.body, "outputs": outputs}
    if case.meta is None or not case.meta.generation.mode.is_positive or not isinstance(case.body, dict):
        return
    number = zlib.crc32(repr(case.body).encode())
    if "outputs" in case.body:
        # No two of them may have the same name.
        named = [
            {**output, "name": f"{output['name'][:60]}_{place}"} for place, output in enumerate(case.body["outputs"])
        ]
        case.body = {**case.body, "outputs": named}
    elif number % 3 == 0:
        case.headers["Accept"] = "image/*"
    if "Idempotency-Key" in case.headers:
        # The same key belongs to the same body.
        case.headers["Idempotency-Key"] = f"{case.headers['Idempotency-Key'][:200]}{number}"


@schemathesis.check
def nothing_leaves_this_machine(_context: Any, response: Any, case: Any) -> None:
    """Fail where a name was looked up."""
    if b"could not be found" in response.content:
        raise Failure(operation=case.operation.label, title="A name was looked up", message=response.text)
