"""What a checkout need not have: where it would be, and what a test says that is skipped without it."""

from pathlib import Path
from typing import Final

from imageplane.models import CARDS
from imageplane.models.store import Store
from imageplane.settings import load

_SHARED: Final = Path(__file__).resolve().parents[2] / "shared"

CORPUS: Final = _SHARED / "corpus"
NO_CORPUS: Final = "the pictures of ../shared/corpus are not here; no clone brings them, as CONTRIBUTING.md says"

_PLACES: Final = (load().models_dir, _SHARED / "models")
# The folder that has all of them, if one has.
WEIGHTS: Final = next((place for place in _PLACES if all(Store(place).find(card) for card in CARDS)), None)
NO_WEIGHTS: Final = "the weights of the networks are not here; `imageplane models pull` fetches them"

NO_HEIC: Final = "pillow-heif is not installed; `make install HEIC=on` brings it"
