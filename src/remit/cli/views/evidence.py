"""What `remit evidence verify` prints: its checks, and who let something happen, for a person.

All text that somebody else wrote is shown so that nothing in it can pass for something else.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from remit.base.wording import counted
from remit.cli.base.output import Cell, Row, write_facts, write_line, write_table
from remit.cli.views.cells import moment, short_json, status_of
from remit.confusables.text import revealed

if TYPE_CHECKING:
    from remit.approval.types import Grant, Vote
    from remit.audit.bundle.facts import Check
    from remit.audit.bundle.types import Asked, Bundle, SignedBundle
    from remit.directives.models import DirectiveRead
    from remit.execution.models import ExecutionRunRead

Line = tuple[str, str]
"""What a line is about, "" for the same as above; and what it says."""


def write_checks(checks: "Sequence[Check]") -> None:
    """Print a row for each check of a bundle."""
    rows: list[Row] = [
        (Cell("✓", "green"), check.name, check.detail)
        if check.holds
        else (Cell("✗", "bold red"), Cell(check.name, "bold red"), Cell(check.detail, "red"))
        for check in checks
    ]
    write_table((), rows)


def write_end(read: "SignedBundle | None", checks: "Sequence[Check]") -> None:
    """Print what happened by the bundle, and in one sentence what it is worth."""
    from remit.audit.bundle.checks import not_checkable

    failed = sum(not check.holds for check in checks)
    if read is None:
        words = "The file proves nothing: it is no bundle, was changed, or its key is not trusted."
        write_line(Cell(words, "red"))
        return
    write_line()
    write_line(Cell("What happened, as the bundle tells it", "bold"))
    write_facts(_told(read.bundle))
    write_line()
    if failed:
        words = f"The bundle does not hold: {failed} of {len(checks)} checks fail."
        write_line(Cell(words, "red"))
    else:
        write_line(Cell(f"The bundle holds: all {len(checks)} checks pass.", "green"))
    write_line()
    write_line(Cell("What cannot be found out from the bundle alone", "bold"))
    for words in not_checkable(read.bundle, tuple(checks)):
        write_line("- ", words)


def _told(evidence: "Bundle") -> Iterator[Line]:
    yield from _of_intent(evidence.directive)
    yield from _of_gate(evidence)
    yield from chain.from_iterable(map(_of_request, evidence.requests))
    yield from chain.from_iterable(map(_of_grant, evidence.grants))
    yield from chain.from_iterable(map(_of_run, evidence.runs))
    yield "exported", f"by {revealed(evidence.exported_by)}, {moment(evidence.exported_at)}"
    if evidence.events:
        last = evidence.events[-1]
        yield "log's last row", f"{last.seq}, {last.hash}"


def _of_intent(directive: "DirectiveRead") -> Iterator[Line]:
    yield "directive", f"{directive.id}, {status_of(directive).text}"
    yield "issued by", f"{revealed(directive.issued_by)}, {moment(directive.created_at)}"
    yield "objective", revealed(directive.objective)
    yield "what", revealed(f"{directive.type} in {directive.scope}, for {directive.role}")
    yield "payload", short_json(directive.payload)
    if directive.budget is not None:
        yield "budget", revealed(directive.budget)


def _of_gate(evidence: "Bundle") -> Iterator[Line]:
    from remit.audit.bundle.facts import decisions_of

    for one in decisions_of(evidence):
        yield "gate", f"{one.verdict.value}, by policy version {revealed(one.policy.version)}"
        for result in one.results:
            yield "", f"{result.verdict.value}: {result.policy}: {revealed(result.reason)}"


def _of_request(asked: "Asked") -> Iterator[Line]:
    request = asked.request
    needed = counted(request.required_approvals, "approval")
    yield "asked", f"{needed} needed, {moment(request.requested_at)}: {request.status}"
    for vote in asked.votes:
        reason = f": {revealed(vote.reason)}" if vote.reason else ""
        said = {"approve": "approved", "reject": "rejected"}[vote.decision]
        yield "voted", f"{revealed(vote.voter)} {said}, {moment(vote.cast_at)}{reason}"
        yield from _of_standing(vote)


def _of_standing(vote: "Vote") -> Iterator[Line]:
    """Yield what a voter was, and whose hands their token went through, as it was signed."""
    standing = vote.standing
    if standing is None:
        return
    groups, hands = standing.get("groups"), standing.get("hands")
    belongs = ", ".join(map(str, groups)) if isinstance(groups, list) and groups else "no group"
    held = ", ".join(map(str, hands)) if isinstance(hands, list) else "nobody knows whom"
    yield "", revealed(f"{standing.get('kind')}, of {belongs}; token in the hands of {held}")


def _of_grant(grant: "Grant") -> Iterator[Line]:
    by = ", ".join(map(revealed, grant.votes)) or "policy alone"
    yield "granted", f"by {by}, {moment(grant.issued_at)} until {moment(grant.expires_at)}"
    if grant.voided_at is not None:
        yield "", f"void since {moment(grant.voided_at)}: {grant.void_reason}"


def _of_run(run: "ExecutionRunRead") -> Iterator[Line]:
    version = f" version {revealed(run.module_version)}" if run.module_version else ""
    yield "ran", f"{revealed(run.module)}{version}, {moment(run.created_at)}: {run.status}"
    if run.error_message:
        yield "error", revealed(run.error_message)
    result = (run.result or {}).get("result")
    if result is not None:
        yield "result", short_json(result)
