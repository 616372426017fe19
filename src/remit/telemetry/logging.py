"""Log lines: one event each, with its fields, and the trace and span that it happened in.

`get_logger` stands on the standard library's logging and loads nothing else, so any module may call
it. `configure` belongs to a process that runs on its own (the worker, the server): from then on its
events and those of every library are scrubbed lines. Without it they go where the standard library
sends them.
"""

import logging
import sys
from pathlib import Path
from typing import TextIO

from remit.errors import MisconfiguredError
from remit.telemetry.state import LOG_FIELDS, STATE

LEVELS = ("debug", "info", "warning", "error", "critical")
"""What `configure` takes, the most talkative first."""


class EventLogger:
    """Says what happened: an event in snake_case, and fields of any name. Nothing here raises."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, event: str, /, **fields: object) -> None:
        """Say what only a developer wants to know."""
        self._say(logging.DEBUG, event, fields)

    def info(self, event: str, /, **fields: object) -> None:
        """Say what happened as it should."""
        self._say(logging.INFO, event, fields)

    def warning(self, event: str, /, **fields: object) -> None:
        """Say what went wrong and was made up for."""
        self._say(logging.WARNING, event, fields)

    def error(self, event: str, /, **fields: object) -> None:
        """Say what went wrong and stays so."""
        self._say(logging.ERROR, event, fields)

    def exception(self, event: str, /, **fields: object) -> None:
        """Say what went wrong, with the error that is being handled."""
        self._say(logging.ERROR, event, fields, with_error=True)

    def _say(
        self, level: int, event: str, fields: dict[str, object], *, with_error: bool = False
    ) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, event, exc_info=with_error, extra={LOG_FIELDS: fields})


def get_logger(name: str) -> EventLogger:
    """Return what a module, by its `__name__`, says its events with."""
    return EventLogger(name)


def configure(*, json: bool, level: str, file: Path | None = None) -> None:
    """Write everything that is logged in this process as scrubbed lines.

    Called again, it takes the place of the call before. The lines are JSON, else words for a
    person; `level` is the least that is written, one of :data:`LEVELS`; `file` is appended to, made
    for its owner alone, and None means standard error.

    Raises:
        MisconfiguredError: there is no such level, or the file cannot be written.
    """
    if level.lower() not in LEVELS:
        raise MisconfiguredError(
            f"{level!r} is no level: choose one of {', '.join(LEVELS)}", field="REMIT_LOG_LEVEL"
        )
    from remit.telemetry.log_format import line_formatter

    handler = _LineHandler(_opened(file) if file else sys.stderr, owned=file is not None)
    handler.setFormatter(line_formatter(json=json))
    root = logging.getLogger()
    for former in [each for each in root.handlers if isinstance(each, _LineHandler)]:
        root.removeHandler(former)
        former.close()
    root.addHandler(handler)
    root.setLevel(level.upper())


def _opened(file: Path) -> TextIO:
    try:
        file.touch(mode=0o600)
        return file.open("a", encoding="utf-8")
    except OSError as error:
        raise MisconfiguredError(f"the log file {file} cannot be written: {error}") from error


class _LineHandler(logging.StreamHandler[TextIO]):
    """Writes lines; a line that cannot be made or written is counted, and never raised."""

    def __init__(self, stream: TextIO, *, owned: bool) -> None:
        super().__init__(stream)
        self._owned = owned

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - logging's own
        """Count a line that is lost."""
        STATE.losses.add("log_line")

    def close(self) -> None:
        """Close the file, if it was opened for this."""
        super().close()
        if self._owned:
            self.stream.close()
