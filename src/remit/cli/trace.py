"""`remit trace`: one directive's whole trace, from the spans that the embedded stack keeps.

`remit demo` shows one with :func:`own_steps` and :func:`tree_lines`.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import typer

from remit.cli.options import DataDirOption, IdArgument, JsonOption

if TYPE_CHECKING:
    from remit.base.json_types import JsonObject
    from remit.settings import Settings
    from remit.telemetry.kept import Branch, KeptSpan

NOTHING_KEPT = 1
"""Exit code when no span of the directive is kept here."""

_SHOWN = ("directive_id", "temporalWorkflowID", "temporalRunID", "temporalActivityID")
"""Attributes that the tree leaves out: each line would repeat them."""


def trace(
    directive: IdArgument, *, data_dir: DataDirOption = None, as_json: JsonOption = False
) -> None:
    """Show one directive's trace as a tree: every step, in which process, how long, how it ended.

    The trace has the directive's own id: look for it in the collector that
    OTEL_EXPORTER_OTLP_ENDPOINT names. The exit code is 1 when no span of it is kept here.
    """
    from remit.cli.observing import spans_dir
    from remit.cli.output import write_json, write_line
    from remit.cli.services import database, load_settings
    from remit.telemetry.ids import trace_id_text
    from remit.telemetry.kept import read_trace

    settings = load_settings(data_dir)
    with database(data_dir) as engine:
        from remit.operations.evidence.records import read_directive, resolve_id

        found = read_directive(engine, resolve_id(engine, directive)).id
    branches = read_trace(spans_dir(settings), found)
    if as_json:
        write_json(
            {
                "directive_id": str(found),
                "trace_id": trace_id_text(found),
                "spans": [_as_json(each) for each in branches],
            }
        )
    else:
        write_line(f"trace {trace_id_text(found)}{_elsewhere(settings)}")
        for line in tree_lines(branches):
            write_line(line)
        if not branches:
            write_line(f"no span of it is kept in {spans_dir(settings)}")
    if not branches:
        raise typer.Exit(NOTHING_KEPT)


def _elsewhere(settings: "Settings") -> str:
    from remit.redaction import redact_text

    endpoint = settings.otel_exporter_otlp_endpoint
    return f", sent to {redact_text(endpoint)} too" if endpoint else ""


def own_steps(branches: "Sequence[Branch]") -> "list[Branch]":
    """Return the tree without Temporal's own steps; what stands within those moves up."""
    from remit.telemetry.kept import Branch

    found: list[Branch] = []
    around: list[int] = []  # depths, in the whole tree, of the steps kept around the next one
    for each in branches:
        while around and around[-1] >= each.depth:
            around.pop()
        # Temporal's interceptor names its steps as StartWorkflow:ExecutionWorkflow.
        if ":" not in each.span.name:
            found.append(Branch(len(around), each.span))
            around.append(each.depth)
    return found


def tree_lines(branches: "Sequence[Branch]") -> list[str]:
    """Return the tree, one line a step, with its start after that of the first one."""
    from remit.cli.output import safe

    if not branches:
        return []
    began = min(each.span.start_ns for each in branches)
    width = max(2 * each.depth + len(each.span.name) for each in branches)
    found = []
    for each in branches:
        span = each.span
        name = "  " * each.depth + span.name
        took, after = (span.end_ns - span.start_ns) / 1e6, (span.start_ns - began) / 1e6
        times = f"{after:9.1f} ms  {took:8.1f} ms"
        found.append(safe(f"{name:{width}}  {times}  {span.service}  {_said(span)}".rstrip()))
    return found


def _said(span: "KeptSpan") -> str:
    told: Mapping[str, object] = {
        name: value for name, value in span.attributes.items() if name not in _SHOWN
    }
    words = [f"{name}={value}" for name, value in sorted(told.items())]
    if span.status == "error":
        words.append(f"error: {span.status_text or 'unknown'}")
    return " ".join(words)


def _as_json(each: "Branch") -> "JsonObject":
    return {"depth": each.depth, **each.span.model_dump(mode="json")}
