"""Results appear whole or not at all."""

from pathlib import Path

import pytest

from imageplane.cli.destination import write_whole


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    place = tmp_path / "result.png"
    place.write_bytes(b"old")
    with pytest.raises(TypeError):
        write_whole(place, "no bytes")  # type: ignore[arg-type]
    assert place.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [place]


def test_a_folder_in_the_way_is_not_replaced(tmp_path: Path) -> None:
    place = tmp_path / "result.png"
    place.mkdir()
    with pytest.raises(OSError, match="directory"):
        write_whole(place, b"new")
    assert list(tmp_path.iterdir()) == [place]


def test_a_name_as_long_as_names_may_be(tmp_path: Path) -> None:
    place = tmp_path / ("x" * 251 + ".png")
    write_whole(place, b"new")
    assert place.read_bytes() == b"new"
