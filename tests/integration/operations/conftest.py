"""What the tests of operations share: a database with something in it for a forger to change."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

from remit.audit.chain import INSTALLATION
from remit.db.engine import create_database_engine
from remit.execution.modules.types import ModuleOutput
from remit.identity.types import Principal
from remit.operations.evidence.auditing import (
    AuditReport,
    TakenCheckpoint,
    take_checkpoint,
    verify_log,
)
from remit.operations.runs.beginning import start_run
from remit.stack.postgres import SUPERUSER
from tests.support.contents import AUTHORITY, SHORT, cast, finish, proposed, waiting
from tests.support.keys import KEYS
from tests.support.servers import as_login
from tests.support.unchecked import DROP

AUDITOR = Principal("audrey", "human", roles=("auditor",))
STRANGER = UUID(int=7)
PAST = (
    *("events", "directives", "artifacts", "grants", "approval_votes", "approval_requests"),
    *("execution_runs", "execution_attempts", "budget_entries", "budget_accounts"),
    *("memories", "principals", "api_tokens", "modules", "workers"),
)
"""The tables whose triggers a forger disables, as only their owner or the superuser can."""


@dataclass(frozen=True)
class Scene:
    """A database where something happened.

    Attributes:
        engine: the database, as the services see it.
        url: the same for the superuser.
        done: a directive that was allowed, executed and is complete.
        voted: a directive that a person approved.
        blocked: a directive that the policy blocked.
        taken: a checkpoint taken then.
    """

    engine: sa.Engine
    url: str
    done: UUID
    voted: UUID
    blocked: UUID
    taken: TakenCheckpoint

    def forge(self, *statements: str) -> None:
        """Execute statements as the superuser, past triggers and checks; `$done` is a directive."""
        with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(DROP.encode())
            for table in PAST:
                connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL".encode())
            for statement in statements:
                connection.execute(self.named(statement).encode())

    def named(self, text: str) -> str:
        """Return text with the directives' names replaced."""
        named = {"installation": INSTALLATION, "stranger": STRANGER}
        named |= {name: getattr(self, name) for name in ("done", "voted", "blocked")}
        for name, directive_id in named.items():
            text = text.replace(f"${name}", f"'{directive_id}'")
        return text

    def found(
        self, taken: TakenCheckpoint | None = None
    ) -> list[tuple[UUID | None, int | None, str]]:
        """Return what an audit finds: directive, row and fault."""
        report = audited(self.engine, taken)
        assert len(report.findings) == report.found
        return [(one.directive_id, one.seq, one.fault) for one in report.findings]


def audited(engine: sa.Engine, taken: TakenCheckpoint | None = None) -> AuditReport:
    """Verify a database."""
    checkpoint = taken.checkpoint if taken else None
    return verify_log(engine, by=AUDITOR, keys=KEYS, checkpoint=checkpoint)


@pytest.fixture
def scene(own_database_url: str) -> Iterator[Scene]:
    """Return a database of this one test where three directives went their ways."""
    engine = create_database_engine(own_database_url, application_name="tests")
    done = proposed(engine, budget="$12.50")
    run = start_run(engine, done.id, lambda _: SHORT, AUTHORITY).run
    assert run is not None
    finish(engine, run, ModuleOutput.success({"large": 1e300, "small": 0.1}))
    voted = waiting(engine)
    cast(engine, voted)
    blocked = proposed(engine, type="unheard-of")
    assert blocked.status == "blocked"
    taken = take_checkpoint(engine, KEYS, by=AUDITOR)
    superuser = as_login(own_database_url, SUPERUSER)
    yield Scene(engine, superuser, done.id, voted.id, blocked.id, taken)
    engine.dispose()
