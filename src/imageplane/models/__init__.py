"""Networks, and the tasks that they can do: numpy in, numpy out.

A card says what is known of a network, a store where its weights lie, sessions run it, a task says what it is for.
Operations ask for a task and never for a file; weights are fetched by `imageplane models pull` and never on the way.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from imageplane.models.card import Card
from imageplane.models.face_detection import YUNET, FaceDetection
from imageplane.models.matting import U2NETP, Matting
from imageplane.models.object_detection import PICODET, ObjectDetection
from imageplane.models.sessions import Sessions
from imageplane.models.store import Store
from imageplane.models.super_resolution import REAL_ESRGAN, SuperResolution

CARDS: Final = (YUNET, PICODET, U2NETP, REAL_ESRGAN)


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Where networks are and how an installation wants them run.

    Takes: `folder`, of their weights; `execution_providers`, names of onnxruntime, the best first;
    `idle_release_in_s`, after how long without work a heavy network is let go.
    """

    folder: Path
    execution_providers: tuple[str, ...] = ("CPUExecutionProvider",)
    idle_release_in_s: float = 60.0


class Models:
    """Every task that a process can do, on shared sessions."""

    def __init__(self, options: ModelOptions) -> None:
        self._sessions = Sessions(Store(options.folder), options.execution_providers)
        self._idle_release_in_s = options.idle_release_in_s
        self.face_detection = FaceDetection(self._sessions)
        self.object_detection = ObjectDetection(self._sessions)
        self.matting = Matting(self._sessions)
        self.super_resolution = SuperResolution(self._sessions)

    def missing(self) -> tuple[Card, ...]:
        """Give the cards whose weights are not here."""
        return tuple(card for card in CARDS if not self._sessions.is_there(card))

    def release_idle(self, now: float) -> None:
        """Let heavy networks go that did nothing for a while; `now` is the time of `time.monotonic()`."""
        self._sessions.release_idle(now - self._idle_release_in_s)


_of_this_process: dict[ModelOptions, Models] = {}


def models_of(options: ModelOptions) -> Models:
    """Give the tasks of this process, the same ones every time that it is asked with the same options."""
    if options not in _of_this_process:
        # Other options are another installation's, which a process serves only in tests.
        _of_this_process.clear()
        _of_this_process[options] = Models(options)
    return _of_this_process[options]


def rest() -> None:
    """Let every heavy network of this process go, because it has had nothing to do for a while."""
    for models in _of_this_process.values():
        models.release_idle(float("inf"))
