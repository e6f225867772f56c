"""Running plans: right pictures, right places in errors, nothing of libvips ever showing."""

from typing import Any

import encoded
import numpy as np
import pictures
import pytest
import pyvips

from imageplane.codecs.svg import render_svg
from imageplane.deadline import Deadline
from imageplane.errors import (
    DeadlineExceeded,
    ImageplaneError,
    ImageTooLarge,
    ImpossibleOperation,
    UndecodableImage,
    UnencodableImage,
    UnreachableSize,
)
from imageplane.limits import Limits
from imageplane.operations import parse
from imageplane.pipeline import Execution, Options, Output, Picture, execute, explain

PHOTO, ALPHA = pictures.photo(), pictures.alpha()
TO_PNG = {"type": "convert", "format": "png"}


def outputs(*lists: list[dict[str, Any]]) -> list[Output]:
    if len(lists) == 1:
        return [Output("image", parse(lists[0])[0])]
    paths = [f"outputs[{index}].operations" for index in range(len(lists))]
    return [
        Output(f"o{index}", parse(raw, path)[0], path)
        for index, (raw, path) in enumerate(zip(lists, paths, strict=True))
    ]


def run(data: bytes, *lists: list[dict[str, Any]], **limits: int) -> Execution:
    return execute(data, outputs(*(lists or ([],))), Options(Limits(**limits)), Deadline())


def made(data: bytes, *operations: dict[str, Any]) -> Picture:
    (picture,) = run(data, list(operations)).pictures
    return picture


def box(width: int, height: int, fit: str = "fill") -> dict[str, Any]:
    return {"type": "resize", "width_in_px": width, "height_in_px": height, "fit": fit}


def crop(left: int, top: int, width: int, height: int) -> dict[str, Any]:
    return {"type": "crop", "left_in_px": left, "top_in_px": top, "width_in_px": width, "height_in_px": height}


@pytest.mark.parametrize(
    ("kind", "result", "mime_type", "suffix"),
    [
        ("JPEG", "jpeg", "image/jpeg", "jpg"),
        ("PNG", "png", "image/png", "png"),
        ("WEBP", "webp", "image/webp", "webp"),
        ("GIF", "gif", "image/gif", "gif"),
        ("AVIF", "avif", "image/avif", "avif"),
        ("TIFF", "png", "image/png", "png"),
        ("BMP", "png", "image/png", "png"),
    ],
)
def test_without_operations_the_format_stays_where_it_can(kind: str, result: str, mime_type: str, suffix: str) -> None:
    picture = made(encoded.saved(PHOTO, kind))
    assert (picture.format, picture.mime_type, picture.suffix) == (result, mime_type, suffix)
    assert (picture.width_in_px, picture.height_in_px) == encoded.opened(picture.data).size == (217, 149)
    assert encoded.opened(picture.data).format == result.upper()


def test_an_svg_becomes_a_png() -> None:
    assert made(ICON).format == "png"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_first_operation_sees_the_picture_upright(orientation: int) -> None:
    data = encoded.saved(PHOTO, "PNG", exif=encoded.exif(Orientation=orientation))
    picture = made(data, crop(7, 3, 121, 61))
    assert np.array_equal(encoded.pixels(picture.data), encoded.pixels(data)[3:64, 7:128])


def test_operations_are_done_in_their_order() -> None:
    first = encoded.pixels(made(encoded.saved(PHOTO, "PNG"), crop(7, 3, 121, 61), {"type": "flip"}).data)
    then = encoded.pixels(made(encoded.saved(PHOTO, "PNG"), {"type": "flip"}, crop(7, 3, 121, 61)).data)
    assert np.array_equal(first, PHOTO[3:64, 7:128][::-1])
    assert np.array_equal(then, PHOTO[::-1][3:64, 7:128])


def test_several_outputs_are_as_good_as_one_by_one() -> None:
    data = encoded.saved(pictures.photo(1203, 877), "JPEG", quality=91)
    lists = [[box(121, 83), TO_PNG], [box(473, 345), TO_PNG], [crop(8, 16, 800, 800), {"type": "flip"}, TO_PNG]]
    together = run(data, *lists).pictures
    assert [picture.name for picture in together] == ["o0", "o1", "o2"]
    for picture, raw in zip(together, lists, strict=True):
        alone = encoded.pixels(made(data, *raw).data).astype(float)
        assert np.abs(encoded.pixels(picture.data) - alone).mean() < 2


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "GIF"])
def test_several_outputs_read_a_lazy_source_again_and_again(kind: str) -> None:
    data = encoded.saved(PHOTO, kind)
    whole, cut, flipped = run(data, [TO_PNG], [crop(3, 100, 121, 43), TO_PNG], [{"type": "flip"}, TO_PNG]).pictures
    expected = encoded.pixels(whole.data)
    assert np.array_equal(encoded.pixels(cut.data), expected[100:143, 3:124])
    assert np.array_equal(encoded.pixels(flipped.data), expected[::-1])


