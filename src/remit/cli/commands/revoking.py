"""`remit token revoke`: end a token, and say what was done with it that cannot be undone."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar
from uuid import UUID

import typer

from remit.base.wording import counted, quoted
from remit.cli.base.options import ActorOption, DataDirOption, JsonOption
from remit.cli.base.output import write_json, write_line
from remit.cli.commands.token import length_of
from remit.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remit.operations.identities.revocation import Reassessed, Revoked

SHORTEST_ID = 4
"""Fewest characters that may stand for a whole identifier."""

TokenArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The token's identifier, or its beginning.")
]
SinceOption = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        show_default=False,
        help="From when on it was misused, like 2026-01-31T14:05Z, or 2h for two hours ago: "
        "what was done with it since then does not count.",
    ),
]


def revoke_token(
    token_id: TokenArgument,
    *,
    since: SinceOption = None,
    actor: ActorOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a token at once; with --since, also what was made and approved with it from then on.

    Tokens and invitations that were made with it end too. Directives that it approved and that have
    not started are blocked; those that ran are named.
    """
    began = None if since is None else _moment(since)
    from remit.cli.base.services import caller, database, keys_for, load_settings

    settings = load_settings(data_dir)
    with database(data_dir) as engine:
        from remit.operations.identities import directory, revocation

        keys = keys_for(engine, settings)
        by = caller(engine, settings, actor, keys=keys)
        rows = directory.read_tokens(engine, by=by)
        one = found_by_id(rows, token_id, noun="token", command="remit token list")
        revoked = revocation.revoke_token(engine, one.id, by=by, keys=keys, since=began)
        became = revocation.reassess_approvals(engine, revoked, by=by, keys=keys)
    if as_json:
        write_json({"token": revoked.row, "ended": revoked, "directives": became})
        return
    for line in _told(revoked, became):
        write_line(line)


def _told(revoked: "Revoked", became: "Reassessed") -> "Iterable[str]":
    """Yield a line for everything that the revocation ended, or could not undo."""
    yield f"token {revoked.row.id} of {revoked.row.principal} is revoked"
    for token in revoked.also:
        yield f"token {token.id} of {token.principal}, made with it, is revoked"
    for invitation in revoked.invitations:
        yield f"invitation {invitation.id} of {invitation.principal}, made with it, has ended"
    for name in revoked.principals:
        yield f"{name} was made known or changed with it: look with `remit principal list`"
    for directive in became.waiting:
        yield f"directive {directive} still waits: an approval with it counts no more"
    for directive in became.voided:
        yield f"directive {directive} is blocked: too few approvals are left that count"
    for directive in became.ran:
        yield f"directive {directive} ran with an approval that does not count: undo what it did"
    if became.ran:
        yield f"{counted(len(became.ran), 'directive')} cannot be undone by Remit"


class _Identified(Protocol):
    @property
    def id(self) -> UUID: ...


_One = TypeVar("_One", bound=_Identified)


def found_by_id(rows: "Sequence[_One]", text: str, *, noun: str, command: str) -> _One:
    """Return the one row whose identifier begins with `text`.

    Args:
        rows: those that there are.
        text: what was typed.
        noun: what they are, for an error.
        command: what shows them, for an error.

    Raises:
        InvalidInputError: it stands for more than one.
        NotFoundError: it stands for none.
    """
    prefix = text.strip().lower().replace("-", "")
    found = [row for row in rows if row.id.hex.startswith(prefix)]
    if len(prefix) < SHORTEST_ID or len(found) > 1:
        raise InvalidInputError(f"give more of the {noun}'s identifier", field="id")
    if not found:
        raise NotFoundError(f"no {noun} begins with {prefix}; `{command}` shows them")
    return found[0]


def _moment(text: str) -> datetime | timedelta:
    """Return the moment that `text` says, or how long ago it was."""
    plain = text.strip().removesuffix("ago").strip()
    if plain[:1].isdigit() and plain[-1:] in {"s", "m", "h", "d"}:
        return length_of(plain, "--since")
    try:
        moment = datetime.fromisoformat(plain)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidInputError(
            f"{quoted(text)} is no moment: write it with its zone, like 2026-01-31T14:05Z, or like "
            "2h for two hours ago",
            field="--since",
        )
    return moment
