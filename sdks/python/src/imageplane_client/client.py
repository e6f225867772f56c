"""The client that waits: each method is one call, sent again where that may help."""

import contextlib
import time
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack, overload

import httpx

from imageplane_client import calls
from imageplane_client.attempts import Attempts, Watch
from imageplane_client.bulk import BulkFailure, BulkOutput
from imageplane_client.calls import Call, Options, TransformOptions
from imageplane_client.replies import Outcome, Reply
from imageplane_client.terms import LONGEST_JOB_IN_S, MAX_RETRIES, TIMEOUT_IN_S, Terms
from imageplane_client.types import (
    AcceptedReply,
    AccountReply,
    BulkRequest,
    DeliveriesReply,
    DeliveryReply,
    JobReply,
    JobsReply,
    OperationsRequest,
    OutputsReply,
    OutputsRequest,
    PictureReply,
    TransformReply,
    TransformRequest,
    UsageReply,
    WebhookSecretsReply,
)

T = TypeVar("T")


class Imageplane:
    """A client of Imageplane. Every method gives the server's JSON as it is, unless it says otherwise.

    Takes: `api_key` and `base_url`, or else `IMAGEPLANE_KEY` and `IMAGEPLANE_BASE_URL` of the environment; a server on
    port 8000 of this machine where there is neither. `timeout_in_s`, for one call with all its attempts; a reply that
    comes in small pieces can take up to twice as long. `max_retries`, how often a request is sent again when that may
    help. `http_client`, for proxies, certificates or tests: whoever made it closes it.
    Errors: ValueError without a key. Each method: ImageplaneError, of which `imageplane_client.errors` draws the tree.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        timeout_in_s: float = TIMEOUT_IN_S,
        max_retries: int = MAX_RETRIES,
        http_client: httpx.Client | None = None,
    ) -> None:
        self._terms = Terms.of(api_key, base_url, timeout_in_s, max_retries)
        self._http = httpx.Client() if http_client is None else http_client
        self._is_ours = http_client is None

    @overload
    def transform(self, request: OperationsRequest, **options: Unpack[TransformOptions]) -> PictureReply: ...

    @overload
    def transform(self, request: OutputsRequest, **options: Unpack[TransformOptions]) -> OutputsReply: ...

    def transform(self, request: TransformRequest, **options: Unpack[TransformOptions]) -> TransformReply:
        """Transform one picture: `data.buffer` of the reply is base64, or that of each of `data.outputs`.

        A file of `from_path` or `from_bytes` is sent as it is, not as base64.
        """
        return self._do(calls.transform(request), options)

    def transform_to_bytes(self, request: OperationsRequest, **options: Unpack[TransformOptions]) -> bytes:
        """Transform one picture and give the bytes of the result; nothing is base64 on the way."""
        return self._do(calls.picture(request), options)

    def submit(self, request: TransformRequest, **options: Unpack[TransformOptions]) -> AcceptedReply:
        """Hand in a transform that is answered later: `job_id` of the reply names it.

        With a `webhook_url` in the request what comes of it is sent there.
        """
        return self._do(calls.submit(request), options)

    def job(self, job_id: str, **options: Unpack[Options]) -> JobReply:
        """Tell how a job stands."""
        return self._do(calls.job(job_id), options)

    def jobs(
        self,
        *,
        status: str | None = None,
        before: str | None = None,
        limit: int | None = None,
        **options: Unpack[Options],
    ) -> JobsReply:
        """List jobs, the latest first; `data.next` of the reply is the `before` of the next page."""
        return self._do(calls.jobs(status, before, limit), options)

    def wait(self, job_id: str, *, timeout_in_s: float = LONGEST_JOB_IN_S) -> JobReply:
        """Wait until a job has succeeded. Errors: JobFailedError when it did not; TimedOutError."""
        watch = Watch(job_id, timeout_in_s)
        while True:
            reply = self.job(job_id, timeout_in_s=min(watch.left_in_s, self._terms.timeout_in_s))
            pause_in_s = watch.pause_after(reply)
            if pause_in_s is None:
                return reply
            time.sleep(pause_in_s)

    def result(self, job_id: str, **options: Unpack[Options]) -> TransformReply:
        """Give what `transform` would have given, once the job has succeeded."""
        return self._do(calls.result(job_id), options)

    def output(self, job_id: str, name: str = "image", **options: Unpack[Options]) -> bytes:
        """Give the bytes of one picture of a job; `name` is that of one of the `outputs`, where there were any."""
        return self._do(calls.output(job_id, name), options)

    def cancel(self, job_id: str, **options: Unpack[Options]) -> JobReply:
        """End a job that has not ended; its credits are given back."""
        return self._do(calls.cancel(job_id), options)

    def replay(self, job_id: str, **options: Unpack[Options]) -> JobReply:
        """Do a job that has ended once more, for the same price."""
        return self._do(calls.replay(job_id), options)

    def submit_bulk(self, request: BulkRequest, **options: Unpack[TransformOptions]) -> AcceptedReply:
        """Hand in a bulk, the same for every image of a manifest: a job, whose `items` tell how far it is.

        The manifest is a file with a line such as `{"url": "https://…"}` for each image.
        """
        return self._do(calls.submit_bulk(request), options)

    def bulk_failures(self, job_id: str, **options: Unpack[Options]) -> list[BulkFailure]:
        """Tell which images of a bulk have failed so far, and why."""
        return self._do(calls.bulk_failures(job_id), options)

    def bulk_outputs(self, job_id: str, **options: Unpack[Options]) -> list[BulkOutput]:
        """Tell what pictures a bulk has made so far, each with a signed link to it."""
        return self._do(calls.bulk_outputs(job_id), options)

    def bulk_output(self, job_id: str, name: str, **options: Unpack[Options]) -> bytes:
        """Give the bytes of one picture of a bulk; `name` is that of one of its outputs."""
        return self._do(calls.bulk_output(job_id, name), options)

    def deliveries(self, job_id: str, **options: Unpack[Options]) -> DeliveriesReply:
        """Tell what became of the webhooks of a job, attempt by attempt, the latest first."""
        return self._do(calls.deliveries(job_id), options)

    def redeliver(self, delivery_id: str, **options: Unpack[Options]) -> DeliveryReply:
        """Send a webhook again at once, under the same `webhook-id`."""
        return self._do(calls.redeliver(delivery_id), options)

    def account(self, **options: Unpack[Options]) -> AccountReply:
        """Tell whose key this is, and how many credits are left."""
        return self._do(calls.account(), options)

    def usage(self, *, since: str | None = None, until: str | None = None, **options: Unpack[Options]) -> UsageReply:
        """Tell what was used, by day and key; from and until a day such as `2026-11-23`."""
        return self._do(calls.usage(since, until), options)

    def webhook_secrets(self, **options: Unpack[Options]) -> WebhookSecretsReply:
        """Give the secrets that sign webhooks now, the current one first."""
        return self._do(calls.webhook_secrets(), options)

    def rotate_webhook_secret(self, **options: Unpack[Options]) -> WebhookSecretsReply:
        """Make a new secret; the one before signs beside it for a day."""
        return self._do(calls.rotate_webhook_secret(), options)

    def close(self) -> None:
        """Close all connections."""
        if self._is_ours:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _do(self, call: Call[T], options: Any) -> T:
        attempts = Attempts(self._terms, call, options)
        while True:
            outcome = self._sent(attempts)
            pause_in_s = attempts.pause_after(outcome)
            if pause_in_s is None:
                return attempts.read(outcome)
            time.sleep(pause_in_s)

    def _sent(self, attempts: Attempts[Any]) -> Outcome:
        try:
            request = self._http.build_request(**attempts.request())
            response = self._http.send(request, stream=True, auth=None, follow_redirects=False)
            with contextlib.closing(response):
                body = b"".join(attempts.within_time(response.iter_bytes()))
        except httpx.RequestError as error:
            return attempts.silence_of(error)
        return Reply(response.status_code, response.headers, body)
