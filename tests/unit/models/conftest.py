"""The weights of real networks, which a clone need not have."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from imageplane.models import CARDS
from imageplane.models.sessions import Sessions
from imageplane.models.store import Store

SHARED = Path(__file__).resolve().parents[4] / "shared" / "models"


@pytest.fixture(scope="session")
def weights() -> Path:
    """Give the folder of real weights, or skip."""
    folder = Path(os.environ.get("IMAGEPLANE_MODELS_DIR") or SHARED)
    if not all(Store(folder).find(card) for card in CARDS):
        pytest.skip(
            "the networks are not here; `imageplane models pull` fetches them, IMAGEPLANE_MODELS_DIR says where"
        )
    return folder


@pytest.fixture(scope="session")
def sessions(weights: Path) -> Iterator[Sessions]:
    """Give sessions of real networks, shared by all tests."""
    return Sessions(Store(weights))
