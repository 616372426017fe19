"""Who let something happen, as a bundle tells it: lines for a person who was not there. Pure.

`remit evidence verify` prints them under its checks. All text that somebody else wrote is shown so
that nothing in it can pass for something else.
"""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from remit.cli.views.timeline import moment
from remit.confusables.text import revealed, revealed_json

if TYPE_CHECKING:
    from remit.approval.types import Grant, Vote
    from remit.audit.bundle.types import Asked, Bundle
    from remit.directives.models import DirectiveRead
    from remit.execution.models import ExecutionRunRead

Line = tuple[str, str]
"""What a line is about, "" for the same as above; and what it says."""

LONGEST_SHOWN = 400
"""Most characters of a payload or a result that are shown; `--json` has them all."""


def told(evidence: "Bundle") -> list[Line]:
    """Return the story of one directive, from who asked to what came of it."""
    return [
        *_of_intent(evidence.directive),
        *_of_gate(evidence),
        *(line for asked in evidence.requests for line in _of_request(asked)),
        *(line for grant in evidence.grants for line in _of_grant(grant)),
        *(line for run in evidence.runs for line in _of_run(run)),
        *_of_export(evidence),
    ]


def _of_intent(directive: "DirectiveRead") -> Iterator[Line]:
    status = directive.status
    reason = f" ({directive.status_reason})" if directive.status_reason else ""
    yield "directive", f"{directive.id}, {status}{reason}"
    yield "issued by", f"{revealed(directive.issued_by)}, {moment(directive.created_at)}"
    yield "objective", revealed(directive.objective)
    what = f"{directive.type} in {directive.scope}, for {directive.role}"
    yield "what", revealed(what)
    yield "payload", _json(directive.payload)
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
    needed = f"{request.required_approvals} approval" + "s" * (request.required_approvals != 1)
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
        yield "result", _json(result)


def _of_export(evidence: "Bundle") -> Iterator[Line]:
    yield "exported", f"by {revealed(evidence.exported_by)}, {moment(evidence.exported_at)}"
    if evidence.events:
        last = evidence.events[-1]
        yield "log's last row", f"{last.seq}, {last.hash}"


def _json(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    if len(text) <= LONGEST_SHOWN:
        return revealed_json(text).text
    # Cut in the middle of a string it is no JSON any more; in ASCII nothing can deceive.
    return f"{json.dumps(value)[:LONGEST_SHOWN]}... (see --json)"
