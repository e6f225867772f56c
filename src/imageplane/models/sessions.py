"""Networks that run: one onnxruntime session for each card, made when it is first asked."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imageplane.errors import ModelUnavailable
from imageplane.models.card import Card
from imageplane.models.store import Store

if TYPE_CHECKING:
    import onnxruntime

# onnxruntime speaks of unused constants otherwise.
_ERRORS_ONLY = 3


@dataclass(slots=True)
class _Loaded:
    card: Card
    session: "onnxruntime.InferenceSession"
    used_at: float


class Sessions:
    """The sessions of this process, for its one thread.

    Takes: `execution_providers`, names of onnxruntime, the best first; those that are not built in are passed over.
    """

    def __init__(self, store: Store, execution_providers: Sequence[str] = ("CPUExecutionProvider",)) -> None:
        self._store = store
        self._providers = tuple(execution_providers)
        self._loaded: dict[str, _Loaded] = {}

    def run(self, card: Card, *inputs: NDArray[Any]) -> list[NDArray[np.float32]]:
        """Run a network on its inputs, in their order. Errors: model_unavailable."""
        loaded = self._loaded.get(card.name)
        if loaded is None:
            loaded = self._loaded[card.name] = _Loaded(card, self._load(card), 0.0)
        names = [each.name for each in loaded.session.get_inputs()]
        try:
            results: list[NDArray[np.float32]] = loaded.session.run(None, dict(zip(names, inputs, strict=True)))
        except Exception as error:
            raise _want_of_memory(error) or error from None
        loaded.used_at = time.monotonic()
        return results

    def release_idle(self, before: float) -> None:
        """Let heavy networks go that were last used before this moment of `time.monotonic()`."""
        for name, loaded in tuple(self._loaded.items()):
            if loaded.card.is_heavy and loaded.used_at < before:
                del self._loaded[name]

    def is_there(self, card: Card) -> bool:
        """Tell whether the weights of a card lie here, without reading them."""
        return card.name in self._loaded or self._store.find(card) is not None

    def _load(self, card: Card) -> "onnxruntime.InferenceSession":
        graph = self._store.graph(card)
        import onnxruntime  # noqa: PLC0415 - what never looks at pictures need not load it

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        # An arena keeps the most that ever was needed, hundreds of megabytes; without one nothing here is slower.
        options.enable_cpu_mem_arena = False
        known = onnxruntime.get_available_providers()
        providers = [name for name in self._providers if name in known]
        try:
            return onnxruntime.InferenceSession(graph, options, providers=providers)
        except Exception as error:
            # onnxruntime has a class for each cause, below RuntimeError and Exception alike.
            raise _want_of_memory(error) or ModelUnavailable(
                f"The model for {card.purpose} can't be run on this machine.", detail=repr(error)
            ) from error


def _want_of_memory(error: Exception) -> MemoryError | None:
    """Give what Python says when memory is refused, if that is what onnxruntime speaks of."""
    return MemoryError(str(error)) if "bad_alloc" in str(error) or "Failed to allocate" in str(error) else None
