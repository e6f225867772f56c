"""Which kind of reply an Accept header asks for."""

import pytest

from imageplane.http.envelope import wants_raw


@pytest.mark.parametrize(
    ("accept", "is_raw"),
    [
        ("", False),
        ("*/*", False),
        ("application/json", False),
        # Axios and browsers' fetch.
        ("application/json, text/plain, */*", False),
        ("image/*", True),
        ("image/webp", True),
        ("IMAGE/WEBP;q=0.5", True),
        # An image element.
        ("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", True),
        ("image/*;q=0", False),
        ("image/*;q=0.2, application/json", False),
        ("application/json;q=0.2, image/*", True),
        ("image/*;q=strange, application/json;q=0.1", False),
    ],
)
def test_the_image_itself_is_sent_where_an_image_is_asked_for(accept: str, is_raw: bool) -> None:
    assert wants_raw(accept) is is_raw
