"""What became of directives, in words: the verdict, every reason, and what to type next."""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from remit.base.wording import counted
from remit.cli.base.failures import EXIT_OK, EXIT_UNSUCCESSFUL
from remit.cli.base.output import Cell, on_terminal, status_cell, write_line, write_table

if TYPE_CHECKING:
    from remit.base.json_types import JsonObject
    from remit.directives.models import DirectiveRead
    from remit.operations.gate.proposals import GateOutcome

SHORT_ID = 8
"""How many characters of an id a terminal shows; every command takes them in place of the whole."""

_VERDICT_STYLES: Mapping[str, str] = {
    "allow": "green",
    "require_approval": "yellow",
    "block": "red",
}


def shown_id(directive_id: object) -> str:
    """Return an id as it is shown: short for a person, whole for a program."""
    return str(directive_id)[:SHORT_ID] if on_terminal() else str(directive_id)


def exit_code_of(directives: "Sequence[DirectiveRead]", *, ended: bool) -> int:
    """Return the exit code that tells what became of directives.

    Args:
        directives: as they are now.
        ended: whether they were to be complete by now; otherwise all but a bad end will do.
    """
    bad = [d for d in directives if d.status in {"blocked", "aborted"}]
    unfinished = [d for d in directives if ended and d.status != "complete"]
    return EXIT_UNSUCCESSFUL if bad or unfinished else EXIT_OK


def next_commands(directive: "DirectiveRead", *, others: bool = False) -> list[str]:
    """Return what one would type next about a directive, the likeliest first.

    Args:
        directive: as it is now.
        others: whether a vote on it is now for others to cast, as a rule.
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


def write_next(commands: Sequence[str], data_dir: Path | None) -> None:
    """Print what to type next, for the folder that this command was told."""
    suffix = f" --data-dir {shlex.quote(str(data_dir))}" if data_dir else ""
    for lead, command in zip(("next: ", "or:   "), commands, strict=False):
        write_line(Cell(lead, "dim"), Cell(command + suffix, "bold"))


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

    Args:
        outcome: what it said.
        again: whether the directive had been stored before this command, as `retry` has it.
    """
    directive = outcome.directive
    status = status_cell(directive.status, directive.status_reason)
    note = "" if outcome.created or again else "  (stored before under the same key)"
    if again and outcome.decision is None:
        note = "  (nothing changed)"
    write_line("directive ", Cell(str(directive.id), "bold"), "  ", status, note)
    if outcome.decision is None:
        return
    rows = [
        ("", each.policy, Cell(verdict, _VERDICT_STYLES[verdict]), each.reason)
        for each in outcome.decision.results
        for verdict in [each.verdict.value]
    ]
    write_table((), rows)


def write_outcomes(outcomes: "Sequence[GateOutcome]") -> None:
    """Print what the gate said of several directives: a line each, then how many of each kind."""
    write_table(
        ("ID", "STATUS", "TYPE", "SCOPE", "WHY"),
        [
            (
                shown_id(each.directive.id),
                status_cell(each.directive.status, each.directive.status_reason),
                each.directive.type,
                each.directive.scope,
                "; ".join(reasons_of(each)),
            )
            for each in outcomes
        ],
    )
    counts = Counter(each.directive.status for each in outcomes)
    summary = ", ".join(f"{count} {status}" for status, count in counts.items())
    write_line(f"{counted(len(outcomes), 'directive')}: {summary}")


def reasons_of(outcome: "GateOutcome") -> tuple[str, ...]:
    """Return why the gate did not let a directive pass by itself; empty when it did."""
    if outcome.decision is None:
        return () if outcome.created else ("stored before under the same key",)
    return outcome.decision.block_reasons or outcome.decision.approval_reasons
