"""Log lines: one JSON object each, and of an exception only what it is and where."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from imageplane.http.logs import configure
from imageplane.settings import HttpSettings


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    # What pytest listens with would stay behind.
    root.handlers = []
    yield
    root.handlers = handlers
    root.setLevel(level)
    logging.getLogger("imageplane").setLevel(logging.NOTSET)
    structlog.reset_defaults()


def test_a_line_is_an_object_without_what_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    configure(HttpSettings())
    structlog.get_logger("imageplane.http").info("request", status=200, code=None)
    line = json.loads(capsys.readouterr().out)
    assert line.pop("at").endswith("Z")
    assert line == {"event": "request", "level": "info", "logger": "imageplane.http", "status": 200}


@pytest.mark.parametrize("name", ["imageplane.http", "asyncio"])
def test_no_value_of_an_exception_is_told(capsys: pytest.CaptureFixture[str], name: str) -> None:
    configure(HttpSettings())
    secret = "ip_live_secret"  # noqa: S105
    try:
        raise ValueError(f"could not read {secret}")
    except ValueError:
        logger = structlog.get_logger(name) if name.startswith("imageplane") else logging.getLogger(name)
        logger.exception("failed")
    written = capsys.readouterr().out
    assert secret not in written
    line = json.loads(written)
    assert (line["event"], line["level"], line["exception"]) == ("failed", "error", "ValueError")
    assert line["stack"][-1].endswith("test_no_value_of_an_exception_is_told")


def test_less_important_lines_stay_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure(HttpSettings(log_level="error"))
    structlog.get_logger("imageplane.http").info("request")
    logging.getLogger("imageplane").warning("careful")
    assert capsys.readouterr().out == ""
