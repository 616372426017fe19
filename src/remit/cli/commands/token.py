"""`remit token`: the tokens that say who calls."""

import re
import sys
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from remit.cli.base import streams
from remit.cli.base.failures import report_untold
from remit.cli.base.options import ActorOption, DataDirOption, JsonOption, all_of, one_of
from remit.cli.base.output import Cell, Row, write_json, write_line, write_table
from remit.cli.commands.principals import GroupOption, NameArgument, RoleOption
from remit.cli.views.timeline import moment_or_dash
from remit.errors import InvalidInputError, RemitError
from remit.identity.rules import may
from remit.identity.types import Principal
from remit.vocabulary import Ability, PrincipalKind, Role

if TYPE_CHECKING:
    import sqlalchemy as sa

    from remit.identity.types import TokenRow
    from remit.operations.identities.principals import MadeToken
    from remit.signing.keys import Keyring

app = typer.Typer(help="The tokens that say who calls.", no_args_is_help=True)

_DAYS = re.compile(r"[1-9]\d{0,2}d", re.ASCII)

KindOption = Annotated[
    str | None,
    typer.Option(
        "--kind",
        metavar="KIND",
        show_default=False,
        help="What it is: human, agent or service. Default: what it is known as, else human.",
    ),
]
ScopeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--scope",
        metavar="ABILITY",
        show_default=False,
        help="Limit the token to this: propose, vote, operate, audit or administer; may be given "
        "several times. Default: all that its roles give.",
    ),
]


ActsForOption = Annotated[
    str | None,
    typer.Option("--acts-for", metavar="NAME", help="On whose behalf an agent acts."),
]
LengthOption = Annotated[
    str, typer.Option("--valid-for", metavar="LENGTH", help="How long it is good, like 12h.")
]
KeepOption = Annotated[
    bool, typer.Option("--keep", help="Keep it for this account, for --as NAME.")
]


@app.callback()
def token() -> None:
    """Look after the tokens that say who calls."""


@app.command("create")
def create_token(
    name: NameArgument,
    *,
    kind: KindOption = None,
    role: RoleOption = None,
    group: GroupOption = None,
    acts_for: ActsForOption = None,
    scope: ScopeOption = None,
    valid_for: LengthOption = "30d",
    keep: KeepOption = False,
    actor: ActorOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a token, and make its principal known if nobody has the name yet.

    The token is printed now and never again: only its digest is kept.
    """
    scopes = cast("tuple[Ability, ...]", all_of(scope, get_args(Ability), "--scope")) or None
    wanted = replace(described(name, kind, role, group), acts_for=acts_for, scopes=scopes)
    length = length_of(valid_for)
    from remit.cli.base import services, token_files

    settings = services.load_settings(data_dir)
    if keep:
        token_files.prepare_to_keep(settings)
    handing = partial(token_files.keep_made, settings) if keep else None
    with services.database(data_dir) as engine:
        from remit.operations.identities import directory

        keys = services.keys_for(engine, settings)
        by = services.caller(engine, settings, actor, keys=keys)
        wanted = wanted if kind else as_known(engine, wanted, by)
        made = directory.create_token(
            engine, wanted, valid_for=length, by=by, keys=keys, keep=handing
        )
        write_made_token(made, token_files.place(settings, name) if keep else None, as_json=as_json)
        if not keep:
            revoke_unless_shown(engine, made, keys, by=by, as_json=as_json)


def described(
    name: str, kind: str | None, role: list[str] | None, group: list[str] | None
) -> Principal:
    """Return the principal that the options describe."""
    return Principal(
        name,
        cast("PrincipalKind", one_of(kind or "human", get_args(PrincipalKind), "--kind")),
        roles=cast("tuple[Role, ...]", all_of(role, get_args(Role), "--role")),
        groups=tuple(group or ()),
    )


@app.command("list")
def list_tokens(
    *, actor: ActorOption = None, data_dir: DataDirOption = None, as_json: JsonOption = False
) -> None:
    """List the tokens that were made; an ordinary principal sees its own."""
    from remit.cli.base.services import caller, database, load_settings

    with database(data_dir) as engine:
        from remit.operations.identities import directory

        by = caller(engine, load_settings(data_dir), actor)
        rows = directory.read_tokens(engine, by=by)
    if as_json:
        write_json({"tokens": rows})
        return
    head = ("ID", "PRINCIPAL", "SCOPES", "CREATED BY", "CREATED", "EXPIRES", "REVOKED")
    write_table(head, [_token_row(row) for row in rows])


def write_made_token(made: "MadeToken", kept: Path | None, *, as_json: bool) -> None:
    """Print a token, the only time that anybody sees it."""
    if as_json:
        write_json({"token": str(made.token), "kept_in": kept, "row": made.row})
        return
    write_line(Cell(str(made.token), "bold"))
    notes = [
        f"{made.row.principal}'s until {moment_or_dash(made.row.expires_at)}; never shown again"
    ]
    if kept is not None:
        notes.append(f"kept in {kept}: --as {made.row.principal} acts with it")
    for note in notes:
        write_line(Cell(note, "dim"), stderr=True)


def revoke_unless_shown(
    engine: "sa.Engine", made: "MadeToken", keys: "Keyring", *, by: Principal, as_json: bool
) -> None:
    """Revoke a token that was just printed, when standard output did not take it.

    Raises:
        typer.Exit: so it is; a line says what became of the token.
    """
    from remit.operations.identities import revocation

    loss = streams.loss(sys.stdout)
    if loss is None:
        return
    try:
        revocation.revoke_token(engine, made.row.id, by=by, keys=keys)
        ending = "so it is revoked: make another one"
    except RemitError as error:
        ending = f"and not be revoked ({error}): do so with `remit token revoke {made.row.id}`"
    message = f"the token of {made.row.principal} could not be shown ({loss}), {ending}"
    raise typer.Exit(report_untold(message, as_json=as_json))


def as_known(engine: "sa.Engine", wanted: Principal, by: Principal) -> Principal:
    """Return a principal whose kind nobody gave: of the kind as which it is known, if it is."""
    from remit.operations.identities.directory import read_principals

    if not may(by, "administer"):
        return wanted  # for whoever makes the token to refuse
    kinds = {row.principal.name: row.principal.kind for row in read_principals(engine, by=by)}
    return replace(wanted, kind=kinds.get(wanted.name, wanted.kind))


def _token_row(row: "TokenRow") -> Row:
    return (
        Cell(row.id.hex[:8], "bold"),
        row.principal,
        ", ".join(row.scopes) or "all",
        f"{row.created_by} (redeemed)" if row.redeemed else row.created_by,
        moment_or_dash(row.created_at),
        moment_or_dash(row.expires_at),
        moment_or_dash(row.revoked_at),
    )


def length_of(text: str, field: str = "--valid-for") -> timedelta:
    """Return the length of time that an option says; whole days may be more than 30."""
    from remit.base.durations import parse_timebox

    # A timebox ends at 30 days, and a token may be good for longer: whole days are read here.
    if _DAYS.fullmatch(text):
        return timedelta(days=int(text[:-1]))
    try:
        return parse_timebox(text)
    except InvalidInputError as error:
        raise InvalidInputError(error.message, field=field) from error
