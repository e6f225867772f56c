"""What is asked of a picture, and the ways in which a client may ask: requests as bytes and files."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.load.pictures import Body, Picture

PATH: Final = "/image-transformation/v1/transform"
WAYS: Final = ("base64", "multipart", "url")
_BOUNDARY: Final = "imageplane-load"


@dataclass(frozen=True, slots=True)
class Wish:
    """A picture of exactly this size. Takes: `operations` as on the wire."""

    name: str
    width_in_px: int
    height_in_px: int
    operations: Sequence[Mapping[str, Any]] = field(repr=False)
    mime_type: str = "image/webp"


def smart(name: str, width_in_px: int, height_in_px: int) -> Wish:
    """Give the wish for a smart crop, a little sharper, as WebP."""
    size = {"width_in_px": width_in_px, "height_in_px": height_in_px}
    operations = (
        {"type": "smart_crop", **size},
        {"type": "sharpen", "sigma": 0.5},
        {"type": "convert", "format": "webp", "quality": 85},
    )
    return Wish(name, width_in_px, height_in_px, operations)


LAUNCH: Final = (smart("avatar", 200, 200), smart("card", 800, 600), smart("social", 1200, 630))


@dataclass(frozen=True, slots=True)
class Request:
    """One request: to be sent once or, with its idempotency key, again.

    Takes: `picture` and `wish`, which tell what the reply must be; `way`, how the picture travels.
    """

    picture: Picture
    number: int
    wish: Wish
    way: str
    key: str
    idempotency_key: str | None = None
    picture_url: str = ""

    @property
    def is_raw(self) -> bool:
        """Whether the reply is the picture itself, without an envelope."""
        return self.way == "multipart"

    def message(self) -> Body:
        """Give head and body."""
        return post(self.key, *self._body(), is_raw=self.is_raw, idempotency_key=self.idempotency_key)

    def _body(self) -> tuple[str, Body]:
        operations = json.dumps(self.wish.operations)
        if self.way == "multipart":
            return multipart(self.wish, self.picture.variant(self.number))
        if self.way == "base64":
            text = self.picture.variant_in_base64(self.number)
            return "application/json", (b'{"file":{"base64":"', *text, f'"}},"operations":{operations}}}'.encode())
        address = json.dumps(self.picture_url)
        return "application/json", (f'{{"file":{{"url":{address}}},"operations":{operations}}}'.encode(),)


def multipart(wish: Wish, file: Body) -> tuple[str, Body]:
    """Give the type and the body of a request that carries a file as it is."""
    operations = json.dumps(wish.operations)
    start = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{operations}\r\n'
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="upload"\r\n\r\n'
    )
    return f"multipart/form-data; boundary={_BOUNDARY}", (start.encode(), *file, f"\r\n--{_BOUNDARY}--\r\n".encode())


def post(key: str, kind: str, body: Body, *, is_raw: bool, idempotency_key: str | None = None) -> Body:
    """Give head and body of a request with a body of this type; the reply is the picture itself when `is_raw`."""
    lines = [
        f"POST {PATH} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {key}",
        f"Content-Type: {kind}",
        f"Content-Length: {sum(map(len, body))}",
        f"Accept: {'image/*' if is_raw else 'application/json'}",
    ]
    if idempotency_key:
        lines.append(f"Idempotency-Key: {idempotency_key}")
    return "\r\n".join([*lines, "", ""]).encode(), *body


def new_idempotency_key() -> str:
    """Give a key that nobody had before."""
    return f"load-{uuid.uuid4().hex}"
