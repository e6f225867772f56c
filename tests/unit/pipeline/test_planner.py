"""Plans are data: what is cancelled, fused and shrunk, and what is refused before any pixel is decoded."""

from collections.abc import Sequence
from typing import Any

import pytest

from imageplane.codecs.header import Header
from imageplane.errors import ImageplaneError, ImageTooLarge, ImpossibleOperation
from imageplane.limits import Limits
from imageplane.operations import parse
from imageplane.pipeline import Output, Plan, plan
from imageplane.pipeline.plan import explain_plans
from imageplane.pixels.geometry import Size

CAMERA = Header("jpeg", Size(6000, 4000), 5_000_000)
PRETTY: list[dict[str, Any]] = [
    {"type": "crop", "left_in_px": 800, "top_in_px": 160, "width_in_px": 4000, "height_in_px": 3200},
    {"type": "flip"},
    {"type": "rotate", "angle_in_degrees": 90},
    {"type": "rotate", "angle_in_degrees": 270},
    {"type": "flip"},
    {"type": "grayscale"},
    {"type": "resize", "width_in_px": 300, "height_in_px": 300, "fit": "inside"},
    {"type": "convert", "format": "webp"},
]


def planned(header: Header, *lists: Sequence[dict[str, Any]], limits: Limits | None = None) -> tuple[Plan, ...]:
    paths = ["operations"] if len(lists) == 1 else [f"outputs[{index}].operations" for index in range(len(lists))]
    outputs = [Output(path, parse(list(raw), path)[0], path) for raw, path in zip(lists, paths, strict=True)]
    return plan(header, outputs, limits or Limits())


def only(header: Header, *operations: dict[str, Any], **limits: int) -> Plan:
    (found,) = planned(header, operations, limits=Limits(**limits))
    return found


def types(found: Plan) -> list[str]:
    return [step.operation.type for step in found.steps]


def box(width: int, height: int, fit: str = "fill") -> dict[str, Any]:
    return {"type": "resize", "width_in_px": width, "height_in_px": height, "fit": fit}


def crop(left: int, top: int, width: int, height: int) -> dict[str, Any]:
    return {"type": "crop", "left_in_px": left, "top_in_px": top, "width_in_px": width, "height_in_px": height}


def test_24_megapixels_come_to_a_crop_a_gray_and_a_small_resize() -> None:
    found = only(CAMERA, *PRETTY)
    assert found.shrink == 8
    assert found.decoded == (750, 500)
    assert types(found) == ["crop", "grayscale", "resize"]
    assert found.steps[0].operation.model_dump(exclude={"type"}) == {
        "left_in_px": 100,
        "top_in_px": 20,
        "width_in_px": 500,
        "height_in_px": 400,
    }
    assert [step.size for step in found.steps] == [(500, 400), (500, 400), (300, 240)]
    assert found.is_sequential
    assert found.target.format == "webp"
    assert found.notes == ("4 operations cancelled or fused",)


def test_the_naive_plan_does_everything_as_written() -> None:
    (found,) = plan(CAMERA, [Output("a", parse(PRETTY)[0])], Limits(), is_naive=True)
    assert (found.shrink, types(found)) == (1, [raw["type"] for raw in PRETTY[:-1]])


def test_places_survive_cancelling() -> None:
    assert [step.path for step in only(CAMERA, *PRETTY).steps] == ["operations[0]", "operations[5]", "operations[6]"]


def test_no_operations_is_a_plan_too() -> None:
    found = only(CAMERA)
    assert (found.shrink, found.steps, found.decoded, found.target.format) == (1, (), (6000, 4000), "jpeg")


@pytest.mark.parametrize(
    ("side", "shrink"), [(6000, 1), (4000, 1), (2000, 2), (1000, 4), (800, 4), (500, 8), (121, 8), (1, 8)]
)
def test_a_jpeg_is_shrunk_as_far_as_leaves_enough_to_filter(side: int, shrink: int) -> None:
    found = only(Header("jpeg", Size(6001, 6001), 1), box(side, side))
    assert found.shrink == shrink
    assert found.shrink == 1 or 6001 / found.shrink / side >= 1.2


