"""The contract, held by the Python client against running servers, sync and async."""

from typing import Final

import pytest
from calls import SAID, UNSAID
from exchanges import hold
from installations import Installations
from picture_server import PictureServer
from python_client import Caller

# What no client of either language can be made to send; `calls.py` tells why, and what comes to it is written here.
NOT_EXPRESSIBLE: Final = {
    "additions: bad multipart 0",
    "additions: bad multipart 2",
    "additions: bad multipart 4",
    "additions: the account of a key 1",
    "additions: health, for machines without a key 0",
    "additions: health, for machines without a key 1",
    "errors: 401 without a good key 0",
    "errors: 404 where there is nothing 0",
    "errors: 404 where there is nothing 1",
    "errors: 404 where there is nothing 2",
    "errors: 405 for another method 0",
    "errors: 405 for another method 1",
    "file: slashes escaped as PHP does 0",
    "jobs: 403 for a link that nobody signed 0",
    "request: what is no JSON object is refused 0",
    "request: what is no JSON object is refused 1",
    "request: what is no JSON object is refused 2",
    "request: what is no JSON object is refused 3",
}


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("name", SAID)
def test_the_client_keeps_the_contract(
    name: str, is_async: bool, installations: Installations, pictures: PictureServer
) -> None:
    hold(name, Caller(is_async).make, installations, pictures)


def test_no_more_is_left_out_than_must_be() -> None:
    assert {each for names in UNSAID.values() for each in names} == NOT_EXPRESSIBLE
