"""Principals, tokens and invitations as `remit principal` and `remit token` show them."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from remit.base.wording import counted
from remit.cli.base.output import Cell, write_line, write_table
from remit.cli.views.cells import moment

if TYPE_CHECKING:
    from remit.identity.types import Invitation, Principal, PrincipalRow, TokenRow
    from remit.operations.identities.four_eyes import Proposal
    from remit.operations.identities.invitations import MadeInvitation
    from remit.operations.identities.principals import MadeToken
    from remit.operations.identities.revocation import Reassessed, Revoked


def write_principals(rows: "Iterable[PrincipalRow]") -> None:
    """Print who is known, a row each."""
    write_table(
        ("NAME", "KIND", "ROLES", "GROUPS", "ACTS FOR", "CREATED BY", "DISABLED"),
        [
            (
                Cell(who.name, "bold"),
                who.kind,
                *_standing(who),
                who.acts_for or "-",
                row.created_by,
                moment(row.disabled_at),
            )
            for row in rows
            for who in [row.principal]
        ],
    )


def write_proposals(rows: "Iterable[Proposal]") -> None:
    """Print what one admin proposed and another one must confirm, a row each."""
    write_table(
        ("ID", "WHAT", "NAME", "ROLES", "GROUPS", "PROPOSED BY", "PROPOSED"),
        [
            (
                Cell(row.id.hex[:8], "bold"),
                row.change.verb,
                row.change.principal.name,
                *_standing(row.change.principal),
                row.by,
                moment(row.at),
            )
            for row in rows
        ],
    )


def _standing(principal: "Principal") -> tuple[str, str]:
    return ", ".join(principal.roles) or "-", ", ".join(principal.groups) or "-"


def write_tokens(rows: "Iterable[TokenRow]") -> None:
    """Print tokens, a row each."""
    write_table(
        ("ID", "PRINCIPAL", "SCOPES", "CREATED BY", "CREATED", "EXPIRES", "REVOKED"),
        [
            (
                Cell(row.id.hex[:8], "bold"),
                row.principal,
                ", ".join(row.scopes) or "all",
                f"{row.created_by} (redeemed)" if row.redeemed else row.created_by,
                *map(moment, (row.created_at, row.expires_at, row.revoked_at)),
            )
            for row in rows
        ],
    )


def write_invitations(rows: "Iterable[Invitation]") -> None:
    """Print invitations, a row each."""
    write_table(
        ("ID", "PRINCIPAL", "SCOPES", "MADE BY", "EXPIRES", "REDEEMED", "TOKEN", "REVOKED"),
        [
            (
                Cell(row.id.hex[:8], "bold"),
                row.principal,
                ", ".join(row.scopes) or "all",
                row.created_by,
                moment(row.expires_at),
                moment(row.redeemed_at),
                "-" if row.token_id is None else row.token_id.hex[:8],
                moment(row.revoked_at),
            )
            for row in rows
        ],
    )


def write_made_token(made: "MadeToken", kept: Path | None) -> None:
    """Print a token, the only time that anybody sees it."""
    owner = made.row.principal
    write_line(Cell(str(made.token), "bold"))
    until = moment(made.row.expires_at)
    write_line(Cell(f"{owner}'s until {until}; never shown again", "dim"), stderr=True)
    if kept is not None:
        write_line(Cell(f"kept in {kept}: --as {owner} acts with it", "dim"), stderr=True)


def write_made_invitation(made: "MadeInvitation") -> None:
    """Print a code, the only time that anybody sees it."""
    write_line(Cell(str(made.code), "bold"))
    lead = f"for {made.row.principal}, once, until {moment(made.row.expires_at)}"
    note = f"{lead}: they run `remit token redeem`; never shown again"
    write_line(Cell(note, "dim"), stderr=True)


def write_revoked(revoked: "Revoked", became: "Reassessed") -> None:
    """Print a line for everything that a revocation ended, or could not undo."""
    write_line(f"token {revoked.row.id} of {revoked.row.principal} is revoked")
    for token in revoked.also:
        write_line(f"token {token.id} of {token.principal}, made with it, is revoked")
    for each in revoked.invitations:
        write_line(f"invitation {each.id} of {each.principal}, made with it, has ended")
    for name in revoked.principals:
        write_line(f"{name} was made known or changed with it: look with `remit principal list`")
    words = {
        "still waits: an approval with it counts no more": became.waiting,
        "is blocked: too few approvals are left that count": became.voided,
        "ran with an approval that does not count: undo what it did": became.ran,
    }
    for became_so, directives in words.items():
        for directive in directives:
            write_line(f"directive {directive} {became_so}")
    if became.ran:
        write_line(f"{counted(len(became.ran), 'directive')} cannot be undone by Remit")
