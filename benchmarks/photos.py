"""The photos that are measured on: a folder as it came, and what is made of it where a job needs more."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from imageplane.codecs.header import read_header
from imageplane.errors import ImageplaneError
from imageplane.limits import Limits

DEFAULT_FOLDER = Path(__file__).parents[2] / "shared" / "corpus" / "speed"
PNG_WANTED_MEGAPIXELS = 18.0


@dataclass(frozen=True, slots=True)
class Photo:
    """One upload.

    Takes: `kind`, such as "baseline JPEG", "progressive JPEG", "PNG" or "HEIF"; `is_made`, when it was made here of
    another photo.
    """

    path: Path
    kind: str
    megapixels: float
    is_made: bool = False

    @property
    def name(self) -> str:
        return self.path.name


def find(folder: Path) -> list[Photo]:
    """Give every image of a folder that Imageplane takes. Errors: SystemExit when there is none."""
    photos = [photo for path in sorted(folder.iterdir()) if path.is_file() and (photo := _photo(path))]
    if not photos:
        raise SystemExit(f"There is no image in {folder}; name a folder of photos with --photos.")
    return photos


def make_missing(photos: Sequence[Photo], folder: Path, *, progressive: bool, large_png: bool) -> Iterator[Photo]:
    """Make progressive twins of the baseline JPEGs, and one large PNG where there is none, in a folder.

    Method: Pillow with `quality="keep"` writes the same quantization and subsampling with the usual ten scans.
    """
    baseline = [photo for photo in photos if photo.kind == "baseline JPEG"]
    for photo in baseline if progressive else ():
        path = folder / f"{photo.path.stem}_made_progressive.jpg"
        with Image.open(photo.path) as image:
            image.save(path, "JPEG", quality="keep", progressive=True, icc_profile=image.info.get("icc_profile"))
        yield Photo(path, "progressive JPEG", photo.megapixels, is_made=True)
    has_png = any(photo.kind == "PNG" and photo.megapixels >= PNG_WANTED_MEGAPIXELS for photo in photos)
    if large_png and baseline and not has_png:
        largest = max(baseline, key=lambda photo: photo.megapixels)
        path = folder / f"{largest.path.stem}_made.png"
        with Image.open(largest.path) as image:
            image.convert("RGB").save(path, "PNG")
        yield Photo(path, "PNG", largest.megapixels, is_made=True)


def _photo(path: Path) -> Photo | None:
    try:
        header = read_header(path.read_bytes(), Limits())
    except ImageplaneError:
        return None
    kind = header.format.upper()
    if kind == "JPEG":
        kind = f"{'progressive' if header.is_progressive else 'baseline'} JPEG"
    return Photo(path, kind, round(header.size.width * header.size.height / 1e6, 1))
