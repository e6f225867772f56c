"""Every error that Imageplane raises on purpose, and what each means on the wire.

ImageplaneError                     code                     status  retryable
├── RequestError                    invalid_request          400     no
│   ├── UnsupportedFormat           unsupported_format       400     no
│   ├── RefusedSource               refused_source           400     no
│   └── UnreachableSource           unreachable_source       400     no
│       └── MissingSource           unreachable_source       400     no
├── InvalidKey                      invalid_api_key          401     no
├── InsufficientCredits             insufficient_credits     402     no
│   └── BudgetCapExceeded           budget_cap_exceeded      402     no
├── Forbidden                       forbidden                403     no
│   └── InvalidLink                 invalid_link             403     no
├── NotFound                        not_found                404     no
├── MethodNotAllowed                method_not_allowed       405     no
├── Conflict                        conflict                 409     no
├── IdempotencyInProgress           idempotency_in_progress  409     yes
├── IdempotencyMismatch             idempotency_mismatch     422     no
├── RateLimited                     rate_limited             429     yes
├── SettingsError                   invalid_settings         500     no
├── TooLarge                        too_large                413     no
│   └── ImageTooLarge               image_too_large          413     no
├── Unprocessable                   unprocessable            422     no
│   ├── UndecodableImage            undecodable_image        422     no
│   ├── ImpossibleOperation         impossible_operation     422     no
│   ├── UnreachableSize             unreachable_size         422     no
│   ├── UnencodableImage            unencodable_image        422     no
│   └── EngineCrashed               engine_crashed           422     no
├── Busy                            busy                     503     yes
├── ModelUnavailable                model_unavailable        503     no
├── DeadlineExceeded                deadline_exceeded        504     yes
└── InternalError                   internal_error           500     no

`message` is for the caller: it names no address, no file of this machine and no stack. `detail` is for the log.
`faults` lists every place in the request that is wrong, such as `operations[3].width_in_px`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

_MOST_TOLD: Final = 5


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong place in a request: its path, such as `operations[3].width_in_px`, and what is wrong there."""

    path: str
    message: str


class ImageplaneError(Exception):
    """The root of the tree; a class is a code, a status and whether trying again can help.

    Takes: `message`, which a class with a `sentence` of its own need not be given; `retry_after_in_s`, where it is
    known when trying again can help.
    """

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    sentence: ClassVar[str] = ""

    def __init__(
        self,
        message: str = "",
        *,
        detail: str | None = None,
        faults: tuple[Fault, ...] = (),
        retry_after_in_s: float | None = None,
    ) -> None:
        self.message = message or self.sentence
        super().__init__(self.message)
        self.detail = detail
        self.faults = faults
        self.retry_after_in_s = retry_after_in_s

    @classmethod
    def of(cls, faults: Sequence[Fault]) -> Self:
        """Give one error for all wrong places; its message tells the first few."""
        message = "; ".join(f"{fault.path}: {fault.message}" for fault in faults[:_MOST_TOLD])
        return cls(message, faults=tuple(faults))

    def at(self, path: str) -> "ImageplaneError":
        """Give the same error with the place in the request that caused it."""
        if self.faults:
            return self
        rest = self._rest | {"faults": (Fault(path, self.message),)}
        return type(self)(f"{path}: {self.message}", **rest)

    @property
    def _rest(self) -> dict[str, Any]:
        return {"detail": self.detail, "faults": self.faults, "retry_after_in_s": self.retry_after_in_s}

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross from an engine process to the caller; keyword arguments must survive pickling.
        return _restore, (type(self), self.message, self._rest)


def _restore(kind: type[ImageplaneError], message: str, rest: dict[str, Any]) -> ImageplaneError:
    return kind(message, **rest)


class RequestError(ImageplaneError):
    """The request itself is wrong: a missing, unknown or bad field."""

    code = "invalid_request"
    status = 400


class UnsupportedFormat(RequestError):
    """The bytes are no image format that Imageplane reads, or the wanted format can't be written here."""

    code = "unsupported_format"


