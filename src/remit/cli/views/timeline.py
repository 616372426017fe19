"""One directive's record as the six boxes of the loop, from its event log; `remit show` prints it.

A box that the directive did not reach says so in its place.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from remit.cli.base.output import Cell, Row, on_terminal, write_facts, write_line, write_table
from remit.cli.views.cells import short_json, short_moment, write_directive
from remit.confusables.text import revealed

if TYPE_CHECKING:
    from remit.artifacts.types import Artifact
    from remit.audit.chain import Event
    from remit.operations.evidence.records import Record

_BOXES = (
    Cell("1 intent", "cyan"),
    Cell("2 gate", "yellow"),
    Cell("3 consent", "magenta"),
    Cell("4 act", "blue"),
    Cell("5 evidence", "green"),
    Cell("6 recall", "dim"),
)
"""The boxes of the loop, in its order."""

INTENT, GATE, CONSENT, ACT, EVIDENCE, RECALL = range(6)

_SAYINGS: Mapping[str, tuple[int, str]] = {
    "directive.drafted": (INTENT, "drafted"),
    "directive.proposed": (INTENT, "proposed"),
    "directive.retried": (INTENT, "proposed again"),
    "policy.evaluated": (GATE, "{verdict}, by policy version {policy_version}"),
    "approval.requested": (CONSENT, "approval requested"),
    "approval.voted": (CONSENT, "voted: {decision}"),
    "approval.resolved": (CONSENT, "approval request {outcome}"),
    "grant.issued": (CONSENT, "granted by {by}"),
    "grant.voided": (CONSENT, "grant void: {reason}"),
    "directive.approved": (CONSENT, "approved"),
    "directive.blocked": (CONSENT, "blocked: {reason}"),
    "grant.consumed": (ACT, "grant consumed"),
    "directive.executing": (ACT, "run created"),
    "run.attempted": (ACT, "attempt {attempt} began"),
    "run.attempt_ended": (ACT, "attempt {attempt} ended: {outcome}"),
    "run.ended": (ACT, "run ended: {outcome}"),
    "run.refused": (ACT, "late result of attempt {attempt} refused: {outcome}"),
    "directive.in_doubt": (ACT, "in doubt: nobody knows how it ended"),
    "run.reconciled": (ACT, "settled by a person: {as}"),
    "budget.unpromised": (ACT, "spent ${spent} of no promise"),
    "budget.exceeded": (ACT, "spent ${spent}, more than the ${promised} promised"),
    "directive.completed": (ACT, "complete"),
    "directive.aborted": (ACT, "aborted: {reason}"),
}
"""The box of each event, and how it is told from its particulars."""


@dataclass(frozen=True)
class Step:
    """One thing that happened in a box of the loop, or did not: then `when` and `actor` are empty.

    `why` has a line for each reason, `artifact` is the address of the evidence.
    """

    box: int
    when: datetime | None
    actor: str
    what: str
    why: tuple[str, ...] = ()
    artifact: str | None = None


def write_record(record: "Record", log: str | None) -> None:
    """Print a record; `log` is where the traceback of what the module raised is, if anywhere."""
    write_directive(record.directive)
    write_facts([*_facts(record), ("log", log and f"{log}: the traceback, if the module raised")])
    write_line("")
    steps = steps_of(record)
    pairs = zip(steps, [None, *steps], strict=False)
    rows = [row for step, before in pairs for row in _rows(step, before)]
    write_table(("BOX", "WHEN", "BY", "WHAT, WHY AND EVIDENCE"), rows)


def _facts(record: "Record") -> list[tuple[str, str | None]]:
    directive, run, grant = record.directive, record.run, record.grant
    result = run.result.get("result") if run is not None and run.result is not None else None
    version = None
    if grant is not None and grant.module_digest:
        version = f"{grant.module} {grant.module_version}, {grant.module_digest}"
    texts: Mapping[str, object] = {
        "objective": directive.objective,
        "what": f"{directive.type} in {directive.scope}, for {directive.role}",
        "issued by": directive.issued_by,
        "payload": directive.payload,
        "constraints": directive.constraints,
        "success metrics": directive.success_metrics,
        "budget": directive.budget,
        "timebox": directive.timebox,
        "digest": directive.action_digest,
        "granted for": version,
        "result": result if isinstance(result, dict) else None,
        "error": run.error_message if run is not None else None,
    }
    return [
        (name, revealed(text) if isinstance(text, str) else short_json(text))
        for name, text in texts.items()
        if text
    ]


def _rows(step: Step, before: Step | None) -> list[Row]:
    """Return the lines of one step: what happened, then why, then the evidence.

    On a terminal a box is named once for all that happens in it in a row; in a pipe on each line,
    so that every line can be found by it.
    """
    repeated = on_terminal() and before is not None and before.box == step.box
    when = "-" if step.when is None else short_moment(step.when)
    box = "" if repeated else _BOXES[step.box]
    first: Row = (box, Cell(when, "dim"), step.actor or "-", step.what)
    below = [*step.why, *([step.artifact] if step.artifact else [])]
    return [first, *(("", "", "", Cell(f"  {text}", "dim")) for text in below)]


def steps_of(record: "Record") -> list[Step]:
    """Return the whole story of one directive, every box at least once, in the loop's order."""
    happened = [_step(event, record) for event in record.events]
    for box in (GATE, CONSENT, ACT):
        if not any(step.box == box for step in happened):
            place = next((at for at, step in enumerate(happened) if step.box > box), len(happened))
            happened.insert(place, Step(box, None, "", "not reached"))
    kept = [_artifact_step(artifact, record) for artifact in record.artifacts]
    nothing = Step(RECALL, None, "", "nothing of it is in memory")
    return [*happened, *kept, _chain_step(record), nothing]


