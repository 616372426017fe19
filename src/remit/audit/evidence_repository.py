"""All SQL of what a bundle carries and no other package reads so: who said what, as it was signed.

Rows are returned as they are. What somebody tampered with is evidence, too.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from remit.audit.bundle_records import Attempt, Person, Statement, Token, Worker
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
    attempt = execution_attempts
    statement = (
        sa.select(attempt)
        .join(execution_runs, execution_runs.c.id == attempt.c.run_id)
        .where(execution_runs.c.directive_id == directive_id)
        .order_by(execution_runs.c.created_at, attempt.c.attempt)
    )
    return [
        read_row(row._mapping, _attempt, "execution_attempts")
        for row in connection.execute(statement)
    ]


def list_workers(connection: sa.Connection, worker_ids: Iterable[UUID]) -> list[Worker]:
    """Return workers, by identifier."""
    names = ("id", "kid", "public_key", "modules", "envelope", "started_at")
    statement = (
        sa.select(*(workers.c[name] for name in names))
        .where(workers.c.id.in_(set(worker_ids)))
        .order_by(workers.c.id)
    )
    return [read_row(row._mapping, _worker, "workers") for row in connection.execute(statement)]


def list_run_statements(connection: sa.Connection, directive_id: UUID) -> list[Statement]:
    """Return what was signed of the ends of a directive's runs that no attempt ended."""
    statement = (
        sa.select(execution_runs.c.id, execution_runs.c.envelope)
        .where(
            execution_runs.c.directive_id == directive_id, execution_runs.c.envelope.is_not(None)
        )
        .order_by(execution_runs.c.created_at)
    )
    return [Statement(row.id, row.envelope) for row in connection.execute(statement)]


def list_filing_statements(connection: sa.Connection, directive_id: UUID) -> list[Statement]:
    """Return what was signed of a directive's attachments, the oldest first."""
    statement = (
        sa.select(artifacts.c.id, artifacts.c.envelope)
        .where(artifacts.c.directive_id == directive_id, artifacts.c.envelope.is_not(None))
        .order_by(artifacts.c.created_at, artifacts.c.id)
    )
    return [Statement(row.id, row.envelope) for row in connection.execute(statement)]


_PEOPLE = sa.text("""
    WITH RECURSIVE behind (name) AS (
        SELECT unnest(CAST(:names AS text[]))
        UNION
        SELECT principals.acts_for FROM principals JOIN behind USING (name)
        WHERE principals.acts_for IS NOT NULL
    )
    SELECT
        name, kind, roles, groups, acts_for, created_by, created_at, disabled_at, revision, envelope
    FROM principals JOIN behind USING (name) ORDER BY name
""")
_TOKENS = sa.text("""
    WITH RECURSIVE line (id) AS (
        SELECT unnest(CAST(:ids AS uuid[]))
        UNION
        SELECT earlier.id
        FROM line JOIN api_tokens AS one ON one.id = line.id
        JOIN api_tokens AS earlier ON earlier.id = one.created_with
            OR (one.created_with IS NULL AND earlier.principal = one.created_by)
        WHERE NOT one.redeemed
    )
    SELECT
        id, principal, hash, scopes, created_by, created_at, expires_at, revoked_at, created_with,
        redeemed, revoked_since, envelope, revocation
    FROM api_tokens JOIN line USING (id) ORDER BY id
""")


def _attempt(row: Mapping[str, Any]) -> Attempt:
    return Attempt(**row)


def _worker(row: Mapping[str, Any]) -> Worker:
    return Worker(**row)
