"""The kinds of column that the schema is made of, and how its constraints are named."""

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from remit.base.json_types import GREATEST, MAX_KEPT_DEPTH
from remit.vocabulary import words_of

NAMING: Mapping[str, str] = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}
MAX_TEXT_BYTES = 64 * 1024
"""Most bytes of a text in a column. The longest that Remit writes has 8192 characters."""

MAX_JSON_BYTES = 32 * 1024 * 1024
"""Most bytes of a JSON value as Postgres writes it out: with spaces, and each number in full.

The largest that Remit takes in are half as long: `remit_max_directive_bytes` ends at 16 MiB."""

metadata = sa.MetaData(naming_convention=NAMING)
"""The schema, as far as its pages have been imported; `remit.db.schema` has all of it."""


def id_() -> sa.Column[object]:
    """Return the primary key."""
    return sa.Column("id", sa.Uuid, primary_key=True)


def time(name: str, *, nullable: bool = False, primary_key: bool = False) -> sa.Column[object]:
    """Return a moment, in the database's own time."""
    moment = sa.DateTime(timezone=True)
    return sa.Column(name, moment, _readable(name), nullable=nullable, primary_key=primary_key)


def stamped(name: str) -> sa.Column[object]:
    """Return a moment that the database fills in itself."""
    now, moment = sa.func.now(), sa.DateTime(timezone=True)
    return sa.Column(name, moment, _readable(name), nullable=False, server_default=now)


def _readable(name: str) -> sa.CheckConstraint:
    """Return the check that a moment is one that Python can hold.

    One row with an infinity would otherwise stop everyone who reads it, for ever.
    """
    within = f"{name} >= '1900-01-01 00:00:00+00' AND {name} < '9000-01-01 00:00:00+00'"
    return sa.CheckConstraint(within, name=f"{name}_readable")


def _short(name: str) -> sa.CheckConstraint:
    """Return the check that a text is no longer than any that Remit writes."""
    return sa.CheckConstraint(f"octet_length({name}) <= {MAX_TEXT_BYTES}", name=f"{name}_readable")


def key(name: str) -> sa.Column[object]:
    """Return text that is, or is part of, the primary key."""
    return sa.Column(name, sa.Text, _short(name), primary_key=True)


def text(name: str, *, nullable: bool = False, default: str | None = None) -> sa.Column[object]:
    """Return text."""
    return sa.Column(name, sa.Text, _short(name), nullable=nullable, server_default=default)


def json(name: str, *, nullable: bool = False) -> sa.Column[object]:
    """Return JSON; None is null, and never JSON's null.

    Postgres holds numbers, depths and sizes that no reader does, and one such value would stop
    everyone who reads many rows. The check is written out, so that no function can be put in the
    place of one that it calls.
    """
    readable = (
        f"octet_length({name}::text) <= {MAX_JSON_BYTES}"
        f" AND NOT jsonb_path_exists({name}, 'strict $.**{{{MAX_KEPT_DEPTH + 1}}}')"
        f" AND NOT jsonb_path_exists({name}, 'strict $.** ?"
        f" (@ > {GREATEST} || @ < -{GREATEST})')"
    )
    check_ = sa.CheckConstraint(readable, name=f"{name}_readable")
    return sa.Column(name, JSONB(none_as_null=True), check_, nullable=nullable)


def ref(name: str, target: str, *, nullable: bool = False) -> sa.Column[object]:
    """Return the identifier of a row of another table."""
    return sa.Column(name, sa.Uuid, sa.ForeignKey(target), nullable=nullable)


def named(name: str, target: str) -> sa.Column[object]:
    """Return the name of a row of another table."""
    return sa.Column(name, sa.Text, _short(name), sa.ForeignKey(target), nullable=False)


def one_of(column: str, vocabulary: object) -> sa.CheckConstraint:
    """Return the check that a column holds a word of this type of `remit.vocabulary`."""
    listed = ", ".join(f"'{word}'" for word in words_of(vocabulary))
    return sa.CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def money(name: str, *, nullable: bool = False, default: str | None = None) -> sa.Column[object]:
    """Return an amount of US dollars with two decimals; Postgres' NaN is above every ceiling."""
    number = sa.CheckConstraint(f"{name} <> 'NaN'", name=f"{name}_readable")
    return sa.Column(name, sa.Numeric(14, 2), number, nullable=nullable, server_default=default)


def unique_if(name: str, columns: str, condition: str) -> sa.Index:
    """Return the index that makes columns unique among the rows that fulfil a condition."""
    where = sa.text(condition)
    return sa.Index(name, *columns.split(), unique=True, postgresql_where=where)


def json_is(name: str, kind: str) -> sa.CheckConstraint:
    """Return the check that a JSON column holds an object, or an array."""
    return sa.CheckConstraint(f"jsonb_typeof({name}) = '{kind}'", name=f"{name}_is_{kind}")


def check(name: str, condition: str) -> sa.CheckConstraint:
    """Return the check that a condition holds for each row."""
    return sa.CheckConstraint(condition, name=name)
