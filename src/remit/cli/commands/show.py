"""`remit show`: one directive's way through the loop."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from remit.cli.base.failures import EXIT_UNSUCCESSFUL
from remit.cli.base.options import DataDirOption, IdArgument, JsonOption
from remit.cli.base.output import (
    Cell,
    Row,
    on_terminal,
    status_cell,
    write_json,
    write_line,
    write_table,
)
from remit.confusables.text import revealed, revealed_json

if TYPE_CHECKING:
    from remit.base.json_types import JsonObject
    from remit.cli.views.timeline import Step
    from remit.operations.evidence.records import Record

LONGEST_SHOWN = 400
"""Most characters of a payload or result that are shown; `--json` has them all."""

_BOX_STYLES = ("cyan", "yellow", "magenta", "blue", "green", "dim")


def show(
    directive: IdArgument, *, data_dir: DataDirOption = None, as_json: JsonOption = False
) -> None:
    """Show the loop of one directive: each box, when, by whom, why, and the evidence.

    The exit code is 1 when its log was tampered with.
    """
    from remit.cli.base.services import database

    with database(data_dir) as engine:
        from remit.operations.evidence.records import read_record, resolve_id

        record = read_record(engine, resolve_id(engine, directive))
    if as_json:
        write_json(record_json(record))
    else:
        _write(record, data_dir)
    if record.broken_at is not None:
        raise typer.Exit(EXIT_UNSUCCESSFUL)


def record_json(record: "Record") -> dict[str, object]:
    """Return a record as `remit show --json` gives it; an event's data is an object there."""
    from pydantic_core import to_jsonable_python

    from remit.audit.repository import event_data

    found: dict[str, object] = to_jsonable_python(record)
    found["events"] = [
        {**to_jsonable_python(event), "data": event_data(event)} for event in record.events
    ]
    broken_at = found.pop("broken_at")
    return {**found, "chain": {"verifies": broken_at is None, "broken_at": broken_at}}


def _write(record: "Record", data_dir: Path | None) -> None:
    from remit.cli.views.timeline import steps_of
    from remit.cli.views.verdict import next_commands, write_next

    directive = record.directive
    status = status_cell(directive.status, directive.status_reason)
    write_line("directive ", Cell(str(directive.id), "bold"), "  ", status)
    write_table((), [*_facts(record), *_log_of(record, data_dir)])
    write_line("")
    steps = steps_of(record)
    pairs = zip(steps, [None, *steps], strict=False)
    rows = [row for step, before in pairs for row in _rows(step, before)]
    write_table(("BOX", "WHEN", "BY", "WHAT, WHY AND EVIDENCE"), rows)
    if directive.status not in {"complete", "aborted", "blocked"}:
        write_next(next_commands(directive, others=True), data_dir)


def _facts(record: "Record") -> list[Row]:
    """Return what is asked for, and what came of it."""
    directive, run = record.directive, record.run
    result = run.result.get("result") if run is not None and run.result is not None else None
    what = f"{directive.type} in {directive.scope}, for {directive.role}"
    facts = {
        "objective": revealed(directive.objective),
        "what": revealed(what),
        "issued by": revealed(directive.issued_by),
        "payload": _json(directive.payload),
        "constraints": _json(directive.constraints),
        "success metrics": _json(directive.success_metrics),
        "budget": revealed(directive.budget or ""),
        "timebox": revealed(directive.timebox or ""),
        "digest": directive.action_digest,
        "granted for": _version(record),
        "result": _json(result if isinstance(result, dict) else None),
        "error": revealed(run.error_message) if run is not None and run.error_message else None,
    }
    return [("", Cell(name, "dim"), text) for name, text in facts.items() if text]


def _version(record: "Record") -> str | None:
    """Return the version of the module that the newest grant is for."""
    grant = record.grant
    if grant is None or not grant.module_digest:
        return None
    return revealed(f"{grant.module} {grant.module_version}, {grant.module_digest}")


def _log_of(record: "Record", data_dir: Path | None) -> list[Row]:
    """Return where the traceback of what the module raised is, if this machine keeps it."""
    from remit.cli.base.services import load_settings
    from remit.stack.layout import DataDir

    log = DataDir(load_settings(data_dir).remit_data_dir).log("worker")
    if record.run is None or record.run.error_type != "module_error" or not log.exists():
        return []
    return [("", Cell("log", "dim"), f"{log}: the traceback, if the module raised")]


def _json(value: "JsonObject | None") -> str | None:
    if not value:
        return None
    text = json.dumps(value, ensure_ascii=False)
    if len(text) <= LONGEST_SHOWN:
        return revealed_json(text).text
    # Cut in the middle of a string it is no JSON any more; in ASCII nothing can deceive.
    return f"{json.dumps(value)[:LONGEST_SHOWN]}... (see --json)"


def _rows(step: "Step", before: "Step | None") -> list[Row]:
    """Return the lines of one step: what happened, then why, then the evidence.

    On a terminal a box is named once for all that happens in it in a row; in a pipe on each line,
    so that every line can be found by it.
    """
    from remit.cli.views.timeline import BOXES, moment, short_moment

    repeated = on_terminal() and before is not None and before.box == step.box
    box = Cell("" if repeated else BOXES[step.box], _BOX_STYLES[step.box])
    when = "-"
    if step.when is not None:
        when = short_moment(step.when) if on_terminal() else moment(step.when)
    first: Row = (box, Cell(when, "dim"), step.actor or "-", step.what)
    why: list[Row] = [("", "", "", Cell(f"  {reason}", "dim")) for reason in step.why]
    if step.artifact:
        why.append(("", "", "", Cell(f"  {step.artifact}", "dim")))
    return [first, *why]
