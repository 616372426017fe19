"""What the tests of memory share: a reader's engine, embedders without a model, and a past."""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from remit.cognition.embeddings.provider import EmbeddingProvider
from remit.cognition.embeddings.types import (
    EMBEDDING_DIMENSIONS,
    EmbeddingRequest,
    EmbeddingResponse,
    EmbeddingUsage,
    respond,
)
from remit.db.engine import create_database_engine
from remit.db.session import transaction
from remit.directives.models import DirectiveRead
from remit.execution.modules.types import ModuleOutput
from remit.memory import repository
from remit.memory.enforcement import MemoryAccessAttempt
from remit.memory.postgres import PostgresMemoryReader
from remit.memory.statements import sign_memory
from remit.memory.vector import embed_and_store
from remit.memory.writing import NewMemory, SignedMemory
from remit.operations.runs.beginning import start_run
from tests.support.contents import AUTHORITY, SHORT, finish, proposed
from tests.support.keys import KEYS


@dataclass
class WordEmbedder(EmbeddingProvider):
    """Counts words: texts that share more of them are nearer.

    Attributes:
        model: under which name; another name gives other vectors.
        asked: every text that was embedded.
        cost: what a request costs; None when it is not known.
    """

    model: str = "words"
    asked: list[str] = field(default_factory=list)
    cost: Decimal | None = Decimal("0.25")
    name: str = "test"

    def embed(self, request: EmbeddingRequest) -> EmbeddingResponse:
        self.asked += request.texts
        usage = EmbeddingUsage(None, self.cost, 0.0)
        vectors = tuple(self._vector(text) for text in request.texts)
        return respond(request, vectors, model=self.model, usage=usage)

    def _vector(self, text: str) -> tuple[float, ...]:
        # The first place is everybody's, so that no text has no direction.
        numbers = [0.1, *[0.0] * (EMBEDDING_DIMENSIONS - 1)]
        for word in re.findall(r"\w+", text.lower()):
            digest = hashlib.sha256(f"{self.model} {word}".encode()).digest()
            numbers[1 + int.from_bytes(digest[:4]) % (EMBEDDING_DIMENSIONS - 1)] += 1.0
        return tuple(numbers)


@dataclass(frozen=True)
class Past:
    """A database where something happened, and somebody remembers it.

    Attributes:
        engine: the database, as the services see it.
        reading: the same for whoever reads memory.
        done: a directive that was carried out, and its run.
        failed: a directive whose run failed.
        notes: memories of an admin's, by what they say.
        lessons: memories of the run, by what they say.
    """

    engine: sa.Engine
    reading: sa.Engine
    done: DirectiveRead
    run_id: UUID
    failed: DirectiveRead
    notes: dict[str, UUID]
    lessons: dict[str, UUID]

    def reader(
        self,
        embedder: Any = None,
        record: Callable[[MemoryAccessAttempt], None] | None = None,
    ) -> PostgresMemoryReader:
        """Return a reader in the name of agent-1, whose reads are on record."""
        return PostgresMemoryReader(
            self.reading,
            embedder=embedder or WordEmbedder(),
            principal="agent-1",
            keys=KEYS,
            record=record or partial(note, self.engine),
        )


def note(engine: sa.Engine, attempt: MemoryAccessAttempt) -> None:
    """Put a read on record."""
    with transaction(engine) as connection:
        repository.insert_read(connection, attempt)


NOTES = (
    "The backup of the orders runs at night.",
    "The deploy of the website needs two people.",
    "Invoices are sent on the first of the month.",
)
LESSONS = ("The backup failed once because the disk was full.",)


@pytest.fixture(scope="module")
def reading(role_url: Callable[[str], str]) -> Iterator[sa.Engine]:
    """Return an engine of the role that reads memory."""
    engine = create_database_engine(role_url("remit_reader"), role="remit_reader")
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def past(engine: sa.Engine, reading: sa.Engine) -> Past:
    """Return this module's database with a past."""
    done, failed = proposed(engine), proposed(engine, role="release")
    runs = [start_run(engine, each.id, lambda _: SHORT, AUTHORITY).run for each in (done, failed)]
    assert runs[0] is not None
    assert runs[1] is not None
    finish(engine, runs[0], ModuleOutput.success({"said": "hello"}))
    finish(engine, runs[1], ModuleOutput.failure("it broke"))
    notes = remembered(engine, *NOTES)
    lessons = remembered(engine, *LESSONS, run_id=runs[0].id, directive_id=done.id)
    embed_and_store(engine, WordEmbedder(), [*notes.values(), *lessons.values()])
    return Past(engine, reading, done, runs[0].id, failed, notes, lessons)


def remembered(
    engine: sa.Engine,
    *contents: str,
    scope: str = "operations",
    run_id: UUID | None = None,
    directive_id: UUID | None = None,
) -> dict[str, UUID]:
    """Store memories, of the admin or of a run; return them by what they say."""
    source = repository.Source("agent-1" if run_id else "admin", directive_id, run_id)
    with transaction(engine) as connection:
        written = repository.insert_memories(
            connection, signed_by(source, *(NewMemory(scope, each) for each in contents)), source
        )
    return dict(zip(contents, (each.memory_id for each in written), strict=True))


def signed_by(source: repository.Source, *memories: NewMemory) -> list[SignedMemory]:
    """Return memories of a source, signed."""
    return [sign_memory(memory, source, KEYS, token=None) for memory in memories]


def vector(*first: float) -> list[float]:
    """Return a vector that begins so and is zero otherwise."""
    return [*first, *[0.0] * (1536 - len(first))]


def rows(engine: sa.Engine) -> set[tuple[UUID, str]]:
    """Return which memories have an embedding of which model."""
    with engine.connect() as connection:
        found = connection.execute(sa.text("SELECT memory_id, model FROM memory_embeddings"))
        return {(memory_id, model) for memory_id, model in found}


def indexes(engine: sa.Engine) -> list[str]:
    """Return the indexes of models, as they are defined."""
    with engine.connect() as connection:
        found = connection.execute(
            sa.text("SELECT indexdef FROM pg_indexes WHERE tablename = 'memory_embeddings'")
        )
        return [text for (text,) in found if "hnsw" in text]
