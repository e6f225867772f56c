"""What is known of a model before its weights are there: a card."""

from collections.abc import Callable
from dataclasses import dataclass


def _as_it_is(data: bytes) -> bytes:
    return data


@dataclass(frozen=True, slots=True)
class Weights:
    """One file that a card accepts.

    Takes: `urls`, where it is offered, its makers first; without one it is used where it is found. `to_graph`, which
    makes the ONNX graph that is run of the bytes of the file.
    """

    file: str
    size_in_bytes: int
    sha256: str
    urls: tuple[str, ...] = ()
    to_graph: Callable[[bytes], bytes] = _as_it_is


@dataclass(frozen=True, slots=True)
class Card:
    """A model as data: what it is for, who made it, and which files hold its weights.

    Takes: `weights`, the best first; the first that is offered anywhere is what `imageplane models pull` fetches.
    `is_heavy`, when it is used rarely and takes so much memory that it is let go when idle.
    """

    name: str
    purpose: str
    paper: str
    licence: str
    input_shape: str
    weights: tuple[Weights, ...]
    is_heavy: bool = False

    @property
    def offered(self) -> Weights:
        """The file that users get."""
        return next(weights for weights in self.weights if weights.urls)
