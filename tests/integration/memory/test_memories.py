"""Memories are written once, in their order, and listed newest first."""

from uuid import UUID

import sqlalchemy as sa

from remit.db.session import snapshot, transaction
from remit.memory import repository
from remit.memory.writing import NewMemory, Source
from tests.integration.memory.conftest import Past, remembered, signed_by
from tests.support.races import at_once

ADMIN = Source("admin", None, None)


def written(
    engine: sa.Engine, *contents: str, source: Source = ADMIN, scope: str = "s"
) -> list[tuple[UUID, bool]]:
    with transaction(engine) as connection:
        found = repository.insert_memories(
            connection, signed_by(source, *(NewMemory(scope, each) for each in contents)), source
        )
    return [(each.memory_id, each.is_new) for each in found]


def test_the_same_words_of_the_same_source_are_one_memory(empty_engine: sa.Engine) -> None:
    first = written(empty_engine, "a", "b", "a")
    assert [is_new for _, is_new in first] == [True, True, False]
    assert first[0][0] == first[2][0] != first[1][0]
    again = written(empty_engine, "b", "c", "a")
    assert [is_new for _, is_new in again] == [False, True, False]
    assert (again[0][0], again[2][0]) == (first[1][0], first[0][0])
    [elsewhere] = written(empty_engine, "a", scope="other")
    assert elsewhere[1]
    assert elsewhere[0] not in {memory for memory, _ in first}


def test_a_run_and_an_admin_may_say_the_same(past: Past) -> None:
    run = Source("agent-1", past.done.id, past.run_id)
    [(of_run, is_new)] = written(past.engine, "The same words.", source=run)
    assert is_new
    [(of_admin, is_new)] = written(past.engine, "The same words.")
    assert is_new
    assert of_run != of_admin
    assert written(past.engine, "The same words.", source=run) == [(of_run, False)]


def test_many_who_write_the_same_at_once_write_one_memory(empty_engine: sa.Engine) -> None:
    found = at_once(lambda _: written(empty_engine, "a", "b"), 8)
    assert len({memory for each in found for memory, _ in each}) == 2
    assert sum(is_new for each in found for _, is_new in each) == 2


def test_the_newest_are_listed_first_and_by_scope(empty_engine: sa.Engine) -> None:
    one = remembered(empty_engine, "first", scope="one")
    two = remembered(empty_engine, "second", scope="two")
    with snapshot(empty_engine) as connection:
        every = repository.list_recent(connection, None, 10)
        assert [(each.id, each.content) for each in every] == [
            (two["second"], "second"),
            (one["first"], "first"),
        ]
        assert repository.list_recent(connection, "one", 10) == every[1:]
        assert repository.list_recent(connection, None, 1) == every[:1]
        assert repository.list_recent(connection, "none", 10) == []
    assert every[0].digest == NewMemory("two", "second").digest
    assert every[0].source.label == "added by admin admin"
    assert every[0].run_id is None


def test_nothing_written_is_nothing_changed(empty_engine: sa.Engine) -> None:
    assert written(empty_engine) == []
    with snapshot(empty_engine) as connection:
        assert repository.contents_of(connection, []) == {}
        assert repository.lacking(connection, "m", []) == set()
        assert repository.unembedded(connection, "m", 5) == []
        assert repository.found_memories(connection, "m", [], lambda _: True) == []
