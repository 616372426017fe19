"""Principals, tokens and invitations as `remit principal` and `remit token` show them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from remit.base.wording import counted
from remit.cli.base.output import Cell, write_line, write_table
from remit.cli.views.cells import moment_or_dash

if TYPE_CHECKING:
    from remit.identity.types import Invitation, PrincipalRow, TokenRow
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
                Cell(row.principal.name, "bold"),
                row.principal.kind,
                ", ".join(row.principal.roles) or "-",
                ", ".join(row.principal.groups) or "-",
                row.principal.acts_for or "-",
                row.created_by,
                moment_or_dash(row.disabled_at),
            )
            for row in rows
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
                ", ".join(row.change.principal.roles) or "-",
                ", ".join(row.change.principal.groups) or "-",
                row.by,
                moment_or_dash(row.at),
            )
            for row in rows
        ],
    )


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
                moment_or_dash(row.created_at),
                moment_or_dash(row.expires_at),
                moment_or_dash(row.revoked_at),
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
                moment_or_dash(row.expires_at),
                moment_or_dash(row.redeemed_at),
                "-" if row.token_id is None else row.token_id.hex[:8],
                moment_or_dash(row.revoked_at),
            )
            for row in rows
        ],
    )


def write_made_token(made: "MadeToken", kept: Path | None) -> None:
    """Print a token, the only time that anybody sees it."""
    owner = made.row.principal
    write_line(Cell(str(made.token), "bold"))
    notes = [f"{owner}'s until {moment_or_dash(made.row.expires_at)}; never shown again"]
    if kept is not None:
        notes.append(f"kept in {kept}: --as {owner} acts with it")
    for note in notes:
        write_line(Cell(note, "dim"), stderr=True)


def write_made_invitation(made: "MadeInvitation") -> None:
    """Print a code, the only time that anybody sees it."""
    write_line(Cell(str(made.code), "bold"))
    until = moment_or_dash(made.row.expires_at)
    lead = f"for {made.row.principal}, once, until {until}"
    note = f"{lead}: they run `remit token redeem`; never shown again"
    write_line(Cell(note, "dim"), stderr=True)


def write_revoked(revoked: "Revoked", became: "Reassessed") -> None:
    """Print a line for everything that a revocation ended, or could not undo."""
    for line in _revoked_lines(revoked, became):
        write_line(line)


def _revoked_lines(revoked: "Revoked", became: "Reassessed") -> Sequence[str]:
    ran = len(became.ran)
    return [
        f"token {revoked.row.id} of {revoked.row.principal} is revoked",
        *(
            f"token {token.id} of {token.principal}, made with it, is revoked"
            for token in revoked.also
        ),
        *(
            f"invitation {invitation.id} of {invitation.principal}, made with it, has ended"
            for invitation in revoked.invitations
        ),
        *(
            f"{name} was made known or changed with it: look with `remit principal list`"
            for name in revoked.principals
        ),
        *(
            f"directive {directive} still waits: an approval with it counts no more"
            for directive in became.waiting
        ),
        *(
            f"directive {directive} is blocked: too few approvals are left that count"
            for directive in became.voided
        ),
        *(
            f"directive {directive} ran with an approval that does not count: undo what it did"
            for directive in became.ran
        ),
        *([f"{counted(ran, 'directive')} cannot be undone by Remit"] if ran else []),
    ]
