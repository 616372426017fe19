"""`remit trace`: one directive's whole trace, from the spans that the embedded stack keeps.

`remit demo` shows one with :func:`own_steps` and :func:`tree_lines`.
"""

from typing import TYPE_CHECKING

import typer

from remit.cli.base.options import DataDirOption, IdArgument, JsonOption
from remit.cli.views.trace import tree_lines

if TYPE_CHECKING:
    from remit.base.json_types import JsonObject
    from remit.settings import Settings
    from remit.telemetry.span_reader import SpanNode

NOTHING_KEPT = 1
"""Exit code when no span of the directive is kept here."""


def trace(
    directive: IdArgument, *, data_dir: DataDirOption = None, as_json: JsonOption = False
) -> None:
    """Show one directive's trace as a tree: every step, in which process, how long, how it ended.

    The trace has the directive's own id: look for it in the collector that
    OTEL_EXPORTER_OTLP_ENDPOINT names. The exit code is 1 when no span of it is kept here.
    """
    from remit.cli.base.output import write_json, write_line
    from remit.cli.base.services import database, load_settings
    from remit.cli.base.telemetry import spans_dir
    from remit.telemetry.ids import trace_id_text
    from remit.telemetry.span_reader import read_trace

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
    from remit.redaction.masking import redact_text

    endpoint = settings.otel_exporter_otlp_endpoint
    return f", sent to {redact_text(endpoint)} too" if endpoint else ""


def _as_json(each: "SpanNode") -> "JsonObject":
    return {"depth": each.depth, **each.span.model_dump(mode="json")}
