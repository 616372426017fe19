"""`remit principal`: who is known, and what each may do."""

from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from remit.cli.base.options import ActorOption, DataDirOption, JsonOption, all_of
from remit.cli.base.output import Cell, Row, write_json, write_table
from remit.cli.views.timeline import moment_or_dash
from remit.identity.types import Principal
from remit.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remit.identity.types import PrincipalRow

app = typer.Typer(help="Who is known, and what each may do.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The principal's name.")]
RoleOption = Annotated[
    list[str] | None,
    typer.Option(
        "--role",
        metavar="ROLE",
        show_default=False,
        help="What it is trusted with: proposer, approver, operator, auditor or admin; may be "
        "given several times.",
    ),
]
GroupOption = Annotated[
    list[str] | None,
    typer.Option(
        "--group",
        metavar="GROUP",
        show_default=False,
        help="A group of approvers that it belongs to; may be given several times.",
    ),
]


@app.callback()
def principal() -> None:
    """Look after who is known."""


@app.command("list")
def list_principals(
    *, actor: ActorOption = None, data_dir: DataDirOption = None, as_json: JsonOption = False
) -> None:
    """List who is known."""
    from remit.cli.base.services import caller, database, load_settings

    with database(data_dir) as engine:
        from remit.operations.identities import directory

        rows = directory.read_principals(engine, by=caller(engine, load_settings(data_dir), actor))
    write_principals(rows, as_json=as_json)


@app.command("set")
def set_principal(
    name: NameArgument,
    *,
    role: RoleOption = None,
    group: GroupOption = None,
    actor: ActorOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a principal these roles and groups, in place of those that it has."""
    roles = cast("tuple[Role, ...]", all_of(role, get_args(Role), "--role"))
    from remit.cli.base.second_admin import propose_if_asked
    from remit.cli.base.services import caller, database, keys_for, load_settings

    settings = load_settings(data_dir)
    with database(data_dir) as engine:
        from remit.operations.identities import directory
        from remit.operations.identities.four_eyes import Change

        keys = keys_for(engine, settings)
        by = caller(engine, settings, actor, keys=keys)
        groups = tuple(group or ())
        change = Change("set", Principal(name, "human", roles, groups))
        if propose_if_asked(engine, change, by=by, keys=keys, as_json=as_json):
            return
        row = directory.change_principal(engine, name, roles=roles, groups=groups, by=by, keys=keys)
    write_principals([row], as_json=as_json)


@app.command("disable")
def disable_principal(
    name: NameArgument,
    *,
    actor: ActorOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Shut a principal out for good: its tokens end, and its name is never used again."""
    from remit.cli.base.services import caller, database, keys_for, load_settings

    settings = load_settings(data_dir)
    with database(data_dir) as engine:
        from remit.operations.identities import directory

        keys = keys_for(engine, settings)
        by = caller(engine, settings, actor, keys=keys)
        row = directory.disable_principal(engine, name, by=by, keys=keys)
    write_principals([row], as_json=as_json)


def write_principals(rows: "Sequence[PrincipalRow]", *, as_json: bool) -> None:
    """Print principals."""
    if as_json:
        write_json({"principals": rows})
        return
    head = ("NAME", "KIND", "ROLES", "GROUPS", "ACTS FOR", "CREATED BY", "DISABLED")
    write_table(head, [_principal_row(row) for row in rows])


def _principal_row(row: "PrincipalRow") -> Row:
    one = row.principal
    return (
        Cell(one.name, "bold"),
        one.kind,
        ", ".join(one.roles) or "-",
        ", ".join(one.groups) or "-",
        one.acts_for or "-",
        row.created_by,
        moment_or_dash(row.disabled_at),
    )
