"""Memories that somebody writes by SQL, who may add rows and is no operation of Remit's.

Each is refused to the services' own role. Taking the one rule out lets it through: nothing else
would have stopped it.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg.types.json import Jsonb

from remit.memory.writing import NewMemory
from remit.vocabulary import RunStatus
from tests.adversarial import world as w
from tests.adversarial.attempts import RIGHTS, Attack, sql, stopped_by
from tests.adversarial.world import Connection, World

CITED = "remit_memory_cited"


def remember(c: Connection, **changes: Any) -> UUID:
    """Write a memory of an admin's, but for what is changed."""
    content = str(changes.get("content", "Ada likes tea."))
    row = {
        "id": uuid4(),
        "scope": "kitchen",
        "content": content,
        "digest": NewMemory("kitchen", content).digest,
        "created_by": "admin",
        **changes,
    }
    w.insert(c, "memories", row)
    return UUID(str(row["id"]))


def directive_of(c: Connection, run: UUID) -> UUID:
    [(directive,)] = c.execute(
        "SELECT directive_id FROM execution_runs WHERE id = %s", [run]
    ).fetchall()
    return UUID(str(directive))


def citing(status: RunStatus) -> Attack:
    """Return a memory that cites a run of the world."""

    def attack(c: Connection) -> None:
        run = w.ran(c, status)
        remember(c, run_id=run, directive_id=directive_of(c, run), created_by="bot")

    return attack


def by(name: str, **changes: Any) -> Attack:
    """Return a memory without a run, in the name of a principal made for it."""

    def attack(c: Connection) -> None:
        row = {"name": name, "kind": "human", "roles": Jsonb(["admin"]), "groups": Jsonb([])}
        w.insert(c, "principals", {**row, "created_by": "test", **changes})
        remember(c, created_by=name)

    return attack


def of_another_directive(c: Connection) -> None:
    run = w.ran(c, "completed")
    remember(c, run_id=run, directive_id=w.live(c, "complete"))


def shut_out(c: Connection) -> None:
    row = {"name": "eve", "kind": "human", "roles": Jsonb(["admin"]), "groups": Jsonb([])}
    w.insert(c, "principals", {**row, "created_by": "test"})
    c.execute("UPDATE principals SET disabled_at = now() WHERE name = 'eve'")
    remember(c, created_by="eve")


UNCITED: Mapping[str, Attack] = {
    "a run that waits": citing("pending"),
    "a run under way": citing("running"),
    "a run that failed": citing("failed"),
    "a run that was canceled": citing("canceled"),
    "a completed run of another directive": of_another_directive,
    "an agent with the role of an admin": by("robot", kind="agent", acts_for=None),
    "a person who is no admin": by("mallory", roles=Jsonb(["operator", "approver"])),
    "a person whose group is called admin": by("trudy", roles=Jsonb([]), groups=Jsonb(["admin"])),
    "an admin who is shut out": shut_out,
    "nobody who is known": lambda c: remember(c, created_by="nobody"),
    "another name in other letters": lambda c: remember(c, created_by="Admin"),
    "words that are not those digested": lambda c: remember(c, digest="sha256:" + "0" * 64),
}


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("name", UNCITED)
def test_no_memory_is_written_that_cites_no_completed_run_and_no_admin(
    logins: Mapping[str, Connection], name: str
) -> None:
    for login in ("remit_app", "remit_owner", "postgres"):
        assert stopped_by(logins[login], UNCITED[name]) == CITED


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("name", UNCITED)
def test_without_the_rule_each_of_them_would_be_written(
    logins: Mapping[str, Connection], name: str
) -> None:
    owner = logins["remit_owner"]
    owner.execute(f"DROP TRIGGER {CITED} ON memories".encode())
    assert stopped_by(owner, UNCITED[name]) is None


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("lawful", [citing("completed"), remember])
def test_a_completed_run_or_an_admin_is_enough(
    logins: Mapping[str, Connection], lawful: Attack
) -> None:
    assert stopped_by(logins["remit_app"], lawful) is None


HALF: Mapping[str, Attack] = {
    "a directive without a run": lambda c: remember(c, directive_id=w.live(c, "complete")),
    "a run without a directive": lambda c: remember(c, run_id=w.ran(c, "completed")),
}


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("name", HALF)
def test_a_source_is_whole_or_none(logins: Mapping[str, Connection], name: str) -> None:
    owner = logins["remit_owner"]
    assert stopped_by(logins["remit_app"], HALF[name]) is not None
    owner.execute(f"DROP TRIGGER {CITED} ON memories".encode())
    assert "ck_memories_run_has_directive" in str(stopped_by(owner, HALF[name]))


def test_the_same_words_of_one_source_are_one_memory(
    logins: Mapping[str, Connection], world: World
) -> None:
    run = world.runs["completed"][0]

    def twice(c: Connection, **source: Any) -> None:
        remember(c, **source)
        remember(c, **source)

    def of_both(c: Connection) -> None:
        remember(c)
        remember(c, run_id=run, directive_id=directive_of(c, run))

    app = logins["remit_app"]
    for attack in (
        twice,
        lambda c: twice(c, run_id=run, directive_id=directive_of(c, run)),
    ):
        assert "uq_memories_run_id_scope_digest" in str(stopped_by(app, attack))
    assert stopped_by(app, of_both) is None


@pytest.mark.usefixtures("world")
def test_a_service_neither_dates_nor_changes_nor_removes_what_was_remembered_or_read(
    logins: Mapping[str, Connection],
) -> None:
    app = logins["remit_app"]
    attacks: list[Attack] = [
        lambda c: remember(c, created_at="2020-01-01"),
        sql("UPDATE memories SET created_by = 'admin'"),
        sql("UPDATE memory_embeddings SET model = 'other'"),
        sql("UPDATE memory_reads SET principal = 'other'"),
        *(sql(f"DELETE FROM {table}") for table in RECALLED),  # noqa: S608
        *(sql(f"TRUNCATE {table}") for table in RECALLED),
        sql(
            "INSERT INTO memory_reads (principal, reader, query, asked, outcome, created_at)"
            " VALUES ('p', 'r', 'q', '{}', 'failed', '2020-01-01')"
        ),
    ]
    assert [stopped_by(app, attack) for attack in attacks] == [RIGHTS] * len(attacks)


RECALLED = ("memories", "memory_embeddings", "memory_reads")


@pytest.mark.usefixtures("world")
def test_what_a_module_says_of_its_operators_does_not_deceive_the_rule(
    logins: Mapping[str, Connection],
) -> None:
    def attack(c: Connection) -> None:
        c.execute("SET LOCAL ROLE remit_module")
        c.execute(
            "CREATE FUNCTION module_data.always(text, text) RETURNS boolean"
            " LANGUAGE sql AS 'SELECT true';"
            "CREATE OPERATOR module_data.= (FUNCTION = module_data.always,"
            " LEFTARG = text, RIGHTARG = text);"
            "GRANT USAGE ON SCHEMA module_data TO remit_app;"
        )
        c.execute("SET LOCAL ROLE remit_app")
        c.execute("SET LOCAL search_path = module_data, pg_catalog, public")
        remember(c, created_by="nobody")

    assert stopped_by(logins["remit_owner"], attack) == CITED