class TestErrors:
    def test_a_size_that_only_pixels_tell_is_checked_when_it_is_known(self) -> None:
        data = encoded.saved(pictures.bordered(), "PNG")
        with pytest.raises(ImpossibleOperation) as caught:
            made(data, {"type": "trim", "threshold": 7}, crop(0, 0, 217, 149))
        assert caught.value.faults[0].path == "operations[1]"

    def test_and_held_against_the_limits(self) -> None:
        data = encoded.saved(pictures.bordered(), "PNG")
        with pytest.raises(ImageTooLarge) as caught:
            run(data, [{"type": "trim", "threshold": 7}, {"type": "flip"}, box(700, 500)], max_pixels=300_000)
        assert caught.value.faults[0].path == "operations[2]"

    def test_in_the_second_output(self) -> None:
        with pytest.raises(ImpossibleOperation) as caught:
            run(encoded.saved(PHOTO, "PNG"), [], [{"type": "grayscale"}, crop(0, 0, 218, 1)])
        assert caught.value.faults[0].path == "outputs[1].operations[1]"

    def test_a_file_that_gets_too_wide_for_its_format(self) -> None:
        with pytest.raises(UnencodableImage) as caught:
            made(encoded.saved(PHOTO, "PNG"), box(16_384, 10), {"type": "convert", "format": "webp"})
        assert "16383" in caught.value.message
        assert (caught.value.status, caught.value.code) == (422, "unencodable_image")
        assert made(encoded.saved(PHOTO, "PNG"), box(16_383, 3), {"type": "convert", "format": "webp"}).width_in_px

    def test_a_size_that_nothing_reaches_names_the_operation(self) -> None:
        fit = {"type": "compress_to_size", "max_file_size_in_bytes": 9}
        with pytest.raises(UnreachableSize) as caught:
            made(encoded.saved(PHOTO, "PNG"), {"type": "flip"}, fit)
        assert caught.value.faults[0].path == "operations[1]"

    @pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "TIFF", "AVIF", "BMP"])
    @pytest.mark.parametrize("operations", [[], [{"type": "flip"}], [box(121, 83)], [crop(0, 0, 9, 9), box(5, 5)]])
    def test_damage_that_shows_late_is_still_our_error(self, kind: str, operations: list[dict[str, Any]]) -> None:
        data = encoded.saved(pictures.photo(473, 377), kind)
        for share in (0.4, 0.8):
            try:
                made(data[: int(len(data) * share)], *operations)
            except UndecodableImage as error:
                assert error.status == 422  # noqa: PT017
                assert "damaged" in error.message  # noqa: PT017
                assert "vips" not in error.message.lower()  # noqa: PT017
            else:
                # Rows that nothing looks at may be missing.
                assert operations[:1] == [crop(0, 0, 9, 9)]

    def test_flipped_bits_never_show_libvips(self) -> None:
        chance = np.random.default_rng(473)
        for kind in ("PNG", "WEBP", "GIF", "TIFF", "JPEG", "BMP"):
            data = encoded.saved(PHOTO, kind)
            for _ in range(25):
                broken = bytearray(data)
                for at in chance.integers(20, len(data), 6):
                    broken[at] = chance.integers(0, 256)
                try:
                    made(bytes(broken), box(61, 35), TO_PNG)
                except ImageplaneError as error:
                    assert error.status in (400, 413, 422)  # noqa: PT017

    def test_a_damaged_jpeg_is_shown_with_a_warning(self) -> None:
        data = encoded.saved(PHOTO, "JPEG")
        done = run(data[: len(data) * 3 // 4], [TO_PNG])
        assert len(done.warnings) == 1
        found = encoded.pixels(done.pictures[0].data).astype(float)
        assert np.abs(found[:60] - PHOTO[:60]).mean() < 6


class TestDeadline:
    def test_a_deadline_that_is_over(self) -> None:
        with pytest.raises(DeadlineExceeded) as caught:
            execute(encoded.saved(PHOTO, "PNG"), outputs([]), Options(), Deadline.after(0))
        assert (caught.value.status, caught.value.retryable) == (504, True)

    def test_a_cancelled_one(self) -> None:
        deadline = Deadline.after(100)
        deadline.cancel()
        with pytest.raises(DeadlineExceeded):
            execute(encoded.saved(PHOTO, "PNG"), outputs([box(121, 83)]), Options(), deadline)

    def test_one_that_passes_between_steps(self, monkeypatch: pytest.MonkeyPatch) -> None:
        deadline = Deadline.after(100)
        (operation,) = parse([{"type": "flip"}])[0]
        monkeypatch.setattr(type(operation), "apply", lambda _self, image, _tools: deadline.cancel() or image)
        with pytest.raises(DeadlineExceeded):
            execute(encoded.saved(PHOTO, "PNG"), outputs([{"type": "flip"}, box(121, 83)]), Options(), deadline)

    @pytest.mark.parametrize("operations", [[box(1999, 1999), TO_PNG], [TO_PNG]])
    def test_one_that_passes_inside_libvips(
        self, monkeypatch: pytest.MonkeyPatch, operations: list[dict[str, Any]]
    ) -> None:
        asked = iter(range(10_000))
        monkeypatch.setattr(Deadline, "is_over", property(lambda _self: next(asked) > 8))
        data = encoded.saved(np.tile(PHOTO, (14, 9, 1)), "PNG")
        with pytest.raises(DeadlineExceeded):
            execute(data, outputs(operations), Options(), Deadline.after(100))


ICON = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24">'
    b'<rect width="24" height="24" fill="#fff"/><circle cx="11.3" cy="12.1" r="7.7" fill="#124"/>'
    b'<path d="M3 21 L21 4.7" stroke="#c31" stroke-width="0.37"/></svg>'
)


class TestVectors:
    def test_a_small_vector_made_large_is_crisp(self) -> None:
        found = encoded.pixels(made(ICON, box(1000, 1000)).data)
        direct = render_svg(ICON, 1000 / 24, 10**8)
        assert np.array_equal(found[..., :3], direct[..., :3])
        edges = np.abs(np.diff(found[..., 0].astype(float), axis=1))
        # Enlarged from 24 pixels, no step from one pixel to the next would be steeper than a few levels.
        assert edges.max() > 150
        naive = execute(ICON, outputs([box(1000, 1000)]), Options(), Deadline(), is_naive=True).pictures[0]
        assert np.abs(np.diff(encoded.pixels(naive.data)[..., 0].astype(float), axis=1)).max() < 60

    @pytest.mark.parametrize("fit", ["cover", "contain", "fill", "inside", "outside"])
    @pytest.mark.parametrize("side", [(121, 83), (7, 13), (473, 473)])
    def test_every_fit_has_its_size(self, fit: str, side: tuple[int, int]) -> None:
        picture = made(ICON, box(*side, fit=fit))
        naive = execute(ICON, outputs([box(*side, fit=fit)]), Options(), Deadline(), is_naive=True).pictures[0]
        assert encoded.opened(picture.data).size == encoded.opened(naive.data).size

    def test_a_vector_may_not_be_rendered_beyond_the_limit(self) -> None:
        with pytest.raises(ImageTooLarge):
            run(ICON, [box(1001, 1000)], max_pixels=1_000_000)


def test_an_explanation_reads_only_the_header() -> None:
    data = encoded.saved(PHOTO, "PNG")
    assert "crop" in explain(data[:400], outputs([crop(3, 5, 121, 83)]), Options())


def test_timings_name_every_stop() -> None:
    timings = run(encoded.saved(PHOTO, "JPEG"), [box(121, 83)]).timings_in_ms
    assert list(timings) == ["header", "plan", "decode", "steps", "encode"]
    assert all(spent >= 0 for spent in timings.values())


def test_compressed_dimensions_are_told() -> None:
    picture = made(encoded.saved(PHOTO, "PNG"), {"type": "compress_to_size", "max_file_size_in_bytes": 9973})
    assert (picture.width_in_px, picture.height_in_px) == encoded.opened(picture.data).size
    assert picture.width_in_px < 217
    assert len(picture.data) <= 9973


def test_nothing_of_libvips_is_left_open() -> None:
    before = pyvips.cache_get_size()
    made(encoded.saved(PHOTO, "PNG"), box(121, 83))
    assert pyvips.cache_get_size() == before == 0


@pytest.mark.parametrize("way", [{}, {"subject": "face"}, {"zoom": 0.5}])
def test_what_was_seen_before_spares_rows_and_changes_no_pixel(way: dict[str, Any]) -> None:
    # Nothing to see below the upper quarter.
    tall = np.full((2400, 1200, 3), 90, np.uint8)
    tall[100:500, 300:900] = pictures.photo(600, 400)
    data = pyvips.Image.new_from_array(tall).jpegsave_buffer(Q=90)
    wanted = outputs([{"type": "smart_crop", "width_in_px": 100, "height_in_px": 100, **way}, TO_PNG])
    first = execute(data, wanted, Options(), Deadline())
    again = execute(data, wanted, Options(), Deadline(), first.seen)
    ((before,), (after,)) = first.pictures, again.pictures
    assert after.data == before.data
    assert after.smart_crops == before.smart_crops
    assert "rows" not in before.plan[0]
    assert ("only the first" in after.plan[0]) is ("zoom" not in way)