@pytest.mark.parametrize("fit", ["cover", "contain", "fill", "inside", "outside"])
def test_sizes_are_those_of_the_full_picture(fit: str) -> None:
    for size in (Size(473, 121), Size(1203, 877), Size(5999, 4001)):
        for side in ((121, 83), (61, 139), (37, 11), (7, 300)):
            header = Header("jpeg", size, 1)
            raw = [box(*side, fit=fit)]
            (naive,) = plan(header, [Output("a", parse(raw)[0])], Limits(), is_naive=True)
            assert only(header, *raw).steps[-1].size == naive.steps[-1].size


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_oriented_picture_shrinks_only_where_no_pixel_moves(orientation: int) -> None:
    even = Header("jpeg", Size(4000, 3200), 1, orientation=orientation)
    odd = Header("jpeg", Size(4001, 3199), 1, orientation=orientation)
    assert only(even, box(200, 100)).shrink == 8
    # What lies in the last, partly filled block would come to the other side.
    assert only(odd, box(200, 100)).shrink == (8 if orientation == 1 else 1)


def test_a_half_divisible_oriented_picture_shrinks_half() -> None:
    assert only(Header("jpeg", Size(4004, 3204), 1, orientation=6), box(200, 100)).shrink == 4


@pytest.mark.parametrize(
    ("first", "shrink"),
    [
        (crop(800, 160, 4000, 3200), 8),
        (crop(804, 160, 4000, 3200), 4),
        (crop(801, 160, 4000, 3200), 1),
        ({"type": "grayscale"}, 8),
        ({"type": "flip"}, 8),
        ({"type": "rotate", "angle_in_degrees": 90}, 8),
        ({"type": "rotate", "angle_in_degrees": 33.7}, 1),
        ({"type": "trim", "threshold": 7}, 1),
        ({"type": "auto_contrast"}, 1),
        ({"type": "threshold", "value": 121, "is_grayscale": False}, 1),
    ],
)
def test_a_shrink_moves_only_past_operations_that_let_it(first: dict[str, Any], shrink: int) -> None:
    assert only(CAMERA, first, box(200, 150)).shrink == shrink


def test_what_comes_after_the_resize_has_no_say() -> None:
    assert only(CAMERA, box(200, 150), {"type": "auto_contrast"}, crop(3, 5, 121, 73)).shrink == 8


@pytest.mark.parametrize(
    ("operations", "left"),
    [
        ([{"type": "flip"}, {"type": "flip"}], []),
        ([{"type": "flip"}] * 5, ["flip"]),
        ([{"type": "flop"}, {"type": "flip"}, {"type": "flip"}, {"type": "flop"}], []),
        ([{"type": "rotate", "angle_in_degrees": angle} for angle in (90, 180, 90)], []),
        ([crop(121, 61, 4000, 3000), crop(35, 17, 473, 333)], ["crop"]),
    ],
)
def test_neighbors_fuse_until_nothing_more_fuses(operations: list[dict[str, Any]], left: list[str]) -> None:
    assert types(only(CAMERA, *operations)) == left


def test_fused_crops_add_up() -> None:
    (step,) = only(CAMERA, crop(121, 61, 4000, 3000), crop(35, 17, 473, 333)).steps
    assert step.operation.model_dump(exclude={"type"}) == {
        "left_in_px": 156,
        "top_in_px": 78,
        "width_in_px": 473,
        "height_in_px": 333,
    }


def test_outputs_share_the_least_shrink() -> None:
    small, large = planned(CAMERA, [box(120, 80)], [box(1000, 667)])
    assert only(CAMERA, box(120, 80)).shrink == 8
    assert small.shrink == large.shrink == 4
    assert small.steps[-1].size == (120, 80)


def test_an_output_that_can_not_follow_a_shrink_keeps_all_from_it() -> None:
    assert {found.shrink for found in planned(CAMERA, [box(120, 80)], [])} == {1}
    assert {found.shrink for found in planned(CAMERA, [box(120, 80)], [{"type": "trim", "threshold": 3}])} == {1}
    # One could take 4, the other 8 or nothing in between.
    assert {found.shrink for found in planned(CAMERA, [box(120, 80)], [crop(4, 4, 4000, 3000), box(121, 83)])} == {4}


def test_a_vector_is_rendered_at_the_size_that_is_wanted() -> None:
    icon = Header("svg", Size(24, 24), 900, has_alpha=True)
    assert only(icon, box(1000, 1000)).shrink == pytest.approx(0.024)
    assert only(icon, box(1000, 1000)).decoded == (1000, 1000)
    assert only(icon, box(7, 7)).shrink == pytest.approx(24 / 7)
    assert only(icon, {"type": "grayscale"}, box(1000, 1000)).shrink == 1
    first, second = planned(icon, [box(1000, 1000)], [box(100, 100)])
    assert first.shrink == second.shrink == pytest.approx(0.024)


