"""The Python client, making the calls of the contract."""

import asyncio
import json
import ssl
from dataclasses import dataclass
from typing import Any, Final

import httpx
from calls import Call, Upload
from imageplane_client import AsyncImageplane, Imageplane, ImageplaneError, from_bytes
from server import Reply

# Certificates would be read in vain where nothing is asked by https.
_NO_TLS: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@dataclass(frozen=True)
class Caller:
    """Makes calls with clients of its own, sync or async."""

    is_async: bool

    def make(self, call: Call, base_url: str, max_retries: int) -> Reply:
        """Make a call, and give the reply as the caller of the client learns of it."""
        responses: list[httpx.Response] = []
        options = {"base_url": base_url, "max_retries": max_retries}
        try:
            if self.is_async:
                found = asyncio.run(_awaited(call, options, responses))
            else:
                found = _done(call, options, responses)
            status = responses[-1].status_code
        except ImageplaneError as error:
            found, status = _told(error), error.status or 0
        # Results of the client do not tell the headers of a reply.
        body = found if isinstance(found, bytes) else json.dumps(found).encode()
        return Reply(status, dict(responses[-1].headers), body)


def _done(call: Call, options: dict[str, Any], responses: list[httpx.Response]) -> Any:
    with httpx.Client(event_hooks={"response": [responses.append]}, verify=_NO_TLS) as http:
        return _asked(Imageplane(call.key, http_client=http, **options), call)


async def _awaited(call: Call, options: dict[str, Any], responses: list[httpx.Response]) -> Any:
    async def keep(response: httpx.Response) -> None:
        responses.append(response)

    async with httpx.AsyncClient(event_hooks={"response": [keep]}, verify=_NO_TLS) as http:
        return await _asked(AsyncImageplane(call.key, http_client=http, **options), call)


def _asked(client: Any, call: Call) -> Any:
    options: dict[str, Any] = {"headers": call.headers}
    if call.idempotency_key is not None:
        options["idempotency_key"] = call.idempotency_key
    arguments = [_as_python(each) for each in call.arguments]
    if call.method in ("jobs", "usage"):
        # What narrows a list down has names.
        options.update(*arguments)
        arguments = []
    return getattr(client, call.method)(*arguments, **options)


def _as_python(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: from_bytes(each.data, each.name) if isinstance(each, Upload) else each
                for name, each in value.items()}  # fmt: skip
    return value


def _told(error: ImageplaneError) -> dict[str, Any]:
    return {
        "success": False,
        "error": error.message,
        "code": error.code,
        "details": error.details,
        "request_id": error.request_id,
    }