def _step(event: "Event", record: "Record") -> Step:
    data = _particulars(event)
    box, saying = _SAYINGS.get(event.type, (EVIDENCE, event.type))
    if event.type == "directive.blocked" and data.get("reason") == "policy":
        box = GATE
    words = saying.format_map(_Shown(data))
    why = _texts(data.get("because")) or _texts(data.get("reason") if box == CONSENT else None)
    if event.type != "approval.voted" and "because" not in data:
        why = ()
    uri = data.get("artifact")
    if event.type == "policy.evaluated":
        found = (_results(each) for each in record.artifacts if each.uri == uri)
        why = next(found, why)
    if event.type == "directive.executing":
        starts = (each for each in record.artifacts if each.type == "execution_start")
        uri = next((each.uri for each in starts if str(each.run_id) == data.get("run")), None)
    evidence = uri if isinstance(uri, str) else None
    return Step(box, event.occurred_at, event.actor, words, why, evidence)


class _Shown(dict[str, object]):
    """Particulars for a saying: lists are joined, and what is missing shows as a question mark."""

    def __getitem__(self, key: str) -> str:
        return ", ".join(_texts(self.get(key))) or "?"


def _particulars(event: "Event") -> dict[str, object]:
    """Return an event's data; whatever was done to the row, the rest must still be shown."""
    try:
        data = json.loads(event.data)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _texts(value: object) -> tuple[str, ...]:
    if value is None or value == "":
        return ()
    if isinstance(value, list):
        return tuple(str(each) for each in value)
    return (str(value),)


def _results(evaluation: "Artifact") -> tuple[str, ...]:
    metadata: object = evaluation.metadata  # no object where somebody forged the row
    results = metadata.get("results") if isinstance(metadata, dict) else None
    if not isinstance(results, list):
        return ()
    return tuple(
        f"{each.get('policy')}: {each.get('reason')}" for each in results if isinstance(each, dict)
    )


def _artifact_step(artifact: "Artifact", record: "Record") -> Step:
    actor = record.directive.type if artifact.type == "module_output" else "remit"
    words = f"{artifact.type}, {artifact.size_bytes} bytes"
    return Step(EVIDENCE, artifact.created_at, actor, words, (), artifact.uri)


def _chain_step(record: "Record") -> Step:
    count = len(record.events)
    if record.broken_at is None:
        return Step(EVIDENCE, None, "", f"the chain of {count} events verifies")
    words = f"the chain of {count} events is BROKEN at event {record.broken_at}"
    return Step(EVIDENCE, None, "", words, ("somebody changed the log behind Remit's back",))
