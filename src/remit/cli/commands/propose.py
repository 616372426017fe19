"""`remit propose`, `remit submit` and `remit retry`: the ways into the gate."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from remit.cli.base import directive_input
from remit.cli.base.context import Context, command
from remit.cli.base.failures import EXIT_UNSUCCESSFUL, report
from remit.cli.base.options import IdArgument, argument, option
from remit.cli.base.output import write_json, write_line
from remit.cli.base.waiting import wait_for_ends
from remit.cli.views import directives
from remit.cli.views.cells import shown_id, status_cell, write_next
from remit.errors import ConflictError, InvalidInputError, UnavailableError
from remit.identity.rules import may

if TYPE_CHECKING:
    from remit.control import Control
    from remit.directives.models import DirectiveRead
    from remit.identity.types import Principal
    from remit.operations.gate.proposals import GateOutcome

_content = partial(option, panel="What is to be done")

FIELDS: Mapping[str, object] = {
    "role": _content("--role", "Who is to act."),
    "type": _content("--type", "The module: see `remit modules`."),
    "objective": _content("--objective", "What is to be achieved."),
    "scope": _content("--scope", "Where it may act, like test."),
    "payload": _content(
        "--payload", "Input of the module, a JSON object, between single quotes.", "JSON|@FILE"
    ),
    "budget": _content(
        "--budget", "Most it may cost in US dollars, like 50.00; a $ needs quotes: '$50.00'."
    ),
    "timebox": _content("--timebox", "Longest it may take, like 5m."),
    "constraints": _content("--constraints", "Limits for the module, a JSON object.", "JSON|@FILE"),
    "success_metrics": _content(
        "--success-metrics", "How success will be told, a JSON object.", "JSON|@FILE"
    ),
    "idempotency_key": _content(
        "--idempotency-key", "Your own key: sent twice, it is one directive."
    ),
}
"""The options that say what is to be done, one for each field of a directive."""

FileArgument = Annotated[
    str | None,
    argument(
        "FILE",
        "Directives as JSON or JSONL; - reads standard input. Without it, the options say "
        "what is to be done.",
    ),
]
DraftOption = Annotated[bool, option("--draft", "Only store it; `remit submit` later.")]
WaitOption = Annotated[
    bool, option("--wait", "Wait for the end; the exit code is 1 unless all is complete.")
]
OptionalIdArgument = Annotated[
    str | None, argument("ID", "The directive, or at least the first 4 characters of it.")
]
VoidedOption = Annotated[bool, option("--voided", "All that a change of the policy made void.")]
VoidedLimitOption = Annotated[
    int, option("--limit", "With --voided: at most so many at once.", min=1, max=1000)
]


@command(acting=True, fields=FIELDS)
def propose(
    context: Context,
    file: FileArgument = None,
    *,
    draft: DraftOption = False,
    wait: WaitOption = False,
    **fields: str | None,
) -> None:
    """Propose directives: the gate decides at once, and what it approves starts.

    Several are stored together, or none of them. Each is issued by whose token proposes it: a file
    need not say so, and may not say otherwise. One that names no status is proposed.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    bound = context.settings.remit_max_directive_bytes
    if file is None:
        contents = [directive_input.from_options(given, draft=draft, max_bytes=bound)]
    else:
        directive_input.refuse_options(given, file)
        contents = directive_input.read_directives(file, draft=draft, max_bytes=bound)

    async def enter(control: "Control", by: "Principal") -> "list[GateOutcome]":
        return await control.propose(directive_input.issued(contents, by.name, bound), by=by)

    raise typer.Exit(asyncio.run(_enter(context, enter, wait=wait, again=False)))


@command(acting=True)
def submit(context: Context, directive: IdArgument, *, wait: WaitOption = False) -> None:
    """Let a draft enter the gate; its content is frozen from then on."""
    _submit(context, directive, "submit", wait=wait)


