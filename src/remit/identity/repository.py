"""All SQL of principals and tokens. Expiries are computed and judged by the database's clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from remit.db.identity_tables import api_tokens, principals
from remit.db.reading import words
from remit.errors import ConflictError, NotFoundError
from remit.identity.types import Ability, Principal, PrincipalRow, TokenRow
from remit.json_types import JsonObject
from remit.telemetry.rows import read_row, read_rows


@dataclass(frozen=True, slots=True)
class Known:
    """A token that was found, with whose it is.

    Attributes:
        hash: the digest that the presented token must have.
        owner: whose it is.
        scopes: the abilities that it is limited to; empty: all that its owner has.
        expires_at: when it ends by itself.
        envelope: all of that, signed; None: somebody else wrote the row.
        created_at: when it was made.
        created_by: who made it.
        created_with: the token that its maker showed; None: none was, or it was not noted.
        redeemed: whether its owner made it of an invitation.
        expired: whether its time is over, by the database's clock.
        revoked: whether it was revoked.
    """

    hash: str
    owner: PrincipalRow
    scopes: tuple[Ability, ...]
    expires_at: datetime
    envelope: JsonObject | None
    created_at: datetime
    created_by: str
    created_with: UUID | None
    redeemed: bool
    expired: bool
    revoked: bool


def find_token(connection: sa.Connection, token_id: UUID) -> Known | None:
    """Return what is kept of a token; None when there is none of that id."""
    row = connection.execute(_BY_TOKEN, {"token_id": token_id}).first()
    return None if row is None else read_row(row._mapping, _known, "api_tokens")


def find_principal(connection: sa.Connection, name: str) -> PrincipalRow | None:
    """Return a principal; None when nobody has that name."""
    row = connection.execute(sa.select(principals).where(principals.c.name == name)).first()
    return read_row(row._mapping, _row, "principals") if row else None


def acts_for(connection: sa.Connection, name: str) -> tuple[str, ...]:
    """Return on whose behalf a principal acts, on whose behalf that one does, and so on."""
    return tuple(connection.execute(_ACTS_FOR, {"name": name}).scalars())


def list_principals(connection: sa.Connection) -> list[PrincipalRow]:
    """Return every principal there ever was, by name."""
    rows = connection.execute(sa.select(principals).order_by(principals.c.name))
    return read_rows(rows, _row, "principals")


def insert_principals(
    connection: sa.Connection, new: Sequence[tuple[Principal, JsonObject]], *, created_by: str
) -> list[str]:
    """Make signed principals known, and return the names of those that were not known before."""
    rows = [
        {
            "name": one.name,
            "kind": one.kind,
            "roles": sorted(set(one.roles)),
            "groups": sorted(set(one.groups)),
            "acts_for": one.acts_for,
            "created_by": created_by,
            "envelope": envelope,
        }
        for one, envelope in new
    ]
    statement = insert(principals).on_conflict_do_nothing().returning(principals.c.name)
    return list(connection.execute(statement.values(rows)).scalars()) if rows else []


def update_principal(
    connection: sa.Connection, principal: Principal, revision: int, envelope: JsonObject
) -> None:
    """Give a principal other roles and groups, as they were signed for a revision.

    Raises:
        ConflictError: somebody else did at the same moment.
    """
    done = connection.execute(
        sa.update(principals)
        .where(principals.c.name == principal.name, principals.c.revision == revision - 1)
        .values(
            roles=sorted(set(principal.roles)),
            groups=sorted(set(principal.groups)),
            revision=revision,
            envelope=envelope,
        )
    )
    if done.rowcount != 1:
        raise ConflictError(f"{principal.name} was changed at the same moment; look, and try again")


def disable_principal(connection: sa.Connection, name: str) -> None:
    """Shut a principal out for good; whoever is shut out already keeps the first time."""
    connection.execute(
        sa.update(principals)
        .where(principals.c.name == name, principals.c.disabled_at.is_(None))
        .values(disabled_at=sa.func.now())
    )


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token to keep; see :class:`TokenRow` for the fields."""

    id: UUID
    principal: str
    hash: str
    scopes: tuple[Ability, ...]
    expires_at: datetime
    envelope: JsonObject


