"""`remit list`, `show`, `explain` and `trace`: directives, and what happened to each."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from remit.cli.base.context import Context, command
from remit.cli.base.failures import EXIT_UNSUCCESSFUL
from remit.cli.base.options import IdArgument, LimitOption, TypeOption, one_of, option
from remit.cli.base.output import write_line, write_list
from remit.cli.base.telemetry import spans_dir
from remit.cli.views.cells import write_next
from remit.cli.views.directives import HEADER, next_commands, next_votes, row_of, write_explanation
from remit.cli.views.timeline import write_record
from remit.cli.views.trace import tree_lines
from remit.directives.lifecycle import TRANSITIONS
from remit.errors import RemitError
from remit.identity.rules import may
from remit.redaction.masking import redact_text
from remit.stack.layout import DataDir

if TYPE_CHECKING:
    from remit.operations.evidence.records import Record

StatusOption = Annotated[str | None, option("--status", "Only those of this status.")]
ScopeOption = Annotated[str | None, option("--scope", "Only those of this scope.")]
IssuerOption = Annotated[str | None, option("--issued-by", "Only those of this issuer.")]
ReasonOption = Annotated[
    str | None,
    option("--reason", "Only those with this reason for their status, such as in_doubt."),
]


@command()
def list_directives(
    context: Context,
    *,
    status: StatusOption = None,
    scope: ScopeOption = None,
    type_: TypeOption = None,
    issued_by: IssuerOption = None,
    reason: ReasonOption = None,
    limit: LimitOption = 50,
) -> None:
    """List directives, the newest first."""
    from remit.vocabulary import AbortReason, BlockReason, DoubtReason

    if status is not None:
        TRANSITIONS.next_of(status)  # refuses what is no status, and names those there are
    if reason is not None:
        kinds = (BlockReason, AbortReason, DoubtReason)
        one_of(reason, sorted({word for kind in kinds for word in get_args(kind)}), "--reason")
    engine = context.engine
    from remit.directives.repository import DirectiveFilter
    from remit.operations.evidence.records import read_directives

    wanted = DirectiveFilter(status, scope, type_, issued_by, limit, reason)
    found = read_directives(engine, wanted)
    context.show(
        {"directives": found},
        lambda: write_list(HEADER, [row_of(each) for each in found], "no directives"),
    )


@command()
def show(context: Context, directive: IdArgument) -> None:
    """Show the loop of one directive: each box, when, by whom, why, and the evidence.

    The exit code is 1 when its log was tampered with.
    """
    found = context.resolve(directive)
    from remit.operations.evidence.records import read_record

    record = read_record(context.engine, found)
    context.show(_record_json(record), lambda: _write_record(context, record))
    if record.broken_at is not None:
        raise typer.Exit(EXIT_UNSUCCESSFUL)


def _record_json(record: "Record") -> dict[str, object]:
    """Return a record as JSON has it; an event's data is an object there."""
    from pydantic_core import to_jsonable_python

    from remit.audit.repository import event_data

    found: dict[str, object] = to_jsonable_python(record)
    found["events"] = [
        {**to_jsonable_python(event), "data": event_data(event)} for event in record.events
    ]
    broken_at = found.pop("broken_at")
    return {**found, "chain": {"verifies": broken_at is None, "broken_at": broken_at}}


def _write_record(context: Context, record: "Record") -> None:
    log = DataDir(context.settings.remit_data_dir).log("worker")
    raised = record.run is not None and record.run.error_type == "module_error"
    write_record(record, str(log) if raised and log.exists() else None)
    if record.directive.status not in {"complete", "aborted", "blocked"}:
        write_next(next_commands(record.directive, others=True), context.data_dir)


@command()
def explain(context: Context, directive: IdArgument) -> None:
    """Say what a directive still needs: which rule asks, who could answer, what would fail."""
    from remit.stack.discovery import policy_file

    engine, settings = context.engine, context.settings
    from remit.operations.evidence import explanation
    from remit.operations.gate.authority import Authority
    from remit.operations.gate.policies import PolicySource

    policy = PolicySource(policy_file(settings)).read()
    wait = timedelta(seconds=settings.remit_module_wait_seconds)
    authority = Authority(policy, context.keys, patience=wait)
    found = explanation.explain(engine, context.resolve(directive), authority)
    asker = _voter(context)

    def write() -> None:
        write_explanation(found)
        write_next(next_votes(found, asker), context.data_dir)

    context.show(found, write)


def _voter(context: Context) -> str | None:
    """Return who asks, if their token lets them vote; nobody needs one to ask."""
    try:
        asker = context.caller
    except RemitError:
        return None
    return asker.name if may(asker, "vote") else None


@command()
def trace(context: Context, directive: IdArgument) -> None:
    """Show one directive's trace as a tree: every step, in which process, how long, how it ended.

    The trace has the directive's own id: look for it in the collector that
    OTEL_EXPORTER_OTLP_ENDPOINT names. The exit code is 1 when no span of it is kept here.
    """
    from remit.telemetry.ids import trace_id_text
    from remit.telemetry.span_reader import read_trace

    found = context.resolve(directive)
    from remit.operations.evidence.records import read_directive

    read_directive(context.engine, found)
    folder, endpoint = spans_dir(context.settings), context.settings.otel_exporter_otlp_endpoint
    branches = read_trace(folder, found)

    def write() -> None:
        sent = f", sent to {redact_text(endpoint)} too" if endpoint else ""
        write_line(f"trace {trace_id_text(found)}{sent}")
        for line in tree_lines(branches):
            write_line(line)
        if not branches:
            write_line(f"no span of it is kept in {folder}")

    spans = [{"depth": each.depth, **each.span.model_dump(mode="json")} for each in branches]
    context.show(
        {"directive_id": str(found), "trace_id": trace_id_text(found), "spans": spans}, write
    )
    if not branches:
        raise typer.Exit(EXIT_UNSUCCESSFUL)
