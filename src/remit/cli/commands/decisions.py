"""`remit approve`, `reject`, `cancel` and `reconcile`: what people decide about a directive."""

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from remit.base.wording import quoted
from remit.cli.base.context import Context, command
from remit.cli.base.failures import EXIT_UNSUCCESSFUL
from remit.cli.base.options import IdArgument, ReasonOption, one_of, option
from remit.cli.base.output import on_terminal, write_line
from remit.cli.views.cells import status_of, write_directive, write_next
from remit.cli.views.directives import next_commands, show_action
from remit.errors import ConflictError, InvalidInputError
from remit.vocabulary import Settled

if TYPE_CHECKING:
    from uuid import UUID

    from remit.approval.types import Ballot
    from remit.control import Control
    from remit.directives.models import DirectiveRead
    from remit.identity.types import Principal
    from remit.operations.gate.approvals import VoteOutcome
    from remit.vocabulary import VoteDecision

YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Vote without being asked again.")]
DigestOption = Annotated[
    str | None,
    option(
        "--digest",
        "The action digest that you saw; refused if the directive's is another.",
        "DIGEST",
    ),
]
SettledOption = Annotated[
    str, option("--as", "How it ended, as you have found out.", "done|failed")
]
KnownByOption = Annotated[str, option("--reason", "How you know; kept as evidence.")]
ByOption = Annotated[
    str | None,
    option(
        "--by",
        "Act with the token kept under this name. Default: REMIT_TOKEN, else your own.",
        "NAME",
    ),
]
"""What is --as elsewhere."""

_MOST_OF_A_DIGEST = 80
"""How many characters of a typed digest a message repeats; a digest has 71."""


@command(acting=True)
def approve(
    context: Context,
    directive: IdArgument,
    *,
    reason: ReasonOption = None,
    digest: DigestOption = None,
    yes: YesOption = False,
) -> None:
    """Approve the exact action that a directive asks for; with enough approvals it starts.

    The action is shown first. On a terminal you are asked to confirm; elsewhere no question is
    asked.
    """
    asyncio.run(_vote(context, directive, "approve", reason=reason, seen=digest, yes=yes))


@command(acting=True)
def reject(
    context: Context,
    directive: IdArgument,
    *,
    reason: ReasonOption = None,
    digest: DigestOption = None,
    yes: YesOption = False,
) -> None:
    """Reject what a directive asks for, with a reason; it is blocked."""
    if reason is None or not reason.strip():
        raise InvalidInputError("missing: a rejection needs a reason", field="reason")
    asyncio.run(_vote(context, directive, "reject", reason=reason, seen=digest, yes=yes))


async def _vote(
    context: Context,
    text: str,
    decision: "VoteDecision",
    *,
    reason: str | None,
    seen: str | None,
    yes: bool,
) -> None:
    from remit.approval.types import Ballot

    async with context.control() as (control, voter):
        directive_id = await asyncio.to_thread(context.resolve, text)
        digest = await _show_pending(context, control, directive_id, seen)
        # A question is asked where a person reads it and can answer.
        seen_by_one = sys.stdin is not None and sys.stdin.isatty() and on_terminal()
        ask = seen_by_one and not (yes or context.as_json)
        if ask and not typer.confirm(f"{decision} this as {voter.name}?", err=True):
            write_line("nothing was voted")
            raise typer.Exit(EXIT_UNSUCCESSFUL)
        ballot = Ballot(decision, reason, digest)
        outcome = await control.vote(directive_id, ballot, by=voter)
    _report(context, outcome, voter, ballot)


async def _show_pending(
    context: Context, control: "Control", directive_id: "UUID", seen: str | None
) -> str:
    """Show the action that waits for a vote, and return its digest, which must be as `seen`."""
    from remit.directives.digest import action_digest
    from remit.directives.models import intent_of
    from remit.operations.evidence.explanation import version_to_come
    from remit.operations.evidence.records import read_record

    record = await asyncio.to_thread(read_record, control.engine, directive_id)
    directive, request = record.directive, record.request
    if request is None or request.status != "pending":
        status = status_of(directive).text
        raise ConflictError(f"directive {directive_id} does not wait for a vote: it is {status}")
    # Computed from what is shown, and not read from the row: the vote binds to what one saw.
    digest = action_digest(intent_of(directive))
    if seen is not None and seen != digest:
        raise ConflictError(
            f"you saw {quoted(seen, _MOST_OF_A_DIGEST)}, and the action digest of directive "
            f"{directive_id} is {quoted(digest, _MOST_OF_A_DIGEST)}: look again with `remit show`, "
            "and vote on what it shows",
            field="digest",
        )
    if not context.as_json:
        authority = await asyncio.to_thread(control.authority)
        module = await asyncio.to_thread(version_to_come, control.engine, directive.type, authority)
        show_action(directive, request, digest, module)
    return digest


def _report(context: Context, outcome: "VoteOutcome", voter: "Principal", ballot: "Ballot") -> None:
    directive, name = outcome.directive, voter.name
    vote = {"voter": name, "decision": ballot.decision, "reason": ballot.reason}

    def write() -> None:
        notes = [f"{name} had voted already"] if outcome.again else []
        notes += [f"{outcome.missing} more needed"] if outcome.missing else []
        more = f"  ({'; '.join(notes)})" if notes else ""
        write_line(f"{name}: {ballot.decision}  ->  ", status_of(directive), more)
        write_next(next_commands(directive, others=True), context.data_dir)

    document = {
        "vote": vote | {"action_digest": directive.action_digest},
        "outcome": outcome.outcome,
        "missing": outcome.missing,
        "again": outcome.again,
        "directive": directive,
    }
    context.show(document, write)


@command(acting=True)
def cancel(context: Context, directive: IdArgument, *, reason: ReasonOption = None) -> None:
    """Stop a directive wherever it stands.

    One that waits or is approved becomes blocked and may be retried; one that runs is aborted, and
    what its module returns afterwards is refused.
    """

    async def stop() -> "DirectiveRead":
        async with context.control() as (control, by):
            directive_id = await asyncio.to_thread(context.resolve, directive)
            return await control.cancel(directive_id, by=by, reason=reason)

    _show_changed(context, asyncio.run(stop()))


@command()
def reconcile(
    context: Context,
    directive: IdArgument,
    *,
    settled: SettledOption,
    reason: KnownByOption,
    by: ByOption = None,
) -> None:
    """Settle a directive of which nobody knows whether it was carried out.

    It executes, with the reason in_doubt: every attempt was lost with its worker. Look into what it
    was to change, then say so; only a person can, and it is signed.
    """
    context.actor = by
    engine = context.engine
    from remit.operations.runs.reconciliation import reconcile as settle

    word = cast("Settled", one_of(settled, get_args(Settled), "--as"))
    keys, caller = context.keys, context.caller
    found = context.resolve(directive)
    _show_changed(context, settle(engine, found, word, reason=reason, by=caller, keys=keys))


def _show_changed(context: Context, directive: "DirectiveRead") -> None:
    def write() -> None:
        write_directive(directive)
        write_next(next_commands(directive), context.data_dir)

    context.show({"directive": directive}, write)
