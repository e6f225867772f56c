"""Weights are used when they are what their card says, and let go when nobody needs them."""

import hashlib
import math
from pathlib import Path

import numpy as np
import pytest
from small_networks import card_of, doubling, hungry

from imageplane.errors import ModelUnavailable
from imageplane.models import CARDS, ModelOptions, Models, models_of, rest
from imageplane.models.card import Card, Weights
from imageplane.models.sessions import Sessions
from imageplane.models.store import Store

TWO = np.array([2, -3], np.float32)


@pytest.fixture
def card(tmp_path: Path) -> Card:
    (tmp_path / "small.onnx").write_bytes(doubling())
    return card_of(doubling())


def test_a_network_runs(card: Card, tmp_path: Path) -> None:
    (result,) = Sessions(Store(tmp_path)).run(card, TWO)
    assert result.tolist() == [4, -6]


def test_a_missing_file_names_the_command_that_mends_it(card: Card, tmp_path: Path) -> None:
    sessions = Sessions(Store(tmp_path / "empty"))
    assert not sessions.is_there(card)
    with pytest.raises(ModelUnavailable, match="`imageplane models pull`") as caught:
        sessions.run(card, TWO)
    assert (caught.value.code, caught.value.status) == ("model_unavailable", 503)
    assert str(tmp_path) not in caught.value.message


def test_a_file_of_the_right_size_and_other_bytes_is_not_run(card: Card, tmp_path: Path) -> None:
    (tmp_path / "small.onnx").write_bytes(bytes(len(doubling())))
    store = Store(tmp_path)
    assert store.find(card) is not None
    assert not store.is_genuine(card)
    with pytest.raises(ModelUnavailable, match="damaged"):
        Sessions(store).run(card, TWO)


def test_a_file_of_another_size_is_missing(card: Card, tmp_path: Path) -> None:
    (tmp_path / "small.onnx").write_bytes(doubling() + b"\n")
    assert Store(tmp_path).find(card) is None


def test_a_card_accepts_the_best_of_several_files(tmp_path: Path) -> None:
    other = b"made of something else"
    weights = (
        Weights(
            "best.bin", len(other), hashlib.sha256(other).hexdigest(), ("https://example.com",), lambda _: doubling()
        ),
        card_of(doubling()).weights[0],
    )
    card = Card("two", "trying", "none", "MIT", "n", weights)
    assert card.offered.file == "best.bin"
    (tmp_path / "small.onnx").write_bytes(doubling())
    assert Store(tmp_path).find(card) == weights[1]
    (tmp_path / "best.bin").write_bytes(other)
    assert Store(tmp_path).find(card) == weights[0]
    (result,) = Sessions(Store(tmp_path)).run(card, TWO)
    assert result.tolist() == [4, -6]


def test_a_graph_that_cannot_run_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "small.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelUnavailable, match="can't be run"):
        Sessions(Store(tmp_path)).run(card_of(b"no graph"), TWO)


def test_want_of_memory_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "small.onnx").write_bytes(hungry())
    with pytest.raises(MemoryError):
        Sessions(Store(tmp_path)).run(card_of(hungry()), TWO[:1])


def test_a_session_is_made_once_and_outlives_its_file(card: Card, tmp_path: Path) -> None:
    sessions = Sessions(Store(tmp_path))
    sessions.run(card, TWO)
    (tmp_path / "small.onnx").unlink()
    assert sessions.run(card, TWO)[0].tolist() == [4, -6]
    assert sessions.is_there(card)


@pytest.mark.parametrize("is_heavy", [True, False])
def test_only_heavy_networks_are_let_go_when_idle(tmp_path: Path, is_heavy: bool) -> None:
    (tmp_path / "small.onnx").write_bytes(doubling())
    card = card_of(doubling(), is_heavy=is_heavy)
    sessions = Sessions(Store(tmp_path))
    sessions.run(card, TWO)
    (tmp_path / "small.onnx").unlink()
    sessions.release_idle(-math.inf)
    assert sessions.is_there(card)
    sessions.release_idle(math.inf)
    assert sessions.is_there(card) is not is_heavy


def test_execution_providers_that_are_not_built_in_are_passed_over(card: Card, tmp_path: Path) -> None:
    sessions = Sessions(Store(tmp_path), ("TrueExecutionProvider", "CPUExecutionProvider"))
    assert sessions.run(card, TWO)[0].tolist() == [4, -6]


def test_every_card_is_complete() -> None:
    assert len({card.name for card in CARDS}) == len(CARDS)
    for card in CARDS:
        assert all((card.purpose, card.paper, card.licence, card.input_shape))
        assert all(url.startswith("https://") for url in card.offered.urls)
        for weights in card.weights:
            assert len(weights.sha256) == 64
            assert weights.size_in_bytes < 10_000_000


def test_a_process_has_one_set_of_tasks(tmp_path: Path) -> None:
    options = ModelOptions(tmp_path)
    assert models_of(options) is models_of(ModelOptions(tmp_path))
    assert models_of(options).missing() == CARDS
    rest()


def test_all_tasks_are_there_with_the_weights(weights: Path) -> None:
    models = Models(ModelOptions(weights))
    assert models.missing() == ()
    models.release_idle(0.0)
