"""What can be asked of the server: every call as data, built without sending anything."""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypedDict, TypeVar
from urllib.parse import quote

import httpx

from imageplane_client.bulk import BulkFailure, BulkOutput
from imageplane_client.files import Upload
from imageplane_client.replies import Reply, read_bytes, read_json, read_lines
from imageplane_client.types import (
    AcceptedReply,
    AccountReply,
    BulkRequest,
    DeliveriesReply,
    DeliveryReply,
    JobReply,
    JobsReply,
    TransformReply,
    TransformRequest,
    UsageReply,
    WebhookSecretsReply,
)

T = TypeVar("T")
_TRANSFORM: Final = "/image-transformation/v1/transform"
_AS_JSON: Final = {"Content-Type": "application/json"}


class Options(TypedDict, total=False):
    """What every method takes.

    Takes: `timeout_in_s`, for the whole call with all its attempts; `headers`, which go before those of the client.
    """

    timeout_in_s: float
    headers: Mapping[str, str]


class TransformOptions(Options, total=False):
    """What methods take that hand in what costs credits.

    Takes: `idempotency_key`, with which the same request is answered the same and charged once, whoever repeats it.
    Without one, each call has its own for all its attempts.
    """

    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One call.

    Takes: `read`, which makes of a reply what the caller gets, or raises what it tells of; `is_repeatable`, whether a
    request that may have arrived can be sent again.
    """

    method: str
    path: str
    read: Callable[[Reply], T] = field(default=read_json)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = field(default=None, repr=False)
    is_repeatable: bool = True
    takes_key: bool = False


def transform(request: TransformRequest) -> Call[TransformReply]:
    """Make the call for one transform. Errors: ValueError for what belongs to `submit`."""
    if request.get("webhook_url") is not None:
        raise ValueError("A request with a webhook_url is answered later: hand it in with submit().")
    headers, content = _body(request)
    return Call("POST", _TRANSFORM, read_json, headers, content, takes_key=True)


def picture(request: TransformRequest) -> Call[bytes]:
    """Make the call for one transform whose reply is the picture itself. Errors: as for `transform`."""
    call = transform(request)
    return Call(call.method, call.path, read_bytes, {**call.headers, "Accept": "image/*"}, call.content, takes_key=True)


def submit(request: TransformRequest) -> Call[AcceptedReply]:
    """Make the call for one transform that is answered later."""
    headers, content = _body(request)
    return Call("POST", _TRANSFORM, read_json, {**headers, "Prefer": "respond-async"}, content, takes_key=True)


def job(job_id: str) -> Call[JobReply]:
    """Make the call for one job."""
    return Call("GET", _job_path(job_id))


def jobs(status: str | None, before: str | None, limit: int | None) -> Call[JobsReply]:
    """Make the call for the list of jobs."""
    return Call("GET", _with_query("/v1/jobs", status=status, before=before, limit=limit))


def result(job_id: str) -> Call[TransformReply]:
    """Make the call for what came of a job."""
    return Call("GET", f"{_job_path(job_id)}/result")


def output(job_id: str, name: str) -> Call[bytes]:
    """Make the call for one picture of a job."""
    return Call("GET", f"{_job_path(job_id)}/outputs/{quote(name, safe='')}", read_bytes)


def cancel(job_id: str) -> Call[JobReply]:
    """Make the call that ends a job."""
    return Call("POST", f"{_job_path(job_id)}/cancel", is_repeatable=False)


def replay(job_id: str) -> Call[JobReply]:
    """Make the call that does a job once more."""
    return Call("POST", f"{_job_path(job_id)}/replay", is_repeatable=False)


def submit_bulk(request: BulkRequest) -> Call[AcceptedReply]:
    """Make the call that hands in a bulk."""
    return Call("POST", "/v1/bulk", read_json, _AS_JSON, _json(request), takes_key=True)


def bulk_failures(job_id: str) -> Call[list[BulkFailure]]:
    """Make the call for what failed in a bulk."""
    return Call("GET", f"{_bulk_path(job_id)}/failures", read_lines)


def bulk_outputs(job_id: str) -> Call[list[BulkOutput]]:
    """Make the call for what a bulk has made."""
    return Call("GET", f"{_bulk_path(job_id)}/outputs", read_lines)


def bulk_output(job_id: str, name: str) -> Call[bytes]:
    """Make the call for one picture of a bulk. Errors: ValueError for a name that would lead elsewhere."""
    if not {".", ".."}.isdisjoint(name.split("/")):
        raise ValueError("No output of a bulk has a name with . or .. for a folder.")
    return Call("GET", f"{_bulk_path(job_id)}/outputs/{quote(name)}", read_bytes)


def deliveries(job_id: str) -> Call[DeliveriesReply]:
    """Make the call for what became of the webhooks of a job."""
    return Call("GET", f"{_job_path(job_id)}/deliveries")


def redeliver(delivery_id: str) -> Call[DeliveryReply]:
    """Make the call that sends a webhook again."""
    return Call("POST", f"/v1/deliveries/{quote(delivery_id, safe='')}/redeliver", is_repeatable=False)


def account() -> Call[AccountReply]:
    """Make the call for whose key it is."""
    return Call("GET", "/v1/me")


def usage(since: str | None, until: str | None) -> Call[UsageReply]:
    """Make the call for what was used."""
    return Call("GET", _with_query("/v1/usage", since=since, until=until))


def webhook_secrets() -> Call[WebhookSecretsReply]:
    """Make the call for what webhooks are signed with."""
    return Call("GET", "/v1/webhooks/secrets")


def rotate_webhook_secret() -> Call[WebhookSecretsReply]:
    """Make the call for a new secret."""
    return Call("POST", "/v1/webhooks/secrets/rotate", is_repeatable=False)


def _body(request: Mapping[str, Any]) -> tuple[Mapping[str, str], bytes]:
    """Give headers and content: a form where the picture is here, and needs no base64, JSON otherwise."""
    file = request.get("file")
    if not isinstance(file, Upload):
        return _AS_JSON, _json(request)
    fields = {name: _field(value) for name, value in request.items() if name != "file" and value is not None}
    # Encoded once, so that all attempts are the same to the last byte; the address is for nothing else.
    kind = f"multipart/form-data; boundary={uuid.uuid4().hex}"
    parts = {"file": (file.name, file.data, "application/octet-stream")}
    form = httpx.Request("POST", "http://form", headers={"Content-Type": kind}, data=fields, files=parts)
    return {"Content-Type": kind}, form.read()


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _field(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False)


def _job_path(job_id: str) -> str:
    return f"/v1/jobs/{quote(job_id, safe='')}"


def _bulk_path(job_id: str) -> str:
    return f"/v1/bulk/{quote(job_id, safe='')}"


def _with_query(path: str, **values: object) -> str:
    query = httpx.QueryParams({name: str(value) for name, value in values.items() if value is not None})
    return f"{path}?{query}" if query else path
