"""What customers may ask for: three mixes, from the lightest to the heaviest, all of photos of about 12 megapixels."""

from collections.abc import Mapping, Sequence
from typing import Final

from benchmarks.scaling.model import Mix, Wish

_WAYS: Final[Mapping[str, float]] = {"url": 0.7, "multipart": 0.2, "base64": 0.1}


def _all(work: str) -> list[Wish]:
    return [Wish(work, way, share) for way, share in _WAYS.items()]


THUMBNAILS: Final = Mix("thumbnails", _all("avatar"))
THREE_SIZES: Final = Mix("three sizes", _all("three"))
MIXED: Final = Mix(
    "mixed",
    (
        Wish("three", "url", 0.40),
        Wish("avatar", "multipart", 0.20),
        Wish("card", "base64", 0.10),
        Wish("three", "multipart", 0.15, is_later=True),
        Wish("avif", "url", 0.10, is_later=True),
        Wish("cutout", "url", 0.04, is_later=True),
        Wish("upscale", "url", 0.01, is_later=True),
    ),
)
MIXES: Final = (THUMBNAILS, THREE_SIZES, MIXED)
IN_WORDS: Final = {
    "thumbnails": "an avatar of every upload",
    "three sizes": "avatar, card and social preview of every upload, in one request",
    "mixed": "40 % three sizes, 20 % avatars, 10 % cards at once; as jobs with webhooks 15 % three sizes, 10 % AVIF, "
    "4 % cut-outs, 1 % enlargements",
}


def measured(mixes: Sequence[Mix], works: Mapping[str, object]) -> list[Mix]:
    """Give the mixes of which everything was measured."""
    return [mix for mix in mixes if all(wish.work in works for wish in mix.wishes)]
