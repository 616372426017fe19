"""Directives as commands show them: in tables, what the gate said, what is voted on and needed."""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from remit.base.wording import counted
from remit.cli.base.failures import EXIT_OK, EXIT_UNSUCCESSFUL
from remit.cli.base.output import Cell, Row, write_line, write_table
from remit.cli.views.cells import (
    SHORT_ID,
    VERDICT_STYLES,
    age,
    moment,
    shown_id,
    status_of,
    write_directive,
)
from remit.confusables.text import revealed, revealed_json

if TYPE_CHECKING:
    from remit.approval.types import ApprovalRequest
    from remit.base.json_types import JsonObject
    from remit.directives.models import DirectiveRead, UnreadableDirective
    from remit.operations.evidence.explanation import Explanation, Waiting
    from remit.operations.gate.proposals import GateOutcome

HEADER = ("ID", "STATUS", "TYPE", "SCOPE", "ISSUED BY", "CREATED", "OBJECTIVE")

_HEADLINES: Mapping[str, str] = {
    "draft": "is a draft: nobody has asked for it yet",
    "proposed": "waits for the gate, which will look at it again",
    "approved": "is approved: its run starts as soon as a worker is free",
    "executing": "runs now",
    "in_doubt": "ran, and nobody knows how it ended: somebody who looked says so",
    "complete": "is complete: nothing is missing",
    "blocked": "is blocked, and may be retried",
    "aborted": "was aborted, which is final",
}


def row_of(each: "DirectiveRead | UnreadableDirective") -> Row:
    """Return a directive's row, under :data:`HEADER`."""
    from remit.directives.models import UnreadableDirective

    known = Cell(shown_id(each.id), "bold"), status_of(each)
    if isinstance(each, UnreadableDirective):
        return (*known, "", "", "", "", f"its {each.column} holds what nobody can read")
    return (*known, each.type, each.scope, each.issued_by, age(each.created_at), each.objective)


def exit_code_of(directives: "Sequence[DirectiveRead]", *, ended: bool) -> int:
    """Return the exit code that tells what became of directives.

    With `ended` they were to be complete by now; otherwise all but a bad end will do.
    """
    found = {each.status for each in directives}
    bad = found - {"complete"} if ended else found & {"blocked", "aborted"}
    return EXIT_UNSUCCESSFUL if bad else EXIT_OK


def next_commands(directive: "DirectiveRead", *, others: bool = False) -> list[str]:
    """Return what one would type next about a directive, the likeliest first.

    With `others`, a vote on it is for others to cast, as a rule.
    """
    name = str(directive.id)[:SHORT_ID]
    if directive.status == "draft":
        return [f"remit submit {name}"]
    if directive.status == "proposed" and others:
        return [f"remit explain {name}", f"remit approve {name} --as NAME"]
    if directive.status == "proposed":
        return [f"remit approve {name}", f"remit reject {name} --reason WHY"]
    if directive.status in {"approved", "executing"}:
        settle = [f"remit show {name}", f"remit reconcile {name} --as done|failed --reason WHY"]
        return settle if directive.status_reason == "in_doubt" else [f"remit watch {name}"]
    if directive.status == "blocked":
        return [f"remit show {name}", f"remit retry {name}"]
    return [f"remit show {name}"]


def outcome_json(outcome: "GateOutcome", directive: "DirectiveRead") -> "JsonObject":
    """Return one outcome of the gate as plain JSON, the directive as it is now."""
    decision = outcome.decision
    return {
        "directive": directive.model_dump(mode="json"),
        "created": outcome.created,
        "decision": None
        if decision is None
        else {
            "verdict": decision.verdict.value,
            "policy_version": decision.policy_version,
            "policy_digest": decision.policy_digest,
            "results": [
                {"policy": each.policy, "verdict": each.verdict.value, "reason": each.reason}
                for each in decision.results
            ],
        },
        "artifact_uri": outcome.artifact_uri,
    }


def write_outcome(outcome: "GateOutcome", *, again: bool) -> None:
    """Print what the gate said of one directive.

    With `again`, it had been stored before this command, as `retry` has it.
    """
    note = "" if outcome.created or again else "  (stored before under the same key)"
    if again and outcome.decision is None:
        note = "  (nothing changed)"
    write_directive(outcome.directive, note)
    if outcome.decision is None:
        return
    rows = [
        ("", each.policy, Cell(verdict, VERDICT_STYLES[verdict]), each.reason)
        for each in outcome.decision.results
        for verdict in [each.verdict.value]
    ]
    write_table((), rows)


def write_outcomes(outcomes: "Sequence[GateOutcome]") -> None:
    """Print what the gate said of several directives: a line each, then how many of each kind."""
    rows = [
        (shown_id(one.id), status_of(one), one.type, one.scope, "; ".join(_reasons_of(each)))
        for each in outcomes
        for one in [each.directive]
    ]
    write_table(("ID", "STATUS", "TYPE", "SCOPE", "WHY"), rows)
    counts = Counter(each.directive.status for each in outcomes)
    summary = ", ".join(f"{count} {status}" for status, count in counts.items())
    write_line(f"{counted(len(outcomes), 'directive')}: {summary}")


