"""`remit token invite` and what follows: a code from an admin, a token that only its owner sees."""

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from remit.cli.base.options import STANDARD_STREAM, ActorOption, DataDirOption, JsonOption, all_of
from remit.cli.base.output import Cell, Row, write_json, write_line, write_table
from remit.cli.base.second_admin import propose_if_asked
from remit.cli.commands.principals import GroupOption, NameArgument, RoleOption
from remit.cli.commands.revoking import found_by_id
from remit.cli.commands.token import (
    ActsForOption,
    KeepOption,
    KindOption,
    LengthOption,
    ScopeOption,
    as_known,
    described,
    length_of,
    revoke_unless_shown,
    write_made_token,
)
from remit.cli.views.timeline import moment_or_dash
from remit.errors import InvalidInputError
from remit.identity.types import Principal
from remit.vocabulary import Ability

if TYPE_CHECKING:
    from remit.identity.types import Invitation
    from remit.operations.identities.invitations import MadeInvitation

FileOption = Annotated[
    Path | None,
    typer.Option(
        "--file",
        metavar="FILE",
        show_default=False,
        help="Read the code from here, so that it stands in no history of commands; - is standard "
        "input.",
    ),
]
ExpiryOption = Annotated[
    str,
    typer.Option(
        "--code-expires", metavar="LENGTH", help="How long the code can be redeemed, like 2h."
    ),
]


def invite(
    name: NameArgument,
    *,
    kind: KindOption = None,
    role: RoleOption = None,
    group: GroupOption = None,
    acts_for: ActsForOption = None,
    scope: ScopeOption = None,
    valid_for: LengthOption = "30d",
    code_expires: ExpiryOption = "24h",
    actor: ActorOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a code of which somebody makes a token themself, which nobody else then has seen.

    The code is good once. Hand it over in person, or on a way that you trust: whoever has it can
    redeem it.
    """
    scopes = cast("tuple[Ability, ...]", all_of(scope, get_args(Ability), "--scope")) or None
    wanted = replace(described(name, kind, role, group), acts_for=acts_for, scopes=scopes)
    length, open_for = length_of(valid_for), length_of(code_expires, "--code-expires")
    from remit.cli.base import services

    settings = services.load_settings(data_dir)
    with services.database(data_dir) as engine:
        from remit.operations.identities import invitations
        from remit.operations.identities.four_eyes import Change

        keys = services.keys_for(engine, settings)
        by = services.caller(engine, settings, actor, keys=keys)
        wanted = wanted if kind else as_known(engine, wanted, by)
        change = Change("invite", wanted, length, open_for)
        if propose_if_asked(engine, change, by=by, keys=keys, as_json=as_json):
            return
        made = invitations.invite(
            engine, wanted, valid_for=length, open_for=open_for, by=by, keys=keys
        )
        write_invitation(made, as_json=as_json)


def write_invitation(made: "MadeInvitation", *, as_json: bool) -> None:
    """Print a code, the only time that anybody sees it."""
    if as_json:
        write_json({"code": str(made.code), "row": made.row})
        return
    write_line(Cell(str(made.code), "bold"))
    until = moment_or_dash(made.row.expires_at)
    note = (
        f"for {made.row.principal}, once, until {until}: they run `remit token redeem`; never "
        "shown again"
    )
    write_line(Cell(note, "dim"), stderr=True)


def redeem(
    code: Annotated[
        str | None,
        typer.Argument(
            metavar="CODE",
            show_default=False,
            help="The code. Default: asked for, or read from standard input.",
        ),
    ] = None,
    *,
    file: FileOption = None,
    keep: KeepOption = False,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a token of an invitation's code; no other token is needed.

    The token is printed now and never again: only its digest is kept, and nobody else has seen it.
    """
    text = _code(code, file)
    from remit.cli.base import services, token_files

    settings = services.load_settings(data_dir)
    if keep:
        token_files.prepare_to_keep(settings)
    handing = partial(token_files.keep_made, settings) if keep else None
    with services.database(data_dir) as engine:
        from remit.operations.identities import invitations

        keys = services.keys_for(engine, settings)
        made = invitations.redeem(engine, text, keys, keep=handing)
        owner = made.row.principal
        place = token_files.place(settings, owner) if keep else None
        write_made_token(made, place, as_json=as_json)
        if not keep:
            by = Principal(owner, "human")
            revoke_unless_shown(engine, made, keys, by=by, as_json=as_json)


def list_invitations(
    *, actor: ActorOption = None, data_dir: DataDirOption = None, as_json: JsonOption = False
) -> None:
    """List the invitations that were made; an ordinary principal sees its own."""
    from remit.cli.base.services import caller, database, load_settings

    with database(data_dir) as engine:
        from remit.operations.identities.invitations import read_invitations

        rows = read_invitations(engine, by=caller(engine, load_settings(data_dir), actor))
    if as_json:
        write_json({"invitations": rows})
        return
    head = ("ID", "PRINCIPAL", "SCOPES", "MADE BY", "EXPIRES", "REDEEMED", "TOKEN", "REVOKED")
    write_table(head, [_row(row) for row in rows])


def withdraw(
    invitation_id: Annotated[
        str, typer.Argument(metavar="ID", help="The invitation's identifier, or its beginning.")
    ],
    *,
    actor: ActorOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """End an invitation before it is redeemed."""
    from remit.cli.base.services import caller, database, keys_for, load_settings

    settings = load_settings(data_dir)
    with database(data_dir) as engine:
        from remit.operations.identities import invitations

        keys = keys_for(engine, settings)
        by = caller(engine, settings, actor, keys=keys)
        rows = invitations.read_invitations(engine, by=by)
        one = found_by_id(rows, invitation_id, noun="invitation", command="remit token invitations")
        row = invitations.revoke_invitation(engine, one.id, by=by, keys=keys)
    if as_json:
        write_json({"invitation": row})
    else:
        write_line(f"invitation {row.id} of {row.principal} is revoked")


def _code(code: str | None, file: Path | None) -> str:
    """Return the code that was given, from wherever it is to be read."""
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


def _row(row: "Invitation") -> Row:
    return (
        Cell(row.id.hex[:8], "bold"),
        row.principal,
        ", ".join(row.scopes) or "all",
        row.created_by,
        moment_or_dash(row.expires_at),
        moment_or_dash(row.redeemed_at),
        "-" if row.token_id is None else row.token_id.hex[:8],
        moment_or_dash(row.revoked_at),
    )
