"""A small world made by Remit itself: everything in it is signed and told, and an audit is content.

Somebody with the services' own login then writes to it, see `test_columns.py`.
"""

import io
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from remit.artifacts.filesystem import FilesystemObjectStore
from remit.audit.chain import INSTALLATION
from remit.audit.repository import NewEvent, append_events
from remit.base.json_types import JsonObject
from remit.db.identity_tables import agent_roles, policies
from remit.db.session import transaction
from remit.execution.modules.types import ModuleOutput
from remit.identity.types import Principal
from remit.memory.enforcement import MemoryAccessAttempt
from remit.memory.repository import insert_read
from remit.memory.vector import embed_and_store
from remit.memory.writing import NewMemory
from remit.operations.evidence.artifacts import Filing, file_attachment
from remit.operations.identities.directory import create_token, disable_principal
from remit.operations.identities.invitations import invite
from remit.operations.identities.revocation import revoke_token
from remit.operations.recall.memories import remember
from remit.operations.runs.beginning import start_run
from remit.operations.runs.cancellation import cancel
from remit.signing.statements import Kind, sign_statement
from tests.integration.memory.conftest import WordEmbedder
from tests.support.contents import (
    AUTHORITY,
    SHORT,
    cast,
    finish,
    no,
    policy,
    proposed,
    under,
    waiting,
)
from tests.support.keys import KEYS
from tests.support.people import ADMIN, AGENT, GRACE, know

BUDGETED = policy(budget_limits=[{"name": "all", "ceiling": "$100.00", "period": "day"}])


@dataclass(frozen=True)
class Made:
    """Where an attacker begins.

    Attributes:
        done: a directive that is complete.
        approved: one that waits for its run, with something promised to it.
        under_way: one whose run goes on.
        waiting: one that waits for a person.
    """

    done: UUID
    approved: UUID
    under_way: UUID
    waiting: UUID


def build(engine: sa.Engine, folder: Path) -> Made:
    """Let everything happen once."""
    done = proposed(engine, BUDGETED, budget="$12.50")
    run = start_run(engine, done.id, lambda _: SHORT, under(BUDGETED)).run
    assert run is not None
    finish(engine, run, ModuleOutput.success({"said": "hello"}))
    failed = proposed(engine)
    broken = start_run(engine, failed.id, lambda _: SHORT, AUTHORITY).run
    assert broken is not None
    finish(engine, broken, ModuleOutput.failure("it broke"))
    under_way = proposed(engine, BUDGETED, budget="$1.00")
    start_run(engine, under_way.id, lambda _: SHORT, under(BUDGETED))
    proposed(engine, status="draft")
    approved = proposed(engine, BUDGETED, budget="$2.00")
    cast(engine, waiting(engine))
    asking = waiting(engine)
    refused = waiting(engine)
    cast(engine, refused, no(refused))
    cancel(engine, waiting(engine).id, by=ADMIN, reason=None)
    store = FilesystemObjectStore(folder)
    for about in (done.id, None):
        filing = Filing("notes.txt", "text/plain", {}, about)
        by = ADMIN if about is None else AGENT
        file_attachment(engine, store, io.BytesIO(b"notes"), filing, by=by, keys=KEYS)
    notes = remember(engine, [NewMemory("kitchen", "Ada likes tea.")], by=ADMIN, keys=KEYS)
    remember(engine, [NewMemory("kitchen", "It works.")], by=AGENT, keys=KEYS, run_id=run.id)
    embed_and_store(engine, WordEmbedder(), [one.memory_id for one in notes])
    _identity(engine)
    _rest(engine)
    return Made(done.id, approved.id, under_way.id, asking.id)


def _identity(engine: sa.Engine) -> None:
    for length in (1, 2):
        invite(
            engine,
            GRACE,
            valid_for=timedelta(days=length),
            open_for=timedelta(hours=1),
            by=ADMIN,
            keys=KEYS,
        )
    made = create_token(engine, GRACE, valid_for=timedelta(days=1), by=ADMIN, keys=KEYS)
    revoke_token(engine, made.row.id, by=ADMIN, keys=KEYS)
    know(engine, Principal("heidi", "human", roles=("approver",)))
    disable_principal(engine, "heidi", by=ADMIN, keys=KEYS)


def _rest(engine: sa.Engine) -> None:
    """Confirm a policy, and put a row into what governs nothing."""
    said: JsonObject = {"digest": "sha256:" + "c" * 64, "version": "1"}
    envelope = sign_statement(Kind("policy"), {**said, "by": "admin"}, KEYS)
    with transaction(engine) as connection:
        connection.execute(
            sa.insert(policies).values(**said, confirmed_by="admin", envelope=envelope)
        )
        confirmed: Any = "policy.confirmed"
        told: JsonObject = {**said, "envelope": envelope}
        append_events(connection, [NewEvent(INSTALLATION, confirmed, "admin", told)])
        connection.execute(sa.insert(agent_roles).values(role_name="operations", status="active"))
        insert_read(connection, MemoryAccessAttempt("agent-1", "postgres", "q", {}, "answered", 0))
