"""What is told of the images of a bulk, a line for each."""

from typing import Literal, NotRequired, TypedDict


class BulkFailure(TypedDict):
    """An image that a bulk could not make, with the reason."""

    name: str
    url: str
    """As it is in the manifest, but for its query."""
    line: NotRequired[int]
    """Where it is in the manifest."""
    status: Literal["failed"]
    code: str
    reason: str
    tries: NotRequired[int]


class BulkOutput(TypedDict):
    """A picture that a bulk has made."""

    name: str
    size_in_bytes: int
    url: str
    """A signed link, which opens it without a key for a while."""