def test_an_animation_keeps_its_frames_only_where_the_format_can() -> None:
    banana = Header("gif", Size(121, 83), 9000, frames=7, delays_in_ms=(70,) * 7)
    assert only(banana).frames == 7
    assert only(banana, {"type": "convert", "format": "webp"}).frames == 7
    assert only(banana, {"type": "convert", "format": "png"}).frames == 1
    assert not only(banana).is_sequential


class TestRefusedBeforeDecoding:
    def test_a_crop_out_of_bounds_names_its_place(self) -> None:
        with pytest.raises(ImpossibleOperation) as caught:
            only(CAMERA, {"type": "flip"}, box(473, 121), crop(35, 17, 473, 61))
        assert [fault.path for fault in caught.value.faults] == ["operations[2]"]
        assert caught.value.message.startswith("operations[2]: ")
        assert "473×121" in caught.value.message

    def test_in_the_second_output_too(self) -> None:
        with pytest.raises(ImpossibleOperation) as caught:
            planned(CAMERA, [box(473, 121)], [{"type": "grayscale"}, crop(0, 0, 6001, 1)])
        assert caught.value.faults[0].path == "outputs[1].operations[1]"

    def test_a_chain_of_upsizing_names_the_step_that_is_too_much(self) -> None:
        with pytest.raises(ImageTooLarge) as caught:
            only(CAMERA, box(121, 83), box(2000, 2000), box(30_000, 30_000), box(3, 3))
        assert caught.value.faults[0].path == "operations[2]"
        assert caught.value.status == 413

    def test_padding_counts(self) -> None:
        pad = {"type": "extend", "hex_color": "#123456"} | {
            f"{side}_in_px": 40_000 for side in ("top", "bottom", "left", "right")
        }
        with pytest.raises(ImageTooLarge) as caught:
            only(Header("png", Size(121, 83), 1), pad)
        assert caught.value.faults[0].path == "operations[0]"

    @pytest.mark.parametrize("limits", [{"max_frames": 6}, {"max_total_pixels": 7 * 121 * 83 - 1}])
    def test_an_animation_of_too_much(self, limits: dict[str, int]) -> None:
        banana = Header("gif", Size(121, 83), 9000, frames=7)
        with pytest.raises(ImageTooLarge):
            only(banana, **limits)
        # Its first frame alone is fine.
        assert only(banana, {"type": "convert", "format": "jpeg"}, **limits).frames == 1

    def test_an_animation_that_grows_too_much(self) -> None:
        banana = Header("gif", Size(121, 83), 9000, frames=200)
        with pytest.raises(ImageTooLarge) as caught:
            only(banana, box(1210, 830))
        assert caught.value.faults[0].path == "operations[0]"

    def test_naive_and_planned_refuse_alike(self) -> None:
        outputs = [Output("a", parse([crop(0, 0, 5999, 4000), crop(1, 0, 5999, 4000)])[0])]
        messages = []
        for is_naive in (True, False):
            with pytest.raises(ImageplaneError) as caught:
                plan(CAMERA, outputs, Limits(), is_naive=is_naive)
            messages.append(caught.value.message)
        assert messages[0] == messages[1]


def test_the_last_output_operation_decides() -> None:
    raw = [
        {"type": "convert", "format": "jpeg", "quality": 37},
        {"type": "compress_to_size", "max_file_size_in_bytes": 9973},
        {"type": "convert", "format": "webp", "quality": 61},
    ]
    found = only(CAMERA, *raw)
    assert (found.target.format, found.target.quality, found.target.max_size_in_bytes) == ("webp", 61, 9973)
    assert (found.target_path, found.limit_path) == ("operations[2]", "operations[1]")


def test_the_explanation_is_short_and_readable() -> None:
    turned = Header("jpeg", Size(6000, 4000), 5_000_000, orientation=6, is_srgb=False)
    text = explain_plans(turned, [only(turned, *PRETTY)])
    lines = text.splitlines()
    assert lines[0] == "source: jpeg, 6000×4000, 5,000,000 bytes, orientation 6, converted to sRGB"
    assert len(lines) == 8
    assert all(len(line) < 100 for line in lines)
    assert "shrunk by 8" in text
    assert "750×500" in lines[2]
    assert "crop left_in_px=100 top_in_px=20 width_in_px=500 height_in_px=400 → 500×400" in text
    assert "encode webp at quality 80" in text
    assert "4 operations cancelled or fused" in lines[-1]
    assert not any(word in text for word in ("PixelOperation", "Size(", "{", "None", "object at"))


def test_the_explanation_of_several_outputs_names_them() -> None:
    text = explain_plans(CAMERA, planned(CAMERA, [box(120, 80)], [{"type": "trim", "threshold": 3}]))
    assert "output outputs[0].operations:" in text
    assert "size not known yet" in text
