"""`remit token`: the tokens that say who calls."""

import re
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from remit.base.durations import parse_timebox
from remit.base.wording import quoted
from remit.cli.base import streams, token_files
from remit.cli.base.context import Context, Group
from remit.cli.base.failures import report_output_lost
from remit.cli.base.options import all_of, argument, one_of, option
from remit.cli.commands.principals import GroupOption, NameArgument, RoleOption, found_by_id
from remit.cli.views.identities import write_made_token, write_revoked, write_tokens
from remit.errors import InvalidInputError, RemitError
from remit.identity.rules import may
from remit.identity.types import Principal
from remit.vocabulary import Ability, PrincipalKind, Role

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

    from remit.operations.identities.principals import MadeToken
    from remit.signing.keys import Keyring

app = Group("The tokens that say who calls.")

_DAYS = re.compile(r"[1-9]\d{0,2}d", re.ASCII)

KindOption = Annotated[
    str | None,
    option(
        "--kind",
        "What it is: human, agent or service. Default: what it is known as, else human.",
        "KIND",
    ),
]
ScopeOption = Annotated[
    list[str] | None,
    option(
        "--scope",
        "Limit the token to this: propose, vote, operate, audit or administer; may be given "
        "several times. Default: all that its roles give.",
        "ABILITY",
    ),
]
ActsForOption = Annotated[
    str | None, option("--acts-for", "On whose behalf an agent acts.", "NAME")
]
LengthOption = Annotated[str, option("--valid-for", "How long it is good, like 12h.", "LENGTH")]
KeepOption = Annotated[bool, option("--keep", "Keep it for this account, for --as NAME.")]
TokenArgument = Annotated[str, argument("ID", "The token's identifier, or its beginning.")]
SinceOption = Annotated[
    str | None,
    option(
        "--since",
        "From when on it was misused, like 2026-01-31T14:05Z, or 2h for two hours ago: "
        "what was done with it since then does not count.",
        "TIME",
    ),
]


@app.add("create", acting=True)
def create_token(
    context: Context,
    name: NameArgument,
    *,
    kind: KindOption = None,
    role: RoleOption = None,
    group: GroupOption = None,
    acts_for: ActsForOption = None,
    scope: ScopeOption = None,
    valid_for: LengthOption = "30d",
    keep: KeepOption = False,
) -> None:
    """Make a token, and make its principal known if nobody has the name yet.

    The token is printed now and never again: only its digest is kept.
    """
    wanted = described(name, kind, role, group, acts_for=acts_for, scope=scope)
    length = length_of(valid_for)
    handing = keeper(context, keep=keep)
    engine = context.engine
    from remit.operations.identities import directory

    keys, by = context.keys, context.caller
    wanted = wanted if kind else as_known(engine, wanted, by)
    made = directory.create_token(engine, wanted, valid_for=length, by=by, keys=keys, keep=handing)
    show_made_token(context, made, by, kept=keep)


def keeper(context: Context, *, keep: bool) -> "Callable[[MadeToken], None] | None":
    """Return what keeps a token that is about to be made, if it is to `keep` it."""
    if not keep:
        return None
    token_files.prepare_to_keep(context.settings)
    return partial(token_files.keep_made, context.settings)


def described(
    name: str,
    kind: str | None,
    role: list[str] | None,
    group: list[str] | None,
    *,
    acts_for: str | None,
    scope: list[str] | None,
) -> Principal:
    """Return the principal that the options describe."""
    scopes = cast("tuple[Ability, ...]", all_of(scope, get_args(Ability), "--scope"))
    return Principal(
        name,
        cast("PrincipalKind", one_of(kind or "human", get_args(PrincipalKind), "--kind")),
        roles=cast("tuple[Role, ...]", all_of(role, get_args(Role), "--role")),
        groups=tuple(group or ()),
        acts_for=acts_for,
        scopes=scopes or None,
    )


@app.add("list", acting=True)
def list_tokens(context: Context) -> None:
    """List the tokens that were made; an ordinary principal sees its own."""
    engine = context.engine
    from remit.operations.identities import directory

    rows = directory.read_tokens(engine, by=context.caller)
    context.show({"tokens": rows}, lambda: write_tokens(rows))


@app.add("revoke", acting=True)
def revoke_token(context: Context, token_id: TokenArgument, *, since: SinceOption = None) -> None:
    """End a token at once; with --since, also what was made and approved with it from then on.

    Tokens and invitations that were made with it end too. Directives that it approved and that have
    not started are blocked; those that ran are named.
    """
    began = None if since is None else _moment(since)
    engine = context.engine
    from remit.operations.identities import directory, revocation

    keys, by = context.keys, context.caller
    rows = directory.read_tokens(engine, by=by)
    one = found_by_id(rows, token_id, noun="token", command="remit token list")
    revoked = revocation.revoke_token(engine, one.id, by=by, keys=keys, since=began)
    became = revocation.reassess_approvals(engine, revoked, by=by, keys=keys)
    document = {"token": revoked.row, "ended": revoked, "directives": became}
    context.show(document, lambda: write_revoked(revoked, became))


def show_made_token(context: Context, made: "MadeToken", by: Principal, *, kept: bool) -> None:
    """Print a token, the only time that anybody sees it; one that is then lost is revoked."""
    place = token_files.place(context.settings, made.row.principal) if kept else None
    document = {"token": str(made.token), "kept_in": place, "row": made.row}
    context.show(document, lambda: write_made_token(made, place))
    if not kept:
        revoke_unless_shown(context.engine, made, context.keys, by=by, as_json=context.as_json)


def revoke_unless_shown(
    engine: "sa.Engine", made: "MadeToken", keys: "Keyring", *, by: Principal, as_json: bool
) -> None:
    """Revoke a token that was just printed, and exit, when standard output did not take it."""
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
    raise typer.Exit(report_output_lost(message, as_json=as_json))


def as_known(engine: "sa.Engine", wanted: Principal, by: Principal) -> Principal:
    """Return a principal whose kind nobody gave: of the kind as which it is known, if it is."""
    from remit.operations.identities.directory import read_principals

    if not may(by, "administer"):
        return wanted  # for whoever makes the token to refuse
    kinds = {row.principal.name: row.principal.kind for row in read_principals(engine, by=by)}
    return replace(wanted, kind=kinds.get(wanted.name, wanted.kind))


def length_of(text: str, field: str = "--valid-for") -> timedelta:
    """Return the length of time that an option says; whole days may be more than 30."""
    # A timebox ends at 30 days, and a token may be good for longer: whole days are read here.
    if _DAYS.fullmatch(text):
        return timedelta(days=int(text[:-1]))
    return parse_timebox(text, field=field)


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
