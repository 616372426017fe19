"""`remit propose`, `remit submit` and `remit retry`: the ways into the gate."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remit.cli.base import content
from remit.cli.base.options import ActorOption, DataDirOption, IdArgument, JsonOption
from remit.errors import ConflictError, InvalidInputError, UnavailableError

if TYPE_CHECKING:
    from remit.cli.base.directive_input import Defaults
    from remit.control import Control
    from remit.directives.models import DirectiveRead
    from remit.identity.types import Principal
    from remit.operations.gate.proposals import GateOutcome
    from remit.settings import Settings

FileArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="FILE",
        show_default=False,
        help="Directives as JSON or JSONL; - reads standard input. Without it, the options say "
        "what is to be done.",
    ),
]
DraftOption = Annotated[bool, typer.Option("--draft", help="Only store it; `remit submit` later.")]
WaitOption = Annotated[
    bool,
    typer.Option("--wait", help="Wait for the end; the exit code is 1 unless all is complete."),
]

OptionalIdArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="ID",
        show_default=False,
        help="The directive, or at least the first 4 characters of it.",
    ),
]
VoidedOption = Annotated[
    bool, typer.Option("--voided", help="All that a change of the policy made void.")
]
VoidedLimitOption = Annotated[
    int, typer.Option("--limit", min=1, max=1000, help="With --voided: at most so many at once.")
]


@dataclass(frozen=True)
class _Manner:
    """How a command that enters the gate goes about it.

    Attributes:
        wait: whether it waits for the end.
        as_json: whether a program reads the output.
        data_dir: the folder that was named; the next command needs it too.
        actor: whose kept token is meant; None: the caller's own.
        again: whether the directive was stored before.
    """

    wait: bool
    as_json: bool
    data_dir: Path | None
    actor: str | None
    again: bool = False


def propose(
    file: FileArgument = None,
    *,
    role: content.RoleOption = None,
    type_: content.TypeOption = None,
    objective: content.ObjectiveOption = None,
    scope: content.ScopeOption = None,
    payload: content.PayloadOption = None,
    budget: content.BudgetOption = None,
    timebox: content.TimeboxOption = None,
    constraints: content.ConstraintsOption = None,
    metrics: content.MetricsOption = None,
    key: content.KeyOption = None,
    draft: DraftOption = False,
    wait: WaitOption = False,
    actor: ActorOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Propose directives: the gate decides at once, and what it approves starts.

    Several are stored together, or none of them. Each is issued by whose token proposes it: a file
    need not say so, and may not say otherwise. One that names no status is proposed.
    """
    from remit.cli.base import services
    from remit.cli.base.directive_input import Defaults, issued

    fields = [role, type_, objective, scope, payload, budget, timebox]
    given = content.given([*fields, constraints, metrics, key])
    settings = services.load_settings(data_dir)
    contents = _contents(file, given, Defaults.of(settings, draft=draft))

    async def enter(control: "Control", by: "Principal") -> "list[GateOutcome]":
        made = issued(contents, by.name, settings.remit_max_directive_bytes)
        return await control.propose(made, by=by)

    manner = _Manner(wait, as_json, data_dir, actor)
    raise typer.Exit(asyncio.run(_entering(settings, enter, manner)))


def _contents(
    file: str | None, given: "Mapping[str, str]", defaults: "Defaults"
) -> list[dict[str, object]]:
    """Return the directives of a file, or else the one that the options describe."""
    from remit.cli.base.directive_input import read_directives

    if file is None:
        return [content.from_options(given, defaults)]
    content.refuse_options(given, file)
    return read_directives(file, defaults)


