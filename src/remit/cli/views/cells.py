"""The pieces that views are built of: statuses, moments, ids, and what to type next."""

import json
import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from remit.cli.base.output import Cell, on_terminal, write_line
from remit.confusables.text import revealed_json

if TYPE_CHECKING:
    from remit.directives.models import DirectiveRead, UnreadableDirective

STATUS_STYLES: Mapping[str, str] = {
    "draft": "dim",
    "proposed": "yellow",
    "approved": "cyan",
    "executing": "blue",
    "complete": "green",
    "blocked": "magenta",
    "aborted": "red",
}
VERDICT_STYLES: Mapping[str, str] = {"allow": "green", "require_approval": "yellow", "block": "red"}

SHORT_ID = 8
"""How many characters of an id a terminal shows; every command takes them in place of the whole."""

LONGEST_SHOWN = 400
"""Most characters of a payload, a result or a memory that are shown; `--json` has them all."""

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


def status_cell(status: str, reason: str | None = None) -> Cell:
    """Return a directive's status, with its reason when there is one."""
    return Cell(f"{status} ({reason})" if reason else status, STATUS_STYLES.get(status, ""))


def status_of(directive: "DirectiveRead | UnreadableDirective") -> Cell:
    """Return how a directive stands; see :func:`status_cell`."""
    return status_cell(directive.status, directive.status_reason)


def write_directive(directive: "DirectiveRead", note: str = "") -> None:
    """Print which directive is meant, and how it stands."""
    write_line("directive ", Cell(str(directive.id), "bold"), "  ", status_of(directive), note)


def shown_id(identifier: object) -> str:
    """Return an id as it is shown: short for a person, whole for a program."""
    return str(identifier)[:SHORT_ID] if on_terminal() else str(identifier)


def moment(when: datetime | None) -> str:
    """Return a moment as it is shown: in UTC, to the millisecond; "-" for none."""
    if when is None:
        return "-"
    return when.astimezone(UTC).isoformat(sep=" ", timespec="milliseconds").replace("+00:00", "Z")


def short_moment(when: datetime) -> str:
    """Return a moment without the year and the zone on a terminal; whole in a pipe."""
    return moment(when)[5:-1] if on_terminal() else moment(when)


def age(then: datetime) -> str:
    """Return roughly how long ago a moment was on a terminal; the moment itself in a pipe."""
    if not on_terminal():
        return moment(then)
    seconds = int((datetime.now(UTC) - then).total_seconds())
    for length, unit in _UNITS:
        if seconds >= length:
            return f"{seconds // length} {unit} ago"
    return "just now"


def short_json(value: object) -> str:
    """Return a value as JSON, its beginning alone when it is long."""
    text = json.dumps(value, ensure_ascii=False)
    if len(text) <= LONGEST_SHOWN:
        return revealed_json(text).text
    # Cut in the middle of a string it is no JSON any more; in ASCII nothing can deceive.
    return f"{json.dumps(value)[:LONGEST_SHOWN]}... (see --json)"


def write_next(commands: Sequence[str], data_dir: Path | None) -> None:
    """Print what to type next, for the folder that this command was told."""
    suffix = f" --data-dir {shlex.quote(str(data_dir))}" if data_dir else ""
    for lead, command in zip(("next: ", "or:   "), commands, strict=False):
        write_line(Cell(lead, "dim"), Cell(command + suffix, "bold"))


def write_warning(text: str, *, stderr: bool = True) -> None:
    """Print what may not be meant as it is."""
    write_line(Cell("warning: ", "yellow"), text, stderr=stderr)
