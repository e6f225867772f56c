"""What is made of every item: the outputs, and for each a digest of everything that decides its pixels."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Final, Self

from imageplane.models import CARDS, ModelOptions
from imageplane.models.store import Store
from imageplane.operation import PixelOperation
from imageplane.pipeline import Options, Output, Picture
from imageplane.request import TransformRequest

# Another release may make other pictures of the same operations.
_RELEASE: Final = version("imageplane")
_DIGEST_LENGTH: Final = 32


@dataclass(frozen=True, slots=True)
class Wanted:
    """One output of a recipe.

    Takes: `digest`, another when its pictures may be; `label`, the same for outputs that are written to the same files.
    """

    output: Output
    digest: str
    label: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """The outputs that every item gets."""

    request: TransformRequest
    wanted: tuple[Wanted, ...]

    @classmethod
    def of(cls, request: TransformRequest, options: Options) -> Self:
        """Give the recipe of a request in an installation."""
        return cls(request, tuple(_wanted(request, output, options) for output in request.outputs))

    def without(self, made: Collection[str]) -> TransformRequest:
        """Give the request for all outputs but those with these digests."""
        left = tuple(each.output for each in self.wanted if each.digest not in made)
        return replace(self.request, outputs=left)

    def digest_of(self, picture: Picture) -> str:
        """Give the digest of the output that a picture is."""
        return next(each.digest for each in self.wanted if each.output.name == picture.name)

    def file_of(self, name: str, picture: Picture) -> str:
        """Give where a picture of the item of this name is put."""
        return self.file_named(name, picture.name, picture.suffix)

    def file_named(self, name: str, output: str, suffix: str) -> str:
        """Give where an output is put that ends with a suffix.

        The name of the source stays whole, suffix and all, so that a.jpg and a.png never meet.
        """
        return f"{name}.{suffix}" if self.request.is_single else f"{name}.{output}.{suffix}"


def _wanted(request: TransformRequest, output: Output, options: Options) -> Wanted:
    single = replace(request, outputs=(output,))
    label = "operations" if request.is_single else f"output-{output.name}"
    told = "\n".join([_RELEASE, str(options.keep_copyright), *_networks(output, options.models), label])
    digest = hashlib.sha256(f"{told}\0{single.canonical}".encode()).hexdigest()
    return Wanted(output, digest[:_DIGEST_LENGTH], label)


def _networks(output: Output, models: ModelOptions | None) -> list[str]:
    """Give the networks that are here, where the output asks them; without them its pictures are others."""
    operations = [each for each in output.operations if isinstance(each, PixelOperation)]
    if models is None or not any(each.looks or each.needs_models for each in operations):
        return []
    store = Store(models.folder)
    return [weights.file for card in CARDS if (weights := store.find(card)) is not None]