def _reasons_of(outcome: "GateOutcome") -> tuple[str, ...]:
    if outcome.decision is None:
        return () if outcome.created else ("stored before under the same key",)
    return outcome.decision.block_reasons or outcome.decision.approval_reasons


def show_action(
    directive: "DirectiveRead",
    request: "ApprovalRequest",
    digest: str,
    module: tuple[str, str] = ("", ""),
) -> None:
    """Print the action that is voted on exactly as its digest covers it, and what asks for it.

    Nothing is left out however long it is. Each field of the intent is its canonical JSON, as
    :mod:`remit.confusables` shows it; a note stands under a field that holds something odd.

    Args:
        module: version and digest of the module that would run, were it approved now; empty where
            no worker has announced it.
    """
    from remit.base.canonical import canonical_json
    from remit.directives.models import intent_of

    write_line("directive ", Cell(str(directive.id), "bold"))
    intent = intent_of(directive)
    width = max(map(len, intent))
    for name in sorted(intent):
        shown = revealed_json(canonical_json(intent[name]).decode())
        _write_row(name, shown.text, width)
        for note in shown.notes:
            _write_row("", Cell(f"note: {note}", "yellow"), width)
    _write_row("action digest", digest, width)
    version, found = module
    if found:
        _write_row("would run", revealed(f"{directive.type} {version}, {found}"), width)
    for rule in request.rules:
        _write_row("asked for by", Cell(revealed(rule), "yellow"), width)
    needed = counted(request.required_approvals, "approval")
    _write_row("needs", f"{needed} until {moment(request.expires_at)}", width)


def _write_row(name: str, value: Cell | str, width: int) -> None:
    # No table: it breaks lines between words and drops the spaces there. A terminal breaks them
    # where they are full, and shows every character.
    write_line("  ", Cell(name.ljust(width), "dim"), "  ", value)


def write_explanation(found: "Explanation") -> None:
    """Print what a directive still needs, who could give it, and what would fail."""
    directive = found.directive
    write_directive(directive)
    if found.waiting is not None:
        rows = _rows_of_waiting(found.waiting)
    else:
        stands = directive.status_reason if directive.status == "executing" else None
        rows = [("", Cell(_HEADLINES[stands or directive.status], "bold"), "")]
        rows += [("", Cell("because", "dim"), revealed(reason)) for reason in found.because]
    if found.module_digest:
        module = f"{directive.type} {found.module_version}, {found.module_digest}"
        word = "would run" if directive.status == "proposed" else "granted for"
        rows.append(("", Cell(word, "dim"), revealed(module)))
    rows += [("", Cell("would fail", "red"), Cell(revealed(one), "red")) for one in found.obstacles]
    enough = found.waiting is None or len(_able(found.waiting)) >= found.waiting.missing
    if enough and not found.obstacles and directive.status in {"proposed", "approved"}:
        rows.append(("", Cell("would fail", "dim"), "nothing, as things stand"))
    write_table((), rows)


def next_votes(found: "Explanation", asker: str | None) -> list[str]:
    """Return what to type next: a vote only when it would count, and for who may cast it."""
    name = str(found.directive.id)[:SHORT_ID]
    if found.directive.status != "proposed":
        return next_commands(found.directive)
    if found.waiting is None:
        return [f"remit watch {name}"]
    if any(one.startswith(("policy_changed:", "expired:")) for one in found.obstacles):
        return [f"remit retry {name}"]
    if found.obstacles:
        return []  # each says what to do about it
    able = _able(found.waiting)
    if not able:
        group = f" --group {shlex.quote(found.waiting.groups[0])}" if found.waiting.groups else ""
        # A token that an admin makes counts as that admin, who may be the issuer.
        return [f"remit token invite NAME --role approver{group}"]
    who = name if asker in able else f"{name} --as {able[0]}"
    return [f"remit approve {who}", f"remit reject {who} --reason WHY"]


def _able(waiting: "Waiting") -> list[str]:
    return [one.name for one in waiting.candidates if one.objection is None and not one.voted]


def _rows_of_waiting(waiting: "Waiting") -> list[Row]:
    able = _able(waiting)
    required = counted(waiting.required, "approval")
    needed = f"{waiting.missing} of {required}, until {moment(waiting.expires_at)}"
    rows: list[Row] = [
        ("", Cell("still missing", "bold"), Cell(needed, "bold")),
        *(
            ("", Cell("asked for by", "dim"), Cell(revealed(rule), "yellow"))
            for rule in waiting.rules
        ),
        *(("", Cell("approved by", "dim"), name) for name in waiting.approved_by),
        ("", Cell("could approve", "dim"), Cell(", ".join(able) or "nobody", "green")),
    ]
    if len(able) < waiting.missing:
        known = f"only {len(able)} of those who are known may still approve, and {waiting.missing}"
        rows.append(("", Cell("would fail", "red"), Cell(f"quorum: {known} must", "red")))
    rows += [
        ("", Cell("could not", "dim"), Cell(revealed(one.objection), "dim"))
        for one in waiting.candidates
        if one.objection is not None
    ]
    return rows
