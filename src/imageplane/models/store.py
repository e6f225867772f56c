"""Where weights lie on this machine, and whether they are what their cards say."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from imageplane.errors import ModelUnavailable
from imageplane.models.card import Card, Weights

MENDING = "imageplane models pull"


@dataclass(frozen=True, slots=True)
class Store:
    """A folder with files of weights. A file of the right name and size is taken for the right one until it is read."""

    folder: Path

    def find(self, card: Card) -> Weights | None:
        """Give the best file that is there, or None."""
        return next((weights for weights in card.weights if self._holds(weights)), None)

    def graph(self, card: Card) -> bytes:
        """Give the ONNX graph of a card, from a file that is checked as it is read. Errors: model_unavailable."""
        weights = self.find(card)
        if weights is None:
            raise ModelUnavailable(
                f"The model for {card.purpose} is not installed here; `{MENDING}` installs it.",
                detail=f"no weights of {card.name} in {self.folder}",
            )
        try:
            data = (self.folder / weights.file).read_bytes()
        except OSError as error:
            raise ModelUnavailable(
                f"The model for {card.purpose} can't be read; `{MENDING}` installs it again.", detail=str(error)
            ) from error
        if not is_genuine(data, weights):
            raise ModelUnavailable(
                f"The model for {card.purpose} is damaged; `{MENDING}` installs it again.",
                detail=f"{self.folder / weights.file} has another checksum than its card",
            )
        return weights.to_graph(data)

    def is_genuine(self, card: Card) -> bool:
        """Tell whether one of the files of a card is here and is what the card says, by reading it."""
        weights = self.find(card)
        try:
            return weights is not None and is_genuine((self.folder / weights.file).read_bytes(), weights)
        except OSError:
            return False

    def _holds(self, weights: Weights) -> bool:
        try:
            return (self.folder / weights.file).stat().st_size == weights.size_in_bytes
        except OSError:
            return False


def is_genuine(data: bytes, weights: Weights) -> bool:
    """Tell whether bytes are the ones that a card names."""
    return hashlib.sha256(data).hexdigest() == weights.sha256