def submit(
    directive: IdArgument,
    *,
    wait: WaitOption = False,
    actor: ActorOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a draft enter the gate; its content is frozen from then on."""
    _submit(directive, "submit", _Manner(wait, as_json, data_dir, actor, again=True))


def retry(
    directive: OptionalIdArgument = None,
    *,
    voided: VoidedOption = False,
    limit: VoidedLimitOption = 100,
    wait: WaitOption = False,
    actor: ActorOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a blocked directive pass the gate again, under the policy that now holds.

    With --voided, all whose approval, or request for one, a change of the policy made void: those
    that you issued, or everybody's if you operate. What still needs people waits for them again.
    """
    manner = _Manner(wait, as_json, data_dir, actor, again=True)
    if directive is not None and not voided:
        _submit(directive, "retry", manner)
    elif directive is None and not voided:
        raise InvalidInputError("name one directive, or say --voided")
    elif directive is not None or wait:
        raise InvalidInputError("name one directive, or say --voided, which does not --wait")
    else:
        raise typer.Exit(asyncio.run(_asking_again(limit, manner)))


async def _asking_again(limit: int, manner: _Manner) -> int:
    """Retry what a change of policy voided, print what became of it, and return the exit code."""
    from remit.cli.base import services
    from remit.cli.base.output import write_json, write_line
    from remit.cli.views import verdict

    settings = services.load_settings(manner.data_dir)
    async with services.control(settings) as control:
        by = await asyncio.to_thread(services.caller, control.engine, settings, manner.actor)
        outcomes, more = await control.retry_voided(by=by, limit=limit)
    if manner.as_json:
        found = [verdict.outcome_json(one, one.directive) for one in outcomes]
        write_json({"outcomes": found, "more": more})
    elif outcomes:
        verdict.write_outcomes(outcomes)
    else:
        write_line("no change of the policy made anything void")
    if more and not manner.as_json:
        verdict.write_next(["remit retry --voided"], manner.data_dir)
    return verdict.exit_code_of([one.directive for one in outcomes], ended=False)


def _submit(text: str, verb: str, manner: _Manner) -> None:
    from remit.cli.base import services

    settings = services.load_settings(manner.data_dir)

    async def enter(control: "Control", by: "Principal") -> "list[GateOutcome]":
        from remit.operations.evidence.records import read_directive

        directive_id = await services.resolve(control, text)
        found = await asyncio.to_thread(read_directive, control.engine, directive_id)
        _check_verb(verb, found)
        return [await control.submit(directive_id, by=by)]

    raise typer.Exit(asyncio.run(_entering(settings, enter, manner)))


def _check_verb(verb: str, directive: "DirectiveRead") -> None:
    """Raise ConflictError when the other verb is meant: a retry sounds harmless, a draft is new."""
    other = {"draft": "submit", "blocked": "retry"}.get(directive.status, verb)
    if other != verb:
        raise ConflictError(
            f"directive {directive.id} is {directive.status}: use `remit {other}` for it"
        )


async def _entering(
    settings: "Settings",
    enter: "Callable[[Control, Principal], Awaitable[list[GateOutcome]]]",
    manner: _Manner,
) -> int:
    """Let directives enter the gate, print what became of them, and return the exit code."""
    from remit.cli.base import failures, services
    from remit.cli.views import verdict
    from remit.identity.rules import may

    lost: UnavailableError | None = None
    async with services.control(settings) as control:
        by = await asyncio.to_thread(services.caller, control.engine, settings, manner.actor)
        outcomes = await enter(control, by)
        if not manner.as_json:
            _write(outcomes, manner)
        now = [each.directive for each in outcomes]
        if manner.wait:
            now, lost = await _waited_for(control, now, manner)
    if manner.as_json:
        _write_json(outcomes, now, manner)
    elif len(now) == 1:
        others = now[0].issued_by == by.name or not may(by, "vote")
        verdict.write_next(verdict.next_commands(now[0], others=others), manner.data_dir)
    else:
        verdict.write_next(["remit list"], manner.data_dir)
    if lost is not None:
        done = "this is stored and goes on, but its end could not be waited for"
        return failures.report_given_up(f"{done}: {lost.message}", as_json=manner.as_json)
    return verdict.exit_code_of(now, ended=manner.wait)


async def _waited_for(
    control: "Control", known: "list[DirectiveRead]", manner: _Manner
) -> "tuple[list[DirectiveRead], UnavailableError | None]":
    """Return the directives at their ends, or as they were last seen and why no more is known."""
    from remit.cli.base.waiting import wait_for_ends

    # Drafts wait for a person to submit them, so they are not waited for.
    ids = [each.id for each in known if each.status != "draft"]
    tell = _follower(known, silent=manner.as_json)
    seen: dict[object, DirectiveRead] = {}

    def follow(one: "DirectiveRead") -> None:
        seen[one.id] = one
        tell(one)

    lost = None
    try:
        await wait_for_ends(control.engine, ids, follow)
    except UnavailableError as error:
        lost = error
    return [seen.get(each.id, each) for each in known], lost


def _write(outcomes: "Sequence[GateOutcome]", manner: _Manner) -> None:
    from remit.cli.views import verdict

    if len(outcomes) == 1:
        verdict.write_outcome(outcomes[0], again=manner.again)
    else:
        verdict.write_outcomes(outcomes)


def _write_json(
    outcomes: "Sequence[GateOutcome]", now: "Sequence[DirectiveRead]", manner: _Manner
) -> None:
    from remit.cli.base.output import write_json
    from remit.cli.views.verdict import outcome_json

    found = [outcome_json(*pair) for pair in zip(outcomes, now, strict=True)]
    write_json(found[0] if manner.again else {"outcomes": found})


def _follower(
    known: "Sequence[DirectiveRead]", *, silent: bool
) -> "Callable[[DirectiveRead], None]":
    """Return what prints a line for each change of status after the one that is `known`."""
    from remit.cli.base.output import status_cell, write_line
    from remit.cli.views.verdict import shown_id

    last = {each.id: each.status for each in known}

    def follow(directive: "DirectiveRead") -> None:
        if not silent and last[directive.id] != directive.status:
            status = status_cell(directive.status, directive.status_reason)
            write_line(shown_id(directive.id), "  ", status)
        last[directive.id] = directive.status

    return follow