@command(acting=True)
def retry(
    context: Context,
    directive: OptionalIdArgument = None,
    *,
    voided: VoidedOption = False,
    limit: VoidedLimitOption = 100,
    wait: WaitOption = False,
) -> None:
    """Let a blocked directive pass the gate again, under the policy that now holds.

    With --voided, all whose approval, or request for one, a change of the policy made void: those
    that you issued, or everybody's if you operate. What still needs people waits for them again.
    """
    if directive is not None and not voided:
        _submit(context, directive, "retry", wait=wait)
    elif directive is None and not voided:
        raise InvalidInputError("name one directive, or say --voided")
    elif directive is not None or wait:
        raise InvalidInputError("name one directive, or say --voided, which does not --wait")
    else:
        raise typer.Exit(asyncio.run(_retry_voided(context, limit)))


async def _retry_voided(context: Context, limit: int) -> int:
    async with context.control() as (control, by):
        outcomes, more = await control.retry_voided(by=by, limit=limit)

    def write() -> None:
        if outcomes:
            directives.write_outcomes(outcomes)
        else:
            write_line("no change of the policy made anything void")
        if more:
            write_next(["remit retry --voided"], context.data_dir)

    found = [directives.outcome_json(one, one.directive) for one in outcomes]
    context.show({"outcomes": found, "more": more}, write)
    return directives.exit_code_of([one.directive for one in outcomes], ended=False)


def _submit(context: Context, text: str, verb: str, *, wait: bool) -> None:
    async def enter(control: "Control", by: "Principal") -> "list[GateOutcome]":
        from remit.operations.evidence.records import read_directive

        directive_id = await asyncio.to_thread(context.resolve, text)
        found = await asyncio.to_thread(read_directive, control.engine, directive_id)
        # A retry sounds harmless, and a draft is new: neither is taken for the other.
        other = {"draft": "submit", "blocked": "retry"}.get(found.status, verb)
        if other != verb:
            raise ConflictError(
                f"directive {found.id} is {found.status}: use `remit {other}` for it"
            )
        return [await control.submit(directive_id, by=by)]

    raise typer.Exit(asyncio.run(_enter(context, enter, wait=wait, again=True)))


async def _enter(
    context: Context,
    enter: "Callable[[Control, Principal], Awaitable[list[GateOutcome]]]",
    *,
    wait: bool,
    again: bool,
) -> int:
    """Let directives enter the gate, print what became of them, and return the exit code.

    With `again`, the directive was stored before.
    """
    lost: UnavailableError | None = None
    async with context.control() as (control, by):
        outcomes = await enter(control, by)
        if not context.as_json and len(outcomes) == 1:
            directives.write_outcome(outcomes[0], again=again)
        elif not context.as_json:
            directives.write_outcomes(outcomes)
        now = [each.directive for each in outcomes]
        if wait:
            now, lost = await _wait(context, now)
    if context.as_json:
        pairs = zip(outcomes, now, strict=True)
        found = [directives.outcome_json(*pair) for pair in pairs]
        write_json(found[0] if again else {"outcomes": found})
    elif len(now) == 1:
        others = now[0].issued_by == by.name or not may(by, "vote")
        write_next(directives.next_commands(now[0], others=others), context.data_dir)
    else:
        write_next(["remit list"], context.data_dir)
    if lost is not None:
        words = f"this is stored and goes on, but its end could not be waited for: {lost.message}"
        return report("unavailable", words, EXIT_UNSUCCESSFUL, as_json=context.as_json)
    return directives.exit_code_of(now, ended=wait)


async def _wait(
    context: Context, known: "list[DirectiveRead]"
) -> "tuple[list[DirectiveRead], UnavailableError | None]":
    """Return the directives at their ends, or as they were last seen and why no more is known.

    Prints a line for each change of status.
    """
    # Drafts wait for a person to submit them, so they are not waited for.
    ids = [each.id for each in known if each.status != "draft"]
    seen = {each.id: each for each in known}

    def follow(one: "DirectiveRead") -> None:
        if not context.as_json and seen[one.id].status != one.status:
            write_line(shown_id(one.id), "  ", status_cell(one.status, one.status_reason))
        seen[one.id] = one

    lost = None
    try:
        await wait_for_ends(context.engine, ids, follow)
    except UnavailableError as error:
        lost = error
    return [seen[each.id] for each in known], lost
