"""`remit principal four-eyes`, `proposals` and `confirm`: what two admins are asked for."""

from typing import Annotated

import typer

from remit.cli.base.options import ActorOption, DataDirOption, JsonOption, one_of
from remit.cli.base.output import Cell, write_json, write_line, write_table
from remit.cli.base.second_admin import propose_if_asked
from remit.cli.commands.invitations import write_invitation
from remit.cli.commands.principals import write_principals
from remit.cli.commands.revoking import found_by_id
from remit.cli.views.timeline import moment_or_dash


def four_eyes(
    switch: Annotated[str, typer.Argument(metavar="on|off", help="Whether two are asked.")],
    *,
    actor: ActorOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a second admin wherever an approver or an admin is made.

    One admin switches it on; to switch it off, another one must confirm.
    """
    one_of(switch, ("on", "off"), "on|off")
    from remit.cli.base.services import caller, database, keys_for, load_settings

    settings = load_settings(data_dir)
    with database(data_dir) as engine:
        from remit.operations.identities.four_eyes import Change, is_asked, switch_on

        keys = keys_for(engine, settings)
        by = caller(engine, settings, actor, keys=keys)
        if switch == "on":
            switch_on(engine, by=by, keys=keys)
        elif propose_if_asked(engine, Change("off", by), by=by, keys=keys, as_json=as_json):
            return
        on = is_asked(engine, Change("off", by), keys)
    if as_json:
        write_json({"four_eyes": on})
    else:
        write_line(f"a second admin is{'' if on else ' not'} asked to make approvers and admins")


def proposals(
    *, actor: ActorOption = None, data_dir: DataDirOption = None, as_json: JsonOption = False
) -> None:
    """List what one admin proposed and another one must confirm."""
    from remit.cli.base.services import caller, database, keys_for, load_settings

    settings = load_settings(data_dir)
    with database(data_dir) as engine:
        from remit.operations.identities.four_eyes import read_proposals

        keys = keys_for(engine, settings)
        by = caller(engine, settings, actor, keys=keys)
        rows = read_proposals(engine, by=by, keys=keys)
    if as_json:
        write_json({"proposals": rows})
        return
    head = ("ID", "WHAT", "NAME", "ROLES", "GROUPS", "PROPOSED BY", "PROPOSED")
    table = [
        (
            Cell(row.id.hex[:8], "bold"),
            row.change.verb,
            row.change.principal.name,
            ", ".join(row.change.principal.roles) or "-",
            ", ".join(row.change.principal.groups) or "-",
            row.by,
            moment_or_dash(row.at),
        )
        for row in rows
    ]
    write_table(head, table)


def confirm(
    proposal_id: Annotated[
        str, typer.Argument(metavar="ID", help="The proposal's identifier, or its beginning.")
    ],
    *,
    actor: ActorOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Carry out what another admin proposed; the code of an invitation is printed now."""
    from remit.cli.base.services import caller, database, keys_for, load_settings

    settings = load_settings(data_dir)
    with database(data_dir) as engine:
        from remit.operations.identities import four_eyes as eyes
        from remit.operations.identities.invitations import MadeInvitation

        keys = keys_for(engine, settings)
        by = caller(engine, settings, actor, keys=keys)
        rows = eyes.read_proposals(engine, by=by, keys=keys)
        command = "remit principal proposals"
        one = found_by_id(rows, proposal_id, noun="proposal", command=command)
        made = eyes.confirm(engine, one.id, by=by, keys=keys)
    if isinstance(made, MadeInvitation):
        write_invitation(made, as_json=as_json)
    elif made is not None:
        write_principals([made], as_json=as_json)
    elif as_json:
        write_json({"four_eyes": False})
    else:
        write_line("a second admin is not asked to make approvers and admins")
