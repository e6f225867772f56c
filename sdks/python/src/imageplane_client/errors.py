"""What can go wrong, one class for each family.

ImageplaneError
├── NetworkError               no reply: no such host, a connection refused or broken
├── TimedOutError              the time that the caller gave is over
├── StatusError                a reply that tells of a failure
│   ├── BadRequestError        400
│   ├── AuthenticationError    401
│   ├── PaymentRequiredError   402
│   ├── PermissionDeniedError  403
│   ├── NotFoundError          404
│   ├── ConflictError          409
│   ├── TooLargeError          413
│   ├── UnprocessableError     422
│   ├── RateLimitError         429
│   └── ServerError            500 and above
├── JobFailedError             a job that was waited for has failed, or was cancelled
└── WebhookVerificationError   a webhook that should not be believed
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from imageplane_client.types import Fault, Job

_FIRST_OF_SERVER: Final = 500


class ImageplaneError(Exception):
    """The root of the tree.

    Gives: `message`; and where a reply told of it, its `status`, its `code` for programs, its `request_id`, and in
    `details` every wrong place in the request.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        details: "Sequence[Fault]" = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.request_id = request_id
        self.details = list(details)

    def __str__(self) -> str:
        told = [f"status {self.status}" if self.status else "", self.code or "", self.request_id or ""]
        facts = ", ".join(filter(None, told))
        return f"{self.message} ({facts})" if facts else self.message


class NetworkError(ImageplaneError):
    """There was no reply: no such host, a connection that was refused or broke."""


class TimedOutError(ImageplaneError, TimeoutError):
    """The time that the caller gave is over."""


class StatusError(ImageplaneError):
    """The server answered that it could not do what was asked; also what has no class of its own, such as 405."""

    retry_after_in_s: float | None = None


class BadRequestError(StatusError):
    """400: the request is wrong, its picture has no known format, or its URL gives no picture."""


class AuthenticationError(StatusError):
    """401: the API key is missing, unknown, revoked or expired."""


class PaymentRequiredError(StatusError):
    """402: too few credits, or the budget cap of the key is reached."""


class PermissionDeniedError(StatusError):
    """403: the key is good, but may not do this."""


class NotFoundError(StatusError):
    """404: there is no such job, output or address."""


class ConflictError(StatusError):
    """409: it does not go with how things stand, such as to cancel a job that has ended."""


class TooLargeError(StatusError):
    """413: more bytes, pixels or frames than the server takes."""


class UnprocessableError(StatusError):
    """422: it can't be done with this picture; or the idempotency key was used for another request."""


class RateLimitError(StatusError):
    """429: more requests in a minute than the organization may send."""


class ServerError(StatusError):
    """500 and above: the server failed, is busy, lacks a model, or ran out of time; `code` says which."""


class JobFailedError(ImageplaneError):
    """A job that was waited for has failed, or was cancelled; `job` is all that is known of it."""

    def __init__(self, job: "Job") -> None:
        failure = job["error"]
        super().__init__(
            failure["message"] if failure else f"The job {job['id']} was cancelled.",
            code=failure["code"] if failure else job["status"],
            request_id=job["request_id"],
            details=failure.get("details", ()) if failure else (),
        )
        self.job = job

    def __reduce__(self) -> "tuple[type[JobFailedError], tuple[Job]]":
        # Errors cross from one process of the caller to another.
        return type(self), (self.job,)


class WebhookVerificationError(ImageplaneError):
    """A webhook is unsigned, wrongly signed, or too old."""


_OF_STATUS: Final[dict[int, type[StatusError]]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: PaymentRequiredError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    413: TooLargeError,
    422: UnprocessableError,
    429: RateLimitError,
}


def class_of(status: int) -> type[StatusError]:
    """Give the class of a status that tells of a failure."""
    return _OF_STATUS.get(status, ServerError if status >= _FIRST_OF_SERVER else StatusError)
