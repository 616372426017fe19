"""The structlog processors that make a log line of any record. Loaded by `logging.configure` alone.

Order matters: all that is said about an event is gathered first, then secrets are masked, then what
is too long is cut, and only then is it rendered.
"""

import logging
import math
import traceback
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import structlog
from pydantic import JsonValue
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict

from remit.redaction.masking import redact_object
from remit.telemetry.scrubbing import LONGEST_READ, scrub_text
from remit.telemetry.state import LOG_FIELDS, STATE

_LONGEST = 2_000  # characters of one text
_LONGEST_TRACEBACK = 8_000  # characters, the last ones: there stands what went wrong
_FRAMES = 10  # of a traceback that is cut, the last ones
_MANY = 50  # entries of one list or object
_DEEP = 5  # lists and objects within one another


def line_formatter(*, json: bool) -> logging.Formatter:
    """Return what turns any record into one line, whoever made it: JSON, or words for a person."""
    render = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if json
        else structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"])
    )
    return ProcessorFormatter(processors=[_gather, _mask, _shorten, render])


def _gather(_: object, level: str, given: EventDict) -> EventDict:
    record: logging.LogRecord = given["_record"]
    own: Mapping[str, object] | None = getattr(record, LOG_FIELDS, None)
    said: dict[str, object] = {
        "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
        "level": level,
        "logger": record.name,
        "event": given["event"] if own is not None else record.name.replace(".", "_"),
    }
    if own is None:
        said["message"] = given["event"]
    ids = None if STATE.tracer is None else STATE.tracer.current_ids()
    if ids is not None:
        said["trace_id"], said["span_id"] = ids
    for name, value in (own or {}).items():
        said[f"{name}_" if name in said else name] = value
    error = given.get("exc_info", (None, None))[1]
    if error is not None:
        said["error_type"] = type(error).__qualname__
        said["traceback"] = text = "".join(traceback.format_exception(error))
        if len(text) > _LONGEST_TRACEBACK:
            # A long message pushes out all else.
            frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
            said["raised_in"] = [f"{one.filename}:{one.lineno} in {one.name}" for one in frames]
    return said


def _mask(_: object, __: str, event: EventDict) -> EventDict:
    return dict(redact_object({name: _plain(value, _DEEP) for name, value in event.items()}))


def _shorten(_: object, __: str, event: EventDict) -> EventDict:
    trace = event.get("traceback")
    if isinstance(trace, str) and len(trace) > _LONGEST_TRACEBACK:
        event["traceback"] = "…" + trace[1 - _LONGEST_TRACEBACK :]
    return {name: value if name == "traceback" else _short(value) for name, value in event.items()}


def _plain(value: object, room: int) -> JsonValue:
    """Return a value as JSON has it; an object of a library as its text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        if room == 0:
            return f"[{len(value)} entries]"
        return {str(name): _plain(each, room - 1) for name, each in list(value.items())[:_MANY]}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return (
            [_plain(each, room - 1) for each in value[:_MANY]] if room else f"[{len(value)} long]"
        )
    text = value if isinstance(value, str) else str(value)
    # What cannot be searched whole for secrets is not searched in part; see `scrubbing`.
    return text if len(text) <= LONGEST_READ else f"[{len(text)} characters]"


def _short(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return scrub_text(value, _LONGEST)
    if isinstance(value, list):
        return [_short(each) for each in value]
    if isinstance(value, dict):
        return {name: _short(each) for name, each in value.items()}
    return value
