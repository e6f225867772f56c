"""A web server with pictures, some of which stall: `python -m benchmarks.load.picture_server`.

It reads the paths of its pictures as one line of JSON and says its port. `GET /TEMPER/INDEX/NUMBER` answers with a
variant of a picture, in the manner of the temper.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import psutil

from benchmarks.load.pictures import Picture, tail

_PIECES: Final = 8
_PAUSE_IN_S: Final = 0.1
_FOR_EVER_IN_S: Final = 3600


@dataclass(frozen=True, slots=True)
class PictureServer:
    """The server as others see it."""

    port: int
    process: psutil.Popen

    def url(self, picture: Picture, number: int, temper: str = "good") -> str:
        """Give an address whose picture nobody else has; tempers: good, slow, trickle, hang, break."""
        return f"http://127.0.0.1:{self.port}/{temper}/{picture.index}/{number}"

    def cpu_in_s(self) -> float:
        """Give the user and system time used so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextlib.contextmanager
def serving_pictures(pictures: Sequence[Picture]) -> Iterator[PictureServer]:
    """Run the server for a block."""
    command = [sys.executable, "-m", "benchmarks.load.picture_server"]
    process = psutil.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        process.stdin.write(json.dumps([str(picture.path) for picture in pictures]).encode() + b"\n")
        process.stdin.flush()
        yield PictureServer(int(process.stdout.readline()), process)
    finally:
        process.kill()
        process.communicate()


class _Shelf:
    def __init__(self, paths: Sequence[Path]) -> None:
        self._files = [(path.open("rb"), path.stat().st_size, path.suffix) for path in paths]

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                _, temper, index, number = head.split(b" ", 2)[1].decode().split("/")
                file, size_in_bytes, suffix = self._files[int(index)]
                end = tail(suffix, int(number))
                start = f"HTTP/1.1 200 OK\r\nContent-Length: {size_in_bytes + len(end)}\r\n\r\n".encode()
                if temper == "good":
                    writer.write(start)
                    await asyncio.get_running_loop().sendfile(writer.transport, file, 0, size_in_bytes)
                    writer.write(end)
                else:
                    await _stall(temper, writer, start, _contents(file, size_in_bytes) + end)
                await writer.drain()


def _contents(file: BinaryIO, size_in_bytes: int) -> bytes:
    file.seek(0)
    return file.read(size_in_bytes)


async def _stall(temper: str, writer: asyncio.StreamWriter, start: bytes, body: bytes) -> None:
    if temper == "hang":
        await asyncio.sleep(_FOR_EVER_IN_S)
    writer.write(start)
    if temper == "trickle":
        for place in range(len(body)):
            writer.write(body[place : place + 1])
            await writer.drain()
            await asyncio.sleep(_PAUSE_IN_S)
    if temper == "break":
        writer.write(body[: len(body) // 2])
        await writer.drain()
        writer.transport.abort()
    step = len(body) // _PIECES + 1
    for place in range(0, len(body), step):
        writer.write(body[place : place + step])
        await writer.drain()
        await asyncio.sleep(_PAUSE_IN_S)


async def _serve() -> None:
    shelf = _Shelf([Path(path) for path in json.loads(sys.stdin.readline())])
    server = await asyncio.start_server(shelf.talk, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
