"""One event a line, scrubbed, whoever said it."""

import io
import json
import logging
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from remit.errors import MisconfiguredError
from remit.telemetry.logging import _LineHandler, configure, get_logger
from remit.telemetry.sdk_tracing import SdkTracer, make_provider, make_resource
from remit.telemetry.state import STATE, LossCounter
from remit.telemetry.tracing import directive_span
from tests.support import otlp

losses = otlp.losses

SECRET = "sk-" + "s" * 40


@pytest.fixture
def log(tmp_path: Path, losses: LossCounter) -> Iterator[Path]:
    root = logging.getLogger()
    level = root.level
    file = tmp_path / "worker.log"
    configure(json=True, level="info", file=file)
    yield file
    root.setLevel(level)
    for handler in [each for each in root.handlers if isinstance(each, _LineHandler)]:
        root.removeHandler(handler)
        handler.close()


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def test_an_event_of_ours_is_a_line_with_its_fields(log: Path) -> None:
    get_logger("remit.x").warning("wake_up_failed", attempt=2, of={"b": [1, None]})
    (line,) = lines(log)
    assert line.pop("timestamp").endswith("+00:00")
    assert line == {
        "level": "warning",
        "logger": "remit.x",
        "event": "wake_up_failed",
        "attempt": 2,
        "of": {"b": [1, None]},
    }


def test_a_line_says_in_which_step_of_which_directive_it_was_said(log: Path) -> None:
    directive = uuid4()
    STATE.tracer = SdkTracer(make_provider(make_resource("remit-test", "0")))
    with directive_span(directive, "gate"):
        get_logger("remit.x").info("within")
        logging.getLogger("library").info("within, too")
    get_logger("remit.x").info("after")
    within, library, after = lines(log)
    assert within["trace_id"] == library["trace_id"] == directive.hex
    assert within["span_id"] == library["span_id"]
    assert "trace_id" not in after


def test_what_a_library_says_is_a_line_too(log: Path) -> None:
    logging.getLogger("temporalio.worker").warning("no poller for %s", "execution-queue")
    (line,) = lines(log)
    assert (line["event"], line["message"]) == (
        "temporalio_worker",
        "no poller for execution-queue",
    )


def test_a_field_never_takes_the_place_of_what_every_line_says(log: Path) -> None:
    get_logger("remit.x").info("said", level="fatal", timestamp="never", logger="me", event="other")
    (line,) = lines(log)
    assert (line["level"], line["level_"], line["logger_"]) == ("info", "fatal", "me")
    assert (line["event"], line["event_"]) == ("said", "other")


def test_a_number_that_is_none_is_said_in_a_word(log: Path) -> None:
    get_logger("remit.x").info("said", of=[float("nan"), float("-inf"), 0.5])
    assert '"of": ["nan", "-inf", 0.5]' in log.read_text(encoding="utf-8")


def test_an_error_is_said_with_its_type_and_where_it_came_from(log: Path) -> None:
    try:
        int(f"refused {SECRET}")
    except ValueError:
        get_logger("remit.x").exception("it_failed")
    (line,) = lines(log)
    assert line["error_type"] == "ValueError"
    assert line["traceback"].endswith("with base 10: 'refused [redacted]'\n")


@pytest.mark.parametrize("length", [3_000, 8_000, 70_000])
def test_an_error_with_a_long_message_is_said_with_where_it_came_from(
    log: Path, length: int
) -> None:
    try:
        dict[str, int]()["x" * length + f" {SECRET}"]
    except KeyError:
        get_logger("remit.x").exception("it_failed")
    (line,) = lines(log)
    assert "in test_an_error_with_a_long_message" in str(line)
    assert "sss" not in str(line)
    assert len(str(line)) < 10_000


@pytest.mark.parametrize(
    "fields",
    [
        {"text": SECRET},
        {"password": "hunter22"},
        {"deep": {"list": [{"api_key": "hunter22"}, SECRET]}},
        {"cut": "x" * 1_990 + " " + SECRET},
        {"deeper": [[[[[[[SECRET]]]]]]]},
        {"long": "x" * 70_000 + SECRET},
        {"object": ValueError(SECRET)},
        {SECRET: 1},
        {"blob": SECRET.encode()},
    ],
)
def test_no_secret_reaches_a_line(log: Path, fields: dict[str, object]) -> None:
    get_logger("remit.x").info("said", **fields)
    logging.getLogger("library").error("said %s", fields)
    assert "sss" not in log.read_text(encoding="utf-8")
    assert len(lines(log)) == 2


def test_a_line_is_bounded(log: Path) -> None:
    get_logger("remit.x").info("said", many=list(range(1000)), text="ä" * 5_000, of={"a": "b" * 9})
    (line,) = lines(log)
    assert len(line["many"]) == 50
    assert len(line["text"]) == 2_000


def test_the_end_of_a_long_traceback_is_what_is_kept(log: Path) -> None:
    try:
        dict[str, int]()["x" * 20_000]
    except KeyError:
        get_logger("remit.x").exception("it_failed")
    (line,) = lines(log)
    assert len(line["traceback"]) == 8_000
    assert line["traceback"].endswith("x'\n")


def test_less_than_the_level_is_not_written(log: Path) -> None:
    get_logger("remit.x").debug("unseen")
    assert lines(log) == []


def test_configured_again_it_writes_each_line_once(log: Path, tmp_path: Path) -> None:
    configure(json=False, level="ERROR", file=log)
    get_logger("remit.x").error("seen_once", token=SECRET)
    text = log.read_text(encoding="utf-8")
    assert text.count("seen_once") == 1
    assert "[redacted]" in text
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


@pytest.mark.parametrize("level", ["loud", "", "10"])
def test_a_level_that_is_none_is_refused_by_name(level: str) -> None:
    with pytest.raises(MisconfiguredError, match="REMIT_LOG_LEVEL"):
        configure(json=True, level=level)


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MisconfiguredError, match="cannot be written"):
        configure(json=True, level="info", file=tmp_path / "none" / "x.log")


def test_a_line_that_cannot_be_written_is_counted_and_raises_nothing(losses: LossCounter) -> None:
    stream = io.StringIO()
    handler = _LineHandler(stream, owned=False)
    stream.close()
    handler.handle(logging.LogRecord("x", logging.INFO, "", 0, "said", (), None))
    assert STATE.losses.counts() == {"log_line": 1}
