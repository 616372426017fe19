"""Histories that somebody writes with the services' own login, and no key: an audit finds each.

They write all of it: rows, events, evidence, in one transaction and in the right order. What they
cannot write is a signature. Each control takes the look at that out, and the audit is content.
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from psycopg.types.json import Jsonb

from remit.audit.chain import INSTALLATION
from remit.base.json_types import JsonObject
from remit.db.engine import create_database_engine
from remit.memory.vector import embed_and_store
from remit.memory.writing import NewMemory
from remit.operations.evidence import auditing, signatures
from remit.operations.evidence.auditing import judge
from remit.operations.recall.memories import open_memory_reader
from tests.adversarial import world as w
from tests.adversarial.beginning import begun, leave, tell
from tests.adversarial.columns_world import Made, build
from tests.adversarial.forging import as_service
from tests.adversarial.world import Connection
from tests.integration.memory.conftest import WordEmbedder
from tests.support.keys import KEYS
from tests.support.people import ADMIN

CLAIM = NewMemory("kitchen", "Mallory may have all the tea.")


@pytest.fixture(scope="module")
def made(engine: sa.Engine, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return a world that an audit finds nothing wrong with."""
    return build(engine, tmp_path_factory.mktemp("store"))


def run_that_was_never_called(c: Connection, made: Made) -> None:
    """A complete run of an approved directive, with its evidence and an end of its attempt."""
    run, about = begun(c, made), made.approved
    [(granted,)] = c.execute("SELECT grant_id FROM execution_runs WHERE id = %s", [run]).fetchall()
    output: JsonObject = {"status": "success", "result": {}, "cost": "0.00", "error": None}
    said: JsonObject = {"run": str(run), "attempt": 1, "output": output}
    evidence = leave(c, "execution_checkpoint", about, said, run)
    evidence |= leave(c, "execution_end", about, {"run": str(run), "status": "completed"}, run)
    [signed] = c.execute(
        "SELECT envelope FROM execution_attempts WHERE envelope IS NOT NULL LIMIT 1"
    ).fetchall()
    c.execute(
        "UPDATE execution_attempts SET ended_at = now(), outcome = 'success', cost = 0,"
        " envelope = %s WHERE run_id = %s",
        [Jsonb(signed[0]), run],
    )
    c.execute(
        "UPDATE execution_runs SET status = 'completed', ended_at = now(), result = %s"
        " WHERE id = %s",
        [Jsonb(output), run],
    )
    c.execute(
        "INSERT INTO budget_entries (account, period_start, directive_id, grant_id, kind, amount)"
        " SELECT account, period_start, directive_id, grant_id, 'release', amount"
        " FROM budget_entries WHERE grant_id = %s",
        [granted],
    )
    c.execute("UPDATE directives SET status = 'complete' WHERE id = %s", [about])
    tell(c, about, "run.ended", "remit", {"outcome": "success"})
    tell(c, about, "directive.completed", "remit", {"evidence": evidence})


def attachment_of_another(c: Connection, made: Made) -> None:
    """An attachment in the name of whoever proposed the directive."""
    evidence = leave(c, "attachment", made.done, {"name": "n", "filed_by": "agent-1"}, None)
    told: JsonObject = {"artifact": next(iter(evidence)), "evidence": evidence}
    tell(c, made.done, "artifact.stored", "agent-1", told)


def attachment_untold(c: Connection, made: Made) -> None:
    """The same, of which no event tells."""
    leave(c, "attachment", made.done, {"name": "n", "filed_by": "agent-1"}, None)


def memory_of_an_admin(c: Connection, _: Made) -> None:
    """A memory in an admin's name."""
    memory = uuid4()
    row = {"id": memory, "scope": CLAIM.scope, "content": CLAIM.content, "digest": CLAIM.digest}
    w.insert(c, "memories", row | {"created_by": "admin"})
    tell(c, INSTALLATION, "memory.added", "admin", {"memories": {str(memory): CLAIM.digest}})


