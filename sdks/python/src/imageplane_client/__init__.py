"""The client of Imageplane: image bytes and a list of operations in, the right picture out."""

from imageplane_client.async_client import AsyncImageplane
from imageplane_client.bulk import BulkFailure, BulkOutput
from imageplane_client.client import Imageplane
from imageplane_client.errors import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ImageplaneError,
    JobFailedError,
    NetworkError,
    NotFoundError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    StatusError,
    TimedOutError,
    TooLargeError,
    UnprocessableError,
    WebhookVerificationError,
)
from imageplane_client.files import Upload, from_bytes, from_path, from_url
from imageplane_client.webhook import Webhook, verify_webhook

__all__ = [
    "AsyncImageplane",
    "AuthenticationError",
    "BadRequestError",
    "BulkFailure",
    "BulkOutput",
    "ConflictError",
    "Imageplane",
    "ImageplaneError",
    "JobFailedError",
    "NetworkError",
    "NotFoundError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "RateLimitError",
    "ServerError",
    "StatusError",
    "TimedOutError",
    "TooLargeError",
    "UnprocessableError",
    "Upload",
    "Webhook",
    "WebhookVerificationError",
    "from_bytes",
    "from_path",
    "from_url",
    "verify_webhook",
]
