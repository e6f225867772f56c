"""Every setting can be set, has a unit and a range, and says what is wrong with it."""

import pytest
from pydantic import BaseModel

from imageplane import settings
from imageplane.errors import SettingsError
from imageplane.limits import Limits


def load(monkeypatch: pytest.MonkeyPatch, **variables: str) -> settings.Settings:
    for name, value in variables.items():
        monkeypatch.setenv(f"IMAGEPLANE_{name}", value)
    return settings.load()


def test_defaults_need_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load(monkeypatch)
    assert loaded == settings.Settings.model_construct()
    assert loaded.limits.max_source_in_bytes == 50_000_000
    assert loaded.limits.max_pixels == 100_000_000
    assert loaded.heic
    assert not loaded.keep_copyright
    assert loaded.engine.count >= 1


@pytest.mark.parametrize(("word", "is_on"), [("off", False), ("0", False), ("no", False), ("on", True), ("", True)])
def test_one_word_leaves_heic_out(monkeypatch: pytest.MonkeyPatch, word: str, is_on: bool) -> None:
    assert load(monkeypatch, HEIC=word).heic is is_on


def test_sections_are_set_field_by_field(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load(monkeypatch, LIMITS__MAX_PIXELS="121473", ENGINE__DEADLINE_IN_S="0.5", ENGINE__COUNT="3")
    assert (loaded.limits.max_pixels, loaded.engine.deadline_in_s, loaded.engine.count) == (121_473, 0.5, 3)
    assert loaded.limits.max_frames == Limits().max_frames


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("LIMITS__MAX_PIXELS", "lots", "integer"),
        ("LIMITS__MAX_FRAMES", "0", "greater than or equal to 1"),
        ("ENGINE__DEADLINE_IN_S", "nan", "finite"),
        ("ENGINE__DEADLINE_IN_S", "3601", "less than or equal to 3600"),
        ("ENGINE__MEMORY_IN_BYTES", "1000", "greater than or equal to 300000000"),
        ("HEIC", "perhaps", "boolean"),
        ("LIMITS", "plenty", "JSON object"),
        ("LIMITS__MAX_PIXEL", "5", "no setting of this name"),
    ],
)
def test_a_wrong_value_names_the_variable_and_what_is_expected(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, **{name: value})
    (fault,) = caught.value.faults
    assert fault.path == f"IMAGEPLANE_{name}"
    assert expected in fault.message
    assert fault.path in caught.value.message
    if "__" in name and "no setting" not in expected:
        assert repr(value) in fault.message


def test_all_wrong_values_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, HEIC="perhaps", ENGINE__COUNT="0", LIMITS__MAX_FRAMES="many")
    assert len(caught.value.faults) == 3


def test_variables_of_others_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    # Kubernetes makes such variables for a service that is called "imageplane".
    assert load(monkeypatch, SERVICE_HOST="10.0.0.1", PORT_8080_TCP="tcp://10.0.0.1:8080")


@pytest.mark.parametrize(
    "section",
    [
        settings.Settings,
        Limits,
        settings.LimitSettings,
        settings.EngineSettings,
        settings.SourcesSettings,
        settings.HttpSettings,
        settings.WebhookSettings,
    ],
)
def test_every_setting_is_described_and_bounded(section: type[BaseModel]) -> None:
    for name, field in section.model_fields.items():
        kind = field.annotation
        if kind in (int, float):
            assert len(field.metadata) >= 2, f"{name} has no range"
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            assert (field.description or "").endswith("."), f"{name} has no sentence"