class RefusedSource(RequestError):
    """A URL leads where this server doesn't go: a private network, another scheme, a closed port."""

    code = "refused_source"


class UnreachableSource(RequestError):
    """A URL gave no file: no such host, no answer in time, an error status, a broken or empty answer."""

    code = "unreachable_source"


class MissingSource(UnreachableSource):
    """The server of a URL says that it has no such file, or not for this caller: to ask again does not help."""


class InvalidKey(ImageplaneError):
    """The API key is missing, unknown, revoked or expired."""

    code = "invalid_api_key"
    status = 401
    sentence = "Invalid API key"


class InsufficientCredits(ImageplaneError):
    """The organization has fewer credits than the request costs."""

    code = "insufficient_credits"
    status = 402
    sentence = "Insufficient credits"


class BudgetCapExceeded(InsufficientCredits):
    """The request would take the API key past its own budget cap."""

    code = "budget_cap_exceeded"
    sentence = "Budget cap exceeded"


class Forbidden(ImageplaneError):
    """The API key is good, but may not do this."""

    code = "forbidden"
    status = 403


class InvalidLink(Forbidden):
    """The signed link is damaged, or its time is over."""

    code = "invalid_link"


class NotFound(ImageplaneError):
    """There is nothing of this name or at this address."""

    code = "not_found"
    status = 404


class MethodNotAllowed(ImageplaneError):
    """The address exists, but not for this HTTP method."""

    code = "method_not_allowed"
    status = 405


class Conflict(ImageplaneError):
    """What is asked for does not go with how things stand, such as to cancel a job that has ended."""

    code = "conflict"
    status = 409


class IdempotencyInProgress(ImageplaneError):
    """A request with the same idempotency key is still running."""

    code = "idempotency_in_progress"
    status = 409
    retryable = True


class IdempotencyMismatch(ImageplaneError):
    """The idempotency key was used before with another body."""

    code = "idempotency_mismatch"
    status = 422


class RateLimited(ImageplaneError):
    """The organization has sent more requests in a minute than it may."""

    code = "rate_limited"
    status = 429
    retryable = True
    sentence = "Rate limit exceeded"


class SettingsError(ImageplaneError):
    """A setting of this installation has a value that it can't have."""

    code = "invalid_settings"
    status = 500


class TooLarge(ImageplaneError):
    """More bytes than the limits allow."""

    code = "too_large"
    status = 413


class ImageTooLarge(TooLarge):
    """More pixels or frames than the limits allow, in the source or on the way to the result."""

    code = "image_too_large"


class Unprocessable(ImageplaneError):
    """The request is well formed, but can't be done with this image."""

    code = "unprocessable"
    status = 422


class UndecodableImage(Unprocessable):
    """The image is damaged, hostile or empty."""

    code = "undecodable_image"


class ImpossibleOperation(Unprocessable):
    """An operation can't be done on the image as it reaches it, such as a crop out of bounds."""

    code = "impossible_operation"


class UnreachableSize(Unprocessable):
    """No quality and no dimensions give a file as small as asked for."""

    code = "unreachable_size"


class UnencodableImage(Unprocessable):
    """The wanted format can't hold the result, such as a WebP wider than 16383 pixels."""

    code = "unencodable_image"


class EngineCrashed(Unprocessable):
    """The process that worked on this image died or gave no usable answer; nothing else is harmed."""

    code = "engine_crashed"


class Busy(ImageplaneError):
    """There is no room for this work now."""

    code = "busy"
    status = 503
    retryable = True


class ModelUnavailable(ImageplaneError):
    """The weights of a model are not installed here, or can't be run."""

    code = "model_unavailable"
    status = 503


class DeadlineExceeded(ImageplaneError):
    """The time for this work is over."""

    code = "deadline_exceeded"
    status = 504
    retryable = True


class InternalError(ImageplaneError):
    """Something failed that is no fault of the caller."""

    code = "internal_error"
