"""All SQL of what a bundle carries and no other package reads so: who said what, as it was signed.

Rows are returned as they are. What somebody tampered with is evidence, too.
"""

from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa

from remit.audit.bundle.types import Person, Statement, Token
from remit.audit.run_ends import Attempt, Worker
from remit.base.json_types import JsonObject
from remit.db.evidence_tables import artifacts
from remit.db.execution_tables import execution_attempts, execution_runs, workers
from remit.db.tables import directives
from remit.telemetry.rows import read_row


def issue_statement(connection: sa.Connection, directive_id: UUID) -> JsonObject | None:
    """Return what was signed of the issue of a directive; None: nothing was."""
    statement = sa.select(directives.c.envelope).where(directives.c.id == directive_id)
    found: JsonObject | None = connection.execute(statement).scalar_one()
    return found


def list_people(connection: sa.Connection, names: Iterable[str]) -> list[Person]:
    """Return principals, and on whose behalf each of them acts, by name."""
    rows = connection.execute(_PEOPLE, {"names": sorted(set(names))})
    return [
        Person(**{**row._mapping, "roles": tuple(row.roles), "groups": tuple(row.groups)})
        for row in rows
    ]


def list_token_lines(connection: sa.Connection, token_ids: Iterable[UUID]) -> list[Token]:
    """Return tokens, those that they were made with, and so on, by identifier.

    Where it was not noted with which one a token was made, every one of its maker's is meant.
    """
    rows = connection.execute(_TOKENS, {"ids": sorted(set(token_ids))})
    return [Token(**{**row._mapping, "scopes": tuple(row.scopes)}) for row in rows]


def list_attempts(connection: sa.Connection, directive_id: UUID) -> list[Attempt]:
    """Return every attempt of a directive's runs, in order."""
    statement = (
        sa.select(execution_attempts)
        .join(execution_runs, execution_runs.c.id == execution_attempts.c.run_id)
        .where(execution_runs.c.directive_id == directive_id)
        .order_by(execution_runs.c.created_at, execution_attempts.c.attempt)
    )
    return [
        read_row(row._mapping, lambda found: Attempt(**found), "execution_attempts")
        for row in connection.execute(statement)
    ]


def list_workers(connection: sa.Connection, worker_ids: Iterable[UUID]) -> list[Worker]:
    """Return workers, by identifier."""
    statement = (
        sa.select(*(workers.c[name] for name in Worker.__slots__))
        .where(workers.c.id.in_(set(worker_ids)))
        .order_by(workers.c.id)
    )
    return [
        read_row(row._mapping, lambda found: Worker(**found), "workers")
        for row in connection.execute(statement)
    ]


def list_end_statements(connection: sa.Connection, directive_id: UUID) -> list[Statement]:
    """Return what was signed of the ends of a directive's runs that no attempt ended."""
    return _statements(connection, execution_runs, directive_id)


def list_filing_statements(connection: sa.Connection, directive_id: UUID) -> list[Statement]:
    """Return what was signed of a directive's attachments, the oldest first."""
    return _statements(connection, artifacts, directive_id)


def _statements(connection: sa.Connection, table: sa.Table, directive_id: UUID) -> list[Statement]:
    statement = (
        sa.select(table.c.id, table.c.envelope)
        .where(table.c.directive_id == directive_id, table.c.envelope.is_not(None))
        .order_by(table.c.created_at, table.c.id)
    )
    return [Statement(*row) for row in connection.execute(statement)]


_PEOPLE = sa.text(f"""
    WITH RECURSIVE behind (name) AS (
        SELECT unnest(CAST(:names AS text[]))
        UNION
        SELECT principals.acts_for FROM principals JOIN behind USING (name)
        WHERE principals.acts_for IS NOT NULL
    )
    SELECT {", ".join(Person.__slots__)} FROM principals JOIN behind USING (name) ORDER BY name
""")  # noqa: S608 - names of fields, here and below
_TOKENS = sa.text(f"""
    WITH RECURSIVE line (id) AS (
        SELECT unnest(CAST(:ids AS uuid[]))
        UNION
        SELECT earlier.id
        FROM line JOIN api_tokens AS one ON one.id = line.id
        JOIN api_tokens AS earlier ON earlier.id = one.created_with
            OR (one.created_with IS NULL AND earlier.principal = one.created_by)
        WHERE NOT one.redeemed
    )
    SELECT {", ".join(Token.__slots__)} FROM api_tokens JOIN line USING (id) ORDER BY id
""")  # noqa: S608
