"""The contract, held by the TypeScript client against running servers."""

from collections.abc import Iterator

import pytest
from calls import SAID
from exchanges import hold
from installations import Installations
from picture_server import PictureServer
from typescript import Driver, Package, driving


@pytest.fixture(scope="module")
def driver(typescript_package: Package) -> Iterator[Driver]:
    yield from driving(typescript_package)


@pytest.mark.parametrize("name", SAID)
def test_the_client_keeps_the_contract(
    name: str, driver: Driver, installations: Installations, pictures: PictureServer
) -> None:
    hold(name, driver.make, installations, pictures)
