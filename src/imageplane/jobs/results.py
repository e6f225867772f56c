"""What is read of a job that has ended: its envelope, its pictures, and the body of its webhook."""

import asyncio
import time
from typing import Any, Final

import msgspec
import pybase64

from imageplane.blobs import Blobs
from imageplane.database import Database
from imageplane.database.stamps import now_in_ms
from imageplane.errors import Conflict, NotFound
from imageplane.jobs import rows
from imageplane.jobs.job import ENDED, Job
from imageplane.jobs.links import sign
from imageplane.jobs.secrets import installation_secret

_KEY_NAME: Final = "links"
# What a single output is called, as among several.
ONLY: Final = "image"


def output_path(job_id: str, output: str) -> str:
    """Give the path under which one picture of a job is fetched."""
    return f"/v1/jobs/{job_id}/outputs/{output}"


class Results:
    """What came of jobs.

    Takes: `links_last_for_in_s`, how long a signed link opens what it names.
    """

    def __init__(self, database: Database, blobs: Blobs, links_last_for_in_s: float) -> None:
        self._database = database
        self._blobs = blobs
        self._links_last_for_in_s = links_last_for_in_s
        self._key: bytes | None = None

    async def envelope(self, job: Job) -> bytes:
        """Give what a caller who had waited would have got. Errors: conflict, when there is none yet; not_found."""
        if job.status not in ENDED:
            raise Conflict("The job has not ended yet; ask again later.", retry_after_in_s=1)
        found = await self._blobs.get(job.reply) if job.reply is not None else None
        if found is None:
            raise NotFound("There is no result of this job: it failed, was cancelled, or is no longer kept.")
        return found

    async def picture(self, job: Job, output: str) -> tuple[str, bytes]:
        """Give the MIME type and the bytes of one picture. Errors: conflict, not_found."""
        body = await self.envelope(job)
        data = (await asyncio.to_thread(msgspec.json.decode, body))["data"]
        for each in _pictures(data):
            if each.get("name", ONLY) == output:
                return each["mime_type"], await asyncio.to_thread(pybase64.b64decode, each["buffer"])
        raise NotFound("The job has no output of this name.")

    async def link_key(self) -> bytes:
        """Give what links are signed with; the same for every server of an installation."""
        if self._key is None:
            self._key = await asyncio.to_thread(self._read_key)
        return self._key

    async def webhook_body(self, job_id: str, *, link: bool = False) -> bytes | None:
        """Give the body of a job's webhook, with signed links in place of the bytes if wanted; None when it is gone."""
        job = await asyncio.to_thread(self._job, job_id)
        if job is None or job.status not in ENDED:
            return None
        if job.failure is not None:
            message = {"success": False, "api": job.api, "error": {"message": job.failure.message}}
            return msgspec.json.encode(message)
        body = await self._blobs.get(job.reply) if job.reply is not None else None
        if body is None:
            return None
        if link:
            key = await self.link_key()
            body = await asyncio.to_thread(self._linked, job, body, key)
        return body[:-1] + b',"api":' + msgspec.json.encode(job.api) + b"}"

    def _linked(self, job: Job, body: bytes, key: bytes) -> bytes:
        envelope: dict[str, Any] = msgspec.json.decode(body)
        expires_at_in_s = int(time.time() + self._links_last_for_in_s)
        for each in _pictures(envelope["data"]):
            path = output_path(job.id, each.get("name", ONLY))
            del each["buffer"]
            each["url"] = f"{job.base_url}{path}?{sign(path, expires_at_in_s, key)}"
        return msgspec.json.encode(envelope)

    def _job(self, job_id: str) -> Job | None:
        with self._database.reading() as connection:
            return next(iter(rows.of_ids(connection, [job_id])), None)

    def _read_key(self) -> bytes:
        with self._database.writing() as connection:
            return installation_secret(connection, _KEY_NAME, now_in_ms())


def _pictures(data: dict[str, Any]) -> list[dict[str, Any]]:
    # A bulk has a folder of its own for what it makes.
    pictures: list[dict[str, Any]] = data.get("outputs", [data] if "buffer" in data else [])
    return pictures
