"""A multipart body that is here as a whole, taken apart where it lies (RFC 7578)."""

from dataclasses import dataclass, field
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from imageplane.errors import RequestError

_MOST_PARTS: Final = 21


@dataclass(slots=True)
class Part:
    """One part; `filename` is None for a field of a form."""

    name: str = ""
    filename: str | None = None
    pieces: list[bytes] = field(default_factory=list)

    @property
    def content(self) -> bytes:
        return self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)


def parts_of(body: bytes, content_type: str) -> list[Part]:
    """Give the parts of a body in their order. Errors: invalid_request."""
    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    if not boundary:
        raise _unreadable("it has no boundary")
    form = _Form()
    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": form.begin,
            "on_header_begin": form.begin_header,
            "on_header_field": form.add_to_header_name,
            "on_header_value": form.add_to_header_value,
            "on_header_end": form.end_header,
            "on_part_data": form.add,
            "on_end": form.end,
        },
    )
    try:
        parser.write(body)
        parser.finalize()
    except (FormParserError, ValueError) as error:
        raise _unreadable(str(error).rstrip(".") or "it is damaged") from None
    if not form.is_complete:
        raise _unreadable("its end is missing")
    if not all(part.name for part in form.parts):
        raise _unreadable("a part has no name")
    return form.parts


class _Form:
    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.is_complete = False
        self._name = b""
        self._value = b""

    def begin(self) -> None:
        if len(self.parts) == _MOST_PARTS:
            raise _unreadable(f"it has more than {_MOST_PARTS} parts")
        self.parts.append(Part())

    def begin_header(self) -> None:
        self._name = self._value = b""

    def add_to_header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def add_to_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def end_header(self) -> None:
        if self._name.lower() != b"content-disposition":
            return
        options = parse_options_header(self._value)[1]
        part = self.parts[-1]
        part.name = options.get(b"name", b"").decode(errors="replace")
        if b"filename" in options:
            part.filename = options[b"filename"].decode(errors="replace")

    def add(self, data: bytes, start: int, end: int) -> None:
        if end > start:
            self.parts[-1].pieces.append(data[start:end])

    def end(self) -> None:
        self.is_complete = True


def _unreadable(reason: str) -> RequestError:
    return RequestError(f"The multipart body can't be read: {reason}.")
