"""Drawings made by code, and pictures to put into them."""

import base64
import io

from PIL import Image

NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def svg(body: str, attributes: str = 'width="20" height="20"', prolog: str = "") -> bytes:
    return f"{prolog}<svg {NAMESPACES} {attributes}>{body}</svg>".encode()


def png_bytes(color: tuple[int, int, int] = (255, 0, 0), size: tuple[int, int] = (20, 20)) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, color).save(stream, "PNG")
    return stream.getvalue()


def data_uri(data: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


RED = svg('<rect width="20" height="20" fill="red"/>')
