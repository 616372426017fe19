"""A read of memory that cannot be put on record answers nothing, whichever way it is asked."""

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from remit.db.engine import create_database_engine
from remit.errors import MisconfiguredError
from remit.identity.types import Principal
from remit.memory.postgres import PostgresMemoryReader
from remit.memory.writing import NewMemory
from remit.operations.recall.memories import (
    embed_memories,
    open_memory_reader,
    recent_memories,
    remember,
)
from tests.integration.memory.conftest import WordEmbedder
from tests.integration.operations.lives import ran
from tests.support.contents import forging, proposed
from tests.support.keys import KEYS
from tests.support.people import ADMIN, AGENT, GRACE

Ask = Callable[[PostgresMemoryReader, sa.Engine], object]

QUESTIONS: dict[str, Ask] = {
    "latest_directive_for_role": lambda reader, _: reader.latest_directive_for_role("operations"),
    "execution_summaries": lambda reader, _: reader.execution_summaries(10),
    "artifacts_by_type": lambda reader, _: reader.artifacts_by_type("execution_end", 10),
    "semantic_search": lambda reader, _: reader.semantic_search("who likes tea", 10),
    "recent_memories": lambda _, engine: recent_memories(
        engine, by=AGENT, keys=KEYS, scope=None, limit=10
    ),
}


@pytest.fixture(scope="module")
def reading(role_url: Callable[[str], str]) -> Iterator[sa.Engine]:
    """Return an engine of the role that reads memory."""
    engine = create_database_engine(role_url("remit_reader"), role="remit_reader")
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def past(engine: sa.Engine) -> sa.Engine:
    """Return a database that has an answer to every question."""
    ran(engine, proposed(engine))
    [one] = remember(engine, [NewMemory("kitchen", "Ada likes tea.")], by=ADMIN, keys=KEYS)
    embed_memories(engine, WordEmbedder(), [one.memory_id], by=ADMIN)
    return engine


def reader(reading: sa.Engine, engine: sa.Engine, by: Principal = AGENT) -> PostgresMemoryReader:
    return open_memory_reader(reading, engine, WordEmbedder(), by=by, keys=KEYS)


@pytest.fixture
def revoke(past: sa.Engine) -> Iterator[Callable[[], None]]:
    """Return what takes away the right to record reads; it is given back."""
    forger = forging(past)
    columns = "(principal, reader, query, asked, outcome, result_count)"

    def say(command: str) -> None:
        with forger.begin() as connection:
            connection.execute(sa.text(command))

    yield lambda: say(f"REVOKE INSERT {columns} ON memory_reads FROM remit_app")
    say(f"GRANT INSERT {columns} ON memory_reads TO remit_app")
    forger.dispose()


def reads(engine: sa.Engine) -> list[tuple[str, str, str]]:
    statement = "SELECT principal, query, outcome FROM memory_reads ORDER BY id"
    with engine.connect() as connection:
        return [(row[0], row[1], row[2]) for row in connection.execute(sa.text(statement))]


@pytest.mark.parametrize("name", QUESTIONS)
def test_what_cannot_be_recorded_is_not_answered_even_in_the_middle_of_a_run(
    past: sa.Engine, reading: sa.Engine, revoke: Callable[[], None], name: str
) -> None:
    asking = reader(reading, past)
    assert QUESTIONS[name](asking, past)
    before = reads(past)
    assert before[-1] == ("agent-1", name, "answered")
    revoke()
    with pytest.raises(MisconfiguredError, match="memory_reads") as caught:
        QUESTIONS[name](asking, past)
    assert "Ada likes tea" not in str(caught.value)
    assert reads(past) == before


@pytest.mark.parametrize("name", [name for name in QUESTIONS if name != "recent_memories"])
@pytest.mark.usefixtures("revoke")
def test_without_the_record_the_same_is_answered_and_nobody_knows(
    past: sa.Engine, reading: sa.Engine, revoke: Callable[[], None], name: str
) -> None:
    """The control: a reader that is handed a record that keeps nothing."""
    before = reads(past)
    revoke()
    unseen = PostgresMemoryReader(
        reading, embedder=WordEmbedder(), principal="agent-1", keys=KEYS, record=lambda _: None
    )
    assert QUESTIONS[name](unseen, past)
    assert reads(past) == before


def test_each_read_is_in_the_name_of_whoever_the_reader_was_opened_for(
    past: sa.Engine, reading: sa.Engine
) -> None:
    before = len(reads(past))
    for by in (AGENT, GRACE):
        reader(reading, past, by).semantic_search("tea", 1)
    assert reads(past)[before:] == [
        ("agent-1", "semantic_search", "answered"),
        ("grace", "semantic_search", "answered"),
    ]
    with pytest.raises(AttributeError):
        reader(reading, past).principal = "grace"  # type: ignore[misc]
