"""A manifest as a source: a file with one JSON object a line."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import msgspec

from imageplane.errors import Fault, RefusedSource, RequestError
from imageplane.jobs.bulk.items import Item
from imageplane.jobs.bulk.names import fitted, key_of, name_of_url
from imageplane.jobs.bulk.source import Passed, streamed
from imageplane.jobs.bulk.spill import MOST_IN_MEMORY, sorted_rows
from imageplane.sources import Location

_KINDS: Final = ("url", "path", "key")
_LONGEST_LINE_IN_BYTES: Final = 65_536
_MOST_FAULTS: Final = 5
_EXPECTED: Final = 'expected an object such as {"url": "https://…"}, {"path": "…"} or {"key": "…"}'


@dataclass(frozen=True, slots=True)
class Manifest:
    """Every line of a file, in its order.

    Takes: `has_store`, whether there is a store that keys can be looked up in.
    """

    path: Path
    has_store: bool = False
    passed: Passed = field(default_factory=Passed)
    is_checked_first: bool = True
    most_in_memory: int = MOST_IN_MEMORY

    def items(self) -> AsyncIterator[Item]:
        """Give the item of every line."""
        return streamed(self._items())

    async def count(self) -> int:
        """Give how many items there are, once every line was found to be right and each to have its own name.

        Errors: invalid_request, with the first few wrong lines; OSError.
        """
        return await asyncio.to_thread(self._checked)

    def _items(self) -> Iterator[Item]:
        for number, line in self._lines():
            yield self._item(number, line)

    def _checked(self) -> int:
        faults: list[Fault] = []
        total = 0

        def keys() -> Iterator[tuple[str, int]]:
            nonlocal total
            for number, line in self._lines():
                total += 1
                try:
                    yield self._item(number, line).key.hex(), number
                except RequestError as error:
                    if len(faults) < _MOST_FAULTS:
                        faults.extend(error.faults)

        for (key, first), (other, second) in pairwise(sorted_rows(keys(), self.most_in_memory)):
            if key == other and len(faults) < _MOST_FAULTS:
                message = f"its outputs would be named like those of line {first}; give one of them another name"
                faults.append(self._fault(second, message))
        if faults:
            raise RequestError.of(faults)
        return total

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        with self.path.open("rb") as file:
            number = 0
            while line := file.readline(_LONGEST_LINE_IN_BYTES):
                number += 1
                if len(line) == _LONGEST_LINE_IN_BYTES and not line.endswith(b"\n"):
                    raise RequestError.of([self._fault(number, f"longer than {_LONGEST_LINE_IN_BYTES:,} bytes")])
                if line.strip():
                    yield number, line

    def _item(self, number: int, line: bytes) -> Item:
        try:
            raw = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError):
            raise RequestError.of([self._fault(number, f"no JSON; {_EXPECTED}")]) from None
        kinds = [kind for kind in _KINDS if isinstance(raw, dict) and raw.get(kind) is not None]
        if len(kinds) != 1 or not _is_text(raw[kinds[0]]):
            raise RequestError.of([self._fault(number, _EXPECTED)])
        name = raw.get("name")
        if name is not None and not _is_text(name):
            raise RequestError.of([self._fault(number, "the name is no text, or empty")])
        if kinds[0] == "key" and not self.has_store:
            raise RequestError.of([self._fault(number, "a key needs the address of a store; give it with --from")])
        item = self._of_kind(kinds[0], raw)
        return msgspec.structs.replace(item, name=fitted(name) if name else item.name, line=number)

    def _of_kind(self, kind: str, raw: Mapping[str, Any]) -> Item:
        place = raw[kind]
        if kind == "url":
            # Who asks for the file again, knowing that it changed, changes its line.
            return Item("url", place, _name_of(place), json.dumps(raw, sort_keys=True))
        if kind == "key":
            return Item("key", place, fitted(place.strip("/")))
        path = Path(self.path.absolute().parent, place)
        return Item("path", str(path), fitted(_inner_name(place)))

    def _fault(self, number: int, message: str) -> Fault:
        return Fault(f"{self.path.name}, line {number}", message)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _name_of(url: str) -> str:
    try:
        return name_of_url(Location.parse(url))
    except RefusedSource:
        # It fails when it is fetched, and a failure has a name too.
        return f"url-{key_of(url).hex()[:16]}"


def _inner_name(place: str) -> str:
    """Give a path as it lies below the root or the folder of the manifest."""
    return "/".join(part for part in place.split("/") if part not in ("", "."))
