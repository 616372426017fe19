"""`remit token invite` and what follows: a code from an admin, a token that only its owner sees."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from remit.cli.base.context import Context
from remit.cli.base.options import STANDARD_STREAM, argument, option
from remit.cli.base.output import write_line
from remit.cli.commands import tokens
from remit.cli.commands.principals import (
    GroupOption,
    NameArgument,
    RoleOption,
    found_by_id,
    propose_if_asked,
)
from remit.cli.commands.tokens import (
    ActsForOption,
    KeepOption,
    KindOption,
    LengthOption,
    ScopeOption,
    as_known,
    described,
    keeper,
    length_of,
    show_made_token,
)
from remit.cli.views.identities import write_invitations, write_made_invitation
from remit.errors import InvalidInputError
from remit.identity.types import Principal

app = tokens.app
"""These are commands of `remit token`, too."""

CodeArgument = Annotated[
    str | None, argument("CODE", "The code. Default: asked for, or read from standard input.")
]
FileOption = Annotated[
    Path | None,
    option(
        "--file",
        "Read the code from here, so that it stands in no history of commands; - is standard "
        "input.",
        "FILE",
    ),
]
ExpiryOption = Annotated[
    str, option("--code-expires", "How long the code can be redeemed, like 2h.", "LENGTH")
]
InvitationArgument = Annotated[
    str, argument("ID", "The invitation's identifier, or its beginning.")
]


@app.add("invite", acting=True)
def invite(
    context: Context,
    name: NameArgument,
    *,
    kind: KindOption = None,
    role: RoleOption = None,
    group: GroupOption = None,
    acts_for: ActsForOption = None,
    scope: ScopeOption = None,
    valid_for: LengthOption = "30d",
    code_expires: ExpiryOption = "24h",
) -> None:
    """Print a code of which somebody makes a token themself, which nobody else then has seen.

    The code is good once. Hand it over in person, or on a way that you trust: whoever has it can
    redeem it.
    """
    wanted = described(name, kind, role, group, acts_for=acts_for, scope=scope)
    length, open_for = length_of(valid_for), length_of(code_expires, "--code-expires")
    engine = context.engine
    from remit.operations.identities import invitations
    from remit.operations.identities.four_eyes import Change

    keys, by = context.keys, context.caller
    wanted = wanted if kind else as_known(engine, wanted, by)
    if propose_if_asked(context, Change("invite", wanted, length, open_for)):
        return
    made = invitations.invite(engine, wanted, valid_for=length, open_for=open_for, by=by, keys=keys)
    document = {"code": str(made.code), "row": made.row}
    context.show(document, lambda: write_made_invitation(made))


@app.add("redeem")
def redeem(
    context: Context,
    code: CodeArgument = None,
    *,
    file: FileOption = None,
    keep: KeepOption = False,
) -> None:
    """Make a token of an invitation's code; no other token is needed.

    The token is printed now and never again: only its digest is kept, and nobody else has seen it.
    """
    text = _code(code, file)
    handing = keeper(context, keep=keep)
    engine = context.engine
    from remit.operations.identities import invitations

    made = invitations.redeem(engine, text, context.keys, keep=handing)
    show_made_token(context, made, Principal(made.row.principal, "human"), kept=keep)


@app.add("invitations", acting=True)
def list_invitations(context: Context) -> None:
    """List the invitations that were made; an ordinary principal sees its own."""
    engine = context.engine
    from remit.operations.identities.invitations import read_invitations

    rows = read_invitations(engine, by=context.caller)
    context.show({"invitations": rows}, lambda: write_invitations(rows))


@app.add("withdraw", acting=True)
def withdraw(context: Context, invitation_id: InvitationArgument) -> None:
    """End an invitation before it is redeemed."""
    engine = context.engine
    from remit.operations.identities import invitations

    keys, by = context.keys, context.caller
    rows = invitations.read_invitations(engine, by=by)
    one = found_by_id(rows, invitation_id, noun="invitation", command="remit token invitations")
    row = invitations.revoke_invitation(engine, one.id, by=by, keys=keys)
    words = f"invitation {row.id} of {row.principal} is revoked"
    context.show({"invitation": row}, lambda: write_line(words))


def _code(code: str | None, file: Path | None) -> str:
    if code is not None and file is not None:
        raise InvalidInputError(
            "give the code, or a file that holds it, and not both", field="code"
        )
    if code is not None:
        return code
    if file is not None and file != STANDARD_STREAM:
        try:
            return file.read_text(encoding="ascii")
        except (OSError, ValueError) as error:
            raise InvalidInputError(f"{file} cannot be read as a code", field="--file") from error
    if sys.stdin is None:
        raise InvalidInputError("missing: give it, or name a file with --file", field="code")
    if file is None and sys.stdin.isatty():
        return str(typer.prompt("the code", hide_input=True, err=True))
    try:
        return sys.stdin.readline()
    except ValueError as error:
        raise InvalidInputError("standard input holds no code", field="code") from error
