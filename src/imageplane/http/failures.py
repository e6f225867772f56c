"""Any exception to the one error shape: `error` is a sentence, on every route and every status."""

import math
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from imageplane.errors import ImageplaneError, InternalError, MethodNotAllowed, NotFound, RequestError
from imageplane.http.auth import recognized
from imageplane.http.replies import ErrorReply, json_response
from imageplane.http.visit import Visit, visit_of

_NO_FAULT_OF_THE_CALLER: Final = "Something went wrong here."
_ALWAYS_WITH_RETRY_AFTER: Final = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


def failure(error: ImageplaneError, visit: Visit) -> Response:
    """Give the reply that tells of an error."""
    visit.error_code, visit.error_message = error.code, error.message
    if error.detail is not None:
        visit.facts["detail"] = error.detail
    body = ErrorReply(
        success=False, error=error.message, code=error.code, details=error.faults, request_id=visit.request_id
    )
    headers = {}
    retry_after_in_s = error.retry_after_in_s
    if retry_after_in_s is None and error.retryable and error.status in _ALWAYS_WITH_RETRY_AFTER:
        retry_after_in_s = 1
    if retry_after_in_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(retry_after_in_s)))
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return json_response(body, error.status, headers)


async def answer_failure(request: Request, error: Exception) -> Response:
    """Turn what a route raised into its reply."""
    visit = visit_of(request)
    if isinstance(error, HTTPException):
        await recognized(request)
        reply = failure(_as_ours(request, error), visit)
        reply.headers.update(error.headers or {})
        return reply
    known = error if isinstance(error, ImageplaneError) else InternalError(_NO_FAULT_OF_THE_CALLER)
    return failure(known, visit)


def _as_ours(request: Request, error: HTTPException) -> ImageplaneError:
    where = f"{request.method} {request.url.path[:200]}"
    if error.status_code == HTTPStatus.NOT_FOUND:
        return NotFound(f"There is nothing at {where}; /docs lists what there is.")
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "another method")
        return MethodNotAllowed(f"{where} is not possible; use {allowed}.")
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return InternalError(_NO_FAULT_OF_THE_CALLER)
    return RequestError(str(error.detail))
