"""Requests are read with all their faults at once, and done alike in this process and in an engine."""

from pathlib import Path
from typing import Any

import pictures
import pytest

from imageplane.engine.pool import Pool
from imageplane.errors import Fault, ImageTooLarge, RequestError, SettingsError, UndecodableImage
from imageplane.limits import Limits
from imageplane.pipeline import Options
from imageplane.request import MAX_OUTPUTS, TransformRequest
from imageplane.settings import LimitSettings, Settings
from imageplane.transform import Transformer, options_of, transform_bytes

RESIZE = {"type": "resize", "width_in_px": 121, "height_in_px": 73, "fit": "cover"}
TO_PNG = {"type": "convert", "format": "png"}


def faults_of(raw: object) -> list[str]:
    with pytest.raises(RequestError) as caught:
        TransformRequest.parse(raw)
    assert caught.value.message
    return [fault.path for fault in caught.value.faults]


def test_operations_are_one_output() -> None:
    request = TransformRequest.parse({"operations": [RESIZE]})
    assert request.is_single
    assert [(output.path, len(output.operations)) for output in request.outputs] == [("operations", 1)]


def test_outputs_keep_names_order_and_places() -> None:
    raw = [{"name": "big", "operations": []}, {"name": "Small_2-x", "operations": [RESIZE, TO_PNG]}]
    request = TransformRequest.parse({"outputs": raw})
    assert not request.is_single
    assert [(output.name, output.path) for output in request.outputs] == [
        ("big", "outputs[0].operations"),
        ("Small_2-x", "outputs[1].operations"),
    ]


def test_unknown_fields_are_warned_of_and_never_refused() -> None:
    raw = {
        "outputs": [{"name": "a", "operations": [RESIZE | {"filter": "sinc"}], "quality": 3}],
        "file": {},
        "webhook": "",
    }
    assert set(TransformRequest.parse(raw, also_known={"file"}).warnings) == {
        "webhook: unknown field, ignored",
        "outputs[0].quality: unknown field, ignored",
        "outputs[0].operations[0].filter: unknown field, ignored",
    }


def test_every_fault_is_told_at_once() -> None:
    raw = {
        "outputs": [
            {"name": "a/../b", "operations": [{"type": "resize", "width_in_px": -3}]},
            {"name": "same", "operations": [{"type": "no_such"}]},
            {"name": "SAME", "operations": []},
            "not an object",
            {},
        ]
    }
    paths = faults_of(raw)
    for expected in (
        "outputs[0].name",
        "outputs[0].operations[0].width_in_px",
        "outputs[0].operations[0].fit",
        "outputs[1].operations[0].type",
        "outputs[3]",
        "outputs[4].name",
        "outputs[4].operations",
    ):
        assert expected in paths


def test_the_message_of_a_refusal_tells_the_first_few_faults() -> None:
    raw = {"outputs": [{"name": f"{index}!", "operations": []} for index in range(7)]}
    with pytest.raises(RequestError) as caught:
        TransformRequest.parse(raw)
    assert len(caught.value.faults) == 7
    assert caught.value.message.startswith("outputs[0].name: expected 1 to 64 letters")
    assert caught.value.message.count("; ") == 4


def test_wrong_settings_are_no_fault_of_a_request() -> None:
    error = SettingsError.of([Fault("IMAGEPLANE_HEIC", "expected a boolean")])
    assert not isinstance(error, RequestError)
    assert (error.message, error.status) == ("IMAGEPLANE_HEIC: expected a boolean", 500)


def test_names_are_unique_without_regard_to_case() -> None:
    raw = [{"name": name, "operations": []} for name in ("same", "SAME")]
    assert faults_of({"outputs": raw}) == ["outputs[1].name"]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a.b", "ä", "a\n", "x" * 65, 7, None])
def test_names_are_safe_as_file_names(name: object) -> None:
    assert faults_of({"outputs": [{"name": name, "operations": []}]}) == ["outputs[0].name"]


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ([], "request"),
        (None, "request"),
        ({}, "operations"),
        ({"operations": [], "outputs": [{"name": "a", "operations": []}]}, "operations"),
        ({"operations": {}}, "operations"),
        ({"operations": [RESIZE] * 31}, "operations"),
        ({"outputs": []}, "outputs"),
        ({"outputs": "a"}, "outputs"),
        ({"outputs": [{"name": f"n{n}", "operations": []} for n in range(MAX_OUTPUTS + 1)]}, "outputs"),
    ],
)
def test_requests_of_a_wrong_shape(raw: Any, path: str) -> None:
    assert faults_of(raw) == [path]


def test_settings_reach_the_craft() -> None:
    settings = Settings.model_construct(heic=False, keep_copyright=True, limits=LimitSettings(max_pixels=121))
    options = options_of(settings)
    assert (options.is_heic_enabled, options.keep_copyright, options.limits.max_pixels) == (False, True, 121)
    plain = options_of(Settings.model_construct())
    assert (plain.is_heic_enabled, plain.keep_copyright, plain.limits) == (True, False, Limits())


def test_the_same_pixels_in_this_process_and_in_an_engine(tmp_path: Path) -> None:
    data = pictures.image("photo").write_to_buffer(".png")
    here = transform_bytes(data, [RESIZE, TO_PNG])
    assert (here.picture.width_in_px, here.picture.height_in_px, here.picture.format) == (121, 73, "png")
    (tmp_path / "photo.png").write_bytes(data)
    request = TransformRequest.parse({"operations": [RESIZE | {"filter": 1}, TO_PNG]})
    with Pool.of(Settings.model_construct().engine.model_copy(update={"count": 1})) as pool:
        transformer = Transformer(pool, Options())
        for source in (data, tmp_path / "photo.png"):
            there = transformer.transform(source, request).result(30)
            assert there.picture == here.picture
            assert there.source == here.source
            assert there.warnings == ("operations[0].filter: unknown field, ignored",)
        assert "121×73" in transformer.explain(data, request).result(30)
        assert isinstance(transformer.transform(b"", request).exception(30), UndecodableImage)
        small = Transformer(pool, options_of(Settings.model_construct(limits=LimitSettings(max_pixels=1000))))
        assert isinstance(small.explain(data, request).exception(30), ImageTooLarge)


def test_how_many_operations_is_a_setting() -> None:
    raw = {"operations": [{"type": "flip"}] * 31}
    with pytest.raises(RequestError) as caught:
        TransformRequest.parse(raw)
    assert caught.value.faults[0].path == "operations"
    assert "at most 30" in caught.value.message
    assert len(TransformRequest.parse(raw, Limits(max_operations=31)).outputs[0].operations) == 31
