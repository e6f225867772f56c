"""`imageplane models`: what is there, what is missing, and how a call ends."""

import hashlib
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from imageplane.cli.models import models
from imageplane.models import CARDS


def call(*words: str, **variables: str) -> Result:
    return CliRunner(env={f"IMAGEPLANE_{name}": value for name, value in variables.items()}).invoke(models, words)


def test_the_list_says_what_is_missing(tmp_path: Path) -> None:
    result = call("list", MODELS_DIR=str(tmp_path))
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert len(lines) == 1 + len(CARDS)
    assert all("missing" in line for line in lines[1:])
    assert str(tmp_path) in result.stderr


def test_with_the_weights_there_is_nothing_to_fetch(weights: Path) -> None:
    listed, pulled = call("list", MODELS_DIR=str(weights)), call("pull", MODELS_DIR=str(weights))
    assert "missing" not in listed.stdout
    assert pulled.exit_code == 0
    assert pulled.stdout.splitlines() == [f"{card.name}: installed" for card in CARDS]


def test_one_network_can_be_named(weights: Path) -> None:
    assert call("pull", "yunet", "yunet", MODELS_DIR=str(weights)).stdout == "yunet: installed\n"


def test_a_name_that_is_none_is_a_wrong_call(tmp_path: Path) -> None:
    result = call("pull", "yolo", MODELS_DIR=str(tmp_path))
    assert result.exit_code == 2
    assert "no network 'yolo'; expected yunet, picodet" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_fetched_is_one_line_and_an_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A proxy at a closed port, so that nothing outside is asked.
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    result = call("pull", "yunet", "--timeout", "20", MODELS_DIR=str(tmp_path))
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("yunet: yunet_n_dynamic.onnx can't be fetched (raw.githubusercontent.com: ")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_not_taken_for_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = CARDS[0].offered
    damaged = tmp_path / weights.file
    damaged.write_bytes(bytes(weights.size_in_bytes))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert call("pull", "yunet", MODELS_DIR=str(tmp_path)).exit_code == 1
    assert hashlib.sha256(damaged.read_bytes()).hexdigest() != weights.sha256


def test_a_mirror_must_be_https(tmp_path: Path) -> None:
    result = call("pull", MODELS_DIR=str(tmp_path), MODELS__MIRROR_URL="http://mirror.example")
    assert result.exit_code == 2
    assert "IMAGEPLANE_MODELS__MIRROR_URL" in result.stderr
