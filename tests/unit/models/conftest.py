"""The weights of real networks, which a clone need not have."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from absent import NO_WEIGHTS, WEIGHTS

from imageplane.models.sessions import Sessions
from imageplane.models.store import Store


@pytest.fixture(scope="session")
def weights() -> Path:
    """Give the folder of real weights, or skip."""
    if WEIGHTS is None:
        pytest.skip(NO_WEIGHTS)
    return WEIGHTS


@pytest.fixture(scope="session")
def sessions(weights: Path) -> Iterator[Sessions]:
    """Give sessions of real networks, shared by all tests."""
    return Sessions(Store(weights))
