"""All SQL that holds rows and events against each other, both ways. It writes nothing.

`remit.operations.evidence.auditing` calls it inside one snapshot. Rows that are signed are verified
besides.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from remit.audit.chain import INSTALLATION
from remit.audit.claims import CONSENT, RULES, Claim
from remit.audit.execution_claims import EVIDENCE, EVIDENCE_SOURCES, EXECUTION, MONEY
from remit.audit.repository import streamed
from remit.audit.verification import Finding
from remit.base.wording import quoted
from remit.db.evidence_tables import artifacts, events
from remit.db.schema import metadata

MOST_OF_A_TABLE = 1000
"""Most rows of one table that are told of."""

CLAIMS: tuple[Claim, ...] = (*CONSENT, *EXECUTION, *MONEY, *EVIDENCE, *EVIDENCE_SOURCES, *RULES)
"""Everything that is held against the log."""

_MANY = 2000


def stream_broken(connection: sa.Connection) -> Iterator[Finding]:
    """Yield what does not hold, claim by claim."""
    for claim in CLAIMS:
        many = {"yield_per": _MANY}
        with connection.execute(sa.text(claim.sql), execution_options=many) as rows:
            for about, seq, what in rows:
                yield Finding(about, seq, claim.fault, claim.words.format(what=str(what)))


def stream_mentions(connection: sa.Connection) -> Iterator[Finding]:
    """Yield each event that names an artifact that is gone, or no longer has that digest."""
    named = sa.func.jsonb_each_text(
        sa.case(
            (
                sa.func.jsonb_typeof(events.c.data["evidence"]) == "object",
                events.c.data["evidence"],
            ),
            else_=sa.text("'{}'::jsonb"),
        )
    ).table_valued("key", "value", name="named")
    statement = (
        sa.select(events.c.directive_id, events.c.seq, named.c.key, artifacts.c.id.is_not(None))
        .select_from(events)
        .join(named, sa.true())
        .outerjoin(artifacts, artifacts.c.uri == named.c.key)
        .where(artifacts.c.id.is_(None) | (artifacts.c.digest != named.c.value))
        .order_by(events.c.directive_id, events.c.seq)
    )
    for about, seq, uri, is_there in streamed(connection, statement, _MANY):
        words = f"it speaks of {quoted(uri)}, "
        if is_there:
            words += "whose digest was another one then"
            yield Finding(about, seq, "artifact_changed", words)
        else:
            yield Finding(about, seq, "artifact_missing", words + "which is gone")


def stream_refused(connection: sa.Connection) -> Iterator[Finding]:
    """Yield the rows that a check of their table would refuse, table by table.

    Such a row was there before the check was, or its owner took the check away. No reader is asked
    to read it: the database itself says which rows they are, so that none of them ends an audit.
    """
    for table in metadata.sorted_tables:
        statement = _question(table)
        if statement is None:
            continue
        try:
            # What the server itself cannot look through ends this look alone.
            with connection.begin_nested():
                rows = connection.execute(statement).all()
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            words = f"a row of {table.name} is such that the database itself cannot look into it"
            yield Finding(INSTALLATION, None, "row_refused", words)
            continue
        for about, key, check in rows:
            words = f"row {quoted(key)} of {table.name} holds what the check {check} refuses"
            yield Finding(about or INSTALLATION, None, "row_refused", words)


def _question(table: sa.Table) -> sa.Select[Any] | None:
    """Return the statement that finds a table's rows; None: it has no checks."""
    of_columns = [one for column in table.c for one in column.constraints]
    broken = {
        str(one.name): sa.text(f"({one.sqltext}) IS FALSE")
        for one in (*table.constraints, *of_columns)
        if isinstance(one, sa.CheckConstraint)
    }
    if not broken:
        return None
    key = sa.func.concat_ws(" ", *(sa.cast(one, sa.Text) for one in table.primary_key))
    first = sa.case(*((broken[name], sa.literal(name)) for name in sorted(broken)))
    about = table.c.id if table.name == "directives" else table.c.get("directive_id", sa.null())
    return (
        sa.select(sa.cast(about, sa.Uuid), key, first)
        .select_from(table)
        .where(sa.or_(*broken.values()))
        .limit(MOST_OF_A_TABLE)
    )
