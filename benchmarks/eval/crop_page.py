"""A page with every photo, what was seen on it and what each contender cuts out of it, for people to judge."""

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

import pyvips

from benchmarks.eval.crop_figures import CropFigures, Result
from benchmarks.eval.croppers import OURS, Eye
from benchmarks.eval.truth import SHAPES, Photo
from imageplane.pixels.crop import Window
from imageplane.pixels.geometry import Size

_PHOTO_IN_PX = 900
_SHOWN_IN_PX = 420
_CROP_AREA_IN_PX = 190 * 190

_STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 24px; background: #f4f4f2; color: #222 }
section { background: #fff; margin: 0 0 24px; padding: 16px; border-radius: 6px }
h2 { font-size: 15px; margin: 0 0 8px } h3 { font-size: 12px; margin: 10px 0 4px; color: #666 }
.all, .crops { display: flex; flex-wrap: wrap; gap: 12px; align-items: flex-start }
.photo, .crop { position: relative; overflow: hidden } .photo img, .crop img { position: absolute; display: block }
.box { position: absolute; border: 2px solid; font-size: 10px; line-height: 1; text-shadow: 0 0 2px #000 }
.truth { border-color: #2bd64a; border-width: 3px } .other { border-color: #1c7f31; border-style: dashed }
.face { border-color: #ffd400; color: #ffd400 } .person { border-color: #3aa0ff; color: #3aa0ff }
.animal { border-color: #ff54e8; color: #ff54e8 } .object { border-color: #ddd; color: #ddd }
figure { margin: 0 } figcaption { font-size: 11px; color: #555 } .bad { color: #c00; font-weight: 600 }
"""


def write_page(figures: CropFigures, eye: Eye, folder: Path) -> Path:
    """Write the page and the photos it shows; where most was lost by the last contender comes first."""
    (folder / "photos").mkdir(parents=True, exist_ok=True)
    names = list(figures.results)
    by_photo: dict[Path, list[Result]] = {}
    for name in names:
        for result in figures.results[name]:
            by_photo.setdefault(result.photo.path, []).append(result)
    worst = sorted(
        by_photo.values(), key=lambda results: min(each.kept.share for each in results if each.contender == names[-1])
    )
    lines = [f"<!doctype html><meta charset=utf-8><title>smart_crop</title><style>{_STYLE}</style>"]
    lines += ["<h1>What smart_crop keeps</h1><p>Green: what must be kept, drawn by eye. Others: what was seen.</p>"]
    for results in worst:
        photo = results[0].photo
        image = pyvips.Image.thumbnail(str(photo.path), _PHOTO_IN_PX, height=_PHOTO_IN_PX, size="down")
        image.write_to_file(str(folder / "photos" / f"{photo.path.stem}.jpg"), Q=85)
        lines += _section(photo, results, eye if OURS in names else None)
    page = folder / "crop.html"
    page.write_text("\n".join(lines) + "\n")
    return page


def _section(photo: Photo, results: Sequence[Result], eye: Eye | None) -> Iterator[str]:
    yield f"<section><h2>{escape(photo.name)}{' (control)' if photo.is_control else ''}</h2><div class=all>"
    yield from _photo(photo, eye)
    yield "<div>"
    for shape, size in SHAPES.items():
        rule = f": by {eye.choice(photo, size).rule}" if eye else ""
        yield f"<h3>{shape}{rule}</h3><div class=crops>"
        yield from (_crop(each) for each in results if each.shape == shape)
        yield "</div>"
    yield "</div></div></section>"


def _photo(photo: Photo, eye: Eye | None) -> Iterator[str]:
    scale = _SHOWN_IN_PX / max(photo.size)
    width, height = photo.size.width * scale, photo.size.height * scale
    yield f'<div class=photo style="width:{width:.0f}px;height:{height:.0f}px">{_image(photo, width, 0, 0)}'
    for sighting in eye.choice(photo, Size(1, 1)).subjects if eye else ():
        left, top, wide, tall = (100 * side for side in sighting.box)
        yield (
            f'<div class="box {sighting.kind}" style="left:{left:.2f}%;top:{top:.2f}%;width:{wide:.2f}%;'
            f'height:{tall:.2f}%">{escape(sighting.label)} {sighting.confidence:.2f}</div>'
        )
    for box in photo.boxes:
        yield (
            f'<div class="box {"truth" if box.is_primary else "other"}" style="left:{box.left * scale:.1f}px;'
            f"top:{box.top * scale:.1f}px;width:{(box.right - box.left) * scale:.1f}px;"
            f'height:{(box.bottom - box.top) * scale:.1f}px"></div>'
        )
    yield "</div>"


def _crop(result: Result) -> str:
    window: Window = result.window
    scale = (_CROP_AREA_IN_PX / (window.width_in_px * window.height_in_px)) ** 0.5
    bad = ' class="bad"' if result.kept.share < 0.95 or result.kept.faces_lost else ""
    lost = f", {result.kept.faces_lost} faces lost" if result.kept.faces_lost else ""
    image = _image(result.photo, result.photo.size.width * scale, window.left_in_px * scale, window.top_in_px * scale)
    return (
        f'<figure><div class=crop style="width:{window.width_in_px * scale:.0f}px;'
        f'height:{window.height_in_px * scale:.0f}px">{image}</div>'
        f"<figcaption{bad}>{escape(result.contender)} {result.kept.share:.0%}{lost}</figcaption></figure>"
    )


def _image(photo: Photo, width: float, left: float, top: float) -> str:
    source = f"photos/{escape(photo.path.stem)}.jpg"
    return f'<img loading=lazy src="{source}" style="width:{width:.1f}px;left:{-left:.1f}px;top:{-top:.1f}px">'