def event_of_the_installation(c: Connection, _: Made) -> None:
    """That somebody was given a role whom nobody gave one."""
    said: JsonObject = {"name": "grace", "roles": ["admin"], "groups": [], "revision": 2}
    tell(c, INSTALLATION, "principal.changed", "admin", said)


def shut_out_with_no_event(c: Connection, _: Made) -> None:
    """A principal shut out."""
    c.execute("UPDATE principals SET disabled_at = now() WHERE name = 'grace'")


HISTORIES: Mapping[Callable[[Connection, Made], None], tuple[set[str], str]] = {
    run_that_was_never_called: ({"unverifiable"}, ": attempt 1 "),
    attachment_of_another: ({"unverifiable"}, "does not verify: it was never signed"),
    attachment_untold: ({"unverifiable", "untold"}, "is told by no event of its chain"),
    memory_of_an_admin: ({"unverifiable"}, "does not verify: it was never signed"),
    event_of_the_installation: ({"unverifiable"}, "its event principal.changed does not verify"),
    shut_out_with_no_event: ({"told_otherwise", "unverifiable"}, "is not as the log tells"),
}
"""What somebody writes: which faults are found, and what is said of one."""


def believe(patch: pytest.MonkeyPatch) -> None:
    """Take out the defence: whatever rows and events say, and whoever signed it, it holds."""
    for name in ("verify_filing", "verify_memory"):
        patch.setattr(signatures, name, lambda *_: None)
    patch.setattr(signatures, "judge_run", lambda *_: ())
    patch.setattr(signatures, "_VERIFY", {})
    patch.setattr(auditing, "judge_identity", lambda *_: ())
    patch.setattr(auditing, "stream_broken", lambda _: ())


History = Callable[[Connection, Made], None]
Write = Callable[[History], list[tuple[str, str]]]


@pytest.fixture
def forged(engine: sa.Engine, made: Made) -> Write:
    """Return what writes a history, audits, and undoes it."""

    def write(history: History) -> list[tuple[str, str]]:
        with engine.connect() as connection:
            raw: Any = connection.connection.dbapi_connection
            assert raw.info.user == "remit_app"
            history(raw, made)
            raw.execute("SET CONSTRAINTS ALL IMMEDIATE")
            return [(one.fault, one.words) for one in judge(connection, KEYS)]

    return write


@pytest.mark.parametrize("history", HISTORIES, ids=lambda one: one.__name__)
def test_a_history_that_the_services_login_writes_is_found(forged: Write, history: History) -> None:
    faults, words = HISTORIES[history]
    found = forged(history)
    assert {fault for fault, _ in found} == faults
    assert any(words in said for _, said in found), found


@pytest.mark.parametrize("history", HISTORIES, ids=lambda one: one.__name__)
def test_without_the_look_at_who_signed_it_the_audit_is_content(
    forged: Write,
    history: History,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    believe(monkeypatch)
    assert forged(history) == []


def test_a_memory_that_nobody_signed_is_not_answered(
    empty_engine: sa.Engine, own_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with as_service(empty_engine) as connection:
        memory_of_an_admin(connection, Made(*[INSTALLATION] * 4))
        [(memory,)] = connection.execute("SELECT id FROM memories").fetchall()
    embed_and_store(empty_engine, WordEmbedder(), [memory])
    reading = create_database_engine(
        own_database_url.replace("remit_app@", "remit_reader@"), role="remit_reader"
    )
    reader = open_memory_reader(reading, empty_engine, WordEmbedder(), by=ADMIN, keys=KEYS)
    assert reader.semantic_search("who may have tea?", 5) == []
    monkeypatch.setattr("remit.memory.postgres.is_believed", lambda *_, **__: True)
    [answered] = reader.semantic_search("who may have tea?", 5)
    assert answered.content == CLAIM.content
    reading.dispose()
