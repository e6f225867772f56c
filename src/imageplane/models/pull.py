"""Weights from where their makers offer them into the folder of a store: resumed, checked, whole or not at all."""

import fcntl
import http.client
import os
import socket
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from imageplane.deadline import Deadline
from imageplane.errors import ModelUnavailable
from imageplane.models.card import Weights
from imageplane.models.store import is_genuine

_PIECE_IN_BYTES: Final = 65_536
_LONGEST_SILENCE_IN_S: Final = 10.0
# Connections that break are taken up again, as long as each one brings something.
_FRUITLESS_ATTEMPTS: Final = 3

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where files are fetched from, beside the addresses of their makers.

    Takes: `mirror`, an https address of a folder that holds files under their names, asked first; `trust`, whose
    certificates are believed, by default those that the system trusts.
    """

    mirror: str | None = None
    trust: ssl.SSLContext | None = None

    def urls(self, weights: Weights) -> tuple[str, ...]:
        """Give every address of a file, the first one to ask first."""
        own = (f"{self.mirror.rstrip('/')}/{weights.file}",) if self.mirror else ()
        return own + weights.urls


def pull(
    weights: Weights,
    folder: Path,
    deadline: Deadline,
    origin: Origin,
    on_progress: Progress = lambda _: None,
) -> None:
    """Fetch one file into a folder, which is made when it is not there.

    Takes: `on_progress`, told how many bytes of the file are here.
    Method: what came is kept beside the file under the suffix `.part`, and taken up there with an HTTP range request
    by the next attempt or the next call; a file of another checksum is thrown away.
    Errors: model_unavailable.
    """
    reasons: list[str] = []
    with _part_of(weights, folder) as part:
        for url in origin.urls(weights):
            source = _Source(url, origin.trust or ssl.create_default_context())
            try:
                source.fetch(part, weights, deadline, on_progress)
                os.fsync(part)
                Path(part.name).replace(folder / weights.file)
            except _Failed as error:
                reasons.append(f"{urllib.parse.urlsplit(url).hostname}: {error}")
            except OSError as error:
                raise ModelUnavailable(f"{weights.file} can't be written: {_reason(error)}.") from error
            else:
                return
    raise ModelUnavailable(f"{weights.file} can't be fetched ({'; '.join(reasons)}).")


class _Failed(Exception):
    """One address did not give the file; the message says why."""


@contextmanager
def _part_of(weights: Weights, folder: Path) -> Iterator[IO[bytes]]:
    """Give the file that is being fetched, held against other processes that fetch the same."""
    path = folder / f"{weights.file}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part = path.open("a+b")
    except OSError as error:
        raise ModelUnavailable(f"{path} can't be written: {_reason(error)}.") from error
    with part:
        try:
            fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ModelUnavailable(f"{weights.file} is being fetched by another process.") from error
        try:
            yield part
        finally:
            if not _size(part):
                path.unlink(missing_ok=True)


class _Source:
    """One address of a file."""

    def __init__(self, url: str, trust: ssl.SSLContext) -> None:
        self._url = url
        self._opener = urllib.request.OpenerDirector()
        # There is none for plain http, so that no redirect leads there; proxies are taken from the environment.
        for handler in (
            urllib.request.ProxyHandler(),
            urllib.request.HTTPSHandler(context=trust),
            urllib.request.HTTPRedirectHandler(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            urllib.request.UnknownHandler(),
        ):
            self._opener.add_handler(handler)

    def fetch(self, part: IO[bytes], weights: Weights, deadline: Deadline, on_progress: Progress) -> None:
        """Complete a file and check it. Errors: _Failed; OSError, when it can't be written."""
        fruitless = 0
        while (size := _size(part)) != weights.size_in_bytes:
            try:
                self._continue(part, weights.size_in_bytes, deadline, on_progress)
            except _Broken as error:
                fruitless = 0 if _size(part) > size else fruitless + 1
                if fruitless == _FRUITLESS_ATTEMPTS:
                    raise _Failed(str(error)) from error
        part.seek(0)
        if not is_genuine(part.read(), weights):
            part.truncate(0)
            raise _Failed("the file has another checksum than it should")

    def _continue(self, part: IO[bytes], whole: int, deadline: Deadline, on_progress: Progress) -> None:
        here = _size(part)
        if here > whole:
            part.truncate(0)
            here = 0
        headers = {"Range": f"bytes={here}-"} if here else {}
        request = urllib.request.Request(self._url, headers={"User-Agent": "imageplane", **headers})  # noqa: S310
        with self._answer(request, deadline) as answer:
            if answer.status != http.client.PARTIAL_CONTENT:
                part.truncate(0)
            for piece in _pieces(answer, deadline):
                part.write(piece)
                part.flush()
                on_progress(_size(part))
                if _size(part) > whole:
                    part.truncate(0)
                    raise _Failed("the file is larger than it should be")

    def _answer(self, request: urllib.request.Request, deadline: Deadline) -> http.client.HTTPResponse:
        try:
            answer: http.client.HTTPResponse = self._opener.open(request, timeout=_patience(deadline))
        except urllib.error.HTTPError as error:
            with error:
                raise _Failed(f"it answers {error.code} {error.reason}") from error
        except urllib.error.URLError as error:
            raise _connection_failure(error.reason) from error
        except OSError as error:
            raise _connection_failure(error) from error
        except http.client.HTTPException as error:
            raise _Broken("it gave no proper answer") from error
        return answer


class _Broken(Exception):
    """A connection that failed, and may not the next time."""


def _pieces(answer: http.client.HTTPResponse, deadline: Deadline) -> Iterator[bytes]:
    try:
        while piece := answer.read1(_PIECE_IN_BYTES):
            yield piece
            _patience(deadline)
    except OSError as error:
        raise _connection_failure(error) from error
    except http.client.HTTPException as error:
        raise _Broken("the connection broke off") from error


def _patience(deadline: Deadline) -> float:
    if deadline.is_over:
        raise _Failed("the time is over")
    return min(_LONGEST_SILENCE_IN_S, max(0.1, deadline.remaining_in_s))


def _connection_failure(error: object) -> Exception:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _Failed("its certificate is not to be trusted")
    if isinstance(error, TimeoutError):
        return _Broken("no answer in time")
    if isinstance(error, socket.gaierror):
        return _Failed("there is no such name, or no network")
    # What is no error of the system is a sentence of urllib about an address that it can't use.
    return _Broken(_reason(error)) if isinstance(error, OSError) else _Failed(str(error))


def _reason(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).lower()


def _size(part: IO[bytes]) -> int:
    return os.fstat(part.fileno()).st_size
