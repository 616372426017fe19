"""All SQL of principals and of the installation, one row that services lock and none writes."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from remit.base.json_types import JsonObject
from remit.db.identity_tables import installation, principals
from remit.db.reading import words
from remit.errors import ConflictError, MisconfiguredError
from remit.identity.types import Principal, PrincipalRow
from remit.signing.keys import Installation
from remit.telemetry.rows import read_row, read_rows


def find_principal(connection: sa.Connection, name: str) -> PrincipalRow | None:
    """Return a principal; None when nobody has that name."""
    row = connection.execute(sa.select(principals).where(principals.c.name == name)).first()
    return read_row(row._mapping, principal_row, "principals") if row else None


def acts_for(connection: sa.Connection, name: str) -> tuple[str, ...]:
    """Return on whose behalf a principal acts, on whose behalf that one does, and so on."""
    return tuple(connection.execute(_ACTS_FOR, {"name": name}).scalars())


def is_anybody_known(connection: sa.Connection) -> bool:
    """Return whether there ever was a principal, one that cannot be read included."""
    return bool(connection.execute(sa.select(sa.exists(sa.select(principals)))).scalar_one())


def list_principals(connection: sa.Connection) -> list[PrincipalRow]:
    """Return every principal there ever was, by name."""
    rows = connection.execute(sa.select(principals).order_by(principals.c.name))
    return read_rows(rows, principal_row, "principals")


def insert_principals(
    connection: sa.Connection, new: Sequence[tuple[Principal, JsonObject]], *, created_by: str
) -> list[str]:
    """Make signed principals known, and return the names of those that were not known before."""
    rows = [
        columns_of(one, *_PRINCIPAL) | {"created_by": created_by, "envelope": envelope}
        for one, envelope in new
    ]
    statement = insert(principals).on_conflict_do_nothing().returning(principals.c.name)
    return list(connection.execute(statement.values(rows)).scalars()) if rows else []


def update_principal(
    connection: sa.Connection, principal: Principal, revision: int, envelope: JsonObject
) -> None:
    """Give a principal other roles and groups, as they were signed for a revision."""
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


def disable_principal(
    connection: sa.Connection, name: str, signed: tuple[int, JsonObject] | None
) -> None:
    """Shut a principal out for good; whoever is shut out already keeps the first time.

    `signed` is the revision and the envelope that say so; None for one whose row does not verify,
    and which is not signed anew.
    """
    statement = sa.update(principals).where(
        principals.c.name == name, principals.c.disabled_at.is_(None)
    )
    values: dict[str, object] = {"disabled_at": sa.func.now()}
    if signed is not None:
        revision, envelope = signed
        statement = statement.where(principals.c.revision == revision - 1)
        values |= {"revision": revision, "envelope": envelope}
    if connection.execute(statement.values(values)).rowcount != 1:
        raise ConflictError(f"{name} was changed at the same moment; look, and try again")


_PRINCIPAL = ("name", "kind", "roles", "groups", "acts_for")
_ACTS_FOR = sa.text("""
    WITH RECURSIVE behind (name) AS (
        SELECT acts_for FROM principals WHERE name = :name AND acts_for IS NOT NULL
        UNION
        SELECT one.acts_for FROM behind JOIN principals AS one ON one.name = behind.name
        WHERE one.acts_for IS NOT NULL
    )
    SELECT name FROM behind
""")


def principal_row(row: sa.RowMapping | Mapping[str, Any]) -> PrincipalRow:
    """Return the principal of a row that has all of its columns."""
    known = {name: row[name] for name in _PRINCIPAL}
    known |= {name: words(row[name]) for name in ("roles", "groups")}
    kept = {column.name: row[column.name] for column in principals.c}
    for name in known:
        del kept[name]
    return PrincipalRow(Principal(**known), **kept)


def columns_of(value: object, *names: str) -> dict[str, object]:
    """Return fields of a value as columns hold them: words as a sorted list, each once."""
    found = {name: getattr(value, name) for name in names}
    return {
        name: sorted(set(each)) if isinstance(each, tuple) else each for name, each in found.items()
    }


def read_installation(connection: sa.Connection) -> Installation:
    """Return whose database this is."""
    row = connection.execute(sa.select(installation.c.id, installation.c.since)).first()
    if row is None:
        raise MisconfiguredError(
            "the database does not say which installation it is: `remit db upgrade` makes one that "
            "does"
        )
    return Installation(row.id, row.since)


def lock_installation(connection: sa.Connection) -> None:
    """Let one transaction at a time change who is known, until it ends.

    Only services may take this lock, which is one on the row; an event of the installation takes
    it, too. Whoever waits for longer than some seconds gets an error, and nothing is changed.
    """
    connection.execute(sa.select(sa.func.remit_lock_installation()))
