"""`remit principal`: who is known, what each may do, and what two admins are asked for."""

from typing import TYPE_CHECKING, Annotated, TypeVar, cast, get_args

from remit.cli.base.context import Context, Group
from remit.cli.base.options import all_of, argument, one_of, option
from remit.cli.base.output import write_line
from remit.cli.views.identities import write_made_invitation, write_principals, write_proposals
from remit.errors import InvalidInputError, NotFoundError
from remit.identity.types import Principal
from remit.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remit.identity.types import Invitation, PrincipalRow, TokenRow
    from remit.operations.identities.four_eyes import Change, Proposal

app = Group("Who is known, and what each may do.")

NameArgument = Annotated[str, argument("NAME", "The principal's name.")]
RoleOption = Annotated[
    list[str] | None,
    option(
        "--role",
        "What it is trusted with: proposer, approver, operator, auditor or admin; may be "
        "given several times.",
        "ROLE",
    ),
]
GroupOption = Annotated[
    list[str] | None,
    option(
        "--group", "A group of approvers that it belongs to; may be given several times.", "GROUP"
    ),
]
SwitchArgument = Annotated[str, argument("on|off", "Whether two are asked.")]
ProposalArgument = Annotated[str, argument("ID", "The proposal's identifier, or its beginning.")]


@app.add("list", acting=True)
def list_principals(context: Context) -> None:
    """List who is known."""
    engine = context.engine
    from remit.operations.identities import directory

    _show(context, directory.read_principals(engine, by=context.caller))


@app.add("set", acting=True)
def set_principal(
    context: Context, name: NameArgument, *, role: RoleOption = None, group: GroupOption = None
) -> None:
    """Give a principal these roles and groups, in place of those that it has."""
    roles = cast("tuple[Role, ...]", all_of(role, get_args(Role), "--role"))
    engine = context.engine
    from remit.operations.identities import directory
    from remit.operations.identities.four_eyes import Change

    keys, by, groups = context.keys, context.caller, tuple(group or ())
    if propose_if_asked(context, Change("set", Principal(name, "human", roles, groups))):
        return
    row = directory.change_principal(engine, name, roles=roles, groups=groups, by=by, keys=keys)
    _show(context, [row])


@app.add("disable", acting=True)
def disable_principal(context: Context, name: NameArgument) -> None:
    """Shut a principal out for good: its tokens end, and its name is never used again."""
    engine = context.engine
    from remit.operations.identities import directory

    row = directory.disable_principal(engine, name, keys=context.keys, by=context.caller)
    _show(context, [row])


@app.add("four-eyes", acting=True)
def four_eyes(context: Context, switch: SwitchArgument) -> None:
    """Ask a second admin wherever an approver or an admin is made.

    One admin switches it on; to switch it off, another one must confirm.
    """
    one_of(switch, ("on", "off"), "on|off")
    engine = context.engine
    from remit.operations.identities.four_eyes import Change, is_asked, switch_on

    keys, by = context.keys, context.caller
    if switch == "on":
        switch_on(engine, by=by, keys=keys)
    elif propose_if_asked(context, Change("off", by)):
        return
    _show_four_eyes(context, on=is_asked(engine, Change("off", by), keys))


@app.add("proposals", acting=True)
def proposals(context: Context) -> None:
    """List what one admin proposed and another one must confirm."""
    engine = context.engine
    from remit.operations.identities.four_eyes import read_proposals

    rows = read_proposals(engine, keys=context.keys, by=context.caller)
    context.show({"proposals": rows}, lambda: write_proposals(rows))


@app.add("confirm", acting=True)
def confirm(context: Context, proposal_id: ProposalArgument) -> None:
    """Carry out what another admin proposed; the code of an invitation is printed now."""
    engine = context.engine
    from remit.operations.identities import four_eyes as eyes
    from remit.operations.identities.invitations import MadeInvitation

    keys, by = context.keys, context.caller
    rows = eyes.read_proposals(engine, by=by, keys=keys)
    one = found_by_id(rows, proposal_id, noun="proposal", command="remit principal proposals")
    made = eyes.confirm(engine, one.id, by=by, keys=keys)
    if isinstance(made, MadeInvitation):
        document = {"code": str(made.code), "row": made.row}
        context.show(document, lambda: write_made_invitation(made))
    elif made is not None:
        _show(context, [made])
    else:
        _show_four_eyes(context, on=False)


def propose_if_asked(context: Context, change: "Change") -> bool:
    """Propose a change and say so, where a second admin is asked for it; return whether one is."""
    from remit.operations.identities import four_eyes as eyes

    engine, keys = context.engine, context.keys
    if not eyes.is_asked(engine, change, keys):
        return False
    proposal = eyes.propose(engine, change, by=context.caller, keys=keys)
    words = f"proposed: another admin runs `remit principal confirm {proposal}`"
    context.show({"proposal": proposal}, lambda: write_line(words))
    return True


def _show(context: Context, rows: "Sequence[PrincipalRow]") -> None:
    context.show({"principals": rows}, lambda: write_principals(rows))


def _show_four_eyes(context: Context, *, on: bool) -> None:
    words = f"a second admin is{'' if on else ' not'} asked to make approvers and admins"
    context.show({"four_eyes": on}, lambda: write_line(words))


_One = TypeVar("_One", "Invitation", "Proposal", "TokenRow")


def found_by_id(rows: "Sequence[_One]", text: str, *, noun: str, command: str) -> _One:
    """Return the one row whose identifier begins with `text`; `command` lists all of them."""
    prefix = text.strip().lower().replace("-", "")
    found = [row for row in rows if row.id.hex.startswith(prefix)]
    if len(prefix) < 4 or len(found) > 1:  # noqa: PLR2004 - as everywhere
        raise InvalidInputError(f"give more of the {noun}'s identifier", field="id")
    if not found:
        raise NotFoundError(f"no {noun} begins with {prefix}; `{command}` shows them")
    return found[0]