def insert_token(connection: sa.Connection, new: NewToken, *, created_by: str) -> TokenRow:
    """Keep the digest of a signed token, and return what is kept."""
    statement = (
        sa.insert(api_tokens)
        .values(
            id=new.id,
            principal=new.principal,
            hash=new.hash,
            scopes=sorted(set(new.scopes)),
            created_by=created_by,
            expires_at=new.expires_at,
            envelope=new.envelope,
        )
        .returning(*_TOKEN_COLUMNS)
    )
    return _token(connection.execute(statement).one()._mapping)


def list_tokens(connection: sa.Connection, principal: str | None = None) -> list[TokenRow]:
    """Return every token, or one principal's, newest first."""
    statement = sa.select(*_TOKEN_COLUMNS).order_by(api_tokens.c.created_at.desc())
    if principal is not None:
        statement = statement.where(api_tokens.c.principal == principal)
    return read_rows(connection.execute(statement), _token, "api_tokens")


def revoke_token(connection: sa.Connection, token_id: UUID) -> TokenRow:
    """End a token; one that was revoked before keeps the first time.

    Raises:
        NotFoundError: there is none of that id.
    """
    statement = (
        sa.update(api_tokens)
        .where(api_tokens.c.id == token_id)
        .values(revoked_at=sa.func.coalesce(api_tokens.c.revoked_at, sa.func.now()))
        .returning(*_TOKEN_COLUMNS)
    )
    row = connection.execute(statement).first()
    if row is None:
        raise NotFoundError(
            f"there is no token {token_id}; `remit token list` shows those there are"
        )
    return read_row(row._mapping, _token, "api_tokens")


_KEPT = ("created_by", "created_at", "disabled_at", "revision", "envelope")
_TOKEN_COLUMNS = tuple(column for column in api_tokens.c if column.name not in {"hash", "envelope"})
_ACTS_FOR = sa.text("""
    WITH RECURSIVE behind (name) AS (
        SELECT acts_for FROM principals WHERE name = :name AND acts_for IS NOT NULL
        UNION
        SELECT one.acts_for FROM behind JOIN principals AS one ON one.name = behind.name
        WHERE one.acts_for IS NOT NULL
    )
    SELECT name FROM behind
""")
_BY_TOKEN = (
    sa.select(
        principals,
        api_tokens.c.hash,
        api_tokens.c.scopes,
        api_tokens.c.expires_at,
        api_tokens.c.revoked_at,
        api_tokens.c.envelope.label("token_envelope"),
        api_tokens.c.created_at.label("token_created_at"),
        api_tokens.c.created_by.label("token_created_by"),
        api_tokens.c.created_with,
        api_tokens.c.redeemed,
        (api_tokens.c.expires_at <= sa.func.clock_timestamp()).label("expired"),
    )
    .join(api_tokens, api_tokens.c.principal == principals.c.name)
    .where(api_tokens.c.id == sa.bindparam("token_id"))
)


def _row(row: sa.RowMapping) -> PrincipalRow:
    principal = Principal(
        name=row["name"],
        kind=row["kind"],
        roles=words(row["roles"]),
        groups=words(row["groups"]),
        acts_for=row["acts_for"],
    )
    kept = {name: row[name] for name in _KEPT}
    return PrincipalRow(principal, **kept)


def _known(row: sa.RowMapping) -> Known:
    return Known(
        hash=row["hash"],
        owner=_row(row),
        scopes=words(row["scopes"]),
        expires_at=row["expires_at"],
        envelope=row["token_envelope"],
        created_at=row["token_created_at"],
        created_by=row["token_created_by"],
        created_with=row["created_with"],
        redeemed=row["redeemed"],
        expired=row["expired"],
        revoked=row["revoked_at"] is not None,
    )


def _token(row: sa.RowMapping) -> TokenRow:
    return TokenRow(**{**row, "scopes": words(row["scopes"])})
