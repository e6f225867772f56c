"""Pillow, opened for one known format and with its many exceptions turned into ours."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image as PillowImage

from imageplane.errors import ImageTooLarge, UndecodableImage


@contextmanager
def opened(data: bytes, name: str) -> Iterator[PillowImage.Image]:
    """Open an image of this format only; pixels are read when they are asked for.

    Takes: the name as Pillow spells it, such as "BMP".
    Errors: undecodable_image, image_too_large.
    """
    try:
        with warnings.catch_warnings():
            # Between its two limits Pillow warns; ours are checked as soon as the size is known.
            warnings.simplefilter("ignore", PillowImage.DecompressionBombWarning)
            with PillowImage.open(io.BytesIO(data), formats=(name,)) as image:
                yield image
    except PillowImage.DecompressionBombError as error:
        raise ImageTooLarge(f"the {name} image has more pixels than can be read", detail=str(error)) from error
    except (OSError, ValueError, SyntaxError, RuntimeError) as error:
        raise UndecodableImage(f"The {name} image is damaged.", detail=str(error)) from error
