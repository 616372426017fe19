"""`remit approve` and `remit reject`: a person's answer, bound to the action that was shown."""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remit.base.wording import quoted
from remit.cli.base.failures import EXIT_UNSUCCESSFUL
from remit.cli.base.options import ActorOption, DataDirOption, IdArgument, JsonOption
from remit.cli.base.output import on_terminal, status_cell, write_json, write_line
from remit.errors import ConflictError, InvalidInputError

if TYPE_CHECKING:
    from uuid import UUID

    from remit.control import Control
    from remit.identity.types import Principal
    from remit.operations.gate.approvals import VoteOutcome
    from remit.vocabulary import VoteDecision

YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Vote without being asked again.")]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="Why; kept as evidence.")]
DigestOption = Annotated[
    str | None,
    typer.Option(
        "--digest",
        metavar="DIGEST",
        show_default=False,
        help="The action digest that you saw; refused if the directive's is another.",
    ),
]

_MOST_OF_A_DIGEST = 80
"""How many characters of a typed digest a message repeats; a digest has 71."""


@dataclass(frozen=True)
class _Answer:
    """What a person typed."""

    directive: str
    decision: "VoteDecision"
    reason: str | None
    seen: str | None
    actor: str | None
    data_dir: Path | None
    ask: bool
    as_json: bool


def approve(
    directive: IdArgument,
    *,
    reason: ReasonOption = None,
    digest: DigestOption = None,
    yes: YesOption = False,
    actor: ActorOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approve the exact action that a directive asks for; with enough approvals it starts.

    The action is shown first. On a terminal you are asked to confirm; elsewhere no question is
    asked.
    """
    ask = not (yes or as_json) and _on_both_terminals()
    _vote(_Answer(directive, "approve", reason, digest, actor, data_dir, ask, as_json))


def reject(
    directive: IdArgument,
    *,
    reason: ReasonOption = None,
    digest: DigestOption = None,
    yes: YesOption = False,
    actor: ActorOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Reject what a directive asks for, with a reason; it is blocked."""
    if reason is None or not reason.strip():
        raise InvalidInputError("missing: a rejection needs a reason", field="reason")
    ask = not (yes or as_json) and _on_both_terminals()
    _vote(_Answer(directive, "reject", reason, digest, actor, data_dir, ask, as_json))


def _vote(answer: _Answer) -> None:
    from remit.cli.base import services

    settings = services.load_settings(answer.data_dir)

    async def cast() -> "tuple[VoteOutcome, Principal]":
        async with services.control(settings) as control:
            voter = await asyncio.to_thread(services.caller, control.engine, settings, answer.actor)
            directive_id = await services.resolve(control, answer.directive)
            return await _show_and_cast(control, directive_id, voter, answer), voter

    outcome, voter = asyncio.run(cast())
    _report(outcome, voter.name, answer)


async def _show_and_cast(
    control: "Control", directive_id: "UUID", voter: "Principal", answer: _Answer
) -> "VoteOutcome":
    """Show what is voted on, ask when there is someone to ask, and vote on what was shown."""
    from remit.approval.types import Ballot
    from remit.cli.views.action import show_action
    from remit.directives.digest import action_digest
    from remit.directives.models import intent_of
    from remit.operations.evidence.explanation import version_to_come
    from remit.operations.evidence.records import read_record

    record = await asyncio.to_thread(read_record, control.engine, directive_id)
    request = record.request
    if request is None or request.status != "pending":
        status = status_cell(record.directive.status, record.directive.status_reason).text
        raise ConflictError(f"directive {directive_id} does not wait for a vote: it is {status}")
    # Computed from what is shown, and not read from the row: the vote binds to what one saw.
    digest = action_digest(intent_of(record.directive))
    _check_seen(answer.seen, digest, directive_id)
    if not answer.as_json:
        about = record.directive
        authority = await asyncio.to_thread(control.authority)
        module = await asyncio.to_thread(version_to_come, control.engine, about.type, authority)
        show_action(about, request, digest, module)
    if answer.ask and not typer.confirm(f"{answer.decision} this as {voter.name}?", err=True):
        write_line("nothing was voted")
        raise typer.Exit(EXIT_UNSUCCESSFUL)
    ballot = Ballot(answer.decision, answer.reason, digest)
    return await control.vote(directive_id, ballot, by=voter)


def _check_seen(seen: str | None, digest: str, directive_id: "UUID") -> None:
    """Refuse a voter who saw another action than the one that would be shown and voted on."""
    if seen is not None and seen != digest:
        raise ConflictError(
            f"you saw {quoted(seen, _MOST_OF_A_DIGEST)}, and the action digest of directive "
            f"{directive_id} is {quoted(digest, _MOST_OF_A_DIGEST)}: look again with `remit show`, "
            "and vote on what it shows",
            field="digest",
        )


def _report(outcome: "VoteOutcome", voter: str, answer: _Answer) -> None:
    """Print what the vote led to."""
    from remit.cli.views import verdict

    directive = outcome.directive
    if answer.as_json:
        vote = {"voter": voter, "decision": answer.decision, "reason": answer.reason}
        write_json(
            {
                "vote": vote | {"action_digest": directive.action_digest},
                "outcome": outcome.outcome,
                "missing": outcome.missing,
                "again": outcome.again,
                "directive": directive,
            }
        )
        return
    status = status_cell(directive.status, directive.status_reason)
    notes = [f"{voter} had voted already"] if outcome.again else []
    notes += [f"{outcome.missing} more needed"] if outcome.missing else []
    more = f"  ({'; '.join(notes)})" if notes else ""
    write_line(f"{voter}: {answer.decision}  ->  ", status, more)
    verdict.write_next(verdict.next_commands(directive, others=True), answer.data_dir)


def _on_both_terminals() -> bool:
    """Return whether a person reads the question and can answer it."""
    return sys.stdin is not None and sys.stdin.isatty() and on_terminal()
